-- Grain: one row per mandatory course of a member (or assignment of a dealer's employee), end of month and measure.
with

record as (
    select *
    from {{ ref('fct_training_record') }}
    where is_mandatory
),

month_end as (
    select * from {{ ref('int_calendar__month_end') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

-- Who took a course twice has passed it once passed. A course without a test is passed by completing it.
course_of_person as (
    select
        case when member_id is not null then member_id || '/' || course_id else record_id end as event_id,
        member_id,
        dealer_id,
        min(due_date) as due_date,
        min(completed_date) filter (where coalesce(is_passed, true)) as passed_date
    from record
    group by case when member_id is not null then member_id || '/' || course_id else record_id end, member_id, dealer_id
),

-- A balance is of those in force on its day. What is due on a day that was not seen to its end is not due yet.
due as (
    select
        course_of_person.event_id,
        course_of_person.member_id,
        course_of_person.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        month_end.fiscal_month_start,
        month_end.last_day,
        course_of_person.passed_date
    from course_of_person
    inner join month_end
        on
            course_of_person.due_date <= month_end.last_day
            and course_of_person.due_date < {{ received_until() }}
    left join member
        on
            course_of_person.member_id = member.member_id
            and month_end.last_day >= member.valid_from
            and month_end.last_day < {{ employed_until('member') }}
    left join dealer
        on
            course_of_person.dealer_id = dealer.dealer_id
            and month_end.last_day >= dealer.valid_from
            and month_end.last_day < dealer.valid_to
            and (dealer.status is null or dealer.status not in ('prospect', 'terminated'))
    where member.member_id is not null or dealer.dealer_id is not null
),

final as (
    {% for measure_code, condition in [
        ('mandatory_due', 'event_id is not null'),
        ('mandatory_passed', 'passed_date <= last_day'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast(1 as decimal(18, 8)) as value
        from due
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
