-- Grain: one row per dealer, window in which its owners do not change, and member who owns or co-owns it; or nobody.
with

assignment as (
    select *
    from {{ ref('bridge_assignment') }}
    where role in ('owner', 'co_owner')
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

-- Part of an assignment in which its member is no longer employed.
left_assignment as (
    select
        assignment.dealer_id,
        assignment.member_id,
        greatest(assignment.valid_from, member_left.left_from) as valid_from,
        least(assignment.valid_to, member_left.left_to) as valid_to
    from assignment
    inner join member_left
        on
            assignment.member_id = member_left.member_id
            and assignment.valid_to > member_left.left_from
            and assignment.valid_from < member_left.left_to
),

boundary as (
    {% for relation in ['assignment', 'left_assignment'] %}
        {% for boundary_date in ['valid_from', 'valid_to'] %}
            select
                dealer_id,
                {{ boundary_date }} as boundary_date
            from {{ relation }}
            {% if not loop.last %}
                union
            {% endif %}
        {% endfor %}
        {% if not loop.last %}
            union
        {% endif %}
    {% endfor %}
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

-- Employment ends credit: the share of who has left stays as it was, and is nobody's.
employed as (
    select
        settled.dealer_id,
        settled.valid_from,
        settled.valid_to,
        settled.member_id,
        settled.credit_role,
        case when member_left.member_id is null then settled.credit_pct else 0 end as credit_pct,
        coalesce(settled.held_reason, case when member_left.member_id is not null then 'left the company' end) as held_reason
    from settled
    left join member_left
        on
            settled.member_id = member_left.member_id
            and settled.valid_from >= member_left.left_from
            and settled.valid_from < member_left.left_to
),

window_share as (
    select
        dealer_id,
        valid_from,
        valid_to,
        sum(credit_pct) as credited_pct,
        max(held_reason) as window_reason
    from employed
    group by dealer_id, valid_from, valid_to
),

shared as (
    select
        dealer_id,
        valid_from,
        valid_to,
        member_id,
        credit_role,
        1 as share_no,
        credit_pct,
        held_reason,
        cast(null as string) as unassigned_reason
    from employed

    union all

    -- What nobody is credited with has a row too, so that members add up to the company.
    select
        dealer_id,
        valid_from,
        valid_to,
        '{{ unassigned() }}' as member_id,
        '{{ unassigned() }}' as credit_role,
        2 as share_no,
        100 - credited_pct as credit_pct,
        cast(null as string) as held_reason,
        coalesce(window_reason, 'shares below 100 %') as unassigned_reason
    from window_share
    where credited_pct < 100
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
                order by share_no asc nulls last, credit_role desc nulls last, member_id asc nulls last
                rows between unbounded preceding and current row
            ) - credit_pct as decimal(9, 4)
        ) as pct_before,
        held_reason,
        unassigned_reason
    from shared
)

select * from final
