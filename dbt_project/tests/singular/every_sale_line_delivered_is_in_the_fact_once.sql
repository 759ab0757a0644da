-- From the lake to the fact: each key that has a visible version is there once, unless its winner lies outside of the
-- months built. Keys are those with a version in a month that this build redoes; a full build covers them all.
with

version as (
    select * from {{ ref('stg_sales') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

dirty_month as (
    select * from {{ source('meta', 'dirty_month') }}
),

fact as (
    select * from {{ ref('fct_sale_line') }}
),

touched as (
    select
        version.transaction_id,
        version.line_no
    from version
    inner join calendar on version.sale_date = calendar.date_day
    inner join dirty_month on calendar.fiscal_month_start = dirty_month.month_start
    group by version.transaction_id, version.line_no
),

winner as (
    select
        version.transaction_id,
        version.line_no,
        version.sale_date,
        version._delivery_id,
        version._row_number,
        {{ winner_rank(['version.transaction_id', 'version.line_no']) }} as winner_rank
    from version
    inner join touched
        on
            version.transaction_id = touched.transaction_id
            and version.line_no = touched.line_no
),

expected as (
    select
        winner.transaction_id,
        winner.line_no,
        winner._delivery_id,
        winner._row_number
    from winner
    inner join calendar on winner.sale_date = calendar.date_day
    where
        winner.winner_rank = 1
        and winner.sale_date < {{ built_until() }}
),

found as (
    select
        fact.transaction_id,
        fact.line_no,
        fact._delivery_id,
        fact._row_number
    from fact
    inner join touched
        on
            fact.transaction_id = touched.transaction_id
            and fact.line_no = touched.line_no
)

select
    coalesce(expected.transaction_id, found.transaction_id) as transaction_id,
    coalesce(expected.line_no, found.line_no) as line_no,
    count(expected.transaction_id) as expected_count,
    count(found.transaction_id) as found_count
from expected
full outer join found
    on
        expected.transaction_id = found.transaction_id
        and expected.line_no = found.line_no
        and expected._delivery_id = found._delivery_id
        and expected._row_number = found._row_number
group by coalesce(expected.transaction_id, found.transaction_id), coalesce(expected.line_no, found.line_no)
-- One row of each side, and the same: a superseded version in place of the winner makes two.
having count(*) <> 1 or count(expected.transaction_id) <> 1 or count(found.transaction_id) <> 1
