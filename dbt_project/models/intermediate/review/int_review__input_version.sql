-- Grain: one row per rating and version of it, of quarters that are over.
with

review_rule as (
    select * from {{ source('config', 'review_rule') }}
),

criterion as (
    select * from {{ source('config', 'review_criterion') }}
),

quarter as (
    select *
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

member_window as (
    select * from {{ ref('int_review__member_window') }}
),

ordered as (
    select
        *,
        row_number() over (
            partition by review_input_id
            order by
                _received_date nulls last, _delivery_id nulls last, _row_number nulls last, _row_part nulls last,
                _source nulls last
        ) as delivery_no,
        {{ winner_rank(['review_input_id']) }} as winner_rank
    from {{ ref('stg_review_inputs') }}
),

-- What was delivered once more as it stood is no new version.
delivered as (
    select
        *,
        lag(_row_hash) over (partition by review_input_id order by delivery_no nulls last) as hash_before
    from ordered
),

-- A rating that its source took back in the end has no version that holds.
withdrawn as (
    select
        review_input_id,
        not bool_or(winner_rank = 1) as is_withdrawn
    from delivered
    group by review_input_id
),

managed as (
    select
        member_id,
        period_id,
        manager_id,
        sum(employed_days) as manager_days
    from member_window
    where manager_id is not null
    group by member_id, period_id, manager_id
),

there as (
    select distinct
        member_id,
        period_id
    from member_window
),

placed as (
    select
        delivered.review_input_id,
        row_number() over (partition by delivered.review_input_id order by delivered.delivery_no nulls last) as version_no,
        delivered.member_id,
        delivered.period_id,
        case delivered.rater_type when 'peer' then 'peers' when 'dealer' then 'dealers' else delivered.rater_type end as part,
        delivered.rater_type,
        delivered.rater_id,
        delivered.criterion as criterion_id,
        delivered.scale_min,
        delivered.scale_max,
        delivered.score,
        delivered.comment,
        delivered.submitted_date,
        delivered._received_date,
        quarter.period_id as known_period_id,
        cast({{ dbt.dateadd('day', 'review_rule.inputs_due_days - 1', 'quarter.period_end') }} as date) as due_date,
        withdrawn.is_withdrawn
    from delivered
    inner join withdrawn on delivered.review_input_id = withdrawn.review_input_id
    cross join review_rule
    left join quarter on delivered.period_id = quarter.period_id
    where
        not delivered._is_deleted
        and (delivered.delivery_no = 1 or delivered._row_hash is distinct from delivered.hash_before)
        and coalesce(quarter.is_complete, true)
),

asked as (
    select distinct
        template_id,
        part,
        criterion_id
    from criterion
    where source = 'rating'

    union

    select distinct
        template_id,
        'manager' as part,
        'potential' as criterion_id
    from criterion
),

looked_up as (
    select
        placed.*,
        due.template_id,
        due.member_id as due_member_id,
        asked.criterion_id as asked_criterion_id,
        managed.manager_days,
        there.member_id as present_rater_id
    from placed
    left join due
        on
            placed.member_id = due.member_id
            and placed.period_id = due.period_id
    left join asked
        on
            due.template_id = asked.template_id
            and placed.part = asked.part
            and placed.criterion_id = asked.criterion_id
    left join managed
        on
            placed.member_id = managed.member_id
            and placed.period_id = managed.period_id
            and placed.rater_id = managed.manager_id
    left join there
        on
            placed.rater_id = there.member_id
            and placed.period_id = there.period_id
),

judged as (
    select
        *,
        case
            when is_withdrawn then 'withdrawn'
            when known_period_id is null then 'quarter_unknown'
            when part = 'self' and rater_id <> member_id then 'self_by_other'
            when part <> 'self' and rater_id = member_id then 'oneself_as_other'
            when scale_max <= scale_min or score < scale_min or score > scale_max then 'outside_scale'
            when due_member_id is null then 'not_due'
            when part = 'manager' and manager_days is null then 'not_manager'
            when part = 'peers' and present_rater_id is null then 'peer_not_there'
            when asked_criterion_id is null then 'not_asked'
            when submitted_date > due_date then 'late'
            when version_no > 1 and _received_date > due_date then 'changed_late'
        end as refused_because
    from looked_up
),

-- Of the versions in time the last one holds.
versioned as (
    select
        *,
        row_number() over (
            partition by review_input_id, case when refused_because is null then 0 else 1 end
            order by version_no desc nulls last
        ) as version_rank
    from judged
),

-- Of two ratings of one rater for a member, quarter and criterion the first given holds.
counted as (
    select
        *,
        row_number() over (
            partition by
                member_id, period_id, part, rater_id, criterion_id,
                case when refused_because is null and version_rank = 1 then 0 else 1 end
            order by submitted_date nulls last, review_input_id nulls last
        ) as rating_no
    from versioned
),

final as (
    select
        review_input_id,
        cast(version_no as integer) as version_no,
        member_id,
        period_id,
        part,
        rater_type,
        rater_id,
        template_id,
        criterion_id,
        scale_min,
        scale_max,
        score,
        case
            when coalesce(refused_because, '') <> 'outside_scale'
                then cast({{ exact_divide('100 * (score - scale_min)', 'scale_max - scale_min', 8) }} as decimal(18, 8))
        end as score_of_hundred,
        comment,
        submitted_date,
        due_date,
        case when part = 'manager' then cast(manager_days as bigint) end as manager_days,
        case
            when refused_because is not null then refused_because
            when version_rank = 1 and rating_no > 1 then 'second'
        end as refused_because,
        case
            when refused_because is not null then 'refused'
            when version_rank > 1 then 'replaced'
            when rating_no > 1 then 'refused'
            when score is null then 'empty'
            else 'counted'
        end as status
    from counted
)

select * from final
