-- Grain: one row per message and audience.
with

message as (
    select * from {{ ref('int_current__message') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

message_rule as (
    select * from {{ source('config', 'message_rule') }}
),

message_channel as (
    select * from {{ source('config', 'message_channel') }}
),

acknowledged_kind as (
    select * from {{ source('config', 'acknowledged_kind') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

dated as (
    select
        message.message_id,
        message.updated_at,
        message.sender_id,
        message.audience_type,
        message.audience_id,
        message.kind,
        message.channel,
        message.urgency,
        message.sent_at,
        message.due_at,
        message.acknowledged_at,
        message.corrected_at,
        message.needs_acknowledgement,
        company.opens_at_second,
        company.closes_at_second,
        message_rule.correction_days,
        case when message.audience_type = 'dealer' then message.audience_id end as dealer_id,
        {% for name in ['sent', 'due', 'acknowledged', 'corrected'] %}
            {{ local_time('message.' ~ name ~ '_at', 'company.time_zone') }} as {{ name }}_local,
            {{ local_date('message.' ~ name ~ '_at', 'company.time_zone') }} as {{ name }}_date,
        {% endfor %}
        message._source,
        message._source_file,
        message._delivery_id,
        message._row_number,
        message._row_part,
        message._received_date
    from message
    cross join company
    cross join message_rule
),

final as (
    select
        dated.message_id,
        dated.updated_at,
        dated.sender_id,
        dated.audience_type,
        dated.audience_id,
        dated.dealer_id,
        member.team as sender_team,
        coalesce(dealer.region, member.region) as region,
        dated.kind,
        dated.channel,
        dated.urgency,
        dated.sent_at,
        dated.sent_date,
        sent_day.fiscal_month_start,
        dated.due_at,
        dated.due_date,
        dated.acknowledged_at,
        dated.acknowledged_date,
        dated.corrected_at,
        dated.corrected_date,
        dated.sent_at <= dated.due_at as is_in_time,
        coalesce(dated.needs_acknowledgement, acknowledged_kind.kind is not null) as needs_acknowledgement,
        cast(
            {{ clock_hours(
                business_clock('dated.sent_local', 'sent_day', 'dated'),
                business_clock('dated.acknowledged_local', 'acknowledged_day', 'dated')
            ) }} as decimal(18, 8)
        ) as acknowledge_hours,
        coalesce(
            dated.corrected_date <= {{ dbt.dateadd('day', 'dated.correction_days', 'dated.sent_date') }}, false
        ) as is_corrected_soon,
        message_channel.channel is not null as is_channel_fit,
        dated._source,
        dated._source_file,
        dated._delivery_id,
        dated._row_number,
        dated._row_part,
        dated._received_date
    from dated
    left join acknowledged_kind on dated.kind = acknowledged_kind.kind
    left join message_channel
        on
            dated.urgency = message_channel.urgency
            and dated.channel = message_channel.channel
    left join calendar as sent_day on dated.sent_date = sent_day.date_day
    left join calendar as acknowledged_day on dated.acknowledged_date = acknowledged_day.date_day  -- noqa: ST11
    left join member
        on
            dated.sender_id = member.member_id
            and dated.sent_date >= member.valid_from
            and dated.sent_date < member.valid_to
    left join dealer
        on
            dated.dealer_id = dealer.dealer_id
            and dated.sent_date >= dealer.valid_from
            and dated.sent_date < dealer.valid_to
)

select * from final
