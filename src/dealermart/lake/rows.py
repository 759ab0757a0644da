"""The rows of a feed as SQL over an explicit list of lake files: all of them, and the one that holds per key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dealermart.base import literal, quoted, typed_sql
from dealermart.config import Contract
from dealermart.lake.told import KnownReceipts, Receipt


def rows_sql(
    contract: Contract, paths: Iterable[Path], told: KnownReceipts | None = None, more: str | None = None
) -> str:
    """SELECT of the lake rows of a feed from an explicit list of files; without files, no rows of the right types.

    With ``told`` their ``_received_date`` is that of the delivery, whichever of its receipts was loaded first, and
    ``_gone_date`` is the day of the first later snapshot of the same kind that lacks the row's key.

    Args:
        more: SELECT of rows that come to them.
    """
    stored = typed_sql(contract.lake_columns, paths, more)
    rows = f"select * replace (coalesce(_is_deleted, false) as _is_deleted) from ({stored})"
    if told is None:
        return rows
    first = {receipt.id: receipt.received for receipt in told.receipts if not receipt.is_repeat}
    moved = [(*key, day) for key, day in told.received.items() if first.get(key) != day]
    if moved:
        rows = f"""
            select rows.* replace (coalesce(cast(moved.received as date), rows._received_date) as _received_date)
            from ({rows}) as rows
            left join ({_values(("source", "delivery_id", "received"), moved)}) as moved
                on rows._source = moved.source and rows._delivery_id = moved.delivery_id
        """
    return _gone_sql(contract, rows, told.snapshots, told.withheld) if told.snapshots else rows


def _gone_sql(contract: Contract, rows: str, snapshots: Iterable[Receipt], withheld: Iterable[Path]) -> str:
    """``rows`` with the ``_gone_date`` that snapshots give them."""
    keys = [quoted(name) for name in contract.key]
    key = ", ".join(keys)
    listed = [(receipt.source, receipt.delivery_id, str(receipt.entry), receipt.received) for receipt in snapshots]
    receipt = _values(("_source", "_delivery_id", "_entry", "_received"), dict.fromkeys(listed))
    types = {name: kind for name, kind in contract.lake_columns.items() if name in contract.key}
    hidden = typed_sql({**types, "_source": "varchar", "_delivery_id": "varchar"}, withheld)
    unknown = " or ".join(f"{name} is null" for name in keys)
    return f"""
        with lake_row as materialized ({rows}),
        receipt as (select * exclude (_received), cast(_received as date) as _day from ({receipt})),
        kind as (select _source, _delivery_id, _entry, max(_day) as _day from receipt group by all),
        hidden as materialized (select * from ({hidden}) semi join receipt using (_source, _delivery_id)),
        -- A row in quarantine whose key is not known may be any row: its snapshot is not the whole, and ends nothing.
        partial as (
            select distinct _source, _entry, _day from hidden join receipt using (_source, _delivery_id) where {unknown}
        ),
        snapshot as (
            select _source, _entry, _day, min(_whole_day) over (
                partition by _source, _entry order by _day rows between 1 following and unbounded following
            ) as _next_day
            from (
                select _source, _entry, _day, case when partial._day is null then _day end as _whole_day
                from (select distinct _source, _entry, _day from receipt)
                left join partial using (_source, _entry, _day)
            )
        ),
        present as (
            select distinct {key}, _source, _entry, _day
            from (
                select {key}, _source, _delivery_id from lake_row
                union all
                select {key}, _source, _delivery_id from hidden where not ({unknown})
            )
            join receipt using (_source, _delivery_id)
        ),
        followed as (
            select {key}, _source, _entry, _day, snapshot._next_day,
                lead(_day) over (partition by {key}, _source, _entry order by _day) as _next_present
            from present join snapshot using (_source, _entry, _day)
        ),
        gone as (
            select {key}, _source, _entry, _day, min(
                case when _next_present is null or _next_day < _next_present then _next_day end
            ) over (
                partition by {key}, _source, _entry order by _day rows between current row and unbounded following
            ) as _gone_date
            from followed
        )
        select lake_row.* replace (gone._gone_date as _gone_date)
        from lake_row
        left join kind using (_source, _delivery_id)
        left join gone using ({key}, _source, _entry, _day)
    """


def _values(names: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """SELECT of rows of texts."""
    listed = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    return f"select * from (values {listed}) as listed({', '.join(names)})"


def current_sql(
    contract: Contract, paths: Iterable[Path], told: KnownReceipts | None = None, more: str | None = None
) -> str:
    """SELECT of the row that holds per key: what is known of a feed after the given files.

    A key whose winner is a deletion has none, and neither has one that a later snapshot lacks; a row that holds from a
    day to a day ends on that snapshot's day instead.
    """
    key = ", ".join(quoted(name) for name in contract.key)
    version = f"{quoted(contract.version)} desc nulls last, " if contract.version else ""
    order = f"{version}_received_date desc, _delivery_id desc, _row_number desc, _row_part desc, _source desc"
    names = ", ".join(quoted(name) for name in contract.lake_columns)
    rank = f"row_number() over (partition by {key} order by {order})"
    holds, ended = "_gone_date is null", ""
    if contract.valid_to:
        end = quoted(contract.valid_to)
        holds = f"({holds} or _gone_date > {quoted(str(contract.valid_from))})"
        ended = f"replace (least({end}, _gone_date) as {end})"
    ranked = f"select *, {rank} as _rank from ({rows_sql(contract, paths, told, more)})"
    return f"select {names} from (select * {ended} from ({ranked}) where _rank = 1 and not _is_deleted and {holds})"
