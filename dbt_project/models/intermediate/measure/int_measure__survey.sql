-- Grain: one row per survey sent and measure.
with

response as (
    select * from {{ ref('fct_survey_response') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

-- The net promoter score is defined on answers from 0 to 10 alone. Effort is stated from 1 to 7, whatever scale was asked on. Who
-- had left when the survey was sent is not rated by it.
judged as (
    select
        response.response_id,
        response.survey,
        case when member_left.member_id is null then response.member_id end as member_id,
        response.dealer_id,
        case when member_left.member_id is null then response.member_team end as member_team,
        response.dealer_region,
        response.fiscal_month_start,
        response.is_answered,
        response.score,
        response.score_of_five,
        cast(
            1 + {{ exact_divide('6 * (response.score - response.scale_min)', 'response.scale_max - response.scale_min', 8) }}
            as decimal(18, 8)
        ) as score_of_seven,
        response.is_top_two,
        response.survey = 'nps' and response.scale_min = 0 and response.scale_max = 10 and response.is_answered as is_promoter_answer
    from response
    left join member_left
        on
            response.member_id = member_left.member_id
            and response.sent_date >= member_left.left_from
            and response.sent_date < member_left.left_to
    where response.fiscal_month_start is not null
),

final as (
    {% for measure_code, value, condition in [
        ('survey_sent', '1', 'response_id is not null'),
        ('survey_answered', '1', 'is_answered'),
        ('csat_sent', '1', "survey = 'csat'"),
        ('csat_answered', '1', "survey = 'csat' and is_answered"),
        ('csat_top_two', '1', "survey = 'csat' and is_top_two"),
        ('csat_score', 'score_of_five', "survey = 'csat' and is_answered"),
        ('ces_sent', '1', "survey = 'ces'"),
        ('ces_score', 'score_of_seven', "survey = 'ces' and is_answered"),
        ('dealer_needs_sent', '1', "survey = 'dealer_needs'"),
        ('dealer_needs_score', 'score_of_five', "survey = 'dealer_needs' and is_answered"),
        ('nps_sent', '1', "survey = 'nps'"),
        ('nps_answered', '1', 'is_promoter_answer'),
        ('nps_promoter', '1', 'is_promoter_answer and score >= 9'),
        ('nps_detractor', '1', 'is_promoter_answer and score <= 6'),
    ] %}
        select
            response_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            member_team as team,
            dealer_region as region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from judged
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
