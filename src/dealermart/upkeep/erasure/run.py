"""Erase values of a person from all that is kept, or those of everybody that are older than their feed's retention.

An erasure is a rebuild on whose way the values are taken out. The files that held them are replaced in landing by what
was read of them (``landing.erased``); codes of the person become one random code each, so that every total stands.
Lake and quarantine are made anew beside the old ones and compared with them; one commit of the log is the moment from
which the new ones hold, and ``lake.recover`` finishes what a kill leaves undone.
"""

from __future__ import annotations

import datetime as dt
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dealermart import lake, landing, publish, warehouse
from dealermart.base import (
    BalanceError,
    ConfigError,
    DataError,
    Settings,
    UsageError,
    code_version,
    literal,
    quoted,
    record_run,
    utc_now,
    warehouse_lock,
    workspace,
)
from dealermart.config import Company, Contract, load_contracts, load_yaml
from dealermart.ingest import Folders
from dealermart.upkeep.erasure.person import Person, Wanted
from dealermart.upkeep.erasure.search import Search
from dealermart.upkeep.erasure.tables import Tables, draft_of
from dealermart.upkeep.replay import redo


@dataclass
class EraseResult:
    """What an erasure did.

    Attributes:
        rows: Rows from which something was erased, by feed (or reference, as ``source.name``).
        deliveries: How many files these rows came in.
        files: How many files of landing and inbox are gone.
        named_in: Files of the log, and of closed folders, in whose words the person is named; they stay as they are.
        closed: Rows of closed folders that hold the person's code, by folder; they stay as they are.
        had_marts: Whether there was a warehouse, which is gone now.
    """

    rows: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0
    files: int = 0
    named_in: list[str] = field(default_factory=list)
    closed: dict[str, int] = field(default_factory=dict)
    had_marts: bool = False


def erase(
    settings: Settings,
    wanted: Wanted,
    by: str,
    reason: str,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> EraseResult:
    """Erase, and drop the warehouse, so that the next build is a full one; ``renew`` does it. Workbooks and packs of
    reviews go too: they are made anew from the next copy.

    Raises:
        UsageError: nothing was ingested yet, name or reason is missing or names the person, or nobody has that code.
        DataError: no feed has a retention.
        BalanceError: another value than those that are to go would change; nothing was committed.
    """
    for name, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise UsageError(f"{name} is empty", mend="say who decides this and why: it stands in the decision log")
    known = load_contracts(settings)
    company = load_yaml(settings.company_file, Company)
    if unknown := sorted(set(company.retention_months) - set(known)):
        raise ConfigError(
            f"field retention_months: there is no feed {', '.join(unknown)}",
            where=str(settings.company_file),
            mend=f"one of: {', '.join(known)}",
        )
    if wanted.until and not company.retention_months:
        raise DataError(
            "no feed has a retention", where=str(settings.company_file), mend="add retention_months: {feed: months}"
        )
    with (
        # The person's code goes into no log, nor do words that may name the person.
        record_run(settings, "erase", until=wanted.until) as entry,
        warehouse_lock(settings, "erasure", say=say),
    ):
        lake.recover(settings)
        log = lake.read(settings, whole=True)
        if not log.commits:
            raise lake.nothing_yet(settings)
        before, draft = (
            Folders(settings.pending / name / "lake", settings.pending / name / "quarantine")
            for name in ("before", "after")
        )
        cutoffs = {
            feed: _months_before(wanted.until, months)
            for feed, months in company.retention_months.items()
            if wanted.until
        }
        person = Person(settings, known, log, wanted, cutoffs)
        tables = Tables(person)
        search = Search(tables)
        try:
            # Said before anything is repeated. Texts given besides can stand in what no feed holds: all is searched.
            is_known = wanted.person is None or person.is_known()
            in_closed = person.in_closed()
            if not is_known and not wanted.also:
                raise _nobody(wanted)
            if person.names(reason) or person.names(by):
                raise UsageError(
                    "--by or --reason names the person", mend="refer to the request instead: it stands in the log"
                )
            entry.note(by=by, reason=reason)
            # Once as it was, to find the rows while records are whole, and once with what stands in for them.
            say("looking for rows")
            redo(settings, known, log, before, entry.run_id, say, tables)
            while tables.look_again():
                redo(settings, known, log, before, entry.run_id, say, tables)
            shutil.rmtree(before.lake.parent)
            if tables.rows:
                say("making lake and quarantine anew")
                tables.is_looking = False
                redo(settings, known, log, draft, f"{entry.run_id}-2", say, tables)
            done = EraseResult(dict(sorted(tables.rows.items())), len(tables.changed), 0, person.named_in(), in_closed)
            removed = search.remove_unread(say)
            if not (is_known or done.rows or removed):
                raise _nobody(wanted)
            done.files = len(removed)
            if not dry_run and (done.rows or removed):
                done.had_marts = settings.warehouse.exists()
                if done.rows:
                    _compare(draft, person)
                _commit(search, draft, removed, _Decision(entry.run_id, by, reason, utc_now()))
            entry.note(erased=done.rows, deliveries=done.deliveries, files_removed=done.files, dry_run=dry_run)
        except Exception:
            shutil.rmtree(settings.pending, ignore_errors=True)
            raise
        lake.recover(settings)
    return done


def erase_by_retention(
    settings: Settings, until: dt.date | None = None, say: Callable[[str], None] = lambda text: None
) -> EraseResult | None:
    """For a schedule: erase what is older than the retention of its feed, and renew marts and copies.

    Args:
        until: The day on which it is judged; by default today (UTC).

    Returns:
        Nothing where no feed has a retention, or nothing was ingested yet.
    """
    if not load_yaml(settings.company_file, Company).retention_months or not lake.read(settings).commits:
        return None
    wanted = Wanted(until=until or utc_now().date())
    done = erase(settings, wanted, settings.user, f"retention_months of {settings.company}", say=say)
    renew(settings, done, say)
    return done


def renew(settings: Settings, done: EraseResult, say: Callable[[str], None]) -> warehouse.BuildResult | None:
    """Marts and served copies anew after an erasure, the copies before removed; none where there were none."""
    if not done.had_marts:
        return None
    built = warehouse.run(settings, say=say)
    if settings.published.exists():
        publish.run(settings, say=say, keep_previous=False)
    return built


def _nobody(wanted: Wanted) -> UsageError:
    return UsageError(
        f"nobody of this code is known as {wanted.kind.replace('_', ' ')}",
        mend="look at the code and --kind; --also TEXT has every file searched for what stands in no record",
    )


@dataclass(frozen=True)
class _Decision:
    """Who erases why, in which run and when (UTC, without zone)."""

    run_id: str
    by: str
    reason: str
    at: dt.datetime


def _commit(search: Search, draft: Folders, removed: list[Path], decision: _Decision) -> None:
    """Write down what is to be done with files, and make it hold by one commit; ``lake.recover`` does it."""
    tables, settings = search.tables, search.settings
    person = tables.person
    moves = {draft.lake: settings.lake, draft.quarantine: settings.quarantine}
    for source, received, delivery_id in tables.changed:
        home = settings.landing / source / received / delivery_id
        moves[draft_of(settings, source, received, delivery_id)] = home / landing.ERASED_NAME
    moves |= search.unpacked
    lake.plan(settings, decision.run_id, moves, [*removed, settings.warehouse.parent, settings.reviews])
    lake.commit(
        settings,
        person.log,
        {
            "kind": lake.ERASE,
            "run_id": decision.run_id,
            "decided_at": decision.at.isoformat(sep=" ", timespec="microseconds"),
            "code_version": code_version(),
            "user": settings.user,
            "by": decision.by,
            "reason": decision.reason,
            "what": "retention" if person.cutoffs else person.wanted.kind,
            "retention": {feed: day.isoformat() for feed, day in person.cutoffs.items()},
            "rows": tables.rows,
            "erased": [list(delivery) for delivery in tables.changed],
            "files": [],
            "quarantine": [],
            "verdicts": None,
            "deliveries": [],
            "decisions": _close(tables, draft, decision),
        },
    )


def _close(tables: Tables, draft: Folders, decision: _Decision) -> str | None:
    """Reject the quarantined rows that cannot be mapped any more, because their raw text is gone."""
    if not tables.unmapped:
        return None
    settings, log, run_id = tables.settings, tables.log, decision.run_id
    paths = [draft.quarantine / file["path"] for commit in log.commits for file in commit["quarantine"]]
    with workspace(settings, f"{run_id}-close", settings.log, draft.quarantine) as (con, work):
        lake.load_held(con, log, settings.log, paths)
        con.execute("create table gone (source varchar, delivery_id varchar, row_number bigint)")
        con.executemany("insert into gone values (?, ?, ?)", [list(row) for row in sorted(tables.unmapped)])
        con.execute("""
            create table chosen as
            select held.* exclude (decision, decided_at, decided_by, why)
            from held semi join gone using (source, delivery_id, row_number)
            where held.decision is null and held.stage = 'map'
        """)
        if not con.execute("select count(*) from chosen").fetchall()[0][0]:
            return None
        rejected = lake.decision_sql("'rejected'", "chosen", decision.at, decision.by, decision.reason)
        return lake.keep_decisions(con, settings, work, run_id, rejected)


def _compare(draft: Folders, person: Person) -> None:
    """Hold the new lake against the old one: nothing but codes and descriptions of persons may differ.

    Raises:
        BalanceError: it does.
    """
    settings = person.settings
    with workspace(settings, f"compare-{secrets.token_hex(4)}", settings.lake, draft.lake) as (con, _):
        for path, feed in person.log.current.items():
            contract = person.known.get(feed)
            sums = []
            old, new = (f"read_parquet({literal(str(folder / path))})" for folder in (settings.lake, draft.lake))
            for mine, other in ((old, new), (new, old)):  # a column without a value is in none of them, or in one
                relation = f"(from {mine} union all by name select * from {other} where false)"
                kept = [
                    quoted(name) if kind != "VARCHAR" else person.but_codes(quoted(name))
                    for name, kind in sorted(
                        row[:2] for row in con.execute(f"describe select * from {relation}").fetchall()
                    )
                    if contract is not None and name not in _may_change(contract)
                ]
                row = f"sum(cast(hash({', '.join(kept)}) as hugeint))" if kept else "0"
                sums.append((kept, con.execute(f"select count(*), {row} from {relation}").fetchall()[0]))
            if sums[0] != sums[1]:
                raise BalanceError(
                    "what has nothing to do with a person would change too: config maps otherwise than then, or maps "
                    "rows by others of their file",
                    where=path,
                    mend="bring back the profile and contract of then; nothing was erased",
                )


def _may_change(contract: Contract) -> set[str]:
    personal = {column.name for column in contract.columns if column.person or column.pii != "none"}
    return personal | {"_row_hash", "_is_repeat"}


def _months_before(day: dt.date, months: int) -> dt.date:
    count = day.year * 12 + day.month - 1 - months
    return dt.date(count // 12, count % 12 + 1, 1)
