-- Grain: one row per account of a CRM, fiscal month at whose end it is there, and measure.
{% set fields = {
    'account_type': 'account_type',
    'dealer_id': 'stated_dealer_id',
    'owner_user_id': 'owner_user_id',
    'phone': 'phone',
    'website': 'website',
    'country': 'country',
    'city': 'city',
} %}
{% set filled -%}
    {%- for name, column in fields.items() -%}
        {{ ' + ' if not loop.first }}case when account.{{ column }} is null then 0 else required.{{ name }} end
    {%- endfor -%}
{%- endset %}
with

account as (
    select * from {{ ref('dim_account') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

crm_rule as (
    select * from {{ source('config', 'crm_rule') }}
),

account_field as (
    select * from {{ source('config', 'crm_account_field') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

required as (
    select
        {% for name in fields %}
            max(case when field_name = '{{ name }}' then 1 else 0 end) as {{ name }},
        {% endfor %}
        count(*) as field_count
    from account_field
),

month_end as (
    select
        month_start as fiscal_month_start,
        least(cast({{ dbt.dateadd('day', -1, 'month_end') }} as date), {{ received_until() }}) as balance_date
    from fiscal_month
    where
        month_start < {{ built_until() }}
        and month_start <= {{ received_until() }}
),

-- Once for each version, not for each month: these are the same in all months of a version.
judged as (
    select
        account.crm_system,
        account.account_id,
        account.valid_from,
        account.valid_to,
        account.member_id,
        account.dealer_id,
        {{ letters_and_digits('account.account_name') }} as name_key,
        {{ letters_and_digits('account.phone') }} as phone_key,
        {{ letters_and_digits(website_name('account.website')) }} as website_key,
        cast({{ exact_divide(filled, 'required.field_count', 8) }} as decimal(18, 8)) as completeness
    from account
    cross join required
),

there as (
    select
        judged.crm_system,
        judged.account_id,
        judged.valid_from,
        judged.member_id,
        judged.dealer_id,
        judged.completeness,
        month_end.fiscal_month_start,
        {% for key in ['name_key', 'phone_key', 'website_key'] %}
            case
                when judged.{{ key }} is not null
                    then count(*) over (partition by month_end.fiscal_month_start, judged.crm_system, judged.{{ key }})
            end as {{ key }}_count,
        {% endfor %}
        month_end.balance_date
    from judged
    inner join month_end
        on
            judged.valid_from <= month_end.balance_date
            and judged.valid_to > month_end.balance_date
),

owned as (
    select
        there.crm_system || ' ' || there.account_id as event_id,
        member.member_id,
        there.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        there.fiscal_month_start,
        there.completeness,
        there.valid_from
        > {{ dbt.dateadd('day', '-1 * crm_rule.account_fresh_days', 'there.balance_date') }} as is_fresh,
        greatest(coalesce(there.name_key_count, 1), coalesce(there.phone_key_count, 1), coalesce(there.website_key_count, 1))
        > 1 as is_duplicate
    from there
    cross join crm_rule
    left join member
        on
            there.member_id = member.member_id
            and there.balance_date >= member.valid_from
            and there.balance_date < {{ employed_until('member') }}
    left join dealer
        on
            there.dealer_id = dealer.dealer_id
            and there.balance_date >= dealer.valid_from
            and there.balance_date < dealer.valid_to
),

final as (
    {% for measure_code, value, condition in [
        ('account_present', '1', 'event_id is not null'),
        ('account_completeness', 'completeness', 'event_id is not null'),
        ('account_fresh', '1', 'is_fresh'),
        ('account_duplicate', '1', 'is_duplicate'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from owned
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
