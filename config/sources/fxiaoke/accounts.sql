-- Choices come as values: their words are with the record, or in the list of options. People are lists, of one too.
select
    accounts._delivery_id,
    accounts._row_number,
    accounts.gone = 'true' as _is_deleted,
    'fxiaoke' as crm_system,
    accounts.account_id,
    accounts.changed_at as updated_at,
    accounts.account_name,
    accounts.dealer_id,
    coalesce(accounts.account_type_label, kind.label, accounts.account_type) as account_type,
    json_extract_string(accounts.owners, '$[0]') as owner_user_id,
    accounts.phone,
    accounts.website,
    case coalesce(accounts.country_label, country.label, accounts.country)
        when '中国' then 'China' else coalesce(accounts.country_label, country.label, accounts.country)
    end as country,
    coalesce(accounts.city_label, accounts.city) as city,
    coalesce(cast(epoch_ms(try_cast(accounts.created_at as bigint)) as varchar), accounts.created_at) as created_at,
    coalesce(cast(epoch_ms(try_cast(accounts.last_activity_at as bigint)) as varchar), accounts.last_activity_at) as last_activity_at
from accounts
left join options as kind
    on kind.object = 'AccountObj' and kind.field = 'account_type' and accounts.account_type = kind.value
left join options as country
    on country.object = 'AccountObj' and country.field = 'country' and accounts.country = country.value
