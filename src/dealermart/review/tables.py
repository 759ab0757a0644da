"""The tables of a review: a published DuckDB file or a folder of Parquet files, and over them a frozen version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dealermart import frozen
from dealermart.base import DataError, Settings, UsageError, confine, connect, literal, quoted
from dealermart.frozen import Frozen

Row = dict[str, Any]

# A closed folder holds no words about people; they stand beside it while the published copy still has them.
_WORDS = {
    "mart_review__input": ("review_input_id", "version_no"),
    "mart_review__timeline": ("member_id", "period_id"),
    "mart_review__follow_up": ("action_id",),
}


class Tables:
    """Tables by name, read as rows. A copy that was made for other readers, or earlier, lacks some."""

    def __init__(self, con: duckdb.DuckDBPyConnection, place: Path, version: Frozen | None = None) -> None:
        self._con, self.place, self._version = con, place, version
        names = con.execute(
            "select distinct table_name from duckdb_columns() where not internal order by all"
        ).fetchall()
        self.columns: dict[str, list[str]] = {
            name: [row[0] for row in con.execute(f"describe {quoted(name)}").fetchall()] for (name,) in names
        }

    def has(self, table: str) -> bool:
        """Whether the copy holds a table."""
        return table in self.columns

    def need(self, *tables: str) -> None:
        """Refuse a copy without these tables.

        Raises:
            DataError: one is missing.
        """
        if missing := [table for table in tables if not self.has(table)]:
            raise DataError(
                f"this copy has no {', '.join(missing)}",
                where=str(self.place),
                mend="take the copy for HR, published after a build of this version: `dealermart build`, then "
                "`dealermart publish`",
            )

    def rows(self, sql: str, given: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        """Rows of a select, by column name."""
        found = self._con.execute(sql, given if isinstance(given, Mapping) else list(given))
        names = [column[0] for column in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def of_period(self, table: str, period_id: str, order: str = "all") -> list[Row]:
        """The rows of a period, in a fixed order; none where the copy lacks the table.

        A table without a period holds what is so at its build, and gives all its rows.
        """
        if not self.has(table):
            return []
        clause, given = ("where period_id = ?", [period_id]) if "period_id" in self.columns[table] else ("", [])
        return self.rows(f"select * from {quoted(table)} {clause} order by {order}", given)

    def all(self, table: str, order: str = "all") -> list[Row]:
        """All rows of a table, in a fixed order; none where the copy lacks it."""
        return self.rows(f"select * from {quoted(table)} order by {order}") if self.has(table) else []

    def about(self) -> dict[str, str]:
        """What the copy says of itself: as-of, code version, run that published it; a frozen version of itself."""
        told = {row["name"]: row["value"] for row in self.all("about")}
        if self._version is not None:
            told |= {name: str(self._version.manifest[name]) for name in ("as_of", "code_version")}
        return told


def version_of(settings: Settings, period_id: str, name: str) -> Frozen:
    """The frozen version of a quarter's review by its name: ``V1``, or ``1``.

    Raises:
        UsageError: there is no such version. DataError: a closed folder is not what was closed.
    """
    there = {
        f"V{folder.version}": folder for folder in frozen.chain(settings, "review") if folder.period_id == period_id
    }
    try:
        return there[f"V{name.upper().removeprefix('V')}"]
    except KeyError:
        raise UsageError(
            f"the review of {period_id} has no version {name}",
            where=f"closed/review/{period_id}",
            mend=f"name one of: {', '.join(there)}"
            if there
            else f"none is frozen yet: `dealermart close --kind review --period {period_id}`, or leave --version out",
        ) from None


@contextmanager
def opened(settings: Settings, place: Path, version: Frozen | None = None) -> Iterator[Tables]:
    """Open the tables at ``place`` for reading.

    Args:
        place: A DuckDB file, or a folder with a Parquet file per table.
        version: Its rows stand in the place of those of its period. Names of people and what they wrote come from
            ``place``, and are gone where they were erased since.

    Raises:
        UsageError: there is nothing. DataError: it is neither, or damaged.
    """
    place = place.resolve()  # a copy is swapped by a link: all is read from the one that holds now
    if not place.exists():
        raise UsageError(
            "there are no tables of reviews",
            where=str(place),
            mend="run `dealermart publish`, or name a copy by --from",
        )
    try:
        con = connect(settings) if place.is_dir() else connect(settings, place, read_only=True)
    except duckdb.Error as error:
        raise DataError("this is no DuckDB file that can be read", where=str(place), mend=_MEND) from error
    with con:
        for name, path in version.tables.items() if version else ():
            con.execute(f"create temp table {quoted(_FROZEN + name)} as from read_parquet({literal(str(path))})")
        if place.is_dir():
            confine(con, place)
        else:
            con.execute("set TimeZone = 'UTC'")
        try:
            for file in sorted(place.glob("*.parquet")):
                con.execute(f"create view {quoted(file.stem)} as from read_parquet({literal(str(file))})")
            for name in version.tables if version else ():
                _lay_over(con, name, version.period_id if version else "")
            yield Tables(con, place, version)
        except duckdb.IOException as error:
            raise DataError("the tables cannot be read", where=str(place), mend=_MEND) from error


_FROZEN = "frozen "


def _lay_over(con: duckdb.DuckDBPyConnection, name: str, period_id: str) -> None:
    """Show a table as it was frozen: all columns that it has now, the frozen rows, and other periods as published."""
    old = f"temp.main.{quoted(_FROZEN + name)}"
    kept = [row[0] for row in con.execute(f"describe {old}").fetchall()]
    there = con.execute(
        "select distinct database_name, schema_name from duckdb_columns() where table_name = ? and not internal", [name]
    ).fetchall()
    if not there:  # what is published has it no more
        con.execute(f"create temp view {quoted(name)} as from {old}")
        return
    now = ".".join(map(quoted, (*there[0], name)))
    columns = {row[0]: row[1] for row in con.execute(f"describe {now}").fetchall()}
    key = _WORDS.get(name, ())
    listed = [f"old.{quoted(column)}" for column in kept]
    for column, kind in columns.items():
        if column not in kept:
            value = f"now.{quoted(column)}" if key else f"cast(null as {kind})"
            listed.append(f"{value} as {quoted(column)}")
    beside = f"left join {now} as now using ({', '.join(map(quoted, key))})" if key else ""
    others = f"union all by name from {now} where period_id <> {literal(period_id)}" if "period_id" in columns else ""
    con.execute(f"create temp view {quoted(name)} as select {', '.join(listed)} from {old} as old {beside} {others}")


_MEND = "run `dealermart publish` again, or name another copy by --from"
