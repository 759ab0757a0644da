"""What became of quarantined rows: which are still open, and who decided what about the others.

A decision is a line of a Parquet file beside the log, named by the commit that it is part of. The state of a row is
never stored: it follows from the quarantine files, the decisions and the lake.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dealermart.base import Settings, literal, quoted, typed_sql
from dealermart.config import Contract
from dealermart.lake.beside import keep
from dealermart.lake.log import Log
from dealermart.lake.quarantine import FAULT_COLUMNS
from dealermart.lake.rows import rows_sql

DECISION_COLUMNS = {
    "decision": "varchar",  # taken_up, mapped_again, released or rejected
    "source": "varchar",
    "feed": "varchar",
    "delivery_id": "varchar",
    "source_file": "varchar",
    "row_number": "bigint",
    "row_part": "integer",
    "rules": "varchar",
    "waits_for": "varchar",
    "decided_at": "timestamp",  # the moment of the commit
    "decided_by": "varchar",
    "reason": "varchar",
}

ROW_KEY = ("source", "feed", "delivery_id", "row_number", "row_part")


def load_held(con: duckdb.DuckDBPyConnection, log: Log, decided: Path, paths: Iterable[Path]) -> None:
    """Tables ``fault`` (a line per row and rule), ``decision`` and ``held`` (a line per row) for quarantine files.

    ``held`` has KEY, source_file, stage, received, seq (of the commit), rules, reasons, waits_for, row, mapped, and the
    decision with its decided_at, decided_by and why.
    Rows of files that were refused are not in it: such a file is judged anew as a whole.

    Args:
        decided: The folder of the log, in which the decisions lie.
        paths: Quarantine files; those that are not there hold rows of refused files only and are passed over.
    """
    rows = [
        (commit["run_id"], commit["seq"], delivery["source"], delivery["delivery_id"], delivery["received"])
        for commit in log.commits
        for delivery in commit["deliveries"]
        if delivery["status"] == "accepted"
    ]
    texts = dict.fromkeys(("source", "delivery_id", "received"), "varchar")
    _fill(con, "listed", {"run_id": "varchar", "seq": "bigint"} | texts, rows)
    con.execute("create table accepted as select * replace (cast(received as date) as received) from listed")
    found = typed_sql(FAULT_COLUMNS, [path for path in paths if path.exists()])
    con.execute(f"""
        create table fault as
        select fault.*, accepted.seq, accepted.received
        from ({found}) as fault
        join accepted using (run_id, source, delivery_id)
    """)
    made = [decided / kept for commit in log.commits if (kept := commit.get("decisions"))]
    con.execute(f"create table decision as {typed_sql(DECISION_COLUMNS, made)}")
    key = ", ".join(ROW_KEY)
    con.execute(f"""
        create table held as
        select found.*, decision.decision, decision.decided_at, decision.decided_by, decision.reason as why
        from (
            select {key}, any_value(source_file) as source_file, any_value(stage) as stage,
                any_value(received) as received, any_value(seq) as seq,
                string_agg(rule, ', ' order by rule) as rules, string_agg(reason, '; ' order by rule) as reasons,
                -- A row waits if there is nothing against it but what can still come.
                case when count(waits_for) = count(*) then string_agg(waits_for, ',' order by rule) end as waits_for,
                any_value("row") as "row", any_value(mapped) as mapped
            from fault
            group by {key}
        ) as found
        left join decision using ({key})
    """)


def find_states(con: duckdb.DuckDBPyConnection, settings: Settings, contracts: dict[str, Contract], log: Log) -> None:
    """Table ``state``: ``held`` as ``load_held`` made it, and the state of each row.

    A row is corrected when its key was accepted later, from a delivery received on the same day or after it.
    """
    con.execute(f"create table corrected as select {', '.join(ROW_KEY)} from held where false")
    rows = [(commit["run_id"], commit["seq"]) for commit in log.commits]
    _fill(con, "commits", {"run_id": "varchar", "seq": "bigint"}, rows)
    key = ", ".join(ROW_KEY)
    undecided = "decision is null and mapped is not null"
    for feed, first in con.execute(f"select feed, min(seq) from held where {undecided} group by feed").fetchall():
        contract = contracts.get(feed)
        paths = log.after(first).paths(settings, feed)
        if contract is None or not paths:
            continue
        mapped, accepted = mapped_sql(contract), _key_text(contract)
        con.execute(f"""
            insert into corrected
            with undecided as (
                select {key}, seq, received, {accepted} as _key
                from (select {mapped}, {key}, seq, received from held where feed = {literal(feed)} and {undecided})
            )
            select distinct {key}
            from undecided
            join (
                select {accepted} as _key, commits.seq as later, _received_date
                from ({rows_sql(contract, paths)}) as rows
                join commits on commits.run_id = rows._run_id
            ) as known using (_key)
            where known.later > undecided.seq and known._received_date >= undecided.received
        """)
    con.execute(f"""
        create table state as
        select held.*, coalesce(
            held.decision,
            case when corrected.feed is not null then 'corrected' when held.waits_for is not null then 'waiting' end,
            'open'
        ) as state
        from held left join corrected using ({key})
    """)


def _fill(con: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Make a table of rows, all at once: one by one takes seconds for a log of thousands of commits."""
    kinds = {"varchar": pa.string(), "bigint": pa.int64()}
    parts = zip(*rows, strict=True) if rows else [()] * len(columns)
    arrays = [pa.array(part, kinds[kind]) for part, kind in zip(parts, columns.values(), strict=True)]
    con.register("rows_of_log", pa.table(arrays, list(columns)))
    con.execute(f"create table {table} as from rows_of_log")
    con.unregister("rows_of_log")


def mapped_sql(contract: Contract) -> str:
    """Select list that makes typed columns of ``mapped``, with ``_is_deleted``."""
    types = {column.name: column.sql_type for column in contract.columns} | {"_is_deleted": "boolean"}
    struct = literal(json.dumps(dict.fromkeys(types, "VARCHAR")))
    return ", ".join(
        f"cast(json_transform(mapped, {struct})[{literal(name)}] as {kind}) as {quoted(name)}"
        for name, kind in types.items()
    )


def keep_decisions(con: duckdb.DuckDBPyConnection, settings: Settings, draft: Path, run_id: str, select: str) -> str:
    """Write decisions as a file beside the log; it counts once a commit names it. Gives its name there.

    Args:
        draft: Folder that ``con`` may write to.
        select: SELECT of ``DECISION_COLUMNS``.
    """
    names = ", ".join(DECISION_COLUMNS)
    ordered = f"select {names} from ({select}) order by all"
    return keep(con, ordered, settings, draft, f"decisions/{run_id}.parquet")


def decision_sql(decision: str, rows: str, at: dt.datetime, by: str = "", reason: str = "") -> str:
    """SELECT of decisions on the rows of a table that has the columns of ``held``; ``decision`` is SQL.

    Args:
        by: Who decided, and why; what is taken up or mapped again is nobody's decision.
    """
    said = {"decided_by": by, "reason": reason}
    texts = ", ".join(
        f"case when decision not in ('taken_up', 'mapped_again') then nullif({literal(text)}, '') end as {name}"
        for name, text in said.items()
    )
    return f"""
        select *, {texts}
        from (
            select {decision} as decision, {", ".join(ROW_KEY)}, source_file, rules, waits_for,
                timestamp {literal(at.isoformat(sep=" "))} as decided_at
            from {rows}
        )
    """


def _key_text(contract: Contract) -> str:
    """SQL for a row's key as one text; nothing where a part of it is missing."""
    parts: Sequence[Any] = [f"cast({quoted(name)} as varchar)" for name in contract.key]
    missing = " or ".join(f"{quoted(name)} is null" for name in contract.key)
    return f"case when {missing} then null else concat_ws(chr(31), {', '.join(parts)}) end"
