"""The gates of a closing: what must hold before a period is frozen, each with its figure and what to do."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from dealermart import lake, warehouse
from dealermart.base import BalanceError, Settings, UsageError, workspace
from dealermart.config import load_company, load_contracts
from dealermart.frozen import Frozen, Kind
from dealermart.lake import LEDGER, FileResult, Log


@dataclass(frozen=True)
class Period:
    """A fiscal period; ``end`` is exclusive."""

    period_id: str
    period_type: str
    start: dt.date
    end: dt.date
    is_complete: bool


@dataclass(frozen=True)
class Gate:
    """What was looked at.

    Attributes:
        figure: What was counted; the gate is passed up to ``limit``.
        text: The same in words.
        mend: What to do where it is not passed.
        may_be_waived: Whether somebody may answer for it by name and reason.
    """

    name: str
    figure: int
    text: str
    mend: str = ""
    limit: int = 0
    may_be_waived: bool = False

    @property
    def passed(self) -> bool:
        return self.figure <= self.limit

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True)
class Case:
    """What a closing is judged by: the warehouse as schema ``warehouse`` of ``con``, with views of what is frozen."""

    con: duckdb.DuckDBPyConnection
    settings: Settings
    kind: Kind
    period: Period
    log: Log
    folders: Sequence[Frozen]


def find_period(con: duckdb.DuckDBPyConnection, kind: Kind, period_id: str) -> Period:
    """The period of this id, in which there is something to close.

    Raises:
        UsageError: there is no such period, or nothing of this kind is due in it.
    """
    due = _due(con, kind)
    for period in due:
        if period.period_id == period_id:
            return period
    known = ", ".join(period.period_id for period in due[-8:])
    raise UsageError(
        f"{kind.due} has no row of the period {period_id}: there is nothing to close",
        mend=f"name a period that has: {known}" if known else "build the marts of a period that has",
    )


def _due(con: duckdb.DuckDBPyConnection, kind: Kind) -> list[Period]:
    """The periods in which there is something to close, in their order."""
    rows = con.execute(f"""
        select period_id, period_type, period_start, period_end, is_complete
        from warehouse.marts.dim_period
        semi join warehouse.marts.{kind.due} using (period_id)
        order by period_end, period_start
    """).fetchall()
    return [Period(*row) for row in rows]


def judge(case: Case) -> list[Gate]:
    """All gates, in the order in which they are looked at."""
    return [
        _ended(case), _in_order(case), _current(case), _balanced(case), _refused(case), _quarantined(case),
        _reconciled(case),
    ]  # fmt: skip


def _ended(case: Case) -> Gate:
    period, built = case.period, warehouse.finished(case.settings)
    return Gate(
        "period_ended",
        int(not period.is_complete),
        f"{period.period_id} ends before {period.end}; built as of {built['as_of']}",
        f"wait until records are received on {period.end} or later, then build",
    )


def _in_order(case: Case) -> Gate:
    """Earlier periods of the same length that are open. Where none was closed yet, somebody may say where to begin."""
    same = [folder for folder in case.folders if folder.manifest["period_type"] == case.period.period_type]
    since = max((dt.date.fromisoformat(folder.manifest["period_end"]) for folder in same), default=dt.date.min)
    open_ = [
        period.period_id
        for period in _due(case.con, case.kind)
        if period.period_type == case.period.period_type and since <= period.start < case.period.start
    ]
    named = f"{', '.join(open_[:6])}{f' and {len(open_) - 6} more' if len(open_) > 6 else ''}"
    return Gate(
        "in_order",
        len(open_),
        f"open before it: {named}" if open_ else "no period before it is open",
        f"close {open_[0]} first" + ("" if same else ", or waive this gate: what was paid before is known elsewhere")
        if open_
        else "",
        may_be_waived=not same,
    )


def _current(case: Case) -> Gate:
    changed = warehouse.changed_since(case.settings)
    return Gate(
        "build_current",
        len(changed),
        f"changed since the last build: {', '.join(changed[:6])}" if changed else "the marts hold all of the lake",
        "run `dealermart build`",
    )


def _balanced(case: Case) -> Gate:
    """Both balances of every delivery of the log: records, and rows that were mapped."""
    wrong = []
    for delivery in case.log.deliveries():
        counts = {name: delivery[name] for name in list(LEDGER)[7:]}
        try:
            FileResult(
                delivery["file"], delivery["delivery_id"], delivery["feed"], delivery["status"], **counts
            ).check()
        except BalanceError:
            wrong.append(f"{delivery['file']} ({delivery['source']}, received {delivery['received']})")
    return Gate(
        "ledger_balanced",
        len(wrong),
        f"rows do not add up: {', '.join(wrong[:3])}" if wrong else "the rows of every delivery add up",
        "restore log/ from its backup: no delivery is committed with rows that do not add up",
    )


def _refused(case: Case) -> Gate:
    left = lake.open_refusals(case.settings, load_contracts(case.settings))
    named = ", ".join(f"{name} ({source}, received {received})" for received, source, name in left[:3])
    return Gate(
        "nothing_refused",
        len(left),
        f"refused and not taken since: {named}" if left else "no refused file is open",
        "have them corrected and ingest that day again, ignore them in source.yml, or waive this gate",
        may_be_waived=True,
    )


def _quarantined(case: Case) -> Gate:
    settings, log = case.settings, case.log
    with workspace(
        settings, f"states-{secrets.token_hex(4)}", settings.log, settings.lake, settings.quarantine
    ) as space:
        paths = [settings.quarantine / entry["path"] for commit in log.commits for entry in commit["quarantine"]]
        lake.load_held(space.con, log, settings.log, paths)
        lake.find_states(space.con, settings, load_contracts(settings), log)
        left = space.con.execute("select count(*) from state where state in ('open', 'waiting')").fetchall()[0][0]
    limit = load_company(settings).closing_quarantine_rows
    return Gate(
        "quarantine",
        int(left),
        f"{left:,} rows are open or wait in quarantine, {limit:,} may be",
        "`dealermart quarantine list --state open` says which: correct, release or reject them, or waive this gate",
        limit,
        may_be_waived=True,
    )


def _reconciled(case: Case) -> Gate:
    """Whether what is frozen adds up. That the build's own tests passed is said by its watermark."""
    wrong = [
        text
        for text, sql in case.kind.checks.items()
        if case.con.execute(f"select count(*) from ({sql})").fetchall()[0][0]
    ]
    return Gate(
        "marts_reconciled",
        len(wrong),
        f"does not hold: {'; '.join(wrong)}" if wrong else f"{len(case.kind.checks)} checks of what is frozen hold",
        "run `dealermart build --full`; if it stays so, report it as a fault of the program",
    )


def log_hash(settings: Settings, last: int) -> str:
    """One hash over the commits of the log up to one, as they lie on the disk (sha256, 64 hex digits)."""
    digest = hashlib.sha256()
    for seq in range(1, last + 1):
        digest.update((settings.log / f"{seq:08d}.json").read_bytes())
    return digest.hexdigest()
