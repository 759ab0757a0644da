"""Rebuild a closed period from landing and the frozen config, and compare it with what was closed, bit for bit.

The rebuild happens in a home of its own: the log up to the commit of then, landing as it stands, the config of the
closed folder, and the folders that were closed before it. Nothing of the real home is changed.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart import closing, frozen, lake, warehouse
from dealermart.base import (
    Settings,
    UsageError,
    code_version,
    connect,
    content_hash,
    literal,
    quoted,
    record_run,
    warehouse_lock,
)
from dealermart.frozen import Frozen
from dealermart.upkeep.replay import rebuild

_TOKEN = "erased-"  # how codes begin that stand for persons who were erased


@dataclass(frozen=True)
class Difference:
    """The first row in which a rebuilt table differs, and why.

    Attributes:
        key: The columns that tell which row it is, with their values.
        then, now: Of the columns that differ, what was closed and what is rebuilt; nothing where there is no such row.
        cause: Why, as far as it can be known.
        is_erasure: Whether the tables differ by nothing but codes that an erasure put in the place of others.
    """

    table: str
    key: dict[str, str]
    then: dict[str, str]
    now: dict[str, str]
    cause: str
    is_erasure: bool

    def __str__(self) -> str:
        """In words, without values of rows."""
        if self.then and self.now:
            what = f"differs in {', '.join(self.then)}"
        elif self.then:
            what = "had a row that is not made now"
        else:
            what = "has a row that was not closed" if self.now else "differs"
        return f"{self.table} {what}: {self.cause}"


@dataclass(frozen=True)
class Audit:
    """What was compared: the folder, its tables with their rows, and the first difference of each that differs."""

    folder: str
    rows: dict[str, int]
    differences: tuple[Difference, ...]

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but for codes of erased persons."""
        return all(found.is_erasure for found in self.differences)


def latest_closed(settings: Settings) -> tuple[str, str] | None:
    """Kind and period of what was closed last, or nothing."""
    folders = frozen.chain(settings)
    return (folders[-1].kind, folders[-1].period_id) if folders else None


def audit(
    settings: Settings, period_id: str, kind: str = "pay", say: Callable[[str], None] = lambda text: None
) -> Audit:
    """Rebuild the newest version of a closed period and compare it.

    Raises:
        UsageError: the period is not closed. DataError: a closed folder or a landed file was changed.
        ConfigError: the frozen config no longer takes what was accepted. BuildError: the models do not build.
    """
    with (
        record_run(settings, "audit", kind=kind, period=period_id) as entry,
        warehouse_lock(settings, "audit", say=say),
    ):
        folders = frozen.chain(settings)
        own = [folder for folder in folders if (folder.kind, folder.period_id) == (kind, period_id)]
        if not own:
            known = ", ".join(folder.period_id for folder in folders if folder.kind == kind) or "none so far"
            raise UsageError(f"{period_id} of kind {kind} is not closed", mend=f"closed are: {known}")
        folder = own[-1]
        room = settings.home / "audit"
        shutil.rmtree(room, ignore_errors=True)  # of one that was killed
        try:
            there = _room(settings, folder, folders, room)
            rebuild(there, say)
            as_of = dt.datetime.fromisoformat(folder.manifest["as_of"])
            made = warehouse.run(there, as_of, folder.manifest["last_month"], say=say)
            assert made.warehouse is not None
            done = _compare(settings, folder, made.warehouse)
        finally:
            shutil.rmtree(room, ignore_errors=True)
        entry.note(folder=done.folder, same=done.is_same, differences=[str(found) for found in done.differences])
        return done


def _room(settings: Settings, folder: Frozen, folders: tuple[Frozen, ...], room: Path) -> Settings:
    """A home as it was when the folder was closed."""
    room.mkdir(parents=True)
    shutil.copytree(settings.log, room / "log", ignore=shutil.ignore_patterns(".*"))
    for path in (room / "log").glob("[0-9]*.json"):
        if int(path.stem) > folder.manifest["lake"]["commit"]:
            path.unlink()
    (room / "landing").symlink_to(settings.landing, target_is_directory=True)
    for other in folders:
        if other.seq < folder.seq:
            shutil.copytree(other.path, room / "closed" / other.name, copy_function=os.link)
    with suppress(FileNotFoundError):  # what dbt has parsed already
        (room / "dbt" / "target").mkdir(parents=True)
        parsed = "partial_parse.msgpack"
        shutil.copyfile(settings.home / "dbt" / "target" / parsed, room / "dbt" / "target" / parsed)
    return replace(
        settings, home=room, config=folder.config, company=folder.manifest["company"], warehouse_override=None
    )


def _compare(settings: Settings, folder: Frozen, made: Path) -> Audit:
    cause = _cause(settings, folder)
    rows: dict[str, int] = {}
    differences = []
    with connect(settings) as con:
        con.execute(f"attach {literal(str(made))} as warehouse (read_only); set TimeZone = 'UTC'")
        names = closing.frozen_views(con, frozen.kind_of(folder.kind), folder.period_id)
        for name, path in folder.tables.items():
            con.execute(f"create view was as from read_parquet({literal(str(path))})")
            said = folder.manifest["tables"][name]
            rows[name] = said["rows"]
            if name not in names or content_hash(con, quoted(name)) != said["content"]:
                differences.append(_difference(con, name, name in names, cause))
            con.execute("drop view was")
    return Audit(folder.name, rows, tuple(differences))


def _difference(con: duckdb.DuckDBPyConnection, name: str, is_there: bool, cause: str) -> Difference:
    """The first row, in the order of all columns, that one has and the other has not."""
    if not is_there:
        return Difference(name, {}, {}, {}, f"the models no longer make this table; {cause}", False)
    types = {column: kind for column, kind, *_ in con.execute("describe was").fetchall()}
    now = {column for column, *_ in con.execute(f"describe {quoted(name)}").fetchall()}
    if types.keys() != now:
        columns = ", ".join(sorted(types.keys() ^ now))
        return Difference(name, {}, {}, {}, f"its columns are others: {columns}; {cause}", False)
    listed = ", ".join(map(quoted, types))
    key = [column for column, kind in types.items() if _tells(column, kind)]
    then, later = (
        _first(
            con, f"(select {listed} from {left} except all select {listed} from {right}) order by all limit 1", types
        )
        for left, right in (("was", quoted(name)), (quoted(name), "was"))
    )
    erased = [
        column
        for column, kind in types.items()
        if kind == "VARCHAR"
        and con.execute(
            f"select 1 from {quoted(name)} where contains({quoted(column)}, {literal(_TOKEN)}) limit 1"
        ).fetchall()
    ]
    rest = [column for column in types if column not in erased]
    is_erasure = bool(erased and rest) and content_hash(con, "was", erased) == content_hash(con, quoted(name), erased)
    first = then if then is not None else later or {}
    # The row of the same key on the other side, where there is one.
    where = " and ".join(f"cast({quoted(column)} as varchar) is not distinct from ?" for column in key) or "false"
    other = _first(
        con, f"select {listed} from {quoted(name) if then else 'was'} where {where} order by all limit 1", types,
        [first[column] for column in key],
    )  # fmt: skip
    if other is None:
        pair = (first, {}) if then else ({}, first)
    else:
        columns_ = [column for column in types if first[column] != other[column]]
        mine, theirs = ({column: row[column] for column in columns_} for row in (first, other))
        pair = (mine, theirs) if then else (theirs, mine)
    why = f"persons were erased since ({cause})" if is_erasure else cause
    was, is_now = ({column: str(value) for column, value in side.items()} for side in pair)
    return Difference(name, {column: str(first[column]) for column in key}, was, is_now, why, is_erasure)


def _first(
    con: duckdb.DuckDBPyConnection, sql: str, types: dict[str, str], values: list[Any] | None = None
) -> dict[str, Any] | None:
    columns = ", ".join(f"cast({quoted(column)} as varchar)" for column in types)
    found = con.execute(f"select {columns} from ({sql})", values or []).fetchall()
    return dict(zip(types, found[0], strict=True)) if found else None


def _tells(column: str, kind: str) -> bool:
    """Whether a column tells which row it is."""
    return column.endswith(("_id", "_code", "_kind", "_role", "_no", "_version")) and kind in (
        "VARCHAR",
        "INTEGER",
        "BIGINT",
    )


def _cause(settings: Settings, folder: Frozen) -> str:
    """Why a rebuild may come to something else: what is not as it was when the folder was closed."""
    said, found = folder.manifest, []
    last = said["lake"]["commit"]
    if closing.log_hash(settings, last) != said["lake"]["log_hash"]:
        found.append(f"commits of the log up to {last} were changed")
    erased = [commit["seq"] for commit in lake.read(settings).after(last).commits if commit["kind"] == lake.ERASE]
    if erased:
        found.append(f"values of persons were erased by commit {', '.join(map(str, erased))}")
    if warehouse.code_hash(settings) != said["code_hash"]:
        found.append("the models were changed")
    if code_version() != said["code_version"]:
        found.append(f"the code was {said['code_version']} and is {code_version()}")
    if closing.lock_hash() != said["lock_hash"]:
        found.append("the locked packages were changed")
    return (
        "; ".join(found) or "log, config, models, code and packages are those of then: look for a fault of the program"
    )
