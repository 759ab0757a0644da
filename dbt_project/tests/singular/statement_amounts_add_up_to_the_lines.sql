-- All statements together pay what all lines together pay, and every line belongs to a statement.
with

statement as (
    select
        scenario_id,
        period_id,
        sum(amount) as amount,
        sum(line_count) as line_count
    from {{ ref('mart_incentive__statement') }}
    group by scenario_id, period_id
),

line as (
    select
        scenario_id,
        period_id,
        coalesce(sum(amount), 0) as amount,
        count(*) as line_count
    from {{ ref('mart_incentive__statement_line') }}
    group by scenario_id, period_id
)

select
    coalesce(statement.scenario_id, line.scenario_id) as scenario_id,
    coalesce(statement.period_id, line.period_id) as period_id,
    statement.amount,
    line.amount as amount_of_lines
from statement
full outer join line
    on
        statement.scenario_id = line.scenario_id
        and statement.period_id = line.period_id
where
    coalesce(statement.amount, 0) <> coalesce(line.amount, 0)
    or coalesce(statement.line_count, 0) <> coalesce(line.line_count, 0)
