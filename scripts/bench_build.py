#!/usr/bin/env python
"""Time a full build, the build of one more day, and the same tables by hand-written DuckDB SQL.

The lake is written directly (``bench_made``): ingest has a benchmark of its own. dbt's start is stated apart.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bench_made as made
import bench_plain as plain
from dealermart import warehouse
from dealermart.base import REPO, Settings, load_settings
from dealermart.warehouse import build as build_module  # looked into, not only called

SIZES = {"half": 500_000, "2M": 2_000_000, "10M": 10_000_000, "50M": 50_000_000}
# Histories of one company: a tenth and three tenths of its days, with as many lines a day.
PARTS = (0.1, 0.3)


@dataclass
class Build:
    """What one build took, in seconds: as a whole, and its parts.

    Attributes:
        nodes: Of dbt, by name.
        peak: GiB of the largest process so far.
    """

    lines: int
    seconds: float = 0.0
    months: int = 0
    cpu: float = 0.0
    peak: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    nodes: dict[str, float] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)

    @property
    def work(self) -> float:
        """Without what dbt takes to start and to end, which does not depend on the data."""
        return self.seconds - self.steps["dbt start-up"]


def main() -> int:
    """Run all. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--size", choices=SIZES, default="10M", help="sale lines of three years")
    parser.add_argument("--keep", type=Path, help="a new folder for what is made; by default a temporary one")
    parser.add_argument("--again", action="store_true", help="take the lake that an earlier run left in --keep")
    parser.add_argument("--no-history", action="store_true", help="leave out the shorter histories")
    parser.add_argument("--no-plain", action="store_true", help="leave out the hand-written SQL")
    parser.add_argument("--top", type=int, default=15, help="how many nodes of dbt to list")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=options.again)
        return _run(options.keep.resolve(), options)
    with tempfile.TemporaryDirectory(prefix="dealermart-bench-") as folder:
        return _run(Path(folder), options)


def _run(root: Path, options: argparse.Namespace) -> int:
    lines = SIZES[options.size] // made.DAYS // 4 * 4
    print(_machine(), flush=True)
    config = root / "config"
    if not config.exists():
        shutil.copytree(REPO / "config", config, ignore=shutil.ignore_patterns("sources", "company.*.yml"))
    settings = replace(
        load_settings(), home=root / "whole", config=config, company="company.yml", memory_limit="8GiB", threads=2
    )
    rows = []
    # The shortest first: the largest process is told of all builds so far.
    for part in () if options.no_history else PARTS:
        first = made.DAYS - int(made.DAYS * part)
        rows.append(_full_and_day(replace(settings, home=root / f"part{part}"), first, lines, options))
    rows.append(_full_and_day(settings, 0, lines, options, compared=not options.no_plain))
    print(f"\n{'history':>12}{'full build':>12}{'one more day':>14}{'of full':>9}   dbt start-up apart")
    for full, day in rows:
        print(f"{full.lines:>12,}{full.work:>10.1f} s{day.work:>12.1f} s{day.work / full.work:>9.1%}", flush=True)
    return 0


def _full_and_day(
    settings: Settings, first: int, lines: int, options: argparse.Namespace, *, compared: bool = False
) -> tuple[Build, Build]:
    """A lake of all days from ``first``, built whole; then one more day, built as it comes."""
    if not settings.lake.exists():
        began = time.monotonic()
        count = _history(settings, first, lines)
        print(
            f"\n{count:,} sale lines of {made.DAYS - first} days written in {time.monotonic() - began:.1f} s",
            flush=True,
        )
    else:  # the day before may have come already
        for commit in sorted(settings.log.glob("[0-9]*.json")):
            if json.loads(commit.read_text("utf-8"))["received"] > str(made.day_of(made.DAYS - 1)):
                commit.unlink()
    full = _build(settings, full=True)
    _tell(f"full build of {full.lines:,} lines", full, options.top)
    if compared:
        ours, theirs, counts = plain.compare(settings, full.inputs)
        print(
            f"sale line to marts: {ours:.1f} s, hand-written {theirs:.1f} s: {ours / theirs:.2f}x; the same rows: ",
            end="",
        )
        print(", ".join(f"{count:,} of {name}" for name, count in counts.items()), flush=True)
    made.deliver(settings, made.Span(made.DAYS, made.DAYS + 1, first, lines))
    day = _build(settings, full=False)
    _tell("one more day", day, options.top)
    return full, day


def _history(settings: Settings, first: int, lines: int) -> int:
    """One delivery a month; the first with all masters. Returns the sale lines."""
    months: dict[tuple[int, int], list[int]] = {}
    for number in range(first, made.DAYS):
        day = made.day_of(number)
        months.setdefault((day.year, day.month), []).append(number)
    count = 0
    for at, numbers in enumerate(months.values()):
        span = made.Span(numbers[0], numbers[-1] + 1, first, lines)
        count += made.deliver(settings, span, masters=at == 0)
    return count


def _build(settings: Settings, *, full: bool) -> Build:
    took: dict[str, float] = {}
    given: dict[str, str] = {}
    for name in ("prepare", "dirty_months", "dbt_build", "check_marts"):
        setattr(build_module, name, _timed(getattr(build_module, name), took, name, given))
    began, used = time.monotonic(), _cpu()
    result = warehouse.run(settings, full=full)
    found = Build(0, time.monotonic() - began, result.months, _cpu() - used, _peak())
    said = json.loads((settings.home / "dbt" / "target" / "run_results.json").read_text("utf-8"))
    found.nodes = {".".join(one["unique_id"].split(".")[2:3]): one["execution_time"] for one in said["results"]}
    found.steps = {
        "dbt start-up": took["dbt_build"] - said["elapsed_time"],
        "dbt": said["elapsed_time"],
        "months to redo": took["prepare"] + took["dirty_months"],
        "rules of the marts": took["check_marts"],
    }
    found.inputs = given
    found.lines = plain.count_lines(settings)
    if result.full != full or result.skipped:
        raise SystemExit(f"error: the build was {'full' if result.full else 'not full'}\n  mend: begin in a new folder")
    return found


def _cpu() -> float:
    """Seconds of all cores that this process and those that it waited for have had."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def _peak() -> float:
    """GiB that the largest of this process and those that it waited for has held so far."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20


def _timed(inner: Callable[..., Any], took: dict[str, float], step: str, given: dict[str, str]) -> Callable[..., Any]:
    of = getattr(inner, "__wrapped__", inner)

    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        if step == "dbt_build":
            given.update(args[2])
        try:
            return of(*args, **kwargs)
        finally:
            took[step] = time.monotonic() - began

    timed.__wrapped__ = of  # type: ignore[attr-defined]
    return timed


def _tell(title: str, build: Build, top: int) -> None:
    print(f"\n{title}: {build.work:.1f} s ({build.cpu:.1f} s of cores), {build.months} months, {build.peak:.1f} GiB")
    for step, seconds in build.steps.items():
        print(f"  {step:46}{seconds:>9.1f}")
    for name, seconds in sorted(build.nodes.items(), key=lambda pair: -pair[1])[:top]:
        print(f"    {name:52}{seconds:>9.2f}")
    sys.stdout.flush()


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"2 threads and 8 GiB for the engine; load before: {load:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
