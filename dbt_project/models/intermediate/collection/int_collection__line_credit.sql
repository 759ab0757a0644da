-- Grain: one row per line of an invoice that is followed and member credited with it, or its rest that nobody is.
with

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
    where member_id is not null
),

credited as (
    select
        invoice_line.transaction_id,
        invoice_line.currency_code,
        invoice_line.line_no,
        credit.member_id,
        credit.member_team,
        credit.credit_pct,
        cast(
            sum(credit.credit_pct) over (
                partition by invoice_line.transaction_id, invoice_line.currency_code, invoice_line.line_no
                order by credit.credit_role desc nulls last, credit.member_id asc nulls last
                rows between unbounded preceding and current row
            ) as decimal(9, 4)
        ) as running_pct
    from invoice_line
    inner join credit
        on
            invoice_line.transaction_id = credit.transaction_id
            and invoice_line.line_no = credit.line_no
),

covered as (
    select
        transaction_id,
        currency_code,
        line_no,
        max(running_pct) as running_pct
    from credited
    group by transaction_id, currency_code, line_no
),

shared as (
    select
        transaction_id,
        currency_code,
        line_no,
        member_id,
        member_team,
        credit_pct,
        cast(running_pct - credit_pct as decimal(9, 4)) as pct_before
    from credited

    union all

    select
        invoice_line.transaction_id,
        invoice_line.currency_code,
        invoice_line.line_no,
        cast(null as string) as member_id,
        cast(null as string) as member_team,
        cast(100 - coalesce(covered.running_pct, 0) as decimal(9, 4)) as credit_pct,
        cast(coalesce(covered.running_pct, 0) as decimal(9, 4)) as pct_before
    from invoice_line
    left join covered
        on
            invoice_line.transaction_id = covered.transaction_id
            and invoice_line.currency_code = covered.currency_code
            and invoice_line.line_no = covered.line_no
    where coalesce(covered.running_pct, 0) < 100
),

final as (
    select
        shared.transaction_id,
        shared.currency_code,
        shared.line_no,
        shared.member_id,
        shared.member_team,
        shared.credit_pct,
        shared.pct_before,
        invoice_line.dealer_id,
        invoice_line.dealer_region
    from shared
    inner join invoice_line
        on
            shared.transaction_id = invoice_line.transaction_id
            and shared.currency_code = invoice_line.currency_code
            and shared.line_no = invoice_line.line_no
)

select * from final
