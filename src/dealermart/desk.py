"""The quarantine as a place people work in: see what is held back, take it away to correct it, release or reject it.

Corrected rows come back as a normal delivery. A release lets rows in although rules speak against them, a rejection
closes them for good; both need a name and a reason, and stand in the decision log.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart import batch, contracts, decisions, ingest, lake, lock, profiles, runlog, uptake
from dealermart.batch import Target
from dealermart.errors import DataError
from dealermart.lake import Log, literal
from dealermart.overrides import Refusals
from dealermart.profiles import CORRECTED, FileSpec
from dealermart.settings import Settings

# Columns that an export adds to those of the file. No profile names them, so an ingest leaves them alone.
MARK = "dealermart:"
ADDED = (f"{MARK}rule", f"{MARK}reason", f"{MARK}file", f"{MARK}row")
# State "open" and "waiting" can still change; the others are settled.
UNSETTLED = ("open", "waiting")
_SHEET_ROWS, _CELL_SIGNS = 1_048_576, 32_767
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
        said = {one.name: getattr(self, one.name) for one in fields(self)}
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


@dataclass(frozen=True)
class Exported:
    """What was exported, and the folder of a drop in which it comes back."""

    records: int
    unreadable: int
    columns: tuple[str, ...]
    back: str


@dataclass(frozen=True)
class Decided:
    """What a release or a rejection came to.

    Attributes:
        rows: Rows released or rejected.
        left: Rows that were meant and do not map.
        taken_up: Rows that had waited for those released.
    """

    rows: int
    left: int = 0
    taken_up: int = 0


def listing(settings: Settings, choice: Choice) -> list[Line]:
    """Counts by file, rule and state. A row that several rules hold back is counted with each."""
    with _open(settings, choice) as con:
        found = con.execute(f"""
            select received, source, feed, source_file, rule, state, count(*)
            from chosen join fault using ({_KEY}, received, source_file)
            where {_equals("rule", choice.rule)}
            group by all order by all
        """).fetchall()
    return [Line(*one) for one in found]


def rows(settings: Settings, choice: Choice) -> list[Row]:
    """The rows themselves, in the order of file and row."""
    with _open(settings, choice) as con:
        found = con.execute("""
            select source, feed, source_file, received, row_number, row_part, rules, reasons, state, waits_for,
                decided_at, decided_by, why, "row"
            from chosen order by received, source, source_file, row_number, row_part
        """).fetchall()
    return [Row(*one) for one in found]


def export(settings: Settings, choice: Choice, out: Path) -> Exported:
    """Write rows under the header names of their file, with what is wrong with them, as .xlsx or .csv.

    Rows that could not be read are left out: they have no columns. Without a state in ``choice`` those that are
    settled are left out too.

    Raises:
        DataError: nothing is chosen, rows of several entries are, or the name of ``out`` has another ending.
    """
    if out.suffix.lower() not in (".xlsx", ".csv"):
        raise DataError(
            "the file to write has no known ending", where=str(out), mend="name it .xlsx (for Excel) or .csv"
        )
    with _open(settings, choice) as con:
        wanted = "true" if choice.state else f"state in {UNSETTLED}"
        unreadable = con.execute(f"select count(*) from chosen where {wanted} and stage = 'read'").fetchall()[0][0]
        con.execute(f"delete from chosen where not ({wanted}) or stage = 'read'")
        source, spec = _entry(settings, con, choice)
        records = con.execute("""
            select source_file, row_number, any_value("row"), string_agg(distinct rules, ', '),
                string_agg(distinct reasons, '; ')
            from chosen group by received, delivery_id, source_file, row_number
            order by received, source_file, row_number
        """).fetchall()
    raw = [json.loads(record) for _, _, record, _, _ in records]
    names = [name for name in dict.fromkeys(name for record in raw for name in record) if _is_delivered(name)]
    header = [spec.aliases[name][0] if spec.aliases.get(name) else name for name in names]
    lines = [
        [*(record[name] if record.get(name) is not None else "" for name in names), rules, reasons, file, str(number)]
        for record, (file, number, _, rules, reasons) in zip(raw, records, strict=True)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{uuid.uuid4().hex}{out.suffix}")
    try:
        write = _write_xlsx if out.suffix.lower() == ".xlsx" else _write_csv
        write(draft, [*header, *ADDED], lines, out)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return Exported(len(records), unreadable, tuple(header), f"inbox/{source}/<received date>/{CORRECTED}/{spec.name}/")


def release(
    settings: Settings,
    choice: Choice,
    by: str,
    reason: str,
    at: dt.datetime | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Decided:
    """Let rows into the lake in spite of the rules that hold them back; what waited for them is taken up with them.

    Args:
        at: The moment of the decision (UTC, without zone); by default now.

    Raises:
        DataError: name or reason is missing, nothing is chosen, or nothing of it maps.
    """
    with _deciding(settings, "release", choice, by, reason, at, say) as (scene, entry, note):
        suites = ingest.Suites(settings, scene.contracts)
        with uptake.mover(scene, scene.quarantine_paths(lambda one: True)) as mover:
            wanted = _choose(mover.con, scene, choice)
            chosen = f"({_KEY}) in (select {_KEY} from chosen)"
            moved: dict[str, int] = {}
            for feed in mover.feeds(chosen):
                moved[feed] = mover.move(feed, chosen, uptake.nothing_fails, uptake.RELEASED, say)
            released = sum(moved.values())
            if not released:
                raise DataError(
                    f"none of the {wanted} rows maps to its feed",
                    where=str(choice),
                    mend="correct them with `dealermart quarantine export`, or reject them",
                )
            grown = {feed for feed, count in moved.items() if count}
            mover.take_up(grown, suites, ingest.judge_by_suites(suites, scene.contracts, Refusals()), say)
            done = mover.finish(by, reason)
        done.add_to(entry)
        taken = sum((one.accepted or 0) + (one.duplicate or 0) for _, one in done.results) - released
        note(released=released, left=wanted - released, taken_up=taken)
    return Decided(released, wanted - released, taken)


def reject(
    settings: Settings,
    choice: Choice,
    by: str,
    reason: str,
    at: dt.datetime | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Decided:
    """Close rows for good: they are not taken up, whatever comes.

    Raises:
        DataError: name or reason is missing, or nothing is chosen.
    """
    with _deciding(settings, "reject", choice, by, reason, at, say) as (scene, entry, note):
        paths = scene.quarantine_paths(lambda one: True)
        with uptake.mover(scene, paths) as mover:
            wanted = _choose(mover.con, scene, choice)
            sql = decisions.select_of("'rejected'", "chosen", scene.at, by, reason)
            entry["decisions"] = decisions.keep(mover.con, settings, mover.work, scene.run_id, sql)
        note(rejected=wanted)
    return Decided(wanted)


_KEY = ", ".join(decisions.KEY)


@contextmanager
def _deciding(
    settings: Settings,
    kind: str,
    choice: Choice,
    by: str,
    reason: str,
    at: dt.datetime | None,
    say: Callable[[str], None],
) -> Iterator[tuple[uptake.Scene, dict[str, Any], Callable[..., None]]]:
    """Lock, run log and, if the block ends well, the commit of a decision."""
    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise DataError(f"{name} is empty", mend="say who decides this and why: it stands in the decision log")
    if choice == Choice(source=choice.source, state=choice.state, received=choice.received):
        raise DataError("no rows are named", mend="name them by --feed, --file, --rule or --rows")
    known = contracts.load_all(settings)
    with (
        runlog.record(settings, kind, rows=choice, by=by, reason=reason) as run,
        lock.warehouse(settings, f"quarantine {kind}", say=say),
    ):
        lake.recover(settings)
        log = lake.read(settings)
        if not log.commits:
            raise DataError("nothing was ingested yet", where=str(settings.home), mend="run `dealermart ingest` first")
        moment = at or runlog.now()
        entry: dict[str, Any] = {
            "kind": kind,
            "run_id": run.run_id,
            "source": None,
            "received": log.received,
            "ingested_at": moment.isoformat(sep=" ", timespec="microseconds"),
            "code_version": runlog.code_version(),
            "user": settings.user,
            "by": by,
            "reason": reason,
            "files": [],
            "quarantine": [],
            "verdicts": None,
            "deliveries": [],
            "decisions": None,
        }
        target = Target(settings.lake, settings.quarantine)
        so_far = Log((*log.commits, {"seq": log.last + 1, **entry}))
        yield (
            uptake.Scene(
                settings, settings, known, so_far, settings.lake, settings.quarantine, target, run.run_id, moment
            ),
            entry,
            run.note,
        )
        lake.commit(settings, log, entry)


@contextmanager
def _open(settings: Settings, choice: Choice) -> Iterator[duckdb.DuckDBPyConnection]:
    """The state of the quarantine, and in table ``chosen`` the rows that are meant."""
    log, known = lake.read(settings), contracts.load_all(settings)
    readable = (settings.log, settings.lake, settings.quarantine)
    with (
        tempfile.TemporaryDirectory(prefix="dealermart-quarantine-") as scratch,  # reading needs no lock
        batch.workspace(replace(settings, home=Path(scratch)), "read", *readable) as (con, _),
    ):
        paths = [settings.quarantine / one["path"] for commit in log.commits for one in commit["quarantine"]]
        decisions.load(con, log, settings.log, paths)
        decisions.states(con, settings, known, log)
        _pick(con, settings, known, choice)
        yield con


def _choose(con: duckdb.DuckDBPyConnection, scene: uptake.Scene, choice: Choice) -> int:
    """Table ``chosen``: the rows that are meant and not settled; gives their number.

    Raises:
        DataError: there is none.
    """
    decisions.states(con, scene.settings, scene.contracts, Log(scene.log.commits[:-1]))
    _pick(con, scene.settings, scene.contracts, choice)
    con.execute(f"delete from chosen where state not in {UNSETTLED}")
    count: int = con.execute("select count(*) from chosen").fetchall()[0][0]
    if not count:
        raise DataError(
            "no row in quarantine that is open or waits is meant by this",
            where=str(choice),
            mend="`dealermart quarantine list` shows what there is",
        )
    return count


def _pick(
    con: duckdb.DuckDBPyConnection, settings: Settings, known: dict[str, contracts.Contract], choice: Choice
) -> None:
    received = choice.received.isoformat() if choice.received else None
    asked = {
        "source": choice.source,
        "feed": choice.feed,
        "source_file": choice.file,
        "received": received,
        "state": choice.state,
    }
    wheres = [_equals(name, value) for name, value in asked.items()]
    wheres.append(f"({_KEY}) in (select {_KEY} from fault where {_equals('rule', choice.rule)})")
    if choice.rows is not None:
        wheres.append(
            f"({' or '.join(f'row_number between {first} and {last}' for first, last in _spans(choice.rows))})"
        )
    con.execute(f"create table chosen as select * from state where {' and '.join(wheres)}")
    if choice.entry is not None:
        files = con.execute("select distinct source, source_file from chosen").fetchall()
        for source, file in files:
            spec = profiles.load(settings, source, known).spec_of(file)
            if spec is None or spec.name != choice.entry:
                con.execute("delete from chosen where source = ? and source_file = ?", [source, file])


def _spans(text: str) -> list[tuple[int, int]]:
    spans = []
    for part in text.split(","):
        if (found := _ROWS.fullmatch(part.strip())) is None:
            raise DataError(
                f"--rows {text} is no list of row numbers", mend="write them like 5,9-12, with --file beside it"
            )
        spans.append((int(found[1]), int(found[2] or found[1])))
    return spans


def _equals(column: str, value: str | None) -> str:
    return "true" if value is None else f"cast({column} as varchar) = {literal(value)}"


def _entry(settings: Settings, con: duckdb.DuckDBPyConnection, choice: Choice) -> tuple[str, FileSpec]:
    """Source and profile entry of the chosen rows."""
    known = contracts.load_all(settings)
    found: dict[tuple[str, str], FileSpec] = {}
    for source, file in con.execute("select distinct source, source_file from chosen order by all").fetchall():
        spec = profiles.load(settings, source, known).spec_of(file)
        if spec is None:
            raise DataError(
                "no entry of the source's profile takes this file any more",
                where=f"{source}: {file}",
                mend="bring the entry back, or leave the file out by --file",
            )
        found[source, spec.name] = spec
    if not found:
        raise DataError(
            "there are no such rows to correct",
            where=str(choice),
            mend="`dealermart quarantine list` shows what there is",
        )
    if len(found) > 1:
        kinds = ", ".join(f"{name} of {source}" for source, name in found)
        raise DataError(
            f"rows of {len(found)} kinds of file are chosen: {kinds}",
            where=str(choice),
            mend="choose one by --entry (and --source): each kind has columns of its own",
        )
    ((source, _), spec) = next(iter(found.items()))
    return source, spec


def _is_delivered(name: str) -> bool:
    return name not in ("_delivery_id", "_row_number") and not name.lower().startswith(MARK)


def _write_xlsx(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]], out: Path) -> None:
    import xlsxwriter

    longest = max((len(cell) for line in lines for cell in line), default=0)
    if len(lines) >= _SHEET_ROWS or longest > _CELL_SIGNS:
        raise DataError(
            f"{len(lines)} rows with up to {longest} characters in a cell do not fit into a sheet",
            where=str(out),
            mend="export to .csv, or fewer rows by --file or --rule",
        )
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet("quarantine")
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        # Text throughout, typed cells as well: Excel must not make dates of codes or drop leading zeros.
        sheet.set_column(0, len(header) - 1, 18, text)
        for index, line in enumerate((header, *lines)):
            for column, cell in enumerate(line):
                if cell:
                    sheet.write_string(index, column, cell, text if index else bold)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(lines), len(header) - 1)


def _write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]], out: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([_inert(cell) for cell in line] for line in lines)


def _inert(cell: str) -> str:
    """A cell that a spreadsheet program would run as a formula begins with an apostrophe; numbers stay numbers."""
    if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(r"[+-]?[\d.,]+%?", cell):
        return f"'{cell}"
    return cell
