-- Grain: one row per rating by a peer and measure.
with

rating as (
    select *
    from {{ ref('fct_review_input') }}
    where rater_type = 'peer'
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

-- A rating comes after the quarter that it is about and counts in that quarter, in its last month.
dated as (
    select
        rating.review_input_id,
        rating.member_id,
        rating.member_team,
        rating.member_region,
        rating.score_of_hundred,
        fiscal_month.month_start as fiscal_month_start
    from rating
    inner join fiscal_month on rating.period_end = fiscal_month.month_end
),

final as (
    {% for measure_code, value, condition in [
        ('peer_rating_asked', '1', 'review_input_id is not null'),
        ('peer_rating', 'score_of_hundred', 'score_of_hundred is not null'),
    ] %}
        select
            review_input_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            cast(null as string) as dealer_id,
            member_team as team,
            member_region as region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from dated
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
