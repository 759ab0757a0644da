-- Grain: one row per dealer, window in which its owners do not change, and member who owns or co-owns it.
with

assignment as (
    select *
    from {{ ref('bridge_assignment') }}
    where role in ('owner', 'co_owner')
),

boundary as (
    select
        dealer_id,
        valid_from as boundary_date
    from assignment
    union
    select
        dealer_id,
        valid_to as boundary_date
    from assignment
),

-- Between two boundaries of a dealer nothing changes, so shares can be summed and checked there.
window_of_dealer as (
    select
        dealer_id,
        boundary_date as valid_from,
        lead(boundary_date) over (partition by dealer_id order by boundary_date nulls last) as valid_to
    from boundary
),

in_force as (
    select
        window_of_dealer.dealer_id,
        window_of_dealer.valid_from,
        window_of_dealer.valid_to,
        assignment.member_id,
        assignment.role,
        assignment.split_pct
    from window_of_dealer
    inner join assignment
        on
            window_of_dealer.dealer_id = assignment.dealer_id
            and window_of_dealer.valid_from >= assignment.valid_from
            and window_of_dealer.valid_from < assignment.valid_to
),

summed as (
    select
        dealer_id,
        valid_from,
        valid_to,
        member_id,
        role,
        split_pct,
        coalesce(sum(split_pct) over (partition by dealer_id, valid_from), 0) as stated_pct,
        sum(case when split_pct is null then 1 else 0 end) over (partition by dealer_id, valid_from) as unstated_count
    from in_force
),

-- One share left open gets the rest. More than one, or more than the whole, is for a person to settle.
settled as (
    select
        dealer_id,
        valid_from,
        valid_to,
        member_id,
        -- 'owner' sorts after 'co_owner': who is both counts as owner, with the sum of the shares.
        max(role) as credit_role,
        sum(case when unstated_count <= 1 and stated_pct <= 100 then coalesce(split_pct, 100 - stated_pct) else 0 end) as credit_pct,
        max(case
            when stated_pct > 100 then 'shares above 100 %'
            when unstated_count > 1 then 'more than one share not stated'
        end) as held_reason
    from summed
    group by dealer_id, valid_from, valid_to, member_id
),

final as (
    select
        dealer_id,
        valid_from,
        valid_to,
        member_id,
        credit_role,
        cast(credit_pct as decimal(9, 4)) as credit_pct,
        cast(
            sum(credit_pct) over (
                partition by dealer_id, valid_from
                order by credit_role desc nulls last, member_id asc nulls last
                rows between unbounded preceding and current row
            ) - credit_pct as decimal(9, 4)
        ) as pct_before,
        held_reason
    from settled
)

select * from final
