-- Grain: one row per target and measure.
with

target as (
    select * from {{ ref('fct_target') }}
),

subject as (
    select * from {{ ref('dim_subject') }}
),

-- A target whose subject the masters do not know is reported where targets are measured, and counts nowhere.
known as (
    select
        target.target_id,
        case when target.subject_type = 'member' then target.subject_id end as member_id,
        case when target.subject_type = 'dealer' then target.subject_id end as dealer_id,
        target.subject_team,
        target.subject_region,
        target.product_category,
        target.fiscal_month_start,
        target.alignment_weight,
        target.is_aligned
    from target
    inner join subject
        on
            target.subject_type = subject.subject_type
            and target.subject_id = subject.subject_id
    where target.fiscal_month_start is not null
),

final as (
    {% for measure_code, condition in [
        ('target_weight', 'target_id is not null'),
        ('target_weight_aligned', 'is_aligned'),
    ] %}
        select
            target_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            subject_team as team,
            subject_region as region,
            product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            alignment_weight as value
        from known
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
