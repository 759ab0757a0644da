-- Grain: one row per dealer, fiscal month and reason for which sales are credited to nobody.
with

credit as (
    select *
    from {{ ref('int_credit__sale_line') }}
    where member_id = '{{ unassigned() }}'
),

dealer as (
    select *
    from {{ ref('dim_dealer') }}
    where is_latest
),

company as (
    select * from {{ source('config', 'company') }}
),

summed as (
    select
        dealer_id,
        fiscal_month_start,
        unassigned_reason,
        count(*) as line_count,
        count(*) - count(credited_net_amount_reporting) as no_rate_line_count,
        sum(credited_net_amount_reporting) as net_amount
    from credit
    group by dealer_id, fiscal_month_start, unassigned_reason
),

final as (
    select
        summed.dealer_id,
        coalesce(dealer.dealer_name, summed.dealer_id) as dealer_name,
        dealer.region,
        summed.fiscal_month_start,
        summed.unassigned_reason,
        summed.line_count,
        summed.no_rate_line_count,
        cast(summed.net_amount as decimal(28, 8)) as net_amount,
        company.reporting_currency_code as currency_code,
        company.fx_rate_type as rate_type
    from summed
    cross join company
    left join dealer on summed.dealer_id = dealer.dealer_id
)

select * from final
