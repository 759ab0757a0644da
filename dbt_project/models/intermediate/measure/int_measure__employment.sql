-- Grain: one row per member's validity window, end of month and measure; of who left, per leave and month of the year after.
with

month_end as (
    select * from {{ ref('int_calendar__month_end') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

career_event as (
    select * from {{ ref('fct_career_event') }}
),

-- Since when a member has the grade, by the list of members: a grade that stood in its first row is as old as employment.
ordered as (
    select
        member_id,
        valid_from,
        valid_to,
        team,
        region,
        grade,
        hired_date,
        left_date,
        lag(member_id) over (partition by member_id order by valid_from nulls last) is null as is_first,
        lag(grade) over (partition by member_id order by valid_from nulls last) as grade_before
    from member
),

graded as (
    select
        *,
        max(case
            when is_first then hired_date
            when grade is distinct from grade_before then valid_from
        end) over (
            partition by member_id order by valid_from nulls last rows between unbounded preceding and current row
        ) as listed_since
    from ordered
),

employed as (
    select
        graded.member_id || '/' || cast(graded.valid_from as string) as event_id,
        graded.member_id,
        graded.team,
        graded.region,
        graded.grade,
        graded.listed_since,
        month_end.fiscal_month_start,
        month_end.month_no,
        month_end.last_day,
        month_end.day_after
    from month_end
    inner join graded
        on
            month_end.last_day >= graded.valid_from
            and month_end.last_day < graded.valid_to
    where
        (graded.hired_date is null or graded.hired_date <= month_end.last_day)
        and (graded.left_date is null or graded.left_date > month_end.last_day)
),

-- A change told by HR that is younger than the list's counts.
told as (
    select
        employed.event_id,
        employed.fiscal_month_start,
        max(career_event.effective_date) as told_since
    from employed
    inner join career_event
        on
            employed.member_id = career_event.member_id
            and employed.grade = career_event.to_grade
            and employed.last_day >= career_event.effective_date
    where
        career_event.kind in ('promotion', 'grade_change')
        and career_event.from_grade is distinct from career_event.to_grade
    group by employed.event_id, employed.fiscal_month_start
),

in_grade as (
    select
        employed.event_id,
        employed.member_id,
        employed.team,
        employed.region,
        employed.fiscal_month_start,
        employed.day_after,
        greatest(told.told_since, employed.listed_since) as since
    from employed
    left join told
        on
            employed.event_id = told.event_id
            and employed.fiscal_month_start = told.fiscal_month_start
    where employed.grade is not null
),

counted as (
    select
        event_id,
        member_id,
        team,
        region,
        fiscal_month_start,
        since,
        day_after,
        {{ dbt.datediff('since', 'day_after', 'month') }} as begun_months
    from in_grade
),

-- Months that are full: those begun, less the running one.
months_in_grade as (
    select
        event_id,
        member_id,
        team,
        region,
        fiscal_month_start,
        begun_months
        - case when cast({{ dbt.dateadd('month', 'begun_months', 'since') }} as date) > day_after then 1 else 0 end as full_months
    from counted
),

known as (
    select min(month_no) as first_month_no from employed
),

-- A rate over twelve months needs twelve of them.
covered as (
    select
        month_end.fiscal_month_start,
        month_end.month_no,
        month_end.last_day
    from month_end
    cross join known
    where month_end.month_no >= known.first_month_no + 11
),

of_last_year as (
    select
        employed.event_id,
        employed.member_id,
        employed.team,
        employed.region,
        covered.fiscal_month_start,
        count(*) as month_count
    from covered
    inner join employed
        on
            covered.month_no >= employed.month_no
            and covered.month_no <= employed.month_no + 11
    group by
        employed.event_id,
        employed.member_id,
        employed.team,
        employed.region,
        covered.fiscal_month_start
),

-- A leave belongs to the team of the last day of employment and to the month at whose end the member is no longer there.
leave_month as (
    select
        member.member_id || '/' || cast(member.left_date as string) as event_id,
        member.member_id,
        member.team,
        member.region,
        member.left_date,
        month_end.month_no
    from member
    inner join month_end
        on
            member.left_date <= month_end.last_day
            and member.left_date >= month_end.fiscal_month_start
    where
        member.left_date > member.valid_from
        and member.left_date <= member.valid_to
),

left_last_year as (
    select
        leave_month.event_id,
        leave_month.member_id,
        leave_month.team,
        leave_month.region,
        covered.fiscal_month_start
    from leave_month
    inner join covered
        on
            leave_month.month_no <= covered.month_no
            and leave_month.month_no + 11 >= covered.month_no
),

final as (
    {% for measure_code, value, relation in [
        ('headcount', '1', 'employed'),
        ('headcount_last_year', 'month_count', 'of_last_year'),
        ('left_last_year', '1', 'left_last_year'),
        ('months_in_grade', 'full_months', 'months_in_grade'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            cast(null as string) as dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
