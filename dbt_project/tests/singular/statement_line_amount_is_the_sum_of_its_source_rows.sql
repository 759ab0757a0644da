-- To the cent: what a line pays is what its source rows earned, and they carry the revenue that it is about. Of the periods
-- that this build redid; a full build redoes them all.
with

redone as (
    select *
    from {{ ref('int_incentive__pay_state') }}
    where is_changed
),

statement_line as (
    select * from {{ ref('mart_incentive__statement_line') }}
    where period_start in (select fiscal_month_start from redone)
),

source_row as (
    select
        statement_line_id,
        sum(amount) as amount,
        sum(credited_amount) as credited_amount,
        count(*) - count(amount) as unsettled_count
    from {{ ref('mart_incentive__line_source') }}
    where fiscal_month_start in (select fiscal_month_start from redone)
    group by statement_line_id
)

select
    statement_line.statement_line_id,
    statement_line.amount,
    source_row.amount as amount_of_sources,
    statement_line.base_amount,
    source_row.credited_amount as credited_amount_of_sources
from statement_line
left join source_row on statement_line.statement_line_id = source_row.statement_line_id
where
    (statement_line.status <> 'held' and statement_line.amount <> coalesce(source_row.amount, 0))
    or (statement_line.status <> 'held' and source_row.unsettled_count > 0)
    or (statement_line.status = 'held' and source_row.amount is not null)
    or (
        statement_line.line_kind = 'earned'
        and statement_line.status <> 'held'
        and statement_line.credited_line_count > 0
        and statement_line.base_amount <> coalesce(source_row.credited_amount, 0)
    )
