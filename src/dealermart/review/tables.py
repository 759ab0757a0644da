"""The tables of a review: a published DuckDB file, or a folder of Parquet files such as a frozen version keeps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import DataError, Settings, UsageError, confine, connect, literal, quoted

Row = dict[str, Any]


class Tables:
    """Tables by name, read as rows. A copy that was made for other readers, or earlier, lacks some."""

    def __init__(self, con: duckdb.DuckDBPyConnection, place: Path) -> None:
        self._con, self.place = con, place
        found = con.execute(
            "select table_name, column_name from duckdb_columns() where not internal order by column_index"
        ).fetchall()
        self.columns: dict[str, list[str]] = {}
        for table, column in found:
            self.columns.setdefault(table, []).append(column)

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
        """What the copy says of itself: as-of, code version, run that published it."""
        return {row["name"]: row["value"] for row in self.all("about")}


@contextmanager
def opened(settings: Settings, place: Path) -> Iterator[Tables]:
    """Open the tables at ``place`` for reading.

    Args:
        place: A DuckDB file, or a folder with a Parquet file per table.

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
        if place.is_dir():
            confine(con, place)
        else:
            con.execute("set TimeZone = 'UTC'")
        try:
            for file in sorted(place.glob("*.parquet")):
                con.execute(f"create view {quoted(file.stem)} as from read_parquet({literal(str(file))})")
            yield Tables(con, place)
        except duckdb.IOException as error:
            raise DataError("the tables cannot be read", where=str(place), mend=_MEND) from error


_MEND = "run `dealermart publish` again, or name another copy by --from"
