-- Grain: one row per subject (member, team, region, company, category), fiscal period begun and KPI of dealers who buy.
with

subject_dealer as (
    select * from {{ ref('int_sales__subject_dealer_period') }}
),

invoice_month as (
    select * from {{ ref('int_sales__invoice_month') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

dealer as (
    select *
    from {{ ref('dim_dealer') }}
    where status = 'active'
),

dealer_share as (
    select * from {{ ref('int_credit__dealer_share') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dated as (
    select
        period.period_id,
        period.period_start,
        period.period_end,
        period.last_year_period_id,
        coverage.is_covered,
        coverage.is_covered_whole as is_whole,
        coalesce(last_year.is_covered_whole, false) as is_last_year_whole,
        coverage.covered_months_before as months_before
    from period
    inner join coverage on period.period_id = coverage.period_id
    left join coverage as last_year on period.last_year_period_id = last_year.period_id
),

-- Dealers in force on any day of the period, by region and by those who own them then.
dealer_day as (
    select
        dated.period_id,
        dealer.dealer_id,
        dealer.region,
        greatest(dated.period_start, dealer.valid_from, coalesce(dealer.onboarded_date, dealer.valid_from)) as valid_from,
        least(dated.period_end, dealer.valid_to) as valid_to
    from dated
    inner join dealer
        on
            dated.period_end > dealer.valid_from
            and dated.period_start < dealer.valid_to
),

owned_day as (
    select
        dealer_day.period_id,
        dealer_day.dealer_id,
        dealer_share.member_id,
        greatest(dealer_day.valid_from, dealer_share.valid_from) as valid_from,
        least(dealer_day.valid_to, dealer_share.valid_to) as valid_to
    from dealer_day
    inner join dealer_share
        on
            dealer_day.dealer_id = dealer_share.dealer_id
            and dealer_day.valid_from < dealer_share.valid_to
            and dealer_day.valid_to > dealer_share.valid_from
    where dealer_share.held_reason is null
),

in_force as (
    select
        'company' as subject_type,
        'company' as subject_id,
        period_id,
        dealer_id
    from dealer_day
    where valid_from < valid_to

    union

    select
        'region' as subject_type,
        region as subject_id,
        period_id,
        dealer_id
    from dealer_day
    where valid_from < valid_to and region is not null

    union

    select
        'member' as subject_type,
        member_id as subject_id,
        period_id,
        dealer_id
    from owned_day
    where valid_from < valid_to

    union

    select
        'team' as subject_type,
        member.team as subject_id,
        owned_day.period_id,
        owned_day.dealer_id
    from owned_day
    inner join member
        on
            owned_day.member_id = member.member_id
            and owned_day.valid_from < member.valid_to
            and owned_day.valid_to > member.valid_from
    where owned_day.valid_from < owned_day.valid_to and member.team is not null
),

active as (
    select
        subject_type,
        subject_id,
        period_id,
        dealer_id
    from subject_dealer
    where net_amount > 0
),

forced as (
    select
        in_force.subject_type,
        in_force.subject_id,
        in_force.period_id,
        count(*) as in_force_count,
        count(active.dealer_id) as active_in_force_count
    from in_force
    left join active
        on
            in_force.subject_type = active.subject_type
            and in_force.subject_id = active.subject_id
            and in_force.period_id = active.period_id
            and in_force.dealer_id = active.dealer_id
    group by in_force.subject_type, in_force.subject_id, in_force.period_id
),

sold as (
    select
        subject_type,
        subject_id,
        period_id,
        bool_or(has_no_rate) as has_no_rate,
        count(*) filter (where net_amount > 0) as active_count,
        count(*) filter (where is_start) as start_count,
        sum(net_amount) as net_amount,
        sum(new_net_amount) as new_net_amount,
        count(*) as dealer_count
    from subject_dealer
    group by subject_type, subject_id, period_id
),

-- Of those active a year before, who is again.
retained as (
    select
        active.subject_type,
        active.subject_id,
        dated.period_id,
        count(*) as base_count,
        count(again.dealer_id) as again_count
    from active
    inner join dated on active.period_id = dated.last_year_period_id
    left join active as again
        on
            active.subject_type = again.subject_type
            and active.subject_id = again.subject_id
            and active.dealer_id = again.dealer_id
            and dated.period_id = again.period_id
    group by active.subject_type, active.subject_id, dated.period_id
),

bought_days as (
    {% for subject_type, subject_id in [('region', 'invoice_month.region'), ('company', "'company'")] %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            month_period.period_id,
            invoice_month.dealer_id,
            sum(invoice_month.invoice_day_count) as day_count
        from invoice_month
        inner join month_period on invoice_month.fiscal_month_start = month_period.fiscal_month_start
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}month_period.period_id, invoice_month.dealer_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

repurchased as (
    select
        subject_type,
        subject_id,
        period_id,
        count(*) as buyer_count,
        count(*) filter (where day_count >= 2) as again_count
    from bought_days
    group by subject_type, subject_id, period_id
),

stated as (
    select
        'company' as subject_type,
        'company' as subject_id,
        period_id
    from dated

    union

    {% for relation in ['forced', 'sold', 'retained'] %}
        select
            subject_type,
            subject_id,
            period_id
        from {{ relation }}
        {% if not loop.last %}
            union
        {% endif %}
    {% endfor %}
),

counted as (
    select
        stated.subject_type,
        stated.subject_id,
        stated.period_id,
        -- Who bought is known where a line says so; that nobody did is known of months covered alone.
        dated.is_covered or coalesce(sold.dealer_count, 0) > 0 as is_covered,
        dated.is_whole,
        dated.is_last_year_whole,
        dated.months_before,
        coalesce(sold.has_no_rate, false) as has_no_rate,
        coalesce(last_year.has_no_rate, false) as last_year_has_no_rate,
        coalesce(sold.dealer_count, 0) as dealer_count,
        coalesce(sold.active_count, 0) as active_count,
        coalesce(sold.start_count, 0) as start_count,
        coalesce(sold.net_amount, 0) as net_amount,
        coalesce(sold.new_net_amount, 0) as new_net_amount,
        coalesce(forced.in_force_count, 0) as in_force_count,
        coalesce(forced.active_in_force_count, 0) as active_in_force_count,
        coalesce(retained.base_count, 0) as base_count,
        coalesce(retained.again_count, 0) as retained_count,
        coalesce(repurchased.buyer_count, 0) as buyer_count,
        coalesce(repurchased.again_count, 0) as repurchase_count
    from stated
    inner join dated on stated.period_id = dated.period_id
    {% for relation in ['sold', 'forced', 'retained', 'repurchased'] %}
        left join {{ relation }}
            on
                stated.subject_type = {{ relation }}.subject_type
                and stated.subject_id = {{ relation }}.subject_id
                and stated.period_id = {{ relation }}.period_id
    {% endfor %}
    left join sold as last_year
        on
            stated.subject_type = last_year.subject_type
            and stated.subject_id = last_year.subject_id
            and dated.last_year_period_id = last_year.period_id
),

-- KPI, numerator, denominator (none: a count), sample, what must be so, what lacks a rate, the words where it is not so.
long as (
    {% for kpi_code, numerator, denominator, sample, condition, no_rate, condition_reason, empty, whom in [
        ('active_dealers', 'active_count', none, 'dealer_count', 'true', 'has_no_rate', '', '', 'true'),
        ('active_dealer_pct', 'active_in_force_count', 'in_force_count', 'in_force_count', 'true', 'has_no_rate', '',
            'no dealer in force in the period', "subject_type <> 'category'"),
        ('new_dealers', 'start_count', none, 'dealer_count', 'months_before >= 12', 'false',
            'sales of twelve months before the period are not known', '', "subject_type <> 'category'"),
        ('new_dealer_revenue_pct', 'new_net_amount', 'net_amount', 'dealer_count', 'months_before >= 23', 'has_no_rate',
            'sales of two years are not known', 'no sales in the period', "subject_type <> 'category'"),
        ('retention_pct', 'retained_count', 'base_count', 'base_count', 'is_last_year_whole and is_whole',
            'has_no_rate or last_year_has_no_rate', 'the period and the one a year before are not both known whole',
            'no dealer active a year before', 'true'),
        ('repurchase_pct', 'repurchase_count', 'buyer_count', 'buyer_count', 'true', 'false', '',
            'no invoice in the period', "subject_type in ('region', 'company')"),
    ] %}
        select
            subject_type,
            subject_id,
            period_id,
            '{{ kpi_code }}' as kpi_code,
            cast({{ numerator }} as decimal(28, 8)) as numerator,
            cast({{ denominator or 'null' }} as decimal(28, 8)) as denominator,
            {{ 'true' if denominator else 'false' }} as is_share,
            {{ 'true' if denominator and kpi_code != 'new_dealer_revenue_pct' else 'false' }} as is_counted,
            cast({{ sample }} as bigint) as sample_size,
            case
                when not is_covered then 'no_data'
                when not ({{ condition }}) then 'undefined'
                when {{ no_rate }} then 'no_rate'
                {% if denominator %}
                    when {{ sample }} = 0 then 'no_data'
                    when {{ denominator }} <= 0 then 'undefined'
                {% endif %}
                else 'ok'
            end as status,
            case
                when not is_covered then 'no sales delivered for the period'
                when not ({{ condition }}) then '{{ condition_reason }}'
                when {{ no_rate }} then 'no exchange rate for sales of the period'
                {% if denominator %}
                    when {{ sample }} = 0 then '{{ empty }}'
                    when {{ denominator }} <= 0 then 'what it is a share of is zero or negative'
                {% endif %}
                when not is_whole then 'sales cover only a part of the period'
            end as status_reason
        from counted
        where {{ whom }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        case when status = 'ok' then numerator end as numerator,
        case when status = 'ok' then denominator end as denominator,
        case
            when status <> 'ok' then cast(null as decimal(28, 8))
            when is_share then cast({{ exact_divide('numerator', 'denominator', 8) }} as decimal(28, 8))
            else numerator
        end as value,
        sample_size,
        {% for side in ['low', 'high'] %}
            case
                when is_counted and status = 'ok' then {{ wilson_bound('numerator', 'denominator', side) }}
            end as ci_{{ side }},
        {% endfor %}
        case when is_counted and status = 'ok' then 'wilson' end as ci_method,
        cast(null as string) as rate_type,
        status,
        status_reason
    from long
)

select * from final
