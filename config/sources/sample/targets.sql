-- One row per subject and year becomes twelve, one per month. An empty cell is no target.
with

month as (
    select unnest(range(1, 13)) as month_no
),

target_month as (
    select
        target._delivery_id,
        target._row_number,
        month.month_no,
        case target.subject_type when '个人' then 'member' when '团队' then 'team' when '大区' then 'region' else target.subject_type end as subject_type,
        case target.subject_id
            when '华东' then 'East China'
            when '华北' then 'North China'
            when '华南' then 'South China'
            when '西南' then 'Southwest China'
            else target.subject_id
        end as subject_id,
        target.metric,
        target.product_category,
        target.unit,
        case
            when try_cast(target.target_year as bigint) between 1000 and 9999
                then make_date(try_cast(target.target_year as bigint), month.month_no, 1)
        end as valid_from,
        case month.month_no
            when 1 then target.month_1
            when 2 then target.month_2
            when 3 then target.month_3
            when 4 then target.month_4
            when 5 then target.month_5
            when 6 then target.month_6
            when 7 then target.month_7
            when 8 then target.month_8
            when 9 then target.month_9
            when 10 then target.month_10
            when 11 then target.month_11
            when 12 then target.month_12
        end as target_value
    from targets as target
    cross join month
)

select
    _delivery_id,
    _row_number,
    month_no as _row_part,
    concat_ws('-', subject_type, subject_id, product_category, strftime(valid_from, '%Y-%m')) as target_id,
    subject_type,
    subject_id,
    metric,
    product_category,
    valid_from,
    cast(valid_from + interval 1 month as date) as valid_to,
    target_value,
    unit,
    -- Sales planning sets the targets for e-bikes to serve the first objective of the year, all others none.
    case when product_category = 'E-Bikes' then concat('OBJ-', strftime(valid_from, '%Y'), '-1') end as objective_id,
    case when target_value is null then 'empty month' end as _structural,
    case when valid_from is null then 'unknown year' end as _reject_reason
from target_month
