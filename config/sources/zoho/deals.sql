-- What a stage means, the pipeline says; without its list the names of the standard ones do.
select
    deals._delivery_id,
    deals._row_number,
    deals.gone = 'true' as _is_deleted,
    'zoho' as crm_system,
    deals.opportunity_id,
    deals.changed_at as updated_at,
    deals.opportunity_name,
    deals.account_id,
    deals.owner_user_id,
    deals.pipeline,
    deals.stage,
    case
        when stages.forecast_type = 'Closed Won' or (stages.stage is null and deals.stage = 'Closed Won') then 'won'
        when stages.forecast_type = 'Closed Lost' or (stages.stage is null and deals.stage like 'Closed Lost%') then 'lost'
        when deals.stage is not null then 'open'
    end as status,
    deals.product_category,
    deals.amount,
    deals.currency_code,
    deals.probability_pct,
    coalesce(cast(timezone('UTC', try_cast(deals.created_at as timestamptz)) as varchar), deals.created_at) as created_at,
    deals.closing_date as expected_close_date,
    case
        when
            stages.forecast_type in ('Closed Won', 'Closed Lost')
            or (stages.stage is null and deals.stage like 'Closed %')
            then deals.closing_date
    end as closed_date,
    coalesce(cast(timezone('UTC', try_cast(deals.last_activity_at as timestamptz)) as varchar), deals.last_activity_at) as last_activity_at,
    deals.loss_reason,
    deals.transaction_id
from deals
left join stages on coalesce(deals.pipeline, 'Standard') = stages.pipeline and deals.stage = stages.stage
