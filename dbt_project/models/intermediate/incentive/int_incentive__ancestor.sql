-- Grain: one row per member, manager above (at any height), height and window in which the chain holds.
{%- set heights = 8 %}
with

member as (
    select
        member_id,
        manager_id,
        valid_from,
        valid_to
    from {{ ref('dim_member') }}
    where manager_id <> member_id
),

level_1 as (
    select
        member_id,
        manager_id,
        valid_from,
        valid_to
    from member
),

{% for height in range(2, heights + 1) %}
    level_{{ height }} as (
        select
            level_{{ height - 1 }}.member_id,
            member.manager_id,
            greatest(level_{{ height - 1 }}.valid_from, member.valid_from) as valid_from,
            least(level_{{ height - 1 }}.valid_to, member.valid_to) as valid_to
        from level_{{ height - 1 }}
        inner join member
            on
                level_{{ height - 1 }}.manager_id = member.member_id
                and level_{{ height - 1 }}.valid_from < member.valid_to
                and level_{{ height - 1 }}.valid_to > member.valid_from
        -- A chain that runs in a circle ends where it comes back.
        where member.manager_id <> level_{{ height - 1 }}.member_id
    ),
{% endfor %}

final as (
    {% for height in range(1, heights + 1) %}
        select
            member_id,
            manager_id,
            {{ height }} as height,
            valid_from,
            valid_to
        from level_{{ height }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
