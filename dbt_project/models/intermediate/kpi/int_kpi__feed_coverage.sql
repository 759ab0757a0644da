-- Grain: one row per feed of dated events, source and fiscal month, from the first to the last one with any row.
{% set event_dates = {
    'actions': 'agreed_date',
    'career_events': 'effective_date',
    'crm_activities': 'occurred_at',
    'crm_stage_changes': 'changed_at',
    'dealer_stock': 'as_of_date',
    'events': 'event_date',
    'market': 'period_start',
    'messages': 'sent_at',
    'payments': 'payment_date',
    'recognitions': 'awarded_date',
    'review_inputs': 'submitted_date',
    'service_cases': 'opened_at',
    'skills': 'assessed_date',
    'support_requests': 'opened_at',
    'survey_responses': 'sent_date',
    'target_approvals': 'submitted_date',
    'training_records': 'due_date',
} %}
with

fiscal_month as (
    select *
    from {{ source('config', 'fiscal_month') }}
    where month_start < {{ built_until() }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

-- What dealers sell on comes from other systems than what the brand sells to them.
counted as (
    select
        case when channel = 'sell_out' then 'sales.sell_out' else 'sales' end as feed,
        _source as source,
        fiscal_month_start,
        count(*) as row_count,
        count(distinct sale_date) as day_count
    from {{ ref('fct_sale_line') }}
    group by case when channel = 'sell_out' then 'sales.sell_out' else 'sales' end, _source, fiscal_month_start

    {% for feed, event_date in event_dates.items() %}
        union all

        select
            '{{ feed }}' as feed,
            row_dated._source as source,
            calendar.fiscal_month_start,
            count(*) as row_count,
            count(distinct calendar.date_day) as day_count
        from {{ ref('stg_' ~ feed) }} as row_dated
        inner join calendar on cast(row_dated.{{ event_date }} as date) = calendar.date_day
        where
            row_dated._is_deleted is distinct from true
            and row_dated._is_repeat is distinct from true
        group by row_dated._source, calendar.fiscal_month_start
    {% endfor %}
),

-- A month of which a source sent less than a twentieth of its usual was not delivered, nor one of less than a third of it that
-- stands alone: single rows of another year say nothing about who else sold in it.
usual as (
    select
        feed,
        source,
        {{ median('row_count') }} as usual_row_count,
        {{ median('day_count') }} as usual_day_count,
        min(fiscal_month_start) as first_month_start,
        max(fiscal_month_start) as last_month_start
    from counted
    group by feed, source
),

dated as (
    select
        usual.feed,
        usual.source,
        fiscal_month.month_start as fiscal_month_start,
        usual.usual_day_count,
        coalesce(counted.row_count, 0) as row_count,
        coalesce(20 * counted.row_count >= usual.usual_row_count, false) as is_some,
        coalesce(3 * counted.row_count >= usual.usual_row_count, false) as is_much
    from usual
    inner join fiscal_month
        on
            usual.first_month_start <= fiscal_month.month_start
            and usual.last_month_start >= fiscal_month.month_start
    left join counted
        on
            usual.feed = counted.feed
            and usual.source = counted.source
            and fiscal_month.month_start = counted.fiscal_month_start
),

regular as (
    select
        feed,
        source,
        fiscal_month_start,
        usual_day_count,
        row_count,
        is_some
        and (
            is_much
            or coalesce(lag(is_some) over (partition by feed, source order by fiscal_month_start nulls last), false)
            or coalesce(lead(is_some) over (partition by feed, source order by fiscal_month_start nulls last), false)
        ) as is_regular
    from dated
),

-- Who books on one to three days a month skips a month now and then; with others an empty month is a file that is missing.
delivered as (
    select
        *,
        is_regular
        or (
            row_count = 0
            and usual_day_count <= 3
            and coalesce(lag(is_regular) over (partition by feed, source order by fiscal_month_start nulls last), false)
            and coalesce(lead(is_regular) over (partition by feed, source order by fiscal_month_start nulls last), false)
        ) as is_delivered
    from regular
),

spanned as (
    select
        *,
        min(case when is_delivered then fiscal_month_start end) over (partition by feed, source) as first_delivered,
        max(case when is_delivered then fiscal_month_start end) over (partition by feed, source) as last_delivered
    from delivered
),

final as (
    select
        feed,
        source,
        fiscal_month_start,
        cast(row_count as bigint) as row_count,
        is_delivered,
        coalesce(
            not is_delivered
            and fiscal_month_start > first_delivered
            and fiscal_month_start < last_delivered, false
        ) as is_hole
    from spanned
)

select * from final
