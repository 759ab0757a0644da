-- Grain: one row per team, region and the company and fiscal period begun with members who have a target (and the company).
with

attainment as (
    select * from {{ ref('int_kpi__attainment') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

-- Whose target is not measured counts neither as reached nor as missed.
measured as (
    select
        attainment.subject_id as member_id,
        attainment.period_id,
        period.period_start,
        period.period_end,
        attainment.numerator >= attainment.denominator as is_reached
    from attainment
    inner join period on attainment.period_id = period.period_id
    where
        attainment.subject_type = 'member'
        and attainment.status = 'ok'
),

-- Members count where they were when the period ended, or when they left.
ranked as (
    select
        measured.member_id,
        measured.period_id,
        measured.is_reached,
        member.team,
        member.region,
        row_number() over (
            partition by measured.member_id, measured.period_id
            order by member.valid_from desc nulls last
        ) as row_no
    from measured
    left join member
        on
            measured.member_id = member.member_id
            and measured.period_start < member.valid_to
            and measured.period_end > member.valid_from
),

placed as (
    select * from ranked
    where row_no = 1
),

counted as (
    {% for subject_type, subject_id in [('team', 'team'), ('region', 'region'), ('company', "'company'")] %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            cast(count(*) filter (where is_reached) as decimal(28, 8)) as reached_count,
            cast(count(*) as decimal(28, 8)) as member_count
        from placed
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

stated as (
    select
        subject_type,
        subject_id,
        period_id
    from counted

    union

    select
        subject_type,
        subject_id,
        period_id
    from attainment
    where subject_type = 'company'
),

final as (
    select
        stated.subject_type,
        stated.subject_id,
        stated.period_id,
        'reached_target_pct' as kpi_code,
        counted.reached_count as numerator,
        counted.member_count as denominator,
        cast({{ exact_divide('counted.reached_count', 'counted.member_count', 8) }} as decimal(28, 8)) as value,
        cast(coalesce(counted.member_count, 0) as bigint) as sample_size,
        {{ wilson_bound('counted.reached_count', 'counted.member_count', 'low') }} as ci_low,
        {{ wilson_bound('counted.reached_count', 'counted.member_count', 'high') }} as ci_high,
        case when counted.member_count is not null then 'wilson' end as ci_method,
        cast(null as string) as rate_type,
        case when counted.member_count is null then 'no_data' else 'ok' end as status,
        case when counted.member_count is null then 'no member with a target that is measured' end as status_reason
    from stated
    left join counted
        on
            stated.subject_type = counted.subject_type
            and stated.subject_id = counted.subject_id
            and stated.period_id = counted.period_id
)

select * from final
