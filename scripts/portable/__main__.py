"""Build the sample company on DuckDB and on Sail, an engine that speaks Spark's SQL, and compare all rows."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from portable import compare, sources

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".cache" / "portable"
BIN = Path(sys.executable).parent
# `ingest` ends with 3 where a file or row was refused; the sample has some, so that refusing is shown.
INGESTED = (0, 3)
SAID = 15
PATIENCE = 3600  # seconds for one step


class StepFault(Exception):
    """A step did not end well; the text says which and why."""


def run(command: list[str], log: Path, environment: dict[str, str], fine: tuple[int, ...] = (0,)) -> None:
    """Run one step; its words go into a log, of which the end is shown if it fails.

    Raises:
        StepFault: it ended with a code that is not in ``fine``.
    """
    with log.open("ab") as out:
        try:
            code = subprocess.run(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False,
                env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", **environment},
                timeout=PATIENCE,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -1
    if code not in fine:
        end = log.read_text("utf-8", errors="replace").splitlines()[-SAID:]
        said = "\n".join(f"  | {line}" for line in end)
        why = f"ended with {code}" if code >= 0 else f"was stopped after {PATIENCE} s"
        raise StepFault(f"{' '.join(command[:3])} {why}:\n{said}\n  all of its words: {log}")


def on_duckdb(home: Path, size: str, log: Path) -> None:
    """A home with the sample company, built by the project's own commands."""
    sample = home.with_name("sample")
    run([sys.executable, "scripts/make_sample.py", "--size", size, "--out", str(sample)], log, {})
    days = json.loads((sample / "truth.json").read_text("utf-8"))["received_dates"]
    dealermart = str(BIN / "dealermart")
    for number, day in enumerate(days, 1):
        print(f"  ingest {number} of {len(days)}: {day}", flush=True)
        ingest = [dealermart, "ingest", "--source", "sample", "--received", day, "--drop", str(sample / day)]
        run(ingest, log, {"DEALERMART_HOME": str(home)}, INGESTED)
    print("  build", flush=True)
    run([dealermart, "build"], log, {"DEALERMART_HOME": str(home)})


def last_build(home: Path) -> dict[str, Any]:
    """The run log's entry of the last build that ended well."""
    entries = [json.loads(path.read_text("utf-8")) for path in sorted((home / "runs").glob("*.json"))]
    built = [
        entry
        for entry in entries
        if entry.get("command") == "build" and entry["status"] == "done" and entry.get("warehouse")
    ]
    if not built:
        raise StepFault(f"{home} holds no finished build\n  mend: run `dealermart build` there")
    return dict(built[-1])


def on_sail(python: Path, handed: Path, out: Path, build: dict[str, Any], log: Path) -> dict[str, Any]:
    """All models and data tests on Sail. Returns dbt's statuses, ``{"run": {...}, "test": {...}}``."""
    names = ("as_of", "as_of_date", "received_until", "period_end")
    inputs = {f"DEALERMART_{name.upper()}": str(build[name]) for name in names}
    command = [str(python), "-m", "portable.sail", "--sources", str(handed), "--out", str(out)]
    command += ["--project", str(ROOT / "dbt_project")]
    run(command, log, {"PYTHONPATH": str(ROOT / "scripts"), **inputs})
    return dict(json.loads((out / "results.json").read_text("utf-8")))


def report(compared: compare.Outcome, results: dict[str, Any], seconds: dict[str, float]) -> int:
    """Print what came out. Returns 1 where anything is missing, failed or differs."""
    for line in (*compared.missing, *compared.differences):
        print(line)
    bad = 0
    for kind, wanted in (("run", "success"), ("test", "pass")):
        statuses: dict[str, str] = results.get(kind, {})
        for name, status in statuses.items():
            if status != wanted:
                print(f"{kind} {name}: {status}")
                bad += 1
        print(f"{'models' if kind == 'run' else 'tests'} on Sail: {len(statuses)} run, "
              f"{sum(value == wanted for value in statuses.values())} passed")  # fmt: skip
        bad += not statuses
    print(f"compared: {compared.tables} tables and {compared.views} views, {compared.rows:,} rows; "
          f"{len(compared.differences)} differ, {len(compared.missing)} missing")  # fmt: skip
    print("time: " + ", ".join(f"{name} {took:.0f} s" for name, took in seconds.items()))
    if not compared.tables:
        print("no table was compared: nothing is shown")
    failed = bool(bad or compared.differences or compared.missing or not compared.tables)
    print("FAILED" if failed else "ok: the same on both engines")
    return 1 if failed else 0


def main() -> int:
    """Command line; returns 1 when a row differs, a table is missing or a test fails, 2 when a step broke down."""
    parser = argparse.ArgumentParser(prog="portable", description=__doc__)
    parser.add_argument("--size", choices=["S", "M", "L"], default="S", help="size of the sample company (default S)")
    parser.add_argument("--home", type=Path, help="a home that is built already, in place of the sample company")
    parser.add_argument("--python", type=Path, default=STATE / "venv" / "bin" / "python", help="of Sail's environment")
    given = parser.parse_args()
    work = STATE / "run"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    home = given.home.resolve() if given.home else work / "home"
    seconds: dict[str, float] = {}
    try:
        started = time.monotonic()
        if not given.home:
            print("DuckDB: sample company", flush=True)
            on_duckdb(home, given.size, work / "duckdb.log")
        build = last_build(home)
        seconds["DuckDB"] = time.monotonic() - started
        print("Sail: all models, then all data tests", flush=True)
        started = time.monotonic()
        sources.hand_over(Path(build["warehouse"]), work / "sources")
        results = on_sail(given.python, work / "sources", work / "sail", build, work / "sail.log")
        seconds["Sail"] = time.monotonic() - started
        started = time.monotonic()
        manifest = json.loads((home / "dbt" / "target" / "manifest.json").read_text("utf-8"))
        compared = compare.all_models(Path(build["warehouse"]), manifest, work / "sail" / "rows")
        seconds["comparison"] = time.monotonic() - started
    except StepFault as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 2
    return report(compared, results, seconds)


if __name__ == "__main__":
    sys.exit(main())
