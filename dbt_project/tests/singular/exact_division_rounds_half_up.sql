-- The macro gives what schoolbook arithmetic gives; the engine's own `/` gives 1.27 for the first case.
with

worked_by_hand as (
    select
        '17 * 0.15 / 2' as division,
        {{ exact_divide('17 * 0.15', '2', 2) }} as result,
        1.28 as expected
    union all
    select '-17 * 0.15 / 2', {{ exact_divide('-17 * 0.15', '2', 2) }}, -1.28
    union all
    select '17 * 0.15 / -2', {{ exact_divide('17 * 0.15', '-2', 2) }}, -1.28
    union all
    select '1 / 3', {{ exact_divide('1', '3', 8) }}, 0.33333333
    union all
    select '2 / 3', {{ exact_divide('2', '3', 8) }}, 0.66666667
    union all
    select '1 / 8 to two decimals', {{ exact_divide('1', '8', 2) }}, 0.13
    union all
    select '-1 / 8 to two decimals', {{ exact_divide('-1', '8', 2) }}, -0.13
    union all
    select '5 / 2 to whole numbers', {{ exact_divide('5', '2', 0) }}, 3
    union all
    select '0 / 7', {{ exact_divide('0', '7', 4) }}, 0
    union all
    select '0.005 / 1', {{ exact_divide('0.005', '1', 2) }}, 0.01
    union all
    select '0.004999 / 1', {{ exact_divide('0.004999', '1', 2) }}, 0
    union all
    select '12345678901.2345 / 0.0001', {{ exact_divide('12345678901.2345', '0.0001', 4) }}, 123456789012345
    union all
    select '7 / 0', {{ exact_divide('7', '0', 2) }}, null
    union all
    select 'unknown / 2', {{ exact_divide('cast(null as decimal(18, 4))', '2', 2) }}, null
    union all
    select '2 / unknown', {{ exact_divide('2', 'cast(null as decimal(18, 4))', 2) }}, null
    union all
    select 'round 1.005', {{ round_half_up('1.005', 2) }}, 1.01
    union all
    select 'round -1.005', {{ round_half_up('-1.005', 2) }}, -1.01
    union all
    select 'round 1.00499999', {{ round_half_up('1.00499999', 2) }}, 1.00
    union all
    select '99999.9999 * 7.1234567891', {{ multiply('cast(99999.9999 as decimal(18, 4))', 'cast(7.1234567891 as decimal(18, 10))') }}, 712345.67819765
)

select *
from worked_by_hand
where cast(result as decimal(28, 8)) is distinct from cast(expected as decimal(28, 8))
