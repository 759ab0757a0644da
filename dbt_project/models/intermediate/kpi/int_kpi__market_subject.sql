-- Grain: one row per subject with a market (region, company, dealer or member with a territory) and fiscal period that it is known of.
with

market_total as (
    select *
    from {{ ref('int_sales__market_period') }}
    where brand_role = 'total'
),

territory as (
    select * from {{ ref('bridge_territory') }}
),

period as (
    select
        *,
        row_number() over (partition by period_type order by period_start nulls last) as period_no
    from {{ ref('dim_period') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

cell as (
    select * from {{ ref('int_sales__cell_month') }}
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

market_region as (
    select
        market_total.region,
        market_total.period_id,
        period.period_start
    from market_total
    inner join period on market_total.period_id = period.period_id
    group by market_total.region, market_total.period_id, period.period_start
),

-- A region has its own market, the company all of them, dealers and members those of their territories on the first day.
subject_region as (
    select
        'region' as subject_type,
        region as subject_id,
        period_id,
        region
    from market_region

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        period_id,
        region
    from market_region

    union all

    select
        territory.subject_type,
        territory.subject_id,
        market_region.period_id,
        territory.region
    from territory
    inner join market_region
        on
            territory.region = market_region.region
            and territory.valid_from <= market_region.period_start
            and territory.valid_to > market_region.period_start
    group by territory.subject_type, territory.subject_id, market_region.period_id, territory.region
),

subject_market as (
    select
        subject_region.subject_type,
        subject_region.subject_id,
        subject_region.period_id,
        sum(market_total.amount) as market_amount,
        count(*) - count(market_total.amount) as unknown_count
    from subject_region
    inner join market_total
        on
            subject_region.region = market_total.region
            and subject_region.period_id = market_total.period_id
    group by subject_region.subject_type, subject_region.subject_id, subject_region.period_id
),

-- Own sales of the regions and categories whose market is known: like stands against like.
own_cell as (
    select
        market_total.period_id,
        market_total.region,
        cell.dealer_id,
        cell.member_id,
        sum(cell.net_amount) as net_amount,
        sum(cell.no_rate_share) as no_rate_share
    from cell
    inner join month_period on cell.fiscal_month_start = month_period.fiscal_month_start
    inner join market_total
        on
            month_period.period_id = market_total.period_id
            and cell.region = market_total.region
            and cell.product_category = market_total.product_category
    group by market_total.period_id, market_total.region, cell.dealer_id, cell.member_id
),

own as (
    {% for subject_type, subject_id in [
        ('region', none), ('company', none), ('dealer', 'dealer_id'), ('member', 'member_id'),
    ] %}
        select
            subject_region.subject_type,
            subject_region.subject_id,
            subject_region.period_id,
            sum(own_cell.net_amount) as net_amount,
            sum(own_cell.no_rate_share) as no_rate_share
        from subject_region
        inner join own_cell
            on
                subject_region.period_id = own_cell.period_id
                and subject_region.region = own_cell.region
                {% if subject_id %}
                    and subject_region.subject_id = own_cell.{{ subject_id }}
                {% endif %}
        where subject_region.subject_type = '{{ subject_type }}'
        group by subject_region.subject_type, subject_region.subject_id, subject_region.period_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

summed as (
    select
        subject_market.subject_type,
        subject_market.subject_id,
        subject_market.period_id,
        case when subject_market.unknown_count = 0 then cast(subject_market.market_amount as decimal(28, 8)) end
            as market_amount,
        case when coalesce(own.no_rate_share, 0) = 0 then cast(coalesce(own.net_amount, 0) as decimal(28, 8)) end
            as own_amount
    from subject_market
    left join own
        on
            subject_market.subject_type = own.subject_type
            and subject_market.subject_id = own.subject_id
            and subject_market.period_id = own.period_id
),

shared as (
    select
        summed.subject_type,
        summed.subject_id,
        summed.period_id,
        period.period_type,
        period.period_no,
        summed.market_amount,
        case
            when
                summed.market_amount > 0
                and coverage.is_covered_whole
                then cast({{ exact_divide('summed.own_amount', 'summed.market_amount', 8) }} as decimal(18, 8))
        end as own_share
    from summed
    inner join period on summed.period_id = period.period_id
    left join coverage on summed.period_id = coverage.period_id
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        market_amount,
        own_share,
        max(own_share) over (
            partition by subject_type, subject_id, period_type
            order by period_no nulls last
            range between 4 preceding and 1 preceding
        ) as best_share
    from shared
)

select * from final
