-- Won and lost say the words of sales_status. Days come as midnight in Shanghai.
select
    opportunities._delivery_id,
    opportunities._row_number,
    opportunities.gone = 'true' as _is_deleted,
    'fxiaoke' as crm_system,
    opportunities.opportunity_id,
    opportunities.changed_at as updated_at,
    opportunities.opportunity_name,
    opportunities.account_id,
    json_extract_string(opportunities.owners, '$[0]') as owner_user_id,
    coalesce(opportunities.pipeline_name, opportunities.pipeline) as pipeline,
    coalesce(opportunities.stage_label, stage.label, opportunities.stage) as stage,
    case coalesce(opportunities.status_label, status.label, opportunities.status)
        when '进行中' then 'open'
        when '赢单' then 'won'
        when '输单' then 'lost'
        else coalesce(opportunities.status_label, status.label, opportunities.status)
    end as status,
    opportunities.product_category,
    opportunities.amount,
    opportunities.currency_code,
    opportunities.probability_pct,
    coalesce(cast(epoch_ms(try_cast(opportunities.created_at as bigint)) as varchar), opportunities.created_at) as created_at,
    coalesce(
        cast(cast(timezone('Asia/Shanghai', timezone('UTC', epoch_ms(try_cast(opportunities.expected_close as bigint)))) as date) as varchar),
        opportunities.expected_close
    ) as expected_close_date,
    coalesce(
        cast(cast(timezone('Asia/Shanghai', timezone('UTC', epoch_ms(try_cast(opportunities.closed as bigint)))) as date) as varchar),
        opportunities.closed
    ) as closed_date,
    coalesce(cast(epoch_ms(try_cast(opportunities.last_activity_at as bigint)) as varchar), opportunities.last_activity_at) as last_activity_at,
    opportunities.loss_reason,
    opportunities.transaction_id
from opportunities
left join options as stage
    on stage.object = 'NewOpportunityObj' and stage.field = 'sales_stage' and opportunities.stage = stage.value
left join options as status
    on status.object = 'NewOpportunityObj' and status.field = 'sales_status' and opportunities.status = status.value
