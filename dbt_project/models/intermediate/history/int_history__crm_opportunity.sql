-- Grain: one row per opportunity and window of days in which the CRM's record of it did not change.
with

opportunity as (
    select * from {{ ref('stg_crm_opportunities') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

dated as (
    select
        opportunity.*,
        {{ local_date('opportunity.updated_at', 'company.time_zone') }} as valid_from
    from opportunity
    cross join company
),

version as (
    select
        *,
        {{ winner_rank(['crm_system', 'opportunity_id', 'valid_from'], 'updated_at') }} as winner_rank,
        {{ winner_rank(['crm_system', 'opportunity_id'], 'updated_at') }} as latest_rank
    from dated
),

final as (
    select
        crm_system,
        opportunity_id,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by crm_system, opportunity_id order by valid_from nulls last), {{ open_end() }}
        ) as valid_to,
        row_number() over (partition by crm_system, opportunity_id order by valid_from nulls last) = 1 as is_first,
        latest_rank = 1 as is_latest,
        updated_at,
        opportunity_name,
        account_id,
        owner_user_id,
        pipeline,
        stage,
        status,
        product_category,
        amount,
        currency_code,
        probability_pct,
        created_at,
        expected_close_date,
        closed_date,
        last_activity_at,
        loss_reason,
        transaction_id,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from version
    where winner_rank = 1
)

select * from final
