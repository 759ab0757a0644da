-- Grain: one row per subject (member, team, region, company), quarter that is over and KPI that is taken of reviews.
with

readiness as (
    select * from {{ ref('int_review__readiness') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

subject as (
    select * from {{ ref('dim_subject') }}
),

kpi as (
    select *
    from {{ source('config', 'kpi') }}
    where kpi_code = 'ready_for_next_grade_pct'
),

placed as (
    {% for subject_type, subject_id in [('member', 'member_id'), ('team', 'team'), ('region', 'region'), ('company', "'company'")] %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            status
        from readiness
        where {{ subject_id }} is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- Of whom something is not known that decides, and who has no grade above, is in neither.
counted as (
    select
        subject_type,
        subject_id,
        period_id,
        count(case when status = 'ready' then 1 end) as ready_count,
        count(case when status in ('ready', 'not_ready') then 1 end) as known_count
    from placed
    group by subject_type, subject_id, period_id
),

valued as (
    select
        *,
        case when known_count > 0 then cast({{ exact_divide('ready_count', 'known_count', 8) }} as decimal(28, 8)) end as value
    from counted
),

final as (
    select
        valued.subject_type,
        valued.subject_id,
        coalesce(subject.subject_name, valued.subject_id) as subject_name,
        valued.period_id,
        period.period_type,
        period.period_start,
        period.period_end,
        period.is_complete,
        kpi.kpi_code,
        kpi.kpi_name,
        case when valued.known_count > 0 then cast(valued.ready_count as decimal(28, 8)) end as numerator,
        case when valued.known_count > 0 then cast(valued.known_count as decimal(28, 8)) end as denominator,
        valued.value,
        kpi.unit,
        previous_period.value as previous_value,
        last_year_period.value as last_year_value,
        valued.known_count as sample_size,
        {{ wilson_bound('valued.ready_count', 'valued.known_count', 'low') }} as ci_low,
        {{ wilson_bound('valued.ready_count', 'valued.known_count', 'high') }} as ci_high,
        case when valued.known_count > 0 then 'wilson' end as ci_method,
        case
            when valued.known_count = 0 then 'no_data'
            when valued.known_count < kpi.min_sample then 'small_sample'
            else 'ok'
        end as status,
        case
            when valued.known_count = 0 then 'nobody with a next grade of whom all conditions are known'
            when valued.known_count < kpi.min_sample
                then valued.known_count || ' measured, at least ' || kpi.min_sample || ' wanted'
        end as status_reason,
        kpi.definition_version
    from valued
    inner join period on valued.period_id = period.period_id
    cross join kpi
    left join subject
        on
            valued.subject_type = subject.subject_type
            and valued.subject_id = subject.subject_id
    left join valued as previous_period
        on
            valued.subject_type = previous_period.subject_type
            and valued.subject_id = previous_period.subject_id
            and period.previous_period_id = previous_period.period_id
    left join valued as last_year_period
        on
            valued.subject_type = last_year_period.subject_type
            and valued.subject_id = last_year_period.subject_id
            and period.last_year_period_id = last_year_period.period_id
)

select * from final
