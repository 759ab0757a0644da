-- Grain: one row per feed, kind of subject and name that its rows give and the masters do not know.
with

subject as (
    select * from {{ ref('dim_subject') }}
),

{% set named = [
    ('targets', 'fct_target', [('subject_type', 'subject_id')], 'valid_from', '1'),
    ('training_records', 'fct_training_record', [("'member'", 'member_id'), ("'dealer'", 'dealer_id')], 'due_date', '1'),
    ('survey_responses', 'fct_survey_response', [("'member'", 'member_id'), ("'dealer'", 'dealer_id')], 'sent_date', '1'),
    ('assignments', 'bridge_assignment', [("'member'", 'member_id'), ("'dealer'", 'dealer_id')], 'valid_from', '1'),
    ('sales', 'int_sales__dealer_month', [("'dealer'", 'dealer_id')], 'fiscal_month_start', 'line_count'),
    ('sales', 'int_credit__member_month', [("'member'", 'member_id')], 'fiscal_month_start', 'line_count'),
] %}
named as (
    {% for feed, relation, subjects, first_day, row_count in named %}
        {% set last = loop.last %}
        {% for subject_type, subject_id in subjects %}
            select
                '{{ feed }}' as feed,
                {{ subject_type }} as subject_type,
                {{ subject_id }} as subject_id,
                {{ first_day }} as named_date,
                {{ row_count }} as row_count
            from {{ ref(relation) }}
            where {{ subject_id }} is not null
            {% if not (last and loop.last) %}
                union all
            {% endif %}
        {% endfor %}
    {% endfor %}
),

final as (
    select
        named.feed,
        named.subject_type,
        named.subject_id,
        cast(sum(named.row_count) as bigint) as row_count,
        min(named.named_date) as first_named_date,
        max(named.named_date) as last_named_date,
        'the masters know no ' || named.subject_type || ' of this name' as reason
    from named
    left join subject
        on
            named.subject_type = subject.subject_type
            and named.subject_id = subject.subject_id
    where subject.subject_id is null
    group by named.feed, named.subject_type, named.subject_id
)

select * from final
