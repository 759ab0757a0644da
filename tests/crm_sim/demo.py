"""python -m tests.crm_sim.demo: the sample company once with its CRM as files, and once pulled from both CRMs by the DAGs.

Both ways get the same other files. Where the CRM is pulled, the files of the CRM systems are left out; the DAGs `ingest_zoho` and
`ingest_fxiaoke` run for each day of the story, a first load and increments with edits, deletions and what comes back. It ends
with the pipeline's KPIs side by side.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.__main__ import environment
from tests.crm_sim.figures import MARTS, Compared, compare
from tests.crm_sim.sample import move_files, moved, read, stages
from tests.crm_sim.story import Story, evening

import sample_company
from dealermart import demo
from dealermart.base import DealermartError, Settings, load_settings, write_json

SEED = 7
SYSTEMS = ("zoho", "fxiaoke")
END = "2026-10-01"  # of the periods that are compared: the sample ends with it; what runs on is not known to both alike
PATIENCE = 3600.0
MARKER = "demo-crm.json"
Say = Callable[[str], None]


class ByFiles(threading.Thread):
    """The way by files, in a home of its own: the dates with files of the CRM by the command line, and a build at the end.

    What is not of the CRM comes with ``start``, a home that has taken it in already; with none all files are taken in.
    """

    def __init__(self, settings: Settings, sample: Path, start: Path | None, say: Say) -> None:
        super().__init__(daemon=True)
        self.settings, self.sample, self.begin, self.say = settings, sample, start, say
        self.failed = ""
        self.running: subprocess.Popen[str] | None = None

    def run(self) -> None:
        if self.begin:
            for path in self.begin.iterdir():
                if path.is_dir() and path.name not in ("airflow", "sample"):
                    shutil.copytree(path, self.settings.home / path.name)
        for day in drop(self.sample, self.settings.inbox, "crm" if self.begin else "all"):
            if not self._call("ingest", "--source", "sample", "--received", day.isoformat()):
                return
        if self._call("build"):
            self.say("by files: the CRM's files are taken in, and the marts are built")

    def _call(self, *command: str) -> bool:
        env = {**os.environ, "DEALERMART_HOME": str(self.settings.home)}
        program = str(Path(sys.executable).with_name("dealermart"))
        self.running = subprocess.Popen(
            [program, *command],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said, _ = self.running.communicate()
        # 1 and 3 are what an ingest ends with where planted files were refused or rows wait: the others went through.
        if self.running.returncode not in ((0, 1, 3) if command[0] == "ingest" else (0,)):
            self.failed = f"dealermart {' '.join(command)} ended with {self.running.returncode}:\n{said[-2000:]}"
        return not self.failed


def drop(sample: Path, inbox: Path, which: str) -> list[date]:
    """Put files of the sample into an inbox: all, only those of the CRM systems ("crm"), or the rest; returns their dates."""
    days = []
    for folder in sorted(path for path in sample.iterdir() if path.is_dir()):
        target = inbox / "sample" / folder.name
        kinds = [p for p in folder.iterdir() if which == "all" or (p.name in SYSTEMS) == (which == "crm")]
        for path in kinds:
            shutil.copytree(path, target / path.name)
        if kinds:
            days.append(date.fromisoformat(folder.name))
    return days


def fresh(home: Path) -> None:
    """Begin with nothing. Only what this demonstration made before is removed."""
    if home.exists():
        if not (home / MARKER).is_file() and any(home.iterdir()):
            raise DealermartError(
                "the folder for the demonstration holds something else", where=str(home), mend="set DEALERMART_HOME"
            )
        shutil.rmtree(home)
    home.mkdir(parents=True)
    write_json(home / MARKER, {"what": "made by make demo-crm; it is removed by the next one"})


def finish(airflow: demo.Standalone, *dag_ids: str, red: bool = False) -> None:
    """Wait until all runs of these DAGs have ended. Events are not waited for: what builds on them is started at the end.

    Raises:
        DealermartError: a run ended red and ``red`` does not allow that, or time is up.
    """
    until = time.monotonic() + PATIENCE
    while not (runs := airflow.runs(*dag_ids)) or not all(run.done for run in runs):
        if time.monotonic() > until:
            raise DealermartError(f"{', '.join(dag_ids)} did not end in time", mend=airflow.log_tail())
        time.sleep(1)
    failed = [run for run in runs if run.state == "failed"]
    if failed and not red:
        raise DealermartError(f"{failed[0].dag_id} failed", where=failed[0].run_id, mend=airflow.failure(failed[0]))


def pull(airflow: demo.Standalone, story: Story, say: Say) -> None:
    """Run both DAGs, which read what happened in the CRMs, with a look for what is gone."""
    before = {sim: len(sim.calls) for sim in (story.zoho, story.fxiaoke)}
    for source in SYSTEMS:
        airflow.trigger(f"ingest_{source}", conf={"sweep": True})
    finish(airflow, *(f"ingest_{source}" for source in SYSTEMS))
    for source, sim in zip(SYSTEMS, before, strict=True):
        say(f"  ingest_{source}: {len(sim.calls) - before[sim]} calls")


def run(settings: Settings, size: str, say: Say, all_in: str = "") -> Compared:
    """Both ways, and their figures side by side.

    Args:
        settings: State goes below its home, into demo/crm and demo/crm_files.
        size: Of the sample company.
        all_in: The vendor that has the records of both; empty: each has its own.

    Raises:
        DealermartError: something could not be run.
    """
    pulled = replace(settings, home=settings.home / "demo" / "crm")
    filed = replace(settings, home=settings.home / "demo" / "crm_files")
    names = {"ingest_sample", "build_marts", *(f"ingest_{source}" for source in SYSTEMS)}
    airflow = demo.Standalone(pulled, expected=names, say=say)
    airflow.check_free()
    for home in (pulled.home, filed.home):
        fresh(home)
    sample = pulled.home / "sample"
    sample_company.make(SEED, size, sample)
    versions = read(sample)
    say(f"sample company made; its CRM has {len(versions)} versions of records")
    by_files = ByFiles(filed, sample, None if all_in else pulled.home, say)
    days = drop(sample, pulled.inbox, "rest")
    if all_in:
        move_files(pulled.inbox, all_in)
    clock = Clock(evening(min(v.received for v in versions)) - timedelta(days=1))
    with Zoho(clock=clock) as zoho, Fxiaoke(clock=clock) as fxiaoke:
        zoho.switches.bulk_polls = 0  # its jobs are done at the first look: nobody waits for a demonstration's sake
        if all_in:
            stages(zoho, versions)
            versions = moved(versions, all_in)
        story = Story(versions, zoho, fxiaoke, clock)
        os.environ.update(environment(zoho, fxiaoke))  # Airflow is started with it
        say(f"simulators at {zoho.base} (Zoho CRM) and {fxiaoke.base} (Fxiaoke)")
        say(story.play())  # before the DAGs are switched on: their clock may start a run of its own
        airflow.launch()
        try:
            airflow.await_ready()
            say(f"Airflow is ready at {airflow.url}; {airflow.login}")
            airflow.unpause("ingest_sample")
            for day in days:
                airflow.trigger("ingest_sample", day.isoformat())
            finish(airflow, "ingest_sample", red=True)  # planted files are refused, which turns their runs red
            say(f"the files of {len(days)} dates are taken in, but for those of the CRM")
            by_files.start()
            airflow.unpause(*(f"ingest_{source}" for source in SYSTEMS))
            pull(airflow, story, say)
            for _ in story.steps[1:]:
                say(story.play())
                pull(airflow, story, say)
            say("building the marts ...")
            airflow.unpause("build_marts")
            airflow.trigger("build_marts", "whole")
            finish(airflow, "build_marts")
        finally:
            airflow.stop()
            if sys.exc_info()[0] and by_files.running and by_files.running.poll() is None:
                by_files.running.terminate()
    by_files.join()
    if by_files.failed:
        raise DealermartError("the way by files failed", mend=by_files.failed)
    # Where one vendor has all, ids and words of the records are not those of the files; their figures are.
    return compare(filed.warehouse, pulled.warehouse, END, marts=() if all_in else tuple(MARTS))


def table(compared: Compared) -> list[str]:
    """Lines that show a comparison."""
    lines = [f"{'KPI, whole company':<34} {'period':<10} {'from files':>18} {'from the APIs':>18}"]
    for kpi, period, files, pulled in compared.table:
        mark = "" if files == pulled else "   differs"
        lines.append(f"{kpi:<34} {period:<10} {_short(files):>18} {_short(pulled):>18}{mark}")
    lines.append("")
    for mart, (files, pulled, only) in compared.rows.items():
        lines.append(f"{mart:<34} rows       {files:>18,} {pulled:>18,}   {f'{only} differ' if only else 'equal'}")
    count = len(compared.differing)
    lines.append(f"{'KPI values of all subjects':<34} to {END[2:]}  {compared.values:>17,} {compared.values:>18,}   "
                 f"{f'{count} differ' if count else 'equal'}")  # fmt: skip
    return lines


def _short(value: object) -> str:
    return "-" if value is None else f"{value:,.4f}"


def main(arguments: list[str] | None = None) -> int:
    """Command line; 0 the figures are equal, 1 they are not, 2 it could not be run."""
    parser = argparse.ArgumentParser(
        description="Pull the sample company's CRM by the DAGs and compare it with its files."
    )
    parser.add_argument("--size", choices=["S", "M", "L"], default="S", help="of the sample company (default S)")
    parser.add_argument("--all-in", choices=SYSTEMS, default="", help="let one vendor have the records of both")
    given = parser.parse_args(arguments)
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began:4.0f} s] {text}", flush=True)

    try:
        compared = run(load_settings(), given.size, say, given.all_in)
    except DealermartError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    print("\n" + "\n".join(table(compared)))
    for kpi, period, kind, subject, files, pulled in compared.differing[:20]:
        print(f"differs: {kpi} {period} {kind} {subject}: {files} from files, {pulled} from the APIs", file=sys.stderr)
    print("\nequal" if compared.equal else "\nnot equal")
    return 0 if compared.equal else 1


if __name__ == "__main__":
    sys.exit(main())
