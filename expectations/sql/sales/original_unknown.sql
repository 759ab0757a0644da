-- A return may name a whole document or one line of it. Only documents that are asked for are taken out of all sales,
-- once, and both are then joined by plain equalities.
with asked as materialized (
    select
        _row_id,
        original_transaction_id,
        original_line_no
    from {{ batch }} as b
    where original_transaction_id is not null
),

told as materialized (
    select
        transaction_id,
        line_no
    from known_sales
    where transaction_id in (select original_transaction_id from asked)
)

select a._row_id
from asked as a
anti join told as k
    on k.transaction_id = a.original_transaction_id
    and k.line_no = a.original_line_no
where a.original_line_no is not null
union all
select c._row_id
from asked as c
anti join told as k
    on k.transaction_id = c.original_transaction_id
where c.original_line_no is null
