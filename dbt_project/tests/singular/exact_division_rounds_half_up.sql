-- The macro gives what schoolbook arithmetic gives; the engine's own `/` gives 1.27 for the first case.
{%- set cases = [
    ('17 * 0.15 over 2', exact_divide('17 * 0.15', '2', 2), '1.28'),
    ('-17 * 0.15 over 2', exact_divide('-17 * 0.15', '2', 2), '-1.28'),
    ('17 * 0.15 over -2', exact_divide('17 * 0.15', '-2', 2), '-1.28'),
    ('1 over 3', exact_divide('1', '3', 8), '0.33333333'),
    ('2 over 3', exact_divide('2', '3', 8), '0.66666667'),
    ('1 over 8 to two decimals', exact_divide('1', '8', 2), '0.13'),
    ('-1 over 8 to two decimals', exact_divide('-1', '8', 2), '-0.13'),
    ('5 over 2 to whole numbers', exact_divide('5', '2', 0), '3'),
    ('0 over 7', exact_divide('0', '7', 4), '0'),
    ('0.005 over 1', exact_divide('0.005', '1', 2), '0.01'),
    ('0.004999 over 1', exact_divide('0.004999', '1', 2), '0'),
    ('12345678901.2345 over 0.0001', exact_divide('12345678901.2345', '0.0001', 4), '123456789012345'),
    ('10 ^ 16 over 3', exact_divide('10000000000000000', '3', 2), '3333333333333333.33'),
    ('5000 * 20000000000.25 over 3', exact_divide('5000 * 20000000000.25', '3', 2), '33333333333750.00'),
    ('0.00000003 over 2, a tie in the last decimal', exact_divide('0.00000003', '2', 8), '0.00000002'),
    ('-0.00000003 over 2', exact_divide('-0.00000003', '2', 8), '-0.00000002'),
    ('just below a tie', exact_divide('0.0000000299', '2', 8), '0.00000001'),
    ('a quotient that doubles do not hold', exact_divide('9999999.99999999', '1', 8), '9999999.99999999'),
    ('half of one', exact_divide('19999999.99999999', '2', 8), '10000000.00000000'),
    ('over the bound of 64 bits', exact_divide('99999999999.99999999', '3', 8), '33333333333.33333333'),
    ('only the denominator is small', exact_divide('123456789012.5', '0.5', 2), '246913578025.00'),
    ('7 over 0', exact_divide('7', '0', 2), 'null'),
    ('unknown over 2', exact_divide('cast(null as decimal(18, 4))', '2', 2), 'null'),
    ('2 over unknown', exact_divide('2', 'cast(null as decimal(18, 4))', 2), 'null'),
    ('round 1.005', round_half_up('1.005', 2), '1.01'),
    ('round -1.005', round_half_up('-1.005', 2), '-1.01'),
    ('round 1.00499999', round_half_up('1.00499999', 2), '1.00'),
    ('99999.9999 * 7.1234567891', multiply('cast(99999.9999 as decimal(18, 4))', 'cast(7.1234567891 as decimal(18, 10))'), '712345.67819765'),
    ('0.00000001 * 0.5', multiply('0.00000001', '0.5'), '0.00000001'),
    ('-0.00000001 * 0.5', multiply('-0.00000001', '0.5'), '-0.00000001'),
    ('0.00000001 * 0.4999999999', multiply('0.00000001', '0.4999999999'), '0'),
    ('12.3456 * 1', multiply('12.3456', '1'), '12.3456'),
    ('12.3456 * unknown', multiply('12.3456', 'cast(null as decimal(18, 10))'), 'null'),
] %}
with

worked_by_hand as (
    {% for division, result, expected in cases %}
        select
            '{{ division }}' as division,
            cast({{ result }} as decimal(28, 8)) as result,
            cast({{ expected }} as decimal(28, 8)) as expected
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select *
from worked_by_hand
where result is distinct from expected
