-- Grain: one row per subject that masters know (member, dealer, team, region, product category, company), and those of
-- what belongs to nobody.
with

dealer as (
    select * from {{ ref('dim_dealer') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

product as (
    select * from {{ ref('dim_product') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

final as (
    select
        'dealer' as subject_type,
        dealer_id as subject_id,
        dealer_name as subject_name,
        cast(null as string) as team,
        region
    from dealer
    where is_latest

    union all

    select
        'member' as subject_type,
        member_id as subject_id,
        member_name as subject_name,
        team,
        region
    from member
    where is_latest

    union all

    select
        'team' as subject_type,
        team as subject_id,
        team as subject_name,
        team,
        cast(null as string) as region
    from member
    where team is not null
    group by team

    union all

    select
        'region' as subject_type,
        region as subject_id,
        region as subject_name,
        cast(null as string) as team,
        region
    from dealer
    where region is not null
    group by region

    union all

    select
        'category' as subject_type,
        category as subject_id,
        category as subject_name,
        cast(null as string) as team,
        cast(null as string) as region
    from product
    where category is not null
    group by category

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        company_name as subject_name,
        cast(null as string) as team,
        cast(null as string) as region
    from company

    {% for subject_type in ['member', 'team', 'region', 'category'] %}
        union all

        -- What belongs to nobody, so that the subjects of a kind add up to the company.
        select
            '{{ subject_type }}' as subject_type,
            '{{ unassigned() }}' as subject_id,
            'Unassigned' as subject_name,
            cast(null as string) as team,
            cast(null as string) as region
        from company
    {% endfor %}
)

select * from final
