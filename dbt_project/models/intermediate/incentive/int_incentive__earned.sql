-- Grain: one row per scenario, payee, plan version, component, rule, event, period paid and band in which the event earned.
{{ by_fiscal_month('int_incentive__pay_state', in_steps='pay') }}
{%- set scope_key = payee_key(['component_id', 'rule_no', 'currency_code', 'scope_id']) %}
{%- set event_key = ['transaction_id', 'line_no', 'credit_role', 'event_kind', 'event_id', 'event_line_no', 'event_date'] %}
with

-- Millions of rows are sorted by a number sooner than by nine columns.
numbered as (
    select
        {{ scope_key | join(', ') }},
        row_number() over (order by {{ scope_key | join(' nulls last, ') }} nulls last) as scope_no
    from {{ ref('int_incentive__scope') }}
    group by {{ scope_key | join(', ') }}
),

event as (
    select * from {{ ref('int_incentive__event') }}
    where
        counted = 'running'
        -- Whole scopes, of which anything is paid in the months of this build.
        and scope_id in (
            select scope.scope_id
            from {{ ref('int_incentive__scope') }} as scope
            where
                {% if is_incremental() %}
                    scope.period_start >= (select min(fiscal_month_start) from ({{ to_redo('int_incentive__pay_state', 'month_start') }}) as redone)
                {% else %}
                    {{ of_this_step('scope.period_start') }}
                {% endif %}
        )
),

band as (
    select * from {{ ref('int_incentive__band') }}
),

rated as (
    select * from {{ ref('int_incentive__rated') }}
),

segment as (
    select * from {{ source('config', 'plan_segment') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
    where {{ of_this_build('int_incentive__pay_state', 'month_start') }}
),

-- Sales fill the bands in the order of their dates, so what one earns is the difference that it makes on its day.
filled as (
    select
        {{ columns_of('event', scope_key + event_key) }},
        event.period_id,
        period.period_start,
        event.fiscal_month_start,
        event.measure_amount,
        event.units,
        cast(sum(event.units) over scope as decimal(28, 8)) as units_after,
        cast(sum(event.measure_amount) over scope as decimal(28, 8)) as measure_after,
        row_number() over scope as event_no
    from event
    inner join period on event.period_id = period.period_id
    inner join numbered on {{ same_key('event', 'numbered', scope_key) }}
    window scope as (
        partition by numbered.scope_no
        order by
            period.period_start nulls last, event.event_date nulls last, event.event_id nulls last,
            event.event_line_no nulls last, event.transaction_id nulls last, event.line_no nulls last,
            event.credit_role nulls last
        rows between unbounded preceding and current row
    )
),

-- As many events as the scope has by the end of the period: equal parts are of these.
counted as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        max(event_no) as event_count
    from filled
    group by {{ scope_key | join(', ') }}, period_id
),

banded as (
    select
        band.*,
        segment.rise_value,
        segment.run_value,
        rated.pay_factor,
        rated.pay_divisor,
        rated.base_rate,
        counted.event_count as last_event_no
    from band
    inner join rated on {{ same_key('band', 'rated', scope_key + ['period_id']) }}
    inner join counted on {{ same_key('band', 'counted', scope_key + ['period_id']) }}
    left join segment
        on
            {{ same_key('band', 'segment', plan_key(['component_id', 'segment_no'])) }}
            and band.rate_rule_no = segment.rule_no
),

placed as (
    select
        {{ columns_of('filled', scope_key + event_key) }},
        filled.period_id,
        filled.period_start,
        filled.fiscal_month_start,
        filled.event_no,
        filled.event_no - 1 as events_before,
        band.last_event_no,
        filled.measure_amount,
        case when band.is_by_units then filled.units else filled.measure_amount end as weight,
        case when band.is_by_units then filled.units_after else filled.measure_after end as weight_after,
        case
            when band.is_by_units then filled.units_after - filled.units
            else filled.measure_after - filled.measure_amount
        end as weight_before,
        band.segment_no,
        band.rate_rule_no,
        band.form,
        band.unit_rate,
        band.spread_base as band_base,
        band.amount_after as band_amount,
        band.rise_value,
        band.run_value,
        band.pay_factor,
        band.pay_divisor,
        band.base_rate,
        case
            when band.form = 'slice' and band.segment_no > 0
                then {{ slice_between(
                    "case band.basis when 'units' then filled.units_after else filled.measure_after end",
                    'band.lower_end', 'band.upper_end'
                ) }}
        end as slice_after,
        case
            when band.form = 'slice' and band.segment_no > 0
                then {{ slice_between(
                    "case band.basis when 'units' then filled.units_after - filled.units"
                    ~ ' else filled.measure_after - filled.measure_amount end',
                    'band.lower_end', 'band.upper_end'
                ) }}
        end as slice_before
    from filled
    inner join banded as band on {{ same_key('filled', 'band', scope_key + ['period_id']) }}
    where
        band.form <> 'total'
        or band.segment_no = 0
        or band.amount_after is null
),

-- What a rule pays on everything each sale has by its part; where sales and returns come to nothing, in equal parts.
shared_part as (
    select
        {{ (scope_key + event_key) | join(', ') }},
        period_id,
        period_start,
        fiscal_month_start,
        segment_no,
        rate_rule_no,
        event_no,
        cast(coalesce(slice_after - slice_before, measure_amount) as decimal(28, 10)) as base_amount,
        cast(case
            when slice_after is not null and unit_rate is not null
                then {{ rounded_product('(slice_after - slice_before)', 10, 'unit_rate', 8, 10) }}
            -- A band that is empty in the end has no amount to share, but sales have filled it and returns have emptied it.
            when slice_after is not null and band_base = 0
                then coalesce(
                    {{ band_pay('slice_after', 'rise_value', 'run_value', 'pay_factor', 'pay_divisor', 'base_rate') }}
                    - {{ band_pay('slice_before', 'rise_value', 'run_value', 'pay_factor', 'pay_divisor', 'base_rate') }}, 0
                )
            when slice_after is not null
                then {{ part_of('band_amount', 'slice_after', 'band_base') }} - {{ part_of('band_amount', 'slice_before', 'band_base') }}
            when unit_rate is not null then {{ rounded_product('weight', 8, 'unit_rate', 8, 10) }}
            when band_amount = 0 then 0
            when band_base <> 0
                then
                    {{ part_of('band_amount', 'weight_after', 'band_base') }}
                    - {{ part_of('band_amount', 'weight_before', 'band_base') }}
            else
                {{ part_of('band_amount', 'event_no', 'last_event_no') }}
                - {{ part_of('band_amount', 'events_before', 'last_event_no') }}
        end as decimal(28, 10)) as amount
    from placed
    where
        slice_after is null
        or slice_after <> slice_before
),

-- Where a rule pays a total that grows with the sales, each sale has the difference that it makes; the first reaches what is
-- paid from the start.
totalled as (
    select
        {{ columns_of('filled', scope_key + event_key) }},
        filled.period_id,
        filled.period_start,
        filled.fiscal_month_start,
        filled.event_no,
        filled.measure_amount,
        band.segment_no,
        band.rate_rule_no,
        rated.basis_size,
        rated.pay_factor,
        rated.pay_divisor,
        rated.base_rate,
        case rated.basis when 'units' then filled.units else filled.measure_amount end as basis_amount,
        case rated.basis when 'units' then filled.units_after else filled.measure_after end as basis_after
    from filled
    inner join band on {{ same_key('filled', 'band', scope_key + ['period_id']) }}
    inner join rated on {{ same_key('filled', 'rated', scope_key + ['period_id']) }}
    where
        band.form = 'total'
        and band.segment_no > 0
        and band.amount_after is not null
),

point as (
    select
        *,
        1 as direction,
        basis_after as basis_point
    from totalled

    union all

    select
        *,
        -1 as direction,
        basis_after - basis_amount as basis_point
    from totalled
    where event_no > 1
),

lined as (
    select
        {{ columns_of('point', scope_key + event_key) }},
        point.period_id,
        point.period_start,
        point.fiscal_month_start,
        point.event_no,
        point.measure_amount,
        point.segment_no,
        point.rate_rule_no,
        point.direction,
        point.pay_factor,
        point.pay_divisor,
        point.base_rate,
        segment.run_value,
        cast(
            cast(segment.offset_value as decimal(28, 8)) * segment.run_value * point.basis_size
            + cast(segment.rise_value as decimal(28, 8))
            * (point.basis_point - coalesce(segment.lower_bound, 0) * point.basis_size) as decimal(28, 10)
        ) as line_amount
    from point
    inner join segment
        on
            {{ same_key('point', 'segment', plan_key(['component_id'])) }}
            and point.rate_rule_no = segment.rule_no
    where
        (segment.lower_bound is null or point.basis_point >= segment.lower_bound * point.basis_size)
        and (segment.upper_bound is null or point.basis_point < segment.upper_bound * point.basis_size)
),

paid_point as (
    select
        *,
        case
            when line_amount = 0 then cast(0 as decimal(28, 10))
            else {{ band_pay('line_amount', '1', 'run_value', 'pay_factor', 'pay_divisor', 'base_rate') }}
        end as amount
    from lined
),

total_part as (
    select
        {{ (scope_key + event_key) | join(', ') }},
        period_id,
        period_start,
        fiscal_month_start,
        segment_no,
        rate_rule_no,
        event_no,
        cast(max(measure_amount) as decimal(28, 10)) as base_amount,
        cast(sum(direction * coalesce(amount, 0)) as decimal(28, 10)) as amount
    from paid_point
    group by
        {{ (scope_key + event_key) | join(', ') }},
        period_id,
        period_start,
        fiscal_month_start,
        segment_no,
        rate_rule_no,
        event_no
),

current_part as (
    select * from shared_part
    union all
    select * from total_part
),

given as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        segment_no,
        sum(amount) as amount,
        sum(base_amount) as base_amount
    from current_part
    group by {{ scope_key | join(', ') }}, period_id, segment_no
),

-- What a period adds beyond its own sales: a rate or target that has moved since pays the earlier ones anew.
rest as (
    select
        {{ columns_of('band', scope_key) }},
        band.period_id,
        band.period_start,
        band.segment_no,
        band.rate_rule_no,
        cast(band.amount - coalesce(given.amount, 0) as decimal(28, 10)) as amount
    from band
    left join given
        on {{ same_key('band', 'given', scope_key + ['period_id', 'segment_no']) }}
    where abs(band.amount - coalesce(given.amount, 0)) > 0.000001
),

earlier as (
    select
        {{ columns_of('filled', scope_key + event_key) }},
        rest.period_id,
        rest.period_start,
        rest.segment_no,
        rest.rate_rule_no,
        rest.amount as rest_amount,
        filled.measure_amount,
        row_number() over earlier_events as event_no,
        count(*) over (partition by {{ columns_of('rest', scope_key + ['period_id', 'segment_no']) }}) as event_count,
        sum(filled.measure_amount) over earlier_events as measure_after,
        sum(filled.measure_amount) over (partition by {{ columns_of('rest', scope_key + ['period_id', 'segment_no']) }})
            as measure_total
    from rest
    inner join filled
        on
            {{ same_key('rest', 'filled', scope_key) }}
            and rest.period_start > filled.period_start
    window earlier_events as (
        partition by {{ columns_of('rest', scope_key + ['period_id', 'segment_no']) }}
        order by filled.event_no nulls last
        rows between unbounded preceding and current row
    )
),

placed_earlier as (
    select
        *,
        event_no - 1 as events_before,
        measure_after - measure_amount as measure_before
    from earlier
),

paid_anew as (
    select
        {{ (scope_key + event_key) | join(', ') }},
        period_id,
        segment_no,
        rate_rule_no,
        cast(0 as decimal(28, 10)) as base_amount,
        cast(case
            when measure_total <> 0
                then
                    {{ part_of('rest_amount', 'measure_after', 'measure_total') }}
                    - {{ part_of('rest_amount', 'measure_before', 'measure_total') }}
            else
                {{ part_of('rest_amount', 'event_no', 'event_count') }}
                - {{ part_of('rest_amount', 'events_before', 'event_count') }}
        end as decimal(28, 10)) as amount
    from placed_earlier
),

-- Kept by the month of the event; what is paid anew by the last month of its period.
listed as (
    select
        {{ (scope_key + event_key) | join(', ') }},
        period_id,
        fiscal_month_start,
        segment_no,
        rate_rule_no,
        false as is_paid_anew,
        base_amount,
        amount
    from current_part

    union all

    select
        {{ columns_of('paid_anew', scope_key + event_key) }},
        paid_anew.period_id,
        fiscal_month.month_start as fiscal_month_start,
        paid_anew.segment_no,
        paid_anew.rate_rule_no,
        true as is_paid_anew,
        paid_anew.base_amount,
        paid_anew.amount
    from paid_anew
    inner join period on paid_anew.period_id = period.period_id
    inner join fiscal_month on period.period_end = fiscal_month.month_end
    where paid_anew.amount <> 0
),

final as (
    select
        {{ columns_of('listed', scope_key + event_key) }},
        listed.period_id,
        listed.fiscal_month_start,
        listed.segment_no,
        listed.rate_rule_no,
        listed.is_paid_anew,
        listed.base_amount,
        listed.amount
    from listed
    inner join fiscal_month on listed.fiscal_month_start = fiscal_month.month_start
)

select * from final
