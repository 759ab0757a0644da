-- Grain: one row per scenario, payee, plan version, component, rule, currency, scope, period paid and band.
{%- set scope_key = payee_key(['component_id', 'rule_no', 'currency_code', 'scope_id']) %}
with

rated as (
    select * from {{ ref('int_incentive__rated') }}
),

segment as (
    select * from {{ source('config', 'plan_segment') }}
),

-- Without a basis that can be relied on there are no bands: one row says why.
stopped as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        rate_rule_no,
        0 as segment_no,
        cast(null as decimal(28, 10)) as lower_end,
        cast(null as decimal(28, 10)) as upper_end,
        cast(null as decimal(28, 8)) as unit_rate,
        false as is_by_units,
        cast(measure_amount as decimal(28, 8)) as spread_base,
        cast(measure_amount as decimal(28, 10)) as base_after,
        cast(case when status = 'not_paid' then 0 end as decimal(28, 10)) as amount_after
    from rated
    where status <> 'ok'
),

ended as (
    select
        {{ columns_of('rated', scope_key) }},
        rated.period_id,
        rated.period_start,
        rated.rate_rule_no,
        rated.form,
        rated.pays,
        rated.pay_divisor <> 1 as is_proportional,
        rated.basis_amount,
        rated.basis_size,
        rated.measure_amount,
        rated.pay_factor,
        rated.pay_divisor,
        rated.base_rate,
        segment.segment_no,
        segment.offset_value,
        segment.rise_value,
        segment.run_value,
        cast(coalesce(segment.lower_bound, 0) * rated.basis_size as decimal(28, 10)) as line_foot,
        cast(segment.lower_bound * rated.basis_size as decimal(28, 10)) as lower_end,
        cast(segment.upper_bound * rated.basis_size as decimal(28, 10)) as upper_end
    from rated
    inner join segment
        on
            {{ same_key('rated', 'segment', plan_key(['component_id'])) }}
            and rated.rate_rule_no = segment.rule_no
    where rated.status = 'ok'
),

sliced as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        rate_rule_no,
        segment_no,
        lower_end,
        upper_end,
        {{ slice_between('basis_amount', 'lower_end', 'upper_end') }} as base_after,
        rise_value,
        run_value,
        pay_factor,
        pay_divisor,
        base_rate
    from ended
    where form = 'slice'
),

slice_paid as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        rate_rule_no,
        segment_no,
        lower_end,
        upper_end,
        case
            when run_value = 1 and pay_factor = 1 and pay_divisor = 1
                then cast(cast(rise_value as decimal(28, 8)) * base_rate as decimal(28, 8))
        end as unit_rate,
        false as is_by_units,
        cast(base_after as decimal(28, 8)) as spread_base,
        base_after,
        -- A stretch that waits for a person has no rate, which does not matter until it is reached.
        case
            when base_after = 0 then cast(0 as decimal(28, 10))
            else {{ band_pay('base_after', 'rise_value', 'run_value', 'pay_factor', 'pay_divisor', 'base_rate') }}
        end as amount_after
    from sliced
),

-- On the straight line of the stretch in which the basis lies.
lined as (
    select
        *,
        cast(
            cast(offset_value as decimal(28, 8)) * run_value * basis_size
            + cast(rise_value as decimal(28, 8)) * (basis_amount - line_foot) as decimal(28, 10)
        ) as line_amount
    from ended
    where
        form <> 'slice'
        and (lower_end is null or basis_amount >= lower_end)
        and (upper_end is null or basis_amount < upper_end)
),

reached as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        rate_rule_no,
        segment_no,
        lower_end,
        upper_end,
        case
            when
                form = 'rate'
                and pays in ('pct', 'base_rate_factor', 'per_unit')
                and rise_value = 0
                and not is_proportional
                then cast(cast(offset_value as decimal(28, 8)) * base_rate as decimal(28, 8))
        end as unit_rate,
        -- What is paid by the unit each event has by its units.
        form = 'rate' and pays = 'per_unit' as is_by_units,
        cast(case when form = 'rate' and pays = 'per_unit' then pay_factor else measure_amount end as decimal(28, 8)) as spread_base,
        cast(measure_amount as decimal(28, 10)) as base_after,
        case
            -- The value of a flat band needs no division.
            when form = 'rate' and rise_value = 0
                then {{ band_pay('pay_factor', 'offset_value', '1', '1', 'pay_divisor', 'base_rate') }}
            when line_amount = 0 then cast(0 as decimal(28, 10))
            when form = 'rate'
                then {{ band_pay('line_amount', '1', 'run_value * basis_size', 'pay_factor', 'pay_divisor', 'base_rate') }}
            else {{ band_pay('line_amount', '1', 'run_value', 'pay_factor', 'pay_divisor', 'base_rate') }}
        end as amount_after
    from lined
),

listed as (
    select * from stopped
    union all
    select * from slice_paid
    union all
    select * from reached
),

-- What a period adds to its scope: in the band itself where bands are filled one by one, else by the rule as a whole.
compared as (
    select
        listed.*,
        rated.basis,
        rated.form,
        rated.status,
        rated.reason,
        rated.event_count,
        lag(listed.period_id) over band as earlier_period_id,
        lag(listed.base_after) over band as base_before,
        lag(listed.amount_after) over band as amount_before
    from listed
    inner join rated on {{ same_key('listed', 'rated', scope_key + ['period_id']) }}
    window band as (
        partition by
            {{ columns_of('listed', scope_key) }},
            case when rated.form = 'slice' and listed.segment_no > 0 then listed.segment_no end
        order by listed.period_start nulls last, listed.segment_no nulls last
    )
),

final as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        rate_rule_no,
        cast(segment_no as integer) as segment_no,
        basis,
        form,
        status,
        reason,
        event_count,
        lower_end,
        upper_end,
        unit_rate,
        is_by_units,
        spread_base,
        cast(base_after as decimal(28, 10)) as base_after,
        cast(amount_after as decimal(28, 10)) as amount_after,
        cast(base_after - coalesce(base_before, 0) as decimal(28, 10)) as base_amount,
        cast(case
            when earlier_period_id is not null and amount_before is null then null
            else amount_after - coalesce(amount_before, 0)
        end as decimal(28, 10)) as amount
    from compared
)

select * from final
