-- Grain: one row per subject (region, company, category), fiscal period begun and KPI of the market.
with

market_period as (
    select * from {{ ref('int_sales__market_period') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

{% set subjects = [('region', 'region'), ('category', 'product_category'), ('company', "'company'")] %}
branded as (
    {% for subject_type, subject_id in subjects %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            competitor,
            brand_role,
            count(*) as cell_count,
            count(*) - count(amount) as no_amount_count,
            count(*) - count(units) as no_units_count,
            sum(amount) as amount,
            sum(units) as units,
            sum(indexed_amount) as indexed_amount,
            sum(weighed_amount) as weighed_amount
        from market_period
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id, competitor, brand_role
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- Own sales, the market and the largest competitor, over the same regions and categories.
summed as (
    select
        subject_type,
        subject_id,
        period_id,
        cast(max(cell_count) filter (where brand_role = 'total') as bigint) as cell_count,
        coalesce(sum(no_amount_count) filter (where brand_role = 'own'), 0) as own_unknown_count,
        {% for role in ['own', 'total'] %}
            max(case when brand_role = '{{ role }}' and no_amount_count = 0 then cast(amount as decimal(28, 8)) end)
                as {{ role }}_amount,
            max(case when brand_role = '{{ role }}' and no_units_count = 0 then cast(units as decimal(28, 8)) end)
                as {{ role }}_units,
        {% endfor %}
        max(case when brand_role = 'competitor' then cast(amount as decimal(28, 8)) end) as largest_amount,
        cast(sum(indexed_amount) filter (where brand_role = 'competitor') as decimal(28, 8)) as indexed_amount,
        cast(sum(weighed_amount) filter (where brand_role = 'competitor') as decimal(28, 8)) as weighed_amount
    from branded
    group by subject_type, subject_id, period_id
),

shared as (
    select
        subject_type,
        subject_id,
        period_id,
        case
            when total_amount > 0 then cast({{ exact_divide('own_amount', 'total_amount', 8) }} as decimal(28, 8))
        end as share
    from summed
),

compared as (
    select
        summed.subject_type,
        summed.subject_id,
        summed.period_id,
        summed.cell_count,
        coalesce(coverage.is_covered, false) as is_covered,
        coalesce(coverage.is_covered_whole, false) as is_covered_whole,
        summed.own_unknown_count,
        summed.own_amount,
        summed.own_units,
        summed.total_amount,
        summed.total_units,
        summed.largest_amount,
        summed.indexed_amount,
        summed.weighed_amount,
        shared.share,
        previous_period.share as previous_share
    from summed
    inner join shared
        on
            summed.subject_type = shared.subject_type
            and summed.subject_id = shared.subject_id
            and summed.period_id = shared.period_id
    inner join period on summed.period_id = period.period_id
    left join coverage on summed.period_id = coverage.period_id
    left join shared as previous_period
        on
            summed.subject_type = previous_period.subject_type
            and summed.subject_id = previous_period.subject_id
            and period.previous_period_id = previous_period.period_id
),

-- KPI, what stands above and below the line, by what it is multiplied, why there is none.
long as (
    {% for kpi_code, numerator, denominator, factor, reason in [
        ('market_share_pct', 'own_amount', 'total_amount', 1, 'the amount of the market is not known'),
        ('market_share_units_pct', 'own_units', 'total_units', 1, 'units of the market or of own sales are not known'),
        ('relative_market_share', 'own_amount', 'largest_amount', 1, 'the amount of no competitor is known'),
        ('market_share_change_pct', 'share - previous_share', none, 100, 'no market share in this or the previous period'),
        ('price_index_own', 'weighed_amount', 'indexed_amount', 10000, 'no price index of a competitor with its amount'),
    ] %}
        select
            subject_type,
            subject_id,
            period_id,
            '{{ kpi_code }}' as kpi_code,
            cell_count,
            is_covered,
            -- The price level is that of the others: it asks for no sales of ours.
            {{ 'true' if kpi_code == 'price_index_own' else 'is_covered_whole' }} as is_known,
            own_unknown_count > 0
            and '{{ kpi_code }}' in ('market_share_pct', 'relative_market_share', 'market_share_change_pct') as has_no_rate,
            cast({{ numerator }} as decimal(28, 8)) as numerator,
            cast({{ denominator or '1' }} as decimal(28, 8)) as denominator,
            {{ 'false' if denominator else 'true' }} as is_difference,
            {{ factor }} as factor,
            '{{ reason }}' as reason
        from compared
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

judged as (
    select
        *,
        case
            when not is_known then 'no_data'
            when has_no_rate then 'no_rate'
            when numerator is null or denominator is null then 'no_data'
            when denominator <= 0 then 'undefined'
            else 'ok'
        end as status
    from long
),

final as (
    select
        judged.subject_type,
        judged.subject_id,
        judged.period_id,
        judged.kpi_code,
        case when judged.status = 'ok' then judged.numerator end as numerator,
        case when judged.status = 'ok' and not judged.is_difference then judged.denominator end as denominator,
        case
            when judged.status = 'ok'
                then cast({{ exact_divide('judged.factor * judged.numerator', 'judged.denominator', 8) }} as decimal(28, 8))
        end as value,
        judged.cell_count as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.fx_rate_type as rate_type,
        judged.status,
        case
            when not judged.is_known and not judged.is_covered then 'no sales delivered for the period'
            when not judged.is_known then 'sales cover only a part of the period'
            when judged.status = 'no_rate' then 'no exchange rate for sales of the period'
            when judged.status = 'no_data' then judged.reason
            when judged.status = 'undefined' then 'what it is a share of is zero or negative'
        end as status_reason
    from judged
    cross join company
)

select * from final
