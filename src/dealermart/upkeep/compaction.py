"""Compaction: the lake's many small files become one per feed and month of receipt; not a row changes.

A file per feed and run makes a commit small, and a scan slow after some years. The merged files become visible by one
commit of the log, which says what each of them replaces. Replaced files stay for readers that still have their names,
until the next compaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from dealermart import lake, warehouse
from dealermart.base import (
    FORMAT,
    BalanceError,
    BuildError,
    DataError,
    Settings,
    code_version,
    literal,
    quoted,
    record_run,
    sync,
    warehouse_lock,
    workspace,
)
from dealermart.lake import Log


@dataclass(frozen=True)
class CompactResult:
    """What a compaction did: files made, files that they replace, rows in them, files deleted."""

    run_id: str
    made: int
    replaced: int
    rows: int
    deleted: int


def compact(settings: Settings, say: Callable[[str], None] = lambda text: None) -> CompactResult:
    """Merge the files of every month of receipt that is over, by the latest received date of the log.

    Raises:
        DataError: a file of the lake is gone. LockError: another process is at work.
        BalanceError: a merged file does not hold what its parts hold; nothing was committed.
    """
    with record_run(settings, "compact") as entry, warehouse_lock(settings, "compaction", say=say):
        lake.recover(settings)
        before = lake.read(settings)
        if gone := lake.missing_files(settings, before):
            raise DataError(
                f"{len(gone)} lake files that the log names are gone",
                where=str(gone[0]),
                mend="run `dealermart rebuild`",
            )
        for stray in lake.stray_files(settings, before):  # a killed run left them; nobody else writes now
            stray.unlink()
        made = _merge_all(settings, before, entry.run_id, say)
        log = before
        if made:
            log = lake.commit(
                settings,
                before,
                {
                    "kind": lake.COMPACT,
                    "run_id": entry.run_id,
                    "code_version": code_version(),
                    "user": settings.user,
                    "files": made,
                    "quarantine": [],
                    "verdicts": None,
                    "deliveries": [],
                },
            )
        deleted = _delete_replaced(settings, before, log, say)
        result = CompactResult(
            entry.run_id,
            len(made),
            sum(len(file["replaces"]) for file in made),
            sum(file["rows"] for file in made),
            deleted,
        )
        entry.note(made=result.made, replaced=result.replaced, lake_rows=result.rows, deleted=deleted)
        return result


def repeat_compaction(settings: Settings, commit: dict[str, Any], lake_root: Path, work_id: str) -> None:
    """Make the files of a compaction of the log again below ``lake_root``, in place of those that they replace."""
    with workspace(settings, work_id, lake_root) as (con, _):
        for file in commit["files"]:
            _merge(con, lake_root, file["replaces"], file["path"])
            for path in file["replaces"]:
                (lake_root / path).unlink()


def _merge_all(settings: Settings, log: Log, run_id: str, say: Callable[[str], None]) -> list[dict[str, Any]]:
    groups = _groups(log)
    if not groups:
        return []
    made = []
    with workspace(settings, run_id, settings.lake) as (con, _):
        for (feed, month), paths in groups.items():
            say(f"{feed} {month}: {len(paths)} files")
            name = str(PurePosixPath(paths[0]).with_name(f"{month}-{run_id}.parquet"))
            rows = _merge(con, settings.lake, paths, name)
            made.append({"feed": feed, "path": name, "rows": rows, "month": month, "replaces": paths})
    return made


def _groups(log: Log) -> dict[tuple[str, str], list[str]]:
    """The files to merge, in the order of the log, by feed and month of receipt; months with one file are done."""
    current, running = log.current, (log.received or "")[:7]
    groups: dict[tuple[str, str], list[str]] = {}
    for commit in log.commits:
        for file in commit["files"]:
            # Of rows that left the quarantine it is the month of what brought them into the lake.
            month = file.get("month") or (commit["received"] or "")[:7]
            if file["path"] in current and month < running:
                groups.setdefault((file["feed"], month), []).append(file["path"])
    return {key: paths for key, paths in groups.items() if len(paths) > 1}


def _merge(con: duckdb.DuckDBPyConnection, lake_root: Path, paths: list[str], name: str) -> int:
    """Write the rows of ``paths``, in this order, to ``name``; returns how many there are.

    Raises:
        BalanceError: what was written is not what was read.
    """
    target = lake_root / name
    old = f"read_parquet([{', '.join(literal(str(lake_root / path)) for path in paths)}], union_by_name = true)"
    new = f"read_parquet({literal(str(target))})"
    con.execute(f"copy (select * from {old}) to {literal(str(target))} ({FORMAT})")
    if (before := _measure(con, old)) != (after := _measure(con, new)):
        target.unlink()
        raise BalanceError(
            f"{before[1]} rows were read for merging and {after[1]} written, or not the same ones",
            where=name,
            mend="report this as a fault of the program; nothing was committed",
        )
    sync(target)
    sync(target.parent)
    return before[1]


def _measure(con: duckdb.DuckDBPyConnection, relation: str) -> tuple[list[tuple[str, str]], int, int]:
    """Columns with types, number of rows, and a sum over hashes of whole rows, which order does not change."""
    columns = [(name, kind) for name, kind, *_ in con.execute(f"describe select * from {relation}").fetchall()]
    row = ", ".join(quoted(name) for name, _ in columns)
    sql = f"select count(*), coalesce(sum(cast(hash({row}) as hugeint)), 0) from {relation}"
    rows, total = con.execute(sql).fetchall()[0]
    return columns, rows, total


def _delete_replaced(settings: Settings, before: Log, log: Log, say: Callable[[str], None]) -> int:
    """Delete what earlier compactions replaced, once the warehouse's views name the files of today."""
    try:
        warehouse.relink(settings, log)
    except BuildError as error:
        say(f"replaced files stay until the next compaction: {error.what}")
        return 0
    old = [path for name in sorted(before.replaced) if (path := settings.lake / name).exists()]
    for path in old:
        path.unlink()
    return len(old)
