"""Doctor: look at environment, lock, disk, config, what waits for people and last runs, and say how to mend it."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from dealermart import checks, frozen, ingest, lake, warehouse
from dealermart.base import WRONG_USAGE, DealermartError, Settings, lock_holder, lock_is_held, read_runs
from dealermart.config import load_config, load_contracts, load_profile, source_names

_LEAST_FREE = 2 * 1024**3

# A fault keeps the pipeline from working; what is to do waits for somebody's decision, and the rest goes on without it.
OK, TODO, FAIL = "ok", "TODO", "FAIL"

_NAMED = 3  # refused files that are named

_NEEDED = ("apache-airflow", "dbt-core", "dbt-duckdb", "duckdb", "great-expectations", "pandas", "pyarrow")


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``mend`` counts where it is not ok, or to do."""

    name: str
    ok: bool
    text: str
    mend: str = ""
    todo: bool = False

    @property
    def state(self) -> str:
        return FAIL if not self.ok else TODO if self.todo else OK


def examine(settings: Settings, deep: bool = False) -> list[Finding]:
    """All findings, in the order in which faults cause each other.

    Args:
        deep: Read every commit from its own file, and look for lake files of no commit: seconds per thousand of them.
    """
    looks: dict[str, Callable[[Settings], Iterator[Finding]]] = {
        "environment": _environment,
        "disk": _disk,
        "closed": _closed,
        "lock": _lock,
        "config": _config,
        "state": partial(_state, deep=deep),
        "refused files": _refused,
        "closed periods": _frozen,
        "quarantine": _quarantine,
        "runs": _runs,
    }
    findings: list[Finding] = []
    for name, look in looks.items():
        try:
            findings.extend(look(settings))
        except (OSError, ValueError) as error:
            findings.append(Finding(name, False, f"cannot be looked at: {error}", "see what lies there"))
        except duckdb.Error as error:  # its text can quote data
            mend = "look again when no command is at work; if it stays so, run `dealermart rebuild`"
            findings.append(Finding(name, False, f"cannot be read ({type(error).__name__})", mend))
        except DealermartError as error:
            what = f"{error.where}: {error.what}" if error.where else error.what
            if what not in (finding.text for finding in findings):  # broken config stops several looks
                findings.append(Finding(name, False, what, error.mend))
    return findings


def _environment(settings: Settings) -> Iterator[Finding]:
    versions, missing = [], []
    for name in _NEEDED:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    mend = "make the environment anew: remove .venv and run `make demo`"
    python = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "environment",
        not missing,
        f"missing: {', '.join(missing)}" if missing else f"python {python}, {', '.join(versions)}",
        mend,
    )
    dbt = Path(sys.executable).with_name("dbt")
    yield Finding("dbt", dbt.exists(), str(dbt) if dbt.exists() else f"{dbt} does not exist", mend)
    try:
        importlib.metadata.version("pyspark")
        yield Finding(
            "pyspark",
            False,
            "pyspark is installed here",
            "remove it: with it, importing Great Expectations can end a process without a word",
        )
    except importlib.metadata.PackageNotFoundError:
        pass


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield Finding("home", False, f"{folder} cannot be written", "set DEALERMART_HOME to a folder that can be")
        return
    free = shutil.disk_usage(folder).free
    yield Finding(
        "disk",
        free > _LEAST_FREE,
        f"{free / 1024**3:.1f} GiB free at {settings.home}",
        "make room, or set DEALERMART_HOME to another disk",
    )


def _closed(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    if not home.is_dir():
        return
    # A closed folder closes all that lies in it. `published` is open for the copies of BI, not for those of HR.
    looked = [path for path in home.iterdir() if path != settings.published and not path.is_symlink()]
    looked += (settings.published / "versions").glob("hr-*")
    found = sorted(str(path.relative_to(home)) for path in looked if path.stat().st_mode & 0o007)
    can = [f"enter {', '.join(found)}"] if found else []
    mend = [f"chmod -R o= {' '.join(shlex.quote(str(home / name)) for name in found)}"] if found else []
    if home.stat().st_mode & 0o002:
        can, mend = [*can, f"write to {home}"], [*mend, f"chmod o-w {shlex.quote(str(home))}"]
    yield Finding(
        "closed to others",
        not can,
        f"every user of this machine can {' and '.join(can)}" if can else "only the copies published for BI are open",
        f"run `{' && '.join(mend)}`",
    )


def _lock(settings: Settings) -> Iterator[Finding]:
    held = lock_is_held(settings)
    # At work is no fault.
    yield Finding("lock", True, f"held by {lock_holder(settings)}" if held else "free")


def _config(settings: Settings) -> Iterator[Finding]:
    known = load_contracts(settings)
    yield Finding("contracts", True, f"{len(known)} feeds")
    for source in source_names(settings):
        profile = load_profile(settings, source, known)
        for feed in dict.fromkeys(spec.feed for spec in profile.files if spec.feed):
            checks.load_suite(settings.expectations / f"{feed}.json", checks.batch_columns(known[feed]), known)
        yield Finding(f"source {source}", True, f"{len(profile.files)} kinds of file")
    company = load_config(settings).company
    yield Finding("company", True, f"{settings.company_file.name}, amounts in {company.reporting_currency}")


def _state(settings: Settings, deep: bool) -> Iterator[Finding]:
    log = lake.read(settings, whole=deep)
    if not log.commits:
        nothing = lake.nothing_yet(settings)
        yield Finding("lake", True, nothing.what, nothing.mend, todo=True)
        return
    gone, stray = lake.missing_files(settings, log), lake.stray_files(settings, log) if deep else []
    yield Finding(
        "lake",
        not gone,
        f"{len(gone)} files of the log are gone"
        if gone
        else f"{log.last} commits, last received {log.received or 'nothing'}",
        "run `dealermart rebuild`",
    )
    if stray:
        yield Finding(
            "stray files",
            True,
            f"{len(stray)} files in the lake belong to no commit; nobody reads them, `dealermart compact` removes them",
        )
    behind = warehouse.pending(settings)
    yield Finding(
        "marts",
        not behind,
        "behind the lake" if behind else "hold all of the lake",
        "run `dealermart build`, or let the DAG build_marts run",
    )
    damaged = list(settings.warehouse.parent.glob("*.damaged"))
    if damaged:
        yield Finding("damaged warehouse", True, f"{damaged[0]} was set aside; it can be deleted")


def _refused(settings: Settings) -> Iterator[Finding]:
    refused = lake.open_refusals(settings, load_contracts(settings))
    if refused:
        named = ", ".join(f"{name} ({source}, received {received})" for received, source, name in refused[:_NAMED])
        more = f" and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        yield Finding(
            "refused files",
            True,
            f"{len(refused)} not taken so far: {named}{more}",
            f"{settings.reports / 'index.html'} says why; have them corrected, put them into the folder of their day "
            "and ingest that day again; what is never to be taken gets an ignore pattern in source.yml",
            todo=True,
        )


def _frozen(settings: Settings) -> Iterator[Finding]:
    flaws = frozen.verify(settings)
    what = (
        f"closed/{flaws[0].where}: {flaws[0].what}" if flaws else f"{len(frozen.chain(settings))}, as they were closed"
    )
    more = f" and {len(flaws) - 1} more" if len(flaws) > 1 else ""
    yield Finding("closed periods", not flaws, f"{what}{more}", flaws[0].mend if flaws else "")


def _quarantine(settings: Settings) -> Iterator[Finding]:
    if not lake.read(settings).commits:
        return
    rows = ingest.states(settings, ingest.Choice())
    if waiting := rows.get("waiting"):
        yield Finding("rows that wait", True, f"{waiting:,}, each for what it names; they are taken up when that comes")
    if left := rows.get("open"):
        yield Finding(
            "quarantine",
            True,
            f"{left:,} rows are open",
            "`dealermart quarantine list --state open` says in which files and why; correct, release or reject them",
            todo=True,
        )


def _runs(settings: Settings) -> Iterator[Finding]:
    latest = {run["command"]: run for run in read_runs(settings) if run["status"] != WRONG_USAGE}
    for command, run in latest.items():
        ok = run["status"] in ("done", "running")
        text = f"{run['status']} at {run['started_at'][:19]} UTC"
        mend = run.get("error") or "it was killed; run the same command again"
        yield Finding(f"last {command}", ok, text, mend)
