-- Grain: one row per assessment of a member's skill and measure.
with

level as (
    select * from {{ ref('fct_skill_level') }}
),

-- A level holds until the skill's next assessment, so that of a year before is the last one up to that day.
paired as (
    select
        this.assessment_id,
        this.member_id,
        this.member_team,
        this.member_region,
        this.fiscal_month_start,
        this.level_of_hundred,
        earlier.level_of_hundred as earlier_level,
        row_number() over (
            partition by this.assessment_id
            order by earlier.assessed_date desc nulls last, earlier.assessment_id desc nulls last
        ) as earlier_rank
    from level as this
    left join level as earlier
        on
            this.member_id = earlier.member_id
            and this.skill = earlier.skill
            and earlier.assessed_date <= cast({{ dbt.dateadd('month', -12, 'this.assessed_date') }} as date)
    where
        this.fiscal_month_start is not null
        and this.assessed_date <= {{ as_of_date() }}
),

final as (
    {% for measure_code, value, condition in [
        ('skill_assessed', '1', 'assessment_id is not null'),
        ('skill_growth', 'level_of_hundred - earlier_level', 'earlier_level is not null'),
    ] %}
        select
            assessment_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            cast(null as string) as dealer_id,
            member_team as team,
            member_region as region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from paired
        where earlier_rank = 1 and {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
