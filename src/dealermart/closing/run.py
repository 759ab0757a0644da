"""Close a period: judge its gates, write what is frozen aside, show it by one rename."""

from __future__ import annotations

import importlib.metadata
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dealermart import frozen, lake, warehouse
from dealermart.base import (
    DataError,
    Settings,
    UsageError,
    code_version,
    record_run,
    utc_now,
    warehouse_lock,
)
from dealermart.closing.draft import copy_config, frozen_views, opened, seal, show, write_tables
from dealermart.closing.gates import Case, Gate, find_period, judge, lock_hash, log_hash
from dealermart.frozen import Frozen, Kind

DRAFT = ".draft"


@dataclass(frozen=True)
class Asked:
    """What is to be closed.

    Attributes:
        kind: Of ``frozen/kinds.yml``.
        period_id: Such as 2026-Q1.
        by, reason: Who closes, and why; it stands in the folder.
        waivers: Gate -> why it may stay unpassed.
        new_version: A later version of a period that is closed already.
    """

    kind: str
    period_id: str
    by: str = ""
    reason: str = ""
    waivers: Mapping[str, str] = field(default_factory=dict)
    new_version: bool = False


def asked_of(params: Mapping[str, Any], answer: Mapping[str, Any] | None = None, by: str = "") -> Asked:
    """What forms say: of a run (kind, period, new_version), and of an approval (reason, waive, waive_reason)."""
    answer = answer or {}
    waivers = {gate.strip(): str(answer.get("waive_reason", "")) for gate in answer.get("waive") or ()}
    reason = str(answer.get("reason", ""))
    return Asked(params["kind"], params["period"].strip(), by, reason, waivers, bool(params["new_version"]))


@dataclass(frozen=True)
class Closed:
    """What was closed: its place below ``closed/``, its hash, rows by table, the gates, and which were waived."""

    folder: str
    hash: str
    rows: dict[str, int]
    gates: tuple[Gate, ...]
    waived: tuple[str, ...]


def examine(settings: Settings, asked: Asked) -> tuple[Gate, ...]:
    """The gates as they stand; nothing is closed.

    Raises:
        UsageError: there is nothing to close, or it is closed. DataError: what was closed before was changed.
        BuildError: there is no finished build. LockError: another process is at work.
    """
    with warehouse_lock(settings, "look at gates"), _opened(settings, asked) as (case, _):
        return tuple(judge(case))


def close(settings: Settings, asked: Asked, say: Callable[[str], None] = lambda text: None) -> Closed:
    """Freeze a period. Killed at any moment it has closed nothing, or all of it.

    Raises:
        UsageError: name or reason is missing, a waiver is none, there is nothing to close, or it is closed.
        DataError: a gate is not passed and not waived, or what was closed before was changed.
        BuildError: there is no finished build. LockError: another process is at work.
    """
    for name, text in (("--by", asked.by), ("--reason", asked.reason), *_waived_texts(asked)):
        if not text.strip():
            raise UsageError(f"{name} is empty", mend="say who closes this and why: it stands in the closed folder")
    with (
        record_run(
            settings, "close", kind=asked.kind, period=asked.period_id, by=asked.by, reason=asked.reason
        ) as entry,
        warehouse_lock(settings, "closing", say=say),
        _opened(settings, asked) as (case, names),
    ):
        gates = judge(case)
        waived = _let_through(asked, gates)
        for gate in gates:
            say(f"{'passed' if gate.passed else 'waived'}: {gate.name}: {gate.text}")
        draft = settings.closed / DRAFT
        shutil.rmtree(draft, ignore_errors=True)  # of a closing that was killed
        tables = write_tables(case.con, names, draft / frozen.TABLES)
        _refuse_the_same(case, asked, tables)
        copy_config(settings, draft / frozen.CONFIG)
        manifest = seal(draft, _said(case, asked, gates, waived) | {"tables": tables})
        folder = frozen.folder_name(asked.kind, asked.period_id, manifest["version"])
        show(draft, settings.closed / folder)
        entry.note(closed={"folder": folder, "hash": manifest["hash"]}, waived=sorted(waived))
        rows = {name: int(table["rows"]) for name, table in tables.items()}
        return Closed(folder, manifest["hash"], rows, tuple(gates), tuple(waived))


@contextmanager
def _opened(settings: Settings, asked: Asked) -> Iterator[tuple[Case, list[str]]]:
    """What is judged, and the names of what is frozen."""
    kind = frozen.kind_of(asked.kind)
    lake.recover(settings)
    folders = frozen.chain(settings)
    warehouse.finished(settings)
    with opened(settings, settings.warehouse) as con:
        names = frozen_views(con, kind, asked.period_id)
        own = [folder for folder in folders if folder.kind == asked.kind]
        _refuse_closed(kind, asked, own)
        period = find_period(con, kind, asked.period_id)
        _refuse_passed_over(asked, period.period_type, period.start.isoformat(), own)
        log = lake.read(settings, whole=True)
        yield Case(con, settings, kind, period, log, folders), names


def _refuse_closed(kind: Kind, asked: Asked, own: list[Frozen]) -> None:
    versions = [folder for folder in own if folder.period_id == asked.period_id]
    if versions and not (asked.new_version and kind.versions == "anew"):
        last = versions[-1]
        at, by = last.manifest["closed_at"][:16], last.manifest["by"]
        mend = (
            "say --new-version and why: both versions stay"
            if kind.versions == "anew"
            else "what is learnt later is settled by adjustments in the open period; nothing is closed twice"
        )
        raise UsageError(f"{asked.period_id} was closed as {last.name} on {at} UTC by {by}", mend=mend)
    if asked.new_version and not versions:
        raise UsageError(f"{asked.period_id} has no version yet", mend="close it without --new-version")


def _refuse_passed_over(asked: Asked, period_type: str, start: str, own: list[Frozen]) -> None:
    later = [
        folder
        for folder in own
        if folder.manifest["period_type"] == period_type and folder.manifest["period_start"] > start
    ]
    if later and not asked.new_version:
        raise UsageError(
            f"{asked.period_id} lies before {later[0].period_id}, which is closed: it is out of order",
            mend="leave it open: what is still due for it is paid by an adjustment in the open period",
        )


def _refuse_the_same(case: Case, asked: Asked, tables: dict[str, dict[str, Any]]) -> None:
    """A new version must differ from the one before."""
    before = [folder for folder in case.folders if (folder.kind, folder.period_id) == (asked.kind, asked.period_id)]
    if before and before[-1].manifest["tables"] == tables:
        shutil.rmtree(case.settings.closed / DRAFT)
        raise UsageError(f"nothing differs from {before[-1].name}", mend="no new version is needed")


def _waived_texts(asked: Asked) -> list[tuple[str, str]]:
    return [(f"the reason to waive {gate}", reason) for gate, reason in asked.waivers.items()]


def _let_through(asked: Asked, gates: list[Gate]) -> dict[str, str]:
    """The waivers that were needed, with their reasons.

    Raises:
        UsageError: a waiver names no gate, or one that cannot be waived. DataError: a gate is not passed.
    """
    by_name = {gate.name: gate for gate in gates}
    for name in asked.waivers:
        if name not in by_name:
            raise UsageError(f"there is no gate {name!r}", mend=f"one of: {', '.join(by_name)}")
        if not by_name[name].may_be_waived:
            can = ", ".join(gate.name for gate in gates if gate.may_be_waived)
            mend = "; ".join(filter(None, (by_name[name].mend, f"waivable are: {can}")))
            raise UsageError(f"the gate {name} cannot be waived", mend=mend)
    shut = [gate for gate in gates if not gate.passed and gate.name not in asked.waivers]
    if shut:
        lines = [f"- {gate.name}: {gate.text}\n  mend: {gate.mend}" for gate in shut]
        raise DataError(f"{asked.period_id} is not closed, {len(shut)} gates are shut:\n" + "\n".join(lines))
    return {gate.name: asked.waivers[gate.name] for gate in gates if not gate.passed}


def _said(case: Case, asked: Asked, gates: list[Gate], waived: dict[str, str]) -> dict[str, Any]:
    """The manifest, but for what follows from the files."""
    settings, period, last = case.settings, case.period, case.folders[-1] if case.folders else None
    built = warehouse.finished(settings)
    months = case.con.execute(
        "select month_id from warehouse.config.fiscal_month where month_end = ?", [built["period_end"]]
    ).fetchall()
    version = 1 + sum((folder.kind, folder.period_id) == (asked.kind, asked.period_id) for folder in case.folders)
    return {
        "kind": asked.kind,
        "period_id": period.period_id,
        "period_type": period.period_type,
        "period_start": period.start.isoformat(),
        "period_end": period.end.isoformat(),
        "version": version,
        "form": frozen.FORM,
        "seq": len(case.folders) + 1,
        "previous": {"folder": last.name, "hash": last.hash} if last else None,
        "closed_at": utc_now().isoformat(sep=" ", timespec="milliseconds"),
        "by": asked.by,
        "reason": asked.reason,
        "user": settings.user,
        "gates": [gate.as_dict() for gate in gates],
        "waivers": [{"gate": name, "by": asked.by, "reason": reason} for name, reason in waived.items()],
        "lake": {"commit": case.log.last, "log_hash": log_hash(settings, case.log.last)},
        "as_of": built["as_of"],
        "last_month": months[0][0] if months else None,
        "company": settings.company,
        "code_version": code_version(),
        "code_hash": warehouse.code_hash(settings),
        "lock_hash": lock_hash(),
        "duckdb": importlib.metadata.version("duckdb"),
    }
