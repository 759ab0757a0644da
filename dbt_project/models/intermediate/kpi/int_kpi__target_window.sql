-- Grain: one row per target.
{%- set seen_until = 'least(' ~ built_until() ~ ', ' ~ received_until() ~ ')' %}
with

target as (
    select * from {{ ref('int_kpi__target') }}
),

target_sales as (
    select * from {{ ref('int_kpi__target_sales') }}
),

subject_month as (
    select * from {{ ref('int_measure__subject_month') }}
),

kpi_value as (
    select * from {{ ref('int_kpi__value') }}
),

feed_month as (
    select *
    from {{ ref('int_kpi__feed_month') }}
    where feed = 'sales' and is_covered
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

last_covered as (
    select max(fiscal_month_start) as month_start from feed_month
),

-- The months of a window: those that sales cover, holes before the last of all that are covered, and those that are over
-- without. What lies before the calendar is not known.
window_month as (
    select
        target.target_id,
        count(feed_month.fiscal_month_start) as covered_count,
        count(*) filter (where feed_month.fiscal_month_start is null and fiscal_month.month_end <= {{ seen_until }}) as missing_count,
        count(*) filter (where feed_month.fiscal_month_start is null and fiscal_month.month_start < last_covered.month_start) as hole_count,
        min(fiscal_month.month_start) as first_month_start
    from target
    cross join last_covered
    inner join fiscal_month
        on
            target.valid_to > fiscal_month.month_start
            and target.valid_from < fiscal_month.month_end
    left join feed_month on fiscal_month.month_start = feed_month.fiscal_month_start
    where target.basis = 'sales'
    group by target.target_id
),

-- What was sold is known where a line says so; that nothing was is known of months covered alone.
sales_measured as (
    select
        target.target_id,
        coalesce(target_sales.line_count, 0) as sample_size,
        coalesce(target_sales.line_count, 0) > 0 as has_line,
        coalesce(window_month.covered_count, 0) > 0 as is_covered,
        coalesce(window_month.hole_count > 0 or target.valid_from < window_month.first_month_start, false) as is_cut,
        coalesce(window_month.missing_count > 0, false) as is_missing,
        target.valid_from >= {{ seen_until }} as is_to_begin,
        target.valid_to <= {{ seen_until }} as is_over,
        case when target.is_amount then coalesce(target_sales.no_plan_rate_line_count, 0) else 0 end as no_rate_count,
        case
            {% for kpi_code, column, unknown_count in sales_sums() if unknown_count %}
                when target.metric = '{{ kpi_code }}' then coalesce(target_sales.{{ unknown_count }}, 0)
            {% endfor %}
            else 0
        end as unknown_count,
        case
            {% for kpi_code, column, unknown_count in sales_sums() %}
                when target.metric = '{{ kpi_code }}' then cast(coalesce(target_sales.{{ column }}, 0) as decimal(28, 8))
            {% endfor %}
        end as amount
    from target
    left join window_month on target.target_id = window_month.target_id
    left join target_sales on target.target_id = target_sales.target_id
    where target.basis = 'sales'
),

-- A month under way of which nothing came yet is ahead: a running quarter shows the others to date. Sales up to the last
-- month delivered are stated, with a reason where the window went on.
sales_actual as (
    select
        target_id,
        sample_size,
        not has_line and (is_to_begin or not (is_covered or is_cut or is_missing or is_over)) as is_ahead,
        amount,
        case
            when not has_line and (is_to_begin or is_cut or is_missing or not is_covered) then 'no_data'
            when is_cut then 'undefined'
            when no_rate_count > 0 then 'no_rate'
            when unknown_count > 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when not has_line and (is_to_begin or not is_covered) then 'no sales delivered for the window'
            when is_cut or (is_missing and not has_line) then 'sales cover only a part of the window'
            when no_rate_count > 0 then 'no plan rate for ' || no_rate_count || ' of ' || sample_size || ' lines'
            when unknown_count > 0 then 'cost not known for ' || unknown_count || ' of ' || sample_size || ' lines'
            when is_missing then 'sales cover only a part of the window'
        end as status_reason
    from sales_measured
),

-- Of the subject and of the company, which says whether there are any such events at all.
event_month as (
    select
        target.target_id,
        subject_month.event_count,
        subject_month.unknown_count,
        subject_month.total,
        subject_month.subject_type = target.subject_type as is_own
    from target
    inner join subject_month
        on
            target.measure_code = subject_month.measure_code
            and target.valid_from <= subject_month.fiscal_month_start
            and target.valid_to > subject_month.fiscal_month_start
            -- What is done after the window counts as not done in it, as in a period.
            and target.valid_to > subject_month.known_month_start
    where
        target.basis = 'events'
        and (
            subject_month.subject_type = 'company'
            or (subject_month.subject_type = target.subject_type and subject_month.subject_id = target.subject_id)
        )
),

event_summed as (
    select
        target_id,
        coalesce(sum(event_count) filter (where is_own), 0) as sample_size,
        coalesce(sum(unknown_count) filter (where is_own), 0) as unknown_count,
        coalesce(sum(total) filter (where is_own), 0) as total
    from event_month
    group by target_id
),

-- Who has a target is expected to have events: without one the actual is 0 where the company has any in the window.
event_measured as (
    select
        target.target_id,
        target.factor,
        target.unknown_status,
        target.valid_from >= {{ built_until() }} as is_ahead,
        event_summed.target_id is not null as is_delivered,
        coalesce(event_summed.sample_size, 0) as sample_size,
        coalesce(event_summed.unknown_count, 0) as unknown_count,
        event_summed.total
    from target
    left join event_summed on target.target_id = event_summed.target_id
    where target.basis = 'events'
),

event_actual as (
    select
        target_id,
        sample_size,
        is_ahead,
        {{ multiply('total', 'factor') }} as amount,
        case
            when not is_delivered then 'no_data'
            when unknown_count > 0 then unknown_status
            else 'ok'
        end as status,
        case
            when is_ahead then 'the window is still to begin'
            when not is_delivered then 'nothing delivered for the window'
            when unknown_count > 0 then unknown_count || ' of ' || (unknown_count + sample_size) || ' not known'
        end as status_reason
    from event_measured
),

period_actual as (
    select
        target.target_id,
        coalesce(kpi_value.sample_size, 0) as sample_size,
        target.valid_from >= {{ built_until() }} as is_ahead,
        kpi_value.value as amount,
        coalesce(kpi_value.status, 'no_data') as status,
        case
            when kpi_value.value is not null then cast(null as string)
            when target.valid_from >= {{ built_until() }} then 'the window is still to begin'
            else coalesce(kpi_value.status_reason, 'not measured in the period')
        end as status_reason
    from target
    left join kpi_value
        on
            target.subject_type = kpi_value.subject_type
            and target.subject_id = kpi_value.subject_id
            and target.period_id = kpi_value.period_id
            and target.metric = kpi_value.kpi_code
    where target.basis = 'period'
),

actual as (
    {% for relation in ['sales_actual', 'event_actual', 'period_actual'] %}
        select
            target_id,
            cast(sample_size as bigint) as sample_size,
            is_ahead,
            cast(amount as decimal(28, 8)) as amount,
            status,
            status_reason
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

judged as (
    select
        target.target_id,
        target.refused_reason is not null as is_refused,
        case
            when target.is_amount then target.target_value_reporting
            when target.unit = 'percent' then {{ multiply('target.target_value', '0.01') }}
            else cast(target.target_value as decimal(28, 8))
        end as target_value_compared,
        coalesce(actual.is_ahead, false) as is_ahead,
        actual.sample_size,
        actual.amount,
        case
            when target.refused_reason is not null then 'undefined'
            when actual.status = 'ok' and target.is_amount and target.target_value_reporting is null then 'no_rate'
            else actual.status
        end as actual_status,
        case
            when target.refused_reason is not null then target.refused_reason
            when actual.status = 'ok' and target.is_amount and target.target_value_reporting is null
                then 'no plan rate for the unit of the target on its first day'
            else actual.status_reason
        end as actual_reason
    from target
    left join actual on target.target_id = actual.target_id
),

measured as (
    select
        *,
        case when actual_status = 'ok' then amount end as actual_value
    from judged
),

final as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.metric,
        target.product_category,
        target.valid_from,
        target.valid_to,
        target.valid_to <= {{ seen_until }} as is_complete,
        target.target_value,
        target.unit,
        target.objective_id,
        target.weight_pct,
        target.target_value_reporting,
        case when not measured.is_refused then measured.target_value_compared end as target_value_compared,
        measured.actual_value,
        case when target.is_amount then company.reporting_currency_code end as currency_code,
        case
            when target.is_amount and target.basis = 'sales' then company.plan_fx_rate_type
            when target.is_amount then company.fx_rate_type
        end as rate_type,
        target.direction,
        {{ attainment_of('measured.actual_value', 'measured.target_value_compared', 'target.direction') }} as attainment,
        {{ is_target_reached('measured.actual_value', 'measured.target_value_compared', 'target.direction') }} as is_reached,
        case when not measured.is_refused then measured.sample_size end as sample_size,
        target.is_additive and not measured.is_refused as is_additive,
        measured.is_ahead,
        case
            when measured.actual_status = 'ok' and measured.target_value_compared <= 0 then 'undefined'
            else measured.actual_status
        end as status,
        case
            when measured.actual_status = 'ok' and measured.target_value_compared <= 0 then 'the target is zero or negative'
            when measured.actual_status = 'ok' and target.direction = 'lower' and measured.actual_value <= 0
                then 'reached: nothing is left to set the target against'
            else measured.actual_reason
        end as status_reason,
        target.audience
    from target
    inner join measured on target.target_id = measured.target_id
    cross join company
)

select * from final
