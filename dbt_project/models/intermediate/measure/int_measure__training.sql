-- Grain: one row per assignment of a training course and measure.
with

record as (
    select * from {{ ref('fct_training_record') }}
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

-- What falls into a period by the day on which it was done has the team and region of that day.
completed as (
    select
        record.record_id,
        record.member_id,
        record.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        calendar.fiscal_month_start,
        record.hours,
        record.score,
        record.is_passed
    from record
    inner join calendar on record.completed_date = calendar.date_day
    left join member
        on
            record.member_id = member.member_id
            and record.completed_date >= member.valid_from
            and record.completed_date < member.valid_to
    left join dealer
        on
            record.dealer_id = dealer.dealer_id
            and record.completed_date >= dealer.valid_from
            and record.completed_date < dealer.valid_to
),

due as (
    select
        record.record_id,
        record.member_id,
        record.dealer_id,
        record.member_team as team,
        record.region,
        record.fiscal_month_start,
        record.due_date,
        record.completed_date,
        -- Done later than due counts from the month in which it was done; then a closed period stays as it was.
        case
            when record.completed_date < record.fiscal_month_start then record.fiscal_month_start
            else calendar.fiscal_month_start
        end as completed_month_start
    from record
    left join calendar on record.completed_date = calendar.date_day
    where record.is_due
),

final as (
    {% for measure_code, value, known, relation, condition in [
        ('training_due', '1', 'fiscal_month_start', 'due', 'fiscal_month_start is not null'),
        ('training_completed', '1', 'completed_month_start', 'due', 'completed_month_start is not null'),
        ('training_on_time', '1', 'fiscal_month_start', 'due', 'completed_date <= due_date'),
        ('training_hours', 'hours', 'fiscal_month_start', 'completed', 'hours is not null'),
        ('training_score', 'score', 'fiscal_month_start', 'completed', 'score is not null'),
        ('training_with_result', '1', 'fiscal_month_start', 'completed', 'is_passed is not null'),
        ('training_passed', '1', 'fiscal_month_start', 'completed', 'is_passed'),
    ] %}
        select
            record_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            {{ known }} as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from {{ relation }}
        where fiscal_month_start is not null and {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
