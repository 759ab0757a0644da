"""Build the marts: prepare the warehouse's inputs, run dbt once, keep what was built as the new watermark.

Inputs are the lake as of a moment, the config and the last fiscal month; nothing here reads the clock but the run log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dealermart import lake
from dealermart.base import BuildError, Settings, UsageError, connect, record_run, utc_now, warehouse_lock
from dealermart.config import Contract, check_company, load_config, load_contracts
from dealermart.warehouse.causes import tell_apart
from dealermart.warehouse.closed import closed_before, name_late
from dealermart.warehouse.dbt import dbt_build
from dealermart.warehouse.file import forget_states, open_warehouse, past_warehouse
from dealermart.warehouse.inputs import Given, day_at, dirty_months, period_end_of, prepare
from dealermart.warehouse.promises import check_marts
from dealermart.warehouse.state import State, code_hash
from dealermart.warehouse.tables import config_hash


@dataclass(frozen=True)
class BuildResult:
    """What a build did. ``skipped``: the marts held all of the lake already."""

    run_id: str
    skipped: bool
    full: bool = False
    months: int = 0
    models: int = 0
    tests: int = 0
    seconds: float = 0.0
    as_of: str = ""
    period_end: str = ""
    warehouse: Path | None = None


def run(
    settings: Settings,
    as_of: dt.datetime | None = None,
    period: str | None = None,
    full: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> BuildResult:
    """Bring the marts up to the lake.

    Args:
        as_of: Rows learnt after this moment (UTC, without zone) are not seen; by default all are. A moment before the
            latest commit builds a warehouse of its own beside the main one.
        period: Last fiscal month to build, such as ``2026-M03``; by default the one of the latest received date.
        full: Build every month, whatever changed.

    Raises:
        UsageError: nothing was ingested yet, or known at that moment; no such period.
        BuildError: dbt failed or a test on the marts did. ConfigError: config is broken.
        LockError: another process is at work.
    """
    known = load_contracts(settings)
    with (
        record_run(settings, "build", as_of=as_of, period=period, full=full or None) as entry,
        warehouse_lock(settings, "build", say=say) as held,
    ):
        build = _wanted(settings, known, as_of, period)
        settings, log = build.given.settings, build.given.log
        state = State.read(settings)
        done = BuildResult(
            entry.run_id,
            True,
            as_of=build.inputs["as_of"],
            period_end=build.inputs["period_end"],
            warehouse=settings.warehouse,
        )
        if state.done == build.wanted and not state.attempt and not full and settings.warehouse.exists():
            entry.note(skipped=True, as_of=done.as_of, period_end=done.period_end)
            return done
        base, months = _begin(build, state, full)
        say(f"build: {'all' if base is None else months} fiscal months to {done.period_end}, as of {done.as_of}")
        start = utc_now()
        result = dbt_build(settings, held, build.inputs, full=base is None, say=say)
        seconds = round((utc_now() - start).total_seconds(), 1)
        entry.note(
            **build.inputs,
            full=base is None,
            months=months,
            dbt=result.summary(),
            lake_seq=log.news,
            warehouse=str(settings.warehouse),
        )
        result.raise_for_failures()
        if tell_apart(build.given, build.inputs, say):
            say("what closed periods come to now is settled by cause")
            with connect(settings, settings.warehouse) as con:
                name_late(con, settings, is_any=True)
            again = dbt_build(settings, held, build.inputs, full=False, say=say, select="int_incentive__late+")
            again.raise_for_failures()
        say("checking the marts")
        entry.note(mart_checks=check_marts(settings))
        state.finish(settings, build.wanted)
        return replace(
            done,
            skipped=False,
            full=base is None,
            months=months,
            models=result.models,
            tests=result.tests,
            seconds=seconds,
        )


@dataclass(frozen=True)
class _Build:
    """What is to be built, and from what.

    Attributes:
        given: What it is made from; the settings with a warehouse of its own where the moment is past.
        inputs: What the models are given, by name.
        wanted: What the watermark says once it is built.
    """

    given: Given
    inputs: dict[str, str]
    wanted: dict[str, Any]


def _wanted(settings: Settings, known: dict[str, Contract], as_of: dt.datetime | None, period: str | None) -> _Build:
    """Look at lake and config, and say what is to be built."""
    lake.recover(settings)
    log = lake.read(settings)
    if log.ingested_at is None:
        raise lake.nothing_yet(settings)
    if gone := lake.missing_files(settings, log):
        raise BuildError(
            f"{len(gone)} lake files that the log names are gone", where=str(gone[0]), mend="run `dealermart rebuild`"
        )
    moment = min(as_of.isoformat(sep=" ", timespec="microseconds"), log.ingested_at) if as_of else log.ingested_at
    if moment < log.ingested_at:
        settings = replace(settings, warehouse_override=past_warehouse(settings, moment))
    seen = log.until(moment)
    if log.received is None:
        raise BuildError(
            "every file that came so far was refused: there is nothing to build",
            where=str(settings.home),
            mend="`dealermart report` says why; have the files corrected and ingest them again",
        )
    if seen.received is None:
        raise UsageError(
            "nothing was known at that moment",
            where=f"--as-of {moment}",
            mend=f"give a later one: the first commit is of {log.commits[0]['ingested_at']}",
        )
    for source in sorted({commit["source"] for commit in seen.commits if commit["kind"] == "ingest"}):
        check_company(settings, source)
    company = load_config(settings).company
    end = period_end_of(settings, company, seen.received, period)
    hashes = _hashes(settings, known)
    inputs = {
        "as_of": moment,
        "as_of_date": day_at(moment, company.time_zone).isoformat(),
        "received_until": seen.received,
        "period_end": end.isoformat(),
    }
    closed = closed_before(settings, moment if moment < log.ingested_at else None)
    wanted = {
        "seq": log.news,
        "as_of": moment,
        "period_end": end.isoformat(),
        "hashes": hashes,
        "closed": len(closed),
    }
    return _Build(Given(settings, known, log, seen, end, closed), inputs, wanted)


def _hashes(settings: Settings, known: dict[str, Contract]) -> dict[str, str]:
    """Of all that decides what is built besides the rows, by name."""
    feeds = {f"feed {name}": contract.hash for name, contract in known.items()}
    return config_hash(settings) | {"code": code_hash(settings)} | feeds


def _begin(build: _Build, state: State, full: bool) -> tuple[dict[str, Any] | None, int]:
    """Note the attempt and prepare the warehouse.

    Returns:
        The build to go on from (None for a full one), and the number of months to build.
    """
    given, wanted = build.given, build.wanted
    settings, log = given.settings, given.log
    base = None if full else state.base(wanted, settings)
    was_cut_off = state.attempt is not None
    if base is not None and lake.missing_files(settings, log.before(base["seq"])):
        base = None  # compacted twice since: what the rows were then is not there to compare with
    state.start(settings, wanted if base is None else {**wanted, "from": base["seq"]})
    con, is_new = open_warehouse(settings)
    try:
        if is_new and base is not None:  # said before dbt writes: what goes on from nothing is a full build
            base = None
            state.start(settings, wanted)
        prepare(con, given)
        if was_cut_off:
            forget_states(con)
        return base, dirty_months(con, given, base)
    finally:
        con.close()


def pending(settings: Settings) -> bool:
    """Whether the lake holds what the marts do not, or a build was cut off. Needs no lock."""
    log = lake.read(settings)
    state = State.read(settings)
    return log.received is not None and (
        state.done is None
        or bool(state.attempt)
        or log.after(state.done["seq"]).has_news
        or not settings.warehouse.exists()
    )


def changed_since(settings: Settings) -> list[str]:
    """What changed in rows, config and code since the last build, by name; nothing where the marts are of today.

    Raises:
        BuildError, UsageError: as ``finished``. ConfigError: config is broken.
    """
    finished(settings)
    done = State.read(settings).done or {}
    now = _hashes(settings, load_contracts(settings))
    names = sorted(name for name in now.keys() | done["hashes"].keys() if now.get(name) != done["hashes"].get(name))
    return [*(["rows"] if pending(settings) else []), *names]


def finished(settings: Settings) -> dict[str, Any]:
    """What the warehouse holds: lake_seq, as_of, period_end.

    Raises:
        BuildError: no build has ended well, or the last one was cut off. UsageError: nothing was ingested yet.
    """
    state = State.read(settings)
    if not settings.warehouse.parent.exists() and not lake.read(settings).commits:
        raise lake.nothing_yet(settings)
    if state.done is None or state.attempt or not settings.warehouse.exists():
        raise BuildError("there is no finished build", where=str(settings.warehouse), mend="run `dealermart build`")
    return {"lake_seq": state.done["seq"], "as_of": state.done["as_of"], "period_end": state.done["period_end"]}
