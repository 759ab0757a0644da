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

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

owner as (
    select *
    from {{ ref('int_credit__dealer_share') }}
    where credit_role in ('owner', 'co_owner')
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

-- What falls into a period by the day on which it was done has the team and region of that day. Who has left by then is of no
-- team any more: the region and company keep it.
completed as (
    select
        record.record_id,
        case when member_left.member_id is null then record.member_id end as member_id,
        record.dealer_id,
        case when member_left.member_id is null then member.team end as team,
        coalesce(dealer.region, member.region) as region,
        calendar.fiscal_month_start,
        record.topic,
        record.hours,
        record.score,
        record.is_passed,
        record.cost_amount,
        {{ multiply('record.cost_amount', 'day_rate.rate') }} as cost_amount_reporting
    from record
    inner join calendar on record.completed_date = calendar.date_day
    cross join company
    left join day_rate
        on
            company.fx_rate_type = day_rate.rate_type
            and record.currency_code = day_rate.currency_code
            and record.completed_date = day_rate.date_day
    left join member
        on
            record.member_id = member.member_id
            and record.completed_date >= member.valid_from
            and record.completed_date < member.valid_to
    left join member_left
        on
            record.member_id = member_left.member_id
            and record.completed_date >= member_left.left_from
            and record.completed_date < member_left.left_to
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

-- Training of a dealer's people is also that of the team that looks after the dealer on that day: its first owner's who is still
-- employed, else a co-owner's.
owned as (
    select
        due.record_id,
        member.team,
        row_number() over (
            partition by due.record_id
            order by
                -- 'owner' sorts after 'co_owner'.
                owner.credit_role desc nulls last,
                owner.credit_pct desc nulls last,
                owner.member_id asc nulls last
        ) as owner_rank
    from due
    inner join owner
        on
            due.dealer_id = owner.dealer_id
            and due.due_date >= owner.valid_from
            and due.due_date < owner.valid_to
    inner join member
        on
            owner.member_id = member.member_id
            and due.due_date >= member.valid_from
            and due.due_date < {{ employed_until('member') }}
),

staff_due as (
    select
        due.record_id,
        cast(null as string) as member_id,
        due.dealer_id,
        owned.team,
        due.region,
        due.fiscal_month_start,
        due.completed_month_start
    from due
    left join owned
        on
            due.record_id = owned.record_id
            and owned.owner_rank = 1
    where due.dealer_id is not null
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
        ('training_hours_product', 'hours', 'fiscal_month_start', 'completed', "hours is not null and topic = 'product'"),
        ('training_hours_market', 'hours', 'fiscal_month_start', 'completed', "hours is not null and topic = 'market'"),
        ('training_hours_selling', 'hours', 'fiscal_month_start', 'completed', "hours is not null and topic = 'selling'"),
        ('training_hours_service', 'hours', 'fiscal_month_start', 'completed', "hours is not null and topic = 'service'"),
        ('training_cost_amount', 'cost_amount_reporting', 'fiscal_month_start', 'completed', 'cost_amount is not null'),
        (
            'training_cost_with_hours', 'cost_amount_reporting', 'fiscal_month_start', 'completed',
            'cost_amount is not null and hours is not null',
        ),
        ('training_hours_with_cost', 'hours', 'fiscal_month_start', 'completed', 'cost_amount is not null and hours is not null'),
        ('dealer_staff_due', '1', 'fiscal_month_start', 'staff_due', 'fiscal_month_start is not null'),
        ('dealer_staff_completed', '1', 'completed_month_start', 'staff_due', 'completed_month_start is not null'),
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
