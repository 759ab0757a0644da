"""The quarantine as a place people work in: see what is held back, take it away to correct it, release or reject it.

Corrected rows come back as a normal delivery. A release lets rows in although rules speak against them, a rejection
closes them for good; both need a name and a reason, and stand in the decision log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from dealermart import lake
from dealermart.base import DataError, Settings, UsageError, code_version, quoted, record_run, utc_now, warehouse_lock
from dealermart.config import Contract, load_contracts
from dealermart.ingest.choice import KEY_SQL, UNSETTLED, Choice, pick
from dealermart.ingest.job import Folders, Job
from dealermart.ingest.judge import Judge, Rejects, Suites, judge_by_suites
from dealermart.ingest.overrides import Refusals
from dealermart.ingest.waiting import RELEASED, releaser
from dealermart.lake import Log


@dataclass(frozen=True)
class Decided:
    """What a release or a rejection came to.

    Attributes:
        rows: Rows released or rejected.
        left: Rows that were meant and do not map, or have no key.
        taken_up: Rows that had waited for those released.
    """

    rows: int
    left: int = 0
    taken_up: int = 0


def release(
    settings: Settings,
    choice: Choice,
    by: str,
    reason: str,
    at: dt.datetime | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Decided:
    """Let rows into the lake in spite of the rules that hold them back; what waited for them is taken up with them.

    A row that lacks a part of its key stays: nothing could correct it, and no build would pass with it.

    Args:
        at: The moment of the decision (UTC, without zone); by default now.

    Raises:
        UsageError: name or reason is missing, or nothing is chosen. DataError: nothing of it maps.
    """
    with _deciding(settings, "release", choice, by, reason, at, say) as (job, entry, note):
        suites = Suites(settings, job.contracts)
        with releaser(job, job.quarantine_paths(lambda entry: True)) as rows:
            wanted = _choose(rows.con, job, choice)
            chosen = f"({KEY_SQL}) in (select {KEY_SQL} from chosen)"
            moved: dict[str, int] = {}
            for feed in rows.feeds(chosen):
                moved[feed] = rows.move(feed, chosen, _keyless_fail(job.contracts), RELEASED, say)
            released = sum(moved.values())
            if not released:
                raise DataError(
                    f"none of the {wanted} rows maps to its feed and has a key",
                    where=str(choice),
                    mend="correct them with `dealermart quarantine export`, or reject them",
                )
            grown = {feed for feed, count in moved.items() if count}
            rows.take_up(grown, suites, judge_by_suites(suites, job.contracts, Refusals()), say)
            done = rows.finish(by, reason)
        done.add_to(entry)
        taken = sum((result.accepted or 0) + (result.duplicate or 0) for _, result in done.results) - released
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
        UsageError: name or reason is missing, or nothing is chosen.
    """
    with _deciding(settings, "reject", choice, by, reason, at, say) as (job, entry, note):
        paths = job.quarantine_paths(lambda entry: True)
        with releaser(job, paths) as rows:
            wanted = _choose(rows.con, job, choice)
            sql = lake.decision_sql("'rejected'", "chosen", job.at, by, reason)
            entry["decisions"] = lake.keep_decisions(rows.con, settings, rows.space.folder, job.run_id, sql)
        note(rejected=wanted)
    return Decided(wanted)


def _keyless_fail(contracts: dict[str, Contract]) -> Judge:
    """The judge of a release: what a person decides stands, but for rows that nothing can tell apart."""

    def judge(con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]) -> dict[str, str]:
        missing = " or ".join(f"{quoted(name)} is null" for name in contracts[feed].key)
        con.execute(f"insert into failing (_row_id, rule) select _row_id, 'release' from {table} where {missing}")
        return {}

    return judge


@contextmanager
def _deciding(
    settings: Settings,
    kind: str,
    choice: Choice,
    by: str,
    reason: str,
    at: dt.datetime | None,
    say: Callable[[str], None],
) -> Iterator[tuple[Job, dict[str, Any], Callable[..., None]]]:
    """Lock, run log and, if the block ends well, the commit of a decision."""
    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise UsageError(f"{name} is empty", mend="say who decides this and why: it stands in the decision log")
    if choice == Choice(source=choice.source, state=choice.state, received=choice.received):
        raise UsageError("no rows are named", mend="name them by --feed, --file, --rule or --rows")
    known = load_contracts(settings)
    with (
        record_run(settings, kind, rows=choice, by=by, reason=reason) as run,
        warehouse_lock(settings, f"quarantine {kind}", say=say),
    ):
        lake.recover(settings)
        log = lake.read(settings)
        if not log.commits:
            raise lake.nothing_yet(settings)
        moment = at or utc_now()
        entry: dict[str, Any] = {
            "kind": kind,
            "run_id": run.run_id,
            "source": None,
            "received": log.received,
            "ingested_at": moment.isoformat(sep=" ", timespec="microseconds"),
            "code_version": code_version(),
            "user": settings.user,
            "by": by,
            "reason": reason,
            "files": [],
            "quarantine": [],
            "verdicts": None,
            "deliveries": [],
            "decisions": None,
        }
        target = Folders(settings.lake, settings.quarantine)
        so_far = Log((*log.commits, {"seq": log.last + 1, **entry}))
        yield (
            Job(settings, settings, known, so_far, settings.lake, settings.quarantine, target, run.run_id, moment),
            entry,
            run.note,
        )
        lake.commit(settings, log, entry)


def _choose(con: duckdb.DuckDBPyConnection, job: Job, choice: Choice) -> int:
    """Table ``chosen``: the rows that are meant and not settled; gives their number.

    Raises:
        UsageError: there is none.
    """
    lake.find_states(con, job.settings, job.contracts, Log(job.log.commits[:-1]))
    pick(con, job.settings, job.contracts, choice)
    con.execute(f"delete from chosen where state not in {UNSETTLED}")
    count: int = con.execute("select count(*) from chosen").fetchall()[0][0]
    if not count:
        raise UsageError(
            "no row in quarantine that is open or waits is meant by this",
            where=str(choice),
            mend="`dealermart quarantine list` shows what there is",
        )
    return count
