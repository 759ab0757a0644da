-- Grain: one row per subject and fiscal period with training due or satisfaction surveys sent.
with

training_record as (
    select * from {{ ref('fct_training_record') }}
),

survey_response as (
    select * from {{ ref('fct_survey_response') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

event as (
    select
        member_id,
        dealer_id,
        member_team as team,
        region,
        fiscal_month_start,
        true as is_training,
        completed_date,
        false as is_top_two,
        cast(null as decimal(18, 8)) as score_of_five
    from training_record

    union all

    select
        member_id,
        dealer_id,
        member_team as team,
        dealer_region as region,
        fiscal_month_start,
        false as is_training,
        cast(null as date) as completed_date,
        is_top_two,
        score_of_five
    from survey_response
    where survey = 'csat'
),

subject_event as (
    select
        'member' as subject_type,
        member_id as subject_id,
        fiscal_month_start,
        is_training,
        completed_date,
        is_top_two,
        score_of_five
    from event

    union all

    select
        'dealer' as subject_type,
        dealer_id as subject_id,
        fiscal_month_start,
        is_training,
        completed_date,
        is_top_two,
        score_of_five
    from event

    union all

    select
        'team' as subject_type,
        team as subject_id,
        fiscal_month_start,
        is_training,
        completed_date,
        is_top_two,
        score_of_five
    from event

    union all

    select
        'region' as subject_type,
        region as subject_id,
        fiscal_month_start,
        is_training,
        completed_date,
        is_top_two,
        score_of_five
    from event

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        fiscal_month_start,
        is_training,
        completed_date,
        is_top_two,
        score_of_five
    from event
),

final as (
    select
        subject_event.subject_type,
        subject_event.subject_id,
        period.period_id,
        count(*) filter (where subject_event.is_training) as due_count,
        -- What is completed after the period counts as not completed in it, so that a closed period stays as it was.
        count(*) filter (where subject_event.is_training and subject_event.completed_date < period.period_end) as completed_count,
        count(*) filter (where not subject_event.is_training) as sent_count,
        count(subject_event.score_of_five) as answered_count,
        count(*) filter (where subject_event.is_top_two) as top_two_count,
        cast(sum(subject_event.score_of_five) as decimal(28, 8)) as score_total,
        cast(sum({{ multiply('subject_event.score_of_five', 'subject_event.score_of_five') }}) as decimal(28, 8)) as score_square_total
    from subject_event
    inner join period
        on
            subject_event.fiscal_month_start >= period.period_start
            and subject_event.fiscal_month_start < period.period_end
    where
        subject_event.subject_id is not null
        and period.period_start < {{ built_until() }}
    group by subject_event.subject_type, subject_event.subject_id, period.period_id
)

select * from final
