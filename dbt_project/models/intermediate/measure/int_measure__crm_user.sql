-- Grain: one row per member with a user of a CRM, fiscal month and measure.
with

member_link as (
    select * from {{ ref('int_link__member') }}
),

activity as (
    select * from {{ ref('fct_activity') }}
    where is_done
),

member as (
    select * from {{ ref('dim_member') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

-- A CRM is in use from the month of its first activity; before, nobody could be active in it.
in_use as (
    select
        crm_system,
        min(fiscal_month_start) as first_month_start
    from activity
    group by crm_system
),

user_since as (
    select
        member_link.member_id,
        min(in_use.first_month_start) as first_month_start
    from member_link
    inner join in_use on member_link.system = in_use.crm_system
    where member_link.is_linked
    group by member_link.member_id
),

month_end as (
    select
        month_start as fiscal_month_start,
        least(cast({{ dbt.dateadd('day', -1, 'month_end') }} as date), {{ received_until() }}) as balance_date
    from fiscal_month
    where
        month_start < {{ built_until() }}
        and month_start <= {{ received_until() }}
),

-- Everybody employed on any day of the month, with the team of the last of these days.
placed as (
    select
        user_since.member_id,
        member.team,
        member.region,
        month_end.fiscal_month_start,
        row_number() over (
            partition by user_since.member_id, month_end.fiscal_month_start
            order by member.valid_from desc nulls last
        ) as row_no
    from user_since
    inner join month_end on user_since.first_month_start <= month_end.fiscal_month_start
    inner join member
        on
            user_since.member_id = member.member_id
            and month_end.balance_date >= member.valid_from
            and month_end.fiscal_month_start < {{ employed_until('member') }}
),

active as (
    select
        member_id,
        fiscal_month_start,
        count(*) as activity_count
    from activity
    where
        member_id is not null
        and fiscal_month_start is not null
    group by member_id, fiscal_month_start
),

counted as (
    select
        placed.member_id,
        placed.team,
        placed.region,
        placed.fiscal_month_start,
        active.activity_count is not null as is_active
    from placed
    left join active
        on
            placed.member_id = active.member_id
            and placed.fiscal_month_start = active.fiscal_month_start
    where placed.row_no = 1
),

final as (
    {% for measure_code, condition in [('crm_user', 'member_id is not null'), ('crm_active_user', 'is_active')] %}
        select
            member_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            cast(null as string) as dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast(1 as decimal(18, 8)) as value
        from counted
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
