-- Friday the 2nd of January 2026, 16:00 in Shanghai (08:00 UTC), to Sunday the 4th, 10:30: one hour would be left of Friday
-- were it not New Year; the Sunday is worked for it, 1.5 hours. From 07:00 to 20:00 of one working day there are 9 hours.
with

company as (
    select
        'Asia/Shanghai' as time_zone,
        32400 as opens_at_second,
        64800 as closes_at_second
),

day_row as (
    select
        cast('2026-01-02' as date) as date_day,
        false as is_working_day,
        0 as working_day_no

    union all

    select
        cast('2026-01-04' as date) as date_day,
        true as is_working_day,
        1 as working_day_no

    union all

    select
        cast('2026-01-06' as date) as date_day,
        true as is_working_day,
        3 as working_day_no
),

stretch as (
    select
        cast('2026-01-02 08:00:00' as timestamp) as begun_at,
        cast('2026-01-04 02:30:00' as timestamp) as ended_at,
        cast('1.5' as decimal(28, 8)) as expected

    union all

    select
        cast('2026-01-05 23:00:00' as timestamp) as begun_at,
        cast('2026-01-06 12:00:00' as timestamp) as ended_at,
        cast('9' as decimal(28, 8)) as expected

    union all

    select
        cast('2026-01-04 09:30:00' as timestamp) as begun_at,
        cast('2026-01-06 01:15:36' as timestamp) as ended_at,
        -- Half an hour of Sunday, Monday the 5th whole, and 15 minutes 36 seconds.
        cast('9.76' as decimal(28, 8)) as expected
),

final as (
    select
        stretch.expected,
        {{ clock_hours(
            business_clock(local_time('stretch.begun_at', 'company.time_zone'), 'begun_day', 'company'),
            business_clock(local_time('stretch.ended_at', 'company.time_zone'), 'ended_day', 'company')
        ) }} as hours
    from stretch
    cross join company
    inner join day_row as begun_day on {{ local_date('stretch.begun_at', 'company.time_zone') }} = begun_day.date_day
    inner join day_row as ended_day on {{ local_date('stretch.ended_at', 'company.time_zone') }} = ended_day.date_day
)

select * from final
where hours is distinct from expected
