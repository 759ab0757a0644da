"""The demonstration: files into the inbox, the real DAGs on a real scheduler, and a table of what came out."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sample_company as sample
from dealermart import lake, publish
from dealermart.base import ConfigError, DataError, DealermartError, Settings, read_runs
from dealermart.config import Profile, load_contracts, load_profile, source_names
from dealermart.demo.api import DagRun, RunFailed
from dealermart.demo.scheduler import Standalone

SEED = 7

PATIENCE_SECONDS = 1800.0

MARKER = "demo.json"  # stands in a state folder that a demonstration made, and may therefore remove

CAME = ("accepted", "duplicate", "refused", "unrecognised")  # status of files; others are rows of files before

COUNTS = ("records", "structural", "rejected", "accepted", "quarantined", "duplicate")

BEHIND = ("build_marts", "publish")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a demonstration came to: the lines of its table, and the runs that ended red."""

    table: tuple[str, ...]
    red: tuple[DagRun, ...]


def settings_for(settings: Settings, source: str) -> Settings:
    """State and company of a demonstration: apart from the state of real work, and from that of other sources."""
    own = f"company.{source}.yml"
    company = own if (settings.config / own).is_file() else settings.company
    return replace(
        settings, home=settings.home / "demo" / source, company=company, postgres=settings.postgres or "embedded"
    )


def partitions(data: Path, received: dt.date | None) -> dict[dt.date, Path]:
    """The received dates of a folder of files, each with the folder of its files.

    Args:
        data: Either a folder of folders named like 2026-03-02, or the files of one date.
        received: The date of the files where ``data`` has no such folders.

    Raises:
        DataError: the folder is missing or empty, or nobody says when its files were received.
    """
    if not data.is_dir():
        raise DataError("the data folder does not exist", where=str(data), mend="give the folder that holds the files")
    dated = {day: path for path in sorted(data.iterdir()) if path.is_dir() and (day := _date(path.name))}
    if dated and received is None:
        return dated
    if not any(path.is_file() for path in data.rglob("*")):
        raise DataError("the data folder holds no file", where=str(data), mend="give the folder that holds the files")
    if received is None:
        raise DataError(
            "nothing says when these files were received",
            where=str(data),
            mend="put them into folders named like 2026-03-02, give --received, or set demo_received in source.yml",
        )
    return {received: data}


def run(settings: Settings, source: str, data: Path | None, size: str, received: dt.date | None, say: Say) -> Outcome:
    """Run the main job on ``data``, or on a sample company where it is None.

    Args:
        settings: As `settings_for` gives them. What an earlier demonstration left in ``settings.home`` is removed.
        size: Size of the sample: S, M or L.
        received: See `partitions`; by default the profile's ``demo_received``.

    Raises:
        DealermartError: a broken profile, no data, a scheduler that does not start, or a run that failed for another
            reason than a refused file.
    """
    began = time.monotonic()

    def tell(text: str) -> None:
        say(f"[{time.monotonic() - began:4.0f} s] {text}")

    profile = _profile(settings, source)
    drops = partitions(data, received or profile.demo_received) if data is not None else {}
    if data is None and source != sample.SOURCE:
        raise DataError(
            f"there is no sample for the source {source}",
            mend=f"give its files: make demo DATA=folder PROFILE={source}",
        )
    ingest = f"ingest_{source}"
    airflow = Standalone(settings, expected={ingest, *BEHIND}, say=tell)
    airflow.check_free()
    _fresh(settings, source)
    tell(f"starting Airflow, state in {shown(settings.home)}")
    airflow.launch()
    try:
        if settings.postgres == "embedded":
            publish.Server.of(settings).start()
            tell("PostgreSQL is ready")
        if data is None:
            made = settings.home / "sample"
            truth = sample.make(SEED, size, made)
            tell(f"sample company made: {len(truth['files'])} files, in {shown(made)}")
            drops = partitions(made, None)
        for day, folder in drops.items():
            shutil.copytree(folder, settings.inbox / source / day.isoformat())
        tell(
            f"files are in {shown(settings.inbox / source)}: {len(drops)} received date{'' if len(drops) == 1 else 's'}"
        )
        airflow.await_ready()
        started = time.monotonic() - began
        tell(f"Airflow is ready at {airflow.url}; {airflow.login}")
        tell(f"one run of {ingest} per received date")
        airflow.unpause(*BEHIND, ingest)
        for day in sorted(drops):
            airflow.trigger(ingest, day.isoformat())
        red: list[DagRun] = []

        def watch(run: DagRun) -> None:
            if run.state == "failed":
                if not _only_refused(airflow, run):
                    raise RunFailed(f"{_name(run)} failed", where=run.run_id, mend=airflow.failure(run))
                red.append(run)
                tell(f"{_name(run)}: files were refused, the others went through\n{airflow.failure(run)}")
            elif run.kind == "scheduled":
                pass  # last night's run, which found no files; the real schedule is on as well
            elif run.state == "running":
                tell(f"{_name(run)} ...")
            elif run.state == "success":
                tell(f"{_name(run)}: {_did(settings, run)} ({run.seconds:.0f} s)")

        airflow.wait(PATIENCE_SECONDS, on_change=watch, on_failure="go on")
        tell("all runs have ended; stopping Airflow")
    finally:
        airflow.stop()
    return Outcome(tuple(table(settings, time.monotonic() - began, started)), tuple(red))


def table(settings: Settings, seconds: float, started: float) -> list[str]:
    """What stands in the state folder, as lines of three columns: what, how much, where.

    Args:
        settings: Names the state folder.
        seconds: How long everything took.
        started: How long of it Airflow took to start.
    """
    deliveries = lake.read(settings).deliveries()
    status = Counter(file["status"] for file in deliveries)
    rows: Counter[str] = Counter()
    for file in deliveries:
        rows.update({name: file[name] or 0 for name in COUNTS})
    runs = [run for run in read_runs(settings) if run["status"] == "done"]
    builds = [run for run in runs if run["command"] == "build" and "dbt" in run]
    dbt = builds[-1]["dbt"] if builds else {"models": 0, "tests": 0, "status": {}}
    served: dict[str, Any] = next((run for run in reversed(runs) if run["command"] == "publish"), {"tables": {}})
    spent: Counter[str] = Counter()
    for run in runs:
        spent[run["command"]] += run["seconds"]
    steps = "".join(f", {name} {spent[name]:.0f}" for name in ("ingest", "build", "publish"))
    lines: list[tuple[str, str, str]] = [
        ("files read", f"{sum(status[name] for name in CAME):,}", shown(settings.inbox)),
        ("  taken", f"{status['accepted']:,}", shown(settings.landing)),
        ("  delivered before", f"{status['duplicate']:,}", ""),
        ("  refused", f"{status['refused'] + status['unrecognised']:,}", ""),
        ("rows read", f"{rows['records']:,}", ""),
        ("  accepted", f"{rows['accepted']:,}", shown(settings.lake)),
        ("  quarantined by a check", f"{rows['quarantined']:,}", shown(settings.quarantine)),
        ("  not readable or not mapped", f"{rows['rejected']:,}", shown(settings.quarantine)),
        ("  duplicate", f"{rows['duplicate']:,}", ""),
        ("  no record (blank, totals)", f"{rows['structural']:,}", ""),
        ("models built", f"{dbt['models']:,}", shown(settings.warehouse)),
        ("tests on them", f"{dbt['tests']:,}", f"{len(builds)} build{'' if len(builds) == 1 else 's'}"),
    ]
    for audience, count in served["tables"].items():
        where = shown(settings.published / audience / "dealermart.duckdb")
        lines.append((f"marts published for {audience}", f"{count:,}", f"{where}, {served['rows'][audience]:,} rows"))
    for schema, count in served.get("postgres", {}).items():
        lines.append((f"  in PostgreSQL for {schema}", f"{count:,}", f"schema {schema}"))
    lines.append(("seconds", f"{seconds:,.0f}", f"Airflow's start {started:.0f}{steps}"))
    first, second = max(len(line[0]) for line in lines), max(len(line[1]) for line in lines)
    return [f"{what:<{first}}  {count:>{second}}  {where}".rstrip() for what, count, where in lines]


def shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _profile(settings: Settings, source: str) -> Profile:
    known = source_names(settings)
    if source not in known:
        what = f"there is no source profile {source}"
        raise ConfigError(what, where=str(settings.sources), mend=f"one of: {', '.join(known)}")
    return load_profile(settings, source, load_contracts(settings))


def _fresh(settings: Settings, source: str) -> None:
    """Begin with nothing. Only what a demonstration made before is removed."""
    home = settings.home
    if home.exists():
        if not (home / MARKER).is_file() and any(home.iterdir()):
            raise DealermartError(
                "the folder for the demonstration holds something else",
                where=str(home),
                mend="move it away, or set DEALERMART_HOME",
            )
        publish.Server.of(settings).remove()
        shutil.rmtree(home)
    home.mkdir(parents=True)
    (home / MARKER).write_text(json.dumps({"source": source}), "utf-8")


def _name(run: DagRun) -> str:
    return f"{run.dag_id} {run.partition}" if run.dag_id.startswith("ingest_") else run.dag_id


def _only_refused(airflow: Standalone, run: DagRun) -> bool:
    """Whether an ingest run is red only because files were refused: the rest of it was done."""
    return {task["task_id"] for task in airflow.tasks(run) if task["state"].endswith("failed")} == {"verdict"}


def _did(settings: Settings, run: DagRun) -> str:
    """What a run that ended well did, in the words of the run log."""
    command = "ingest" if run.dag_id.startswith("ingest_") else run.dag_id.removesuffix("_marts")
    entries = [run for run in read_runs(settings) if run["command"] == command and run["status"] == "done"]
    if command == "ingest":
        entries = [entry for entry in entries if entry.get("received") == run.partition]
    if not entries:
        return "done"
    last: dict[str, Any] = entries[-1]
    if command == "ingest":
        files = sum(last["files"].values())
        if not files:
            return "nothing was delivered"
        named = ("accepted", "quarantined", "rejected", "duplicate")
        counts = ", ".join(f"{last['rows'][name]:,} {name}" for name in named if last["rows"][name])
        waited = f"; {last['taken_up']:,} that had waited in quarantine taken up" if last.get("taken_up") else ""
        return f"{files} file{'' if files == 1 else 's'}; rows: {counts or 'none new'}{waited}"
    if command == "build":
        return "nothing new" if last.get("skipped") else f"{last['dbt']['models']} models, {last['dbt']['tests']} tests"
    return ", ".join(f"{count} marts for {audience}" for audience, count in last["tables"].items())


def _date(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
