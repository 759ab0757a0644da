-- Grain: one row per subject (member, team, region, company, category) with sales, fiscal period begun and KPI.
{{ by_fiscal_period('int_sales__period_state') }}
with

subject_dealer as (
    select * from {{ ref('int_sales__subject_dealer_period') }}
    where {{ of_this_build('int_sales__period_state', 'period_id') }}
),

ranked as (
    select
        subject_type,
        subject_id,
        period_id,
        net_amount,
        sum(net_amount) over (partition by subject_type, subject_id, period_id) as total_amount,
        count(*) over (partition by subject_type, subject_id, period_id) as dealer_count,
        row_number() over (
            partition by subject_type, subject_id, period_id
            order by net_amount desc nulls last, dealer_id asc nulls last
        ) as rank_no
    from subject_dealer
    where net_amount > 0
),

-- Shares are those of the dealers who bought: a dealer who gave back more than it took has none.
shared as (
    select
        subject_type,
        subject_id,
        period_id,
        net_amount,
        dealer_count,
        total_amount,
        rank_no = 1 or rank_no * 10 <= dealer_count as is_top_tenth,
        {{ exact_divide('net_amount', 'total_amount', 8) }} as share
    from ranked
),

concentrated as (
    select
        subject_type,
        subject_id,
        period_id,
        cast(count(*) as bigint) as dealer_count,
        sum(net_amount) filter (where is_top_tenth) as top_amount,
        sum(net_amount) as total_amount,
        sum({{ multiply('share', 'share') }}) as square_total
    from shared
    group by subject_type, subject_id, period_id
),

judged as (
    select
        subject_dealer.subject_type,
        subject_dealer.subject_id,
        subject_dealer.period_id,
        bool_or(subject_dealer.has_no_rate) as has_no_rate
    from subject_dealer
    group by subject_dealer.subject_type, subject_dealer.subject_id, subject_dealer.period_id
),

counted as (
    select
        judged.subject_type,
        judged.subject_id,
        judged.period_id,
        coalesce(concentrated.dealer_count, 0) as dealer_count,
        concentrated.top_amount,
        concentrated.total_amount,
        concentrated.square_total,
        case
            when judged.has_no_rate then 'no_rate'
            when concentrated.dealer_count is null then 'no_data'
            else 'ok'
        end as status,
        case
            when judged.has_no_rate then 'no exchange rate for sales of the period'
            when concentrated.dealer_count is null then 'no dealer with net revenue above 0'
        end as status_reason
    from judged
    left join concentrated
        on
            judged.subject_type = concentrated.subject_type
            and judged.subject_id = concentrated.subject_id
            and judged.period_id = concentrated.period_id
),

final as (
    {% for kpi_code, numerator, denominator in [
        ('dealer_concentration_pct', 'top_amount', 'total_amount'),
        ('dealer_hhi', '10000 * square_total', none),
    ] %}
        select
            subject_type,
            subject_id,
            period_id,
            '{{ kpi_code }}' as kpi_code,
            case when status = 'ok' then cast({{ numerator }} as decimal(28, 8)) end as numerator,
            case when status = 'ok' then cast({{ denominator or 'null' }} as decimal(28, 8)) end as denominator,
            case
                when status = 'ok'
                    {% if denominator %}
                        then cast({{ exact_divide(numerator, denominator, 8) }} as decimal(28, 8))
                    {% else %}
                        then cast({{ numerator }} as decimal(28, 8))
                    {% endif %}
            end as value,
            dealer_count as sample_size,
            cast(null as decimal(18, 8)) as ci_low,
            cast(null as decimal(18, 8)) as ci_high,
            cast(null as string) as ci_method,
            cast(null as string) as rate_type,
            status,
            status_reason
        from counted
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
