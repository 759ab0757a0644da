-- Grain: one row per subject and fiscal period begun for which KPIs are stated.
with

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

measure_period as (
    select * from {{ ref('int_kpi__measure_period') }}
),

target as (
    select * from {{ ref('int_kpi__target') }}
),

dealer_in_period as (
    select
        period.period_id,
        dealer.dealer_id,
        dealer.region
    from period
    inner join dealer
        on
            period.period_end > dealer.valid_from
            and period.period_start < dealer.valid_to
    where
        (dealer.status is null or dealer.status not in ('prospect', 'terminated'))
        and (dealer.onboarded_date is null or dealer.onboarded_date < period.period_end)
),

member_in_period as (
    select
        period.period_id,
        member.member_id,
        member.team,
        member.role = 'sales' as is_seller
    from period
    inner join member
        on
            period.period_end > member.valid_from
            and period.period_start < member.valid_to
    where
        (member.hired_date is null or member.hired_date < period.period_end)
        and (member.left_date is null or member.left_date > period.period_start)
),

-- Who is expected (dealers and members in force) and whoever has a figure, expected or not.
-- Sales are stated of sellers: a service member without sales has no revenue of 0, but none at all.
eligible as (
    select
        'dealer' as subject_type,
        dealer_id as subject_id,
        period_id,
        true as is_seller
    from dealer_in_period

    union all

    select
        'region' as subject_type,
        region as subject_id,
        period_id,
        true as is_seller
    from dealer_in_period

    union all

    select
        'member' as subject_type,
        member_id as subject_id,
        period_id,
        is_seller
    from member_in_period

    union all

    select
        'team' as subject_type,
        team as subject_id,
        period_id,
        is_seller
    from member_in_period

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        period_id,
        true as is_seller
    from period

    union all

    select
        subject_month.subject_type,
        subject_month.subject_id,
        period.period_id,
        true as is_seller
    from subject_month
    inner join period
        on
            subject_month.fiscal_month_start >= period.period_start
            and subject_month.fiscal_month_start < period.period_end

    union all

    -- A target whose subject nobody knows makes no subject.
    select
        target.subject_type,
        target.subject_id,
        period.period_id,
        coalesce(target.basis = 'sales', false) as is_seller
    from target
    inner join period
        on
            target.valid_from >= period.period_start
            and target.valid_to <= period.period_end
    where
        target.product_category is null
        and target.is_subject_known

    union all

    select
        subject_type,
        subject_id,
        period_id,
        false as is_seller
    from measure_period
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        bool_or(is_seller) as is_seller
    from eligible
    where subject_id is not null
    group by subject_type, subject_id, period_id
)

select * from final
