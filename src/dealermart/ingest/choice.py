"""Which quarantined rows are meant, and what they are."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path

import duckdb

from dealermart import lake
from dealermart.base import Settings, UsageError, literal, workspace
from dealermart.config import Contract, load_contracts, load_profile

# State "open" and "waiting" can still change; the others are settled.
UNSETTLED = ("open", "waiting")

_ROWS = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True)
class Choice:
    """Which quarantined rows are meant; what is left out is not asked.

    Attributes:
        entry: Entry of the source's profile that takes the file.
        rows: Row numbers of the file, such as ``5,9-12``.
    """

    source: str | None = None
    feed: str | None = None
    file: str | None = None
    received: dt.date | None = None
    entry: str | None = None
    rule: str | None = None
    state: str | None = None
    rows: str | None = None

    def __str__(self) -> str:
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return ", ".join(f"{name} {value}" for name, value in said.items() if value is not None) or "all"


@dataclass(frozen=True)
class Line:
    """Rows of one file that a rule holds back and that share their state."""

    received: dt.date
    source: str
    feed: str
    file: str
    rule: str
    state: str
    rows: int


@dataclass(frozen=True)
class Row:
    """A quarantined row. ``record`` is what was delivered, as JSON (the line itself where it could not be read)."""

    source: str
    feed: str
    file: str
    received: dt.date
    row_number: int
    row_part: int
    rules: str
    reasons: str
    state: str
    waits_for: str | None
    decided_at: dt.datetime | None
    decided_by: str | None
    why: str | None
    record: str


def listing(settings: Settings, choice: Choice) -> list[Line]:
    """Counts by file, rule and state. A row that several rules hold back is counted with each."""
    with opened(settings, choice) as con:
        found = con.execute(f"""
            select received, source, feed, source_file, rule, state, count(*)
            from chosen join fault using ({KEY_SQL}, received, source_file)
            where {_equals("rule", choice.rule)}
            group by all order by all
        """).fetchall()
    return [Line(*row) for row in found]


def states(settings: Settings, choice: Choice) -> dict[str, int]:
    """Rows by state; each is counted once."""
    with opened(settings, choice) as con:
        return dict(con.execute("select state, count(*) from chosen group by state order by state").fetchall())


def rows(settings: Settings, choice: Choice) -> list[Row]:
    """The rows themselves, in the order of file and row."""
    with opened(settings, choice) as con:
        found = con.execute("""
            select source, feed, source_file, received, row_number, row_part, rules, reasons, state, waits_for,
                decided_at, decided_by, why, "row"
            from chosen order by received, source, source_file, row_number, row_part
        """).fetchall()
    return [Row(*row) for row in found]


KEY_SQL = ", ".join(lake.ROW_KEY)


@contextmanager
def opened(settings: Settings, choice: Choice) -> Iterator[duckdb.DuckDBPyConnection]:
    """The state of the quarantine, and in table ``chosen`` the rows that are meant.

    Raises:
        UsageError: nothing was ingested yet, or ``rows`` are no row numbers.
    """
    log, known = lake.read(settings), load_contracts(settings)
    if not log.commits:
        raise lake.nothing_yet(settings)
    readable = (settings.log, settings.lake, settings.quarantine)
    with (
        tempfile.TemporaryDirectory(prefix="dealermart-quarantine-") as scratch,  # reading needs no lock
        workspace(replace(settings, home=Path(scratch)), "read", *readable) as (con, _),
    ):
        paths = [settings.quarantine / entry["path"] for commit in log.commits for entry in commit["quarantine"]]
        lake.load_held(con, log, settings.log, paths)
        lake.find_states(con, settings, known, log)
        pick(con, settings, known, choice)
        yield con


def pick(con: duckdb.DuckDBPyConnection, settings: Settings, known: dict[str, Contract], choice: Choice) -> None:
    """Table ``chosen``: the rows of the quarantine that are meant, with their state."""
    received = choice.received.isoformat() if choice.received else None
    asked = {
        "source": choice.source,
        "feed": choice.feed,
        "source_file": choice.file,
        "received": received,
        "state": choice.state,
    }
    wheres = [_equals(name, value) for name, value in asked.items()]
    wheres.append(f"({KEY_SQL}) in (select {KEY_SQL} from fault where {_equals('rule', choice.rule)})")
    if choice.rows is not None:
        wheres.append(
            f"({' or '.join(f'row_number between {first} and {last}' for first, last in _spans(choice.rows))})"
        )
    con.execute(f"create table chosen as select * from state where {' and '.join(wheres)}")
    if choice.entry is not None:
        for use in con.execute("select distinct source, source_file, feed from chosen").fetchall():
            source, file, label = use
            spec = load_profile(settings, source, known).spec_for(file, label)
            if spec is None or spec.name != choice.entry:
                con.execute("delete from chosen where source = ? and source_file = ? and feed = ?", use)


def _spans(text: str) -> list[tuple[int, int]]:
    spans = []
    for part in text.split(","):
        if (found := _ROWS.fullmatch(part.strip())) is None:
            raise UsageError(
                f"--rows {text} is no list of row numbers", mend="write them like 5,9-12, with --file beside it"
            )
        spans.append((int(found[1]), int(found[2] or found[1])))
    return spans


def _equals(column: str, value: str | None) -> str:
    return "true" if value is None else f"cast({column} as varchar) = {literal(value)}"
