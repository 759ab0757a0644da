-- Grain: one row per message, measure and, of corrections, their own event.
with

message as (
    select * from {{ ref('fct_message') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

-- What is due on a day that was not seen to its end counts nowhere yet. Who has left by the day that counts has no duty any more.
judged as (
    select
        message.message_id,
        message.dealer_id,
        {% for day in ['sent', 'due'] %}
            case when left_by_{{ day }}.member_id is null then message.sender_id end as {{ day }}_member_id,
            case when left_by_{{ day }}.member_id is null then message.sender_team end as {{ day }}_team,
        {% endfor %}
        message.region,
        message.kind,
        message.urgency,
        message.needs_acknowledgement,
        message.acknowledge_hours,
        message.is_in_time,
        message.is_channel_fit,
        message.is_corrected_soon,
        message.fiscal_month_start as sent_month_start,
        due_day.fiscal_month_start as due_month_start,
        acknowledged_day.fiscal_month_start as acknowledged_month_start,
        corrected_day.fiscal_month_start as corrected_month_start,
        message.needs_acknowledgement and acknowledged_day.fiscal_month_start is not null as is_acknowledged,
        coalesce(message.due_date < {{ received_until() }}, false) as is_due
    from message
    left join calendar as due_day on message.due_date = due_day.date_day
    left join calendar as acknowledged_day on message.acknowledged_date = acknowledged_day.date_day
    left join calendar as corrected_day on message.corrected_date = corrected_day.date_day
    {% for day in ['sent', 'due'] %}
        left join member_left as left_by_{{ day }}
            on
                message.sender_id = left_by_{{ day }}.member_id
                and message.{{ day }}_date >= left_by_{{ day }}.left_from
                and message.{{ day }}_date < left_by_{{ day }}.left_to
    {% endfor %}
),

-- What was not sent when it was due is late from that moment on, whenever it is sent. A correction takes back what counted as
-- accurate, from the month in which it was made.
final as (
    {% for measure_code, value, date, known, suffix, condition in [
        ('message_due', '1', 'due', 'due', '', 'is_due'),
        ('message_in_time', '1', 'due', 'due', '', 'is_due and is_in_time'),
        ('urgent_message_due', '1', 'due', 'due', '', "is_due and urgency = 'urgent'"),
        ('urgent_message_in_time', '1', 'due', 'due', '', "is_due and urgency = 'urgent' and is_in_time"),
        ('market_information_due', '1', 'due', 'due', '', "is_due and kind = 'market_info'"),
        ('market_information_in_time', '1', 'due', 'due', '', "is_due and kind = 'market_info' and is_in_time"),
        ('message_sent', '1', 'sent', 'sent', '', 'message_id is not null'),
        ('message_accurate', '1', 'sent', 'sent', '', 'message_id is not null'),
        ('message_accurate', '-1', 'sent', 'corrected', ' corrected', 'is_corrected_soon'),
        ('message_channel_fit', '1', 'sent', 'sent', '', 'is_channel_fit'),
        ('acknowledgement_asked', '1', 'sent', 'sent', '', 'needs_acknowledgement'),
        ('acknowledged', '1', 'sent', 'acknowledged', '', 'is_acknowledged'),
        ('acknowledge_hours', 'acknowledge_hours', 'sent', 'acknowledged', '', 'is_acknowledged'),
    ] %}
        select
            message_id{{ " || '" ~ suffix ~ "'" if suffix }} as event_id,
            '{{ measure_code }}' as measure_code,
            {{ date }}_member_id as member_id,
            dealer_id,
            {{ date }}_team as team,
            region,
            cast(null as string) as product_category,
            {{ date }}_month_start as fiscal_month_start,
            {{ known }}_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from judged
        where {{ date }}_month_start is not null and {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
