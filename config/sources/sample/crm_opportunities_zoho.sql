-- Won and lost follow from the stage: this tenant's pipeline has the two standard ones.
select
    _delivery_id,
    _row_number,
    'zoho' as crm_system,
    opportunity_id,
    coalesce(cast(timezone('UTC', try_cast(updated_at as timestamptz)) as varchar), updated_at) as updated_at,
    opportunity_name,
    account_id,
    owner_user_id,
    pipeline,
    stage,
    case when stage = 'Closed Won' then 'won' when stage like 'Closed Lost%' then 'lost' else 'open' end as status,
    product_category,
    amount,
    currency_code,
    probability_pct,
    coalesce(cast(timezone('UTC', try_cast(created_at as timestamptz)) as varchar), created_at) as created_at,
    closing_date as expected_close_date,
    case when stage like 'Closed %' then closing_date end as closed_date,
    coalesce(cast(timezone('UTC', try_cast(last_activity_at as timestamptz)) as varchar), last_activity_at) as last_activity_at,
    loss_reason,
    transaction_id
from zoho_deals
