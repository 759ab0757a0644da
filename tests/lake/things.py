"""A source whose files delete, change and are whole lists, with few columns."""

from __future__ import annotations

from collections.abc import Iterable

from dealermart.base import Settings

SALES = "doc,line,kind,dealer,product,qty,net,cost,day"
LIST = "dealer,since,name"

_PROFILE = """\
source: things
title: Deletions and whole lists
files:
  - name: sale_file
    feed: sales
    map: sales.sql
    pattern: "sales*.csv"
    format: csv
    aliases: {void: [void], cost: [cost]}
    required_columns: [doc, line, kind, dealer, product, qty, net, day]
  - name: void_file
    feed: sales
    map: voids.sql
    pattern: "voids*.csv"
    format: csv
  - name: dealer_list
    feed: dealers
    map: dealer_list.sql
    pattern: "*all_dealers*.csv"
    format: csv
    delivery: snapshot
  - name: dealer_changes
    feed: dealers
    map: dealer_changes.sql
    pattern: "dealers*.csv"
    format: csv
  - name: course_list
    feed: training_courses
    map: courses.sql
    pattern: "courses*.csv"
    format: csv
    delivery: snapshot
  - name: record_file
    feed: training_records
    map: records.sql
    pattern: "records*.csv"
    format: csv
  - name: target_file
    feed: targets
    map: targets.sql
    pattern: "targets*.csv"
    format: csv
    unpivot: 2
"""

_SQL = {
    "sales": """
        select
            _delivery_id, _row_number, doc as transaction_id, line as line_no, kind as transaction_type,
            'sell_in' as channel, dealer as dealer_id, product as product_id, qty as quantity, net as net_amount,
            cost as cost_amount, 'CNY' as currency_code, day as sale_date, coalesce(void, '') = 'x' as _is_deleted
        from sale_file
    """,
    "voids": """
        select _delivery_id, _row_number, doc as transaction_id, line as line_no, true as _is_deleted from void_file
    """,
    "dealer_list": """
        select
            _delivery_id, _row_number, dealer as dealer_id, since as valid_from, name as dealer_name, 'East' as region,
            'active' as status
        from dealer_list
    """,
    "dealer_changes": """
        select
            _delivery_id, _row_number, dealer as dealer_id, since as valid_from, label as dealer_name, 'East' as region,
            'active' as status, deleted = 'yes' as _is_deleted
        from dealer_changes
    """,
    "courses": """
        select _delivery_id, _row_number, course as course_id, title as course_name, topic, 'yes' as is_mandatory
        from course_list
    """,
    "records": """
        select
            _delivery_id, _row_number, record as record_id, changed as updated_at, course as course_id, 'M1' as member_id,
            '2026-01-01' as assigned_date, '2026-02-01' as due_date, score, deleted = 'yes' as _is_deleted
        from record_file
    """,
    "targets": """
        select
            f._delivery_id, f._row_number, part.number as _row_part, f.target || '-' || f.code as target_id,
            'member' as subject_type, 'M1' as subject_id, 'net_revenue' as metric, '2026-01-01' as valid_from,
            '2026-02-01' as valid_to, case part.number when 1 then f.first else f.second end as target_value,
            'CNY' as unit
        from target_file as f
        cross join (select unnest([1, 2]) as number) as part
    """,
}


def source(settings: Settings) -> None:
    """Write the source into a config folder."""
    folder = settings.sources / "things"
    folder.mkdir()
    (folder / "source.yml").write_text(_PROFILE, "utf-8")
    for name, sql in _SQL.items():
        (folder / f"{name}.sql").write_text(sql, "utf-8")


def dealers(codes: Iterable[str]) -> str:
    """A whole list of dealers."""
    return "\n".join([LIST, *(f"{code},2026-01-01,Dealer" for code in codes), ""])
