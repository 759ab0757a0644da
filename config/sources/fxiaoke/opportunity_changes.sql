select
    opportunity_changes._delivery_id,
    opportunity_changes._row_number,
    'fxiaoke' as crm_system,
    opportunity_changes.stage_change_id,
    opportunity_changes.pulled_at as updated_at,
    opportunity_changes.opportunity_id,
    json_extract_string(opportunity_changes.owners, '$[0]') as user_id,
    coalesce(before.label, opportunity_changes.from_stage) as from_stage,
    coalesce(after.label, opportunity_changes.to_stage) as to_stage,
    opportunity_changes.changed_at,
    opportunity_changes.changed_at as logged_at,
    opportunity_changes.amount,
    opportunity_changes.currency_code,
    opportunity_changes.probability_pct,
    coalesce(
        cast(cast(timezone('Asia/Shanghai', timezone('UTC', epoch_ms(try_cast(opportunity_changes.expected_close as bigint)))) as date) as varchar),
        opportunity_changes.expected_close
    ) as expected_close_date
from opportunity_changes
left join options as before
    on
        before.object = 'NewOpportunityObj'
        and before.field = 'sales_stage'
        and opportunity_changes.from_stage = before.value
left join options as after
    on
        after.object = 'NewOpportunityObj'
        and after.field = 'sales_stage'
        and opportunity_changes.to_stage = after.value
