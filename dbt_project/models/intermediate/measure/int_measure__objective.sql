-- Grain: one row per company objective, fiscal month in which it is in force, and measure.
with

objective as (
    select * from {{ ref('dim_objective') }}
),

target as (
    select * from {{ ref('fct_target') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

objective_month as (
    select
        objective.objective_id,
        objective.valid_from,
        objective.valid_to,
        fiscal_month.month_start,
        fiscal_month.month_end
    from objective
    inner join fiscal_month
        on
            objective.valid_from < fiscal_month.month_end
            and objective.valid_to > fiscal_month.month_start
),

served as (
    select
        objective_month.objective_id,
        objective_month.month_start
    from objective_month
    inner join target
        on
            objective_month.objective_id = target.objective_id
            and objective_month.month_start < target.valid_to
            and objective_month.month_end > target.valid_from
    where target.is_aligned
    group by objective_month.objective_id, objective_month.month_start
),

final as (
    {% for measure_code, relation in [
        ('objective_in_force', 'objective_month'),
        ('objective_with_target', 'served'),
    ] %}
        select
            objective_id as event_id,
            '{{ measure_code }}' as measure_code,
            cast(null as string) as member_id,
            cast(null as string) as dealer_id,
            cast(null as string) as team,
            cast(null as string) as region,
            cast(null as string) as product_category,
            month_start as fiscal_month_start,
            month_start as known_month_start,
            cast(1 as decimal(18, 8)) as value
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
