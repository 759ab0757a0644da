-- Grain: one row per dealer, region, member, team, fiscal month, month from which it counts, whether it is known, and measure.
with

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

line_return as (
    select * from {{ ref('int_collection__line_return') }}
),

allocation as (
    select * from {{ ref('fct_payment_allocation') }}
),

open_month as (
    select * from {{ ref('int_collection__open_month') }}
),

line_credit as (
    select * from {{ ref('int_collection__line_credit') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

-- What is not due yet is neither owed nor collected.
due_line as (
    select
        invoice_line.transaction_id,
        invoice_line.currency_code,
        invoice_line.line_no,
        invoice_line.net_amount,
        invoice_line.fx_rate,
        calendar.fiscal_month_start
    from invoice_line
    inner join calendar on invoice_line.due_date = calendar.date_day
    where invoice_line.due_date < {{ as_of_date() }}
),

invoiced as (
    select
        transaction_id,
        currency_code,
        line_no,
        'collection_due' as measure_code,
        fiscal_month_start,
        fiscal_month_start as known_month_start,
        {{ multiply('net_amount', 'fx_rate') }} as amount
    from due_line
    where net_amount <> 0
),

-- A return or payment after the month in which its invoice was due counts from its own month on.
returned as (
    select
        due_line.transaction_id,
        due_line.currency_code,
        due_line.line_no,
        'collection_due' as measure_code,
        due_line.fiscal_month_start,
        greatest(due_line.fiscal_month_start, calendar.fiscal_month_start) as known_month_start,
        {{ multiply('-line_return.returned_amount', 'due_line.fx_rate') }} as amount
    from line_return
    inner join due_line
        on
            line_return.transaction_id = due_line.transaction_id
            and line_return.currency_code = due_line.currency_code
            and line_return.line_no = due_line.line_no
    inner join calendar on line_return.return_date = calendar.date_day
    where line_return.returned_amount <> 0
),

-- Both at the rate of the invoice's day: what is paid in full is collected whole, whatever the rate has become.
received as (
    select
        due_line.transaction_id,
        due_line.currency_code,
        due_line.line_no,
        'collection_received' as measure_code,
        due_line.fiscal_month_start,
        greatest(due_line.fiscal_month_start, allocation.fiscal_month_start) as known_month_start,
        allocation.amount_reporting as amount
    from allocation
    inner join due_line
        on
            allocation.transaction_id = due_line.transaction_id
            and allocation.currency_code = due_line.currency_code
            and allocation.line_no = due_line.line_no
),

changed as (
    {% for relation in ['invoiced', 'returned', 'received'] %}
        select
            transaction_id,
            currency_code,
            line_no,
            measure_code,
            fiscal_month_start,
            known_month_start,
            amount
        from {{ relation }}
        union all
    {% endfor %}
    -- What is open and not due yet is overdue with 0: known, and not late.
    {% for measure_code, amount in [
        ('receivable_amount', 'open_amount_reporting'),
        ('overdue_amount', 'case when is_overdue then open_amount_reporting else 0 end'),
    ] %}
        select
            transaction_id,
            currency_code,
            line_no,
            '{{ measure_code }}' as measure_code,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            {{ amount }} as amount
        from open_month
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- Lines are many and nothing is asked of a single one: they are summed before they are told apart by subject.
credited as (
    select
        line_credit.dealer_id,
        line_credit.dealer_region,
        line_credit.member_id,
        line_credit.member_team,
        changed.fiscal_month_start,
        changed.known_month_start,
        changed.measure_code,
        changed.amount is not null as is_known,
        sum({{ credit_share('changed.amount', 'line_credit.pct_before', 'line_credit.credit_pct') }}) as amount
    from changed
    inner join line_credit
        on
            changed.transaction_id = line_credit.transaction_id
            and changed.currency_code = line_credit.currency_code
            and changed.line_no = line_credit.line_no
    group by
        line_credit.dealer_id,
        line_credit.dealer_region,
        line_credit.member_id,
        line_credit.member_team,
        changed.fiscal_month_start,
        changed.known_month_start,
        changed.measure_code,
        changed.amount is not null
),

final as (
    select
        concat_ws(
            '/', dealer_id, coalesce(dealer_region, '-'), coalesce(member_id, '-'), coalesce(member_team, '-'),
            cast(fiscal_month_start as string), cast(known_month_start as string), case when is_known then 'known' else 'unknown' end
        ) as event_id,
        measure_code,
        member_id,
        dealer_id,
        member_team as team,
        dealer_region as region,
        cast(null as string) as product_category,
        fiscal_month_start,
        known_month_start,
        cast(amount as decimal(18, 8)) as value
    from credited
)

select * from final
