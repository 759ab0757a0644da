-- Grain: one row per opportunity and window of days in which stage, status, amount, probability and owner were the same.
with

opportunity as (
    select * from {{ ref('fct_opportunity') }}
),

stage_change as (
    select * from {{ ref('int_current__crm_stage_change') }}
),

version as (
    select * from {{ ref('int_history__crm_opportunity') }}
),

member_link as (
    select * from {{ ref('int_link__member') }}
),

-- The last change of a day says what held from that day on.
change as (
    select
        *,
        row_number() over (
            partition by crm_system, opportunity_id, changed_date
            order by changed_at desc nulls last, logged_at desc nulls last, stage_change_id desc nulls last
        ) as rank_of_day,
        row_number() over (
            partition by crm_system, opportunity_id
            order by changed_at nulls last, logged_at nulls last, stage_change_id nulls last
        ) as change_no
    from stage_change
),

begun as (
    -- From its opening to its first change it was in the stage that the change came from ...
    select
        opportunity.crm_system,
        opportunity.opportunity_id,
        opportunity.opened_date as valid_from,
        'open' as status,
        case when change.change_no = 1 then coalesce(change.from_stage, change.to_stage) end as stage,
        change.amount,
        change.currency_code,
        cast(null as decimal(9, 4)) as probability_pct,
        change.expected_close_date,
        cast(null as date) as logged_date
    from opportunity
    left join change
        on
            opportunity.crm_system = change.crm_system
            and opportunity.opportunity_id = change.opportunity_id
            and change.change_no = 1
    where
        opportunity.opened_date < coalesce(change.changed_date, {{ open_end() }})
        and opportunity.opened_date < coalesce(opportunity.closed_date, {{ open_end() }})

    union all

    -- ... then in that of each change ...
    select
        change.crm_system,
        change.opportunity_id,
        change.changed_date as valid_from,
        'open' as status,
        change.to_stage as stage,
        change.amount,
        change.currency_code,
        change.probability_pct,
        change.expected_close_date,
        coalesce(change.logged_date, change.changed_date) as logged_date
    from change
    inner join opportunity
        on
            change.crm_system = opportunity.crm_system
            and change.opportunity_id = opportunity.opportunity_id
    where
        change.rank_of_day = 1
        and change.changed_date < coalesce(opportunity.closed_date, {{ open_end() }})

    union all

    -- ... until the day on which it was won or lost.
    select
        crm_system,
        opportunity_id,
        closed_date as valid_from,
        status,
        stage,
        amount,
        currency_code,
        probability_pct,
        expected_close_date,
        closed_date as logged_date
    from opportunity
    where closed_date is not null
),

staged as (
    select
        *,
        coalesce(
            lead(valid_from) over (partition by crm_system, opportunity_id order by valid_from nulls last), {{ open_end() }}
        ) as valid_to
    from begun
),

-- Before the first record that was received, its owner is the best that is known; amounts come from the changes. Stage
-- and probability of a record that is closed say nothing of the time in which it was open.
record as (
    select
        crm_system,
        opportunity_id,
        valid_from,
        valid_to,
        true as is_received,
        owner_user_id,
        case when status = 'open' then stage end as stage,
        amount,
        currency_code,
        case when status = 'open' then probability_pct end as probability_pct,
        expected_close_date
    from version

    union all

    select
        crm_system,
        opportunity_id,
        cast('0001-01-01' as date) as valid_from,
        valid_from as valid_to,
        false as is_received,
        owner_user_id,
        case when status = 'open' then stage end as stage,
        amount,
        currency_code,
        case when status = 'open' then probability_pct end as probability_pct,
        expected_close_date
    from version
    where is_first
),

-- Owner, amount and expected day change without a change of stage too: what was recorded after the change was entered holds.
crossed as (
    select
        staged.crm_system,
        staged.opportunity_id,
        greatest(staged.valid_from, record.valid_from) as valid_from,
        least(staged.valid_to, record.valid_to) as valid_to,
        staged.status,
        coalesce(staged.stage, record.stage) as stage,
        record.owner_user_id,
        staged.status = 'open'
        and record.is_received
        and (staged.logged_date is null or record.valid_from >= staged.logged_date) as is_recorded_later,
        staged.amount as staged_amount,
        staged.currency_code as staged_currency_code,
        staged.probability_pct as staged_probability_pct,
        staged.expected_close_date as staged_expected_close_date,
        record.amount,
        record.currency_code,
        record.probability_pct,
        record.expected_close_date
    from staged
    inner join record
        on
            staged.crm_system = record.crm_system
            and staged.opportunity_id = record.opportunity_id
            and staged.valid_from < record.valid_to
            and staged.valid_to > record.valid_from
),

chosen as (
    select
        crm_system,
        opportunity_id,
        valid_from,
        valid_to,
        status,
        stage,
        owner_user_id,
        case when is_recorded_later then amount else coalesce(staged_amount, amount) end as amount,
        case
            when is_recorded_later or staged_amount is null then currency_code
            else staged_currency_code
        end as currency_code,
        case
            when is_recorded_later then probability_pct
            else coalesce(staged_probability_pct, probability_pct)
        end as probability_pct,
        case
            when is_recorded_later then expected_close_date
            else coalesce(staged_expected_close_date, expected_close_date)
        end as expected_close_date
    from crossed
),

compared as (
    select
        *,
        row_number() over (partition by crm_system, opportunity_id order by valid_from nulls last) = 1 as is_first,
        lag(stage) over (partition by crm_system, opportunity_id order by valid_from nulls last) as stage_before
    from chosen
),

numbered as (
    select
        *,
        sum(case when is_first or stage is distinct from stage_before then 1 else 0 end) over (
            partition by crm_system, opportunity_id
            order by valid_from nulls last
            rows between unbounded preceding and current row
        ) as stage_no
    from compared
),

final as (
    select
        numbered.crm_system,
        numbered.opportunity_id,
        numbered.valid_from,
        numbered.valid_to,
        numbered.stage,
        min(numbered.valid_from) over (
            partition by numbered.crm_system, numbered.opportunity_id, numbered.stage_no
        ) as stage_since_date,
        numbered.status,
        numbered.owner_user_id,
        member_link.member_id,
        opportunity.dealer_id,
        opportunity.product_category,
        numbered.amount,
        numbered.currency_code,
        numbered.probability_pct,
        numbered.expected_close_date
    from numbered
    inner join opportunity
        on
            numbered.crm_system = opportunity.crm_system
            and numbered.opportunity_id = opportunity.opportunity_id
    left join member_link
        on
            numbered.crm_system = member_link.system
            and numbered.owner_user_id = member_link.external_id
)

select * from final
