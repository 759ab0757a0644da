"""What holds for every test: how long it may run, in which order files run, and how much a quick one may cost.

- A limit in wall-clock time is there for a test that hangs, and nothing else: it is many times what the test needs, so
  that none fails on a slow or busy machine. It follows from the mark and stands here only; tests set none of their own.
- What a test costs is judged in seconds of CPU, its child processes included, and by the pace of the machine at that
  moment: a core that is slow, or shared with other work, needs more seconds for the same. A test that costs more than
  ``QUICK`` and bears neither ``integration`` nor ``soak`` fails the session.
- Files with integration tests run first: a long file at the end would leave the other workers idle.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# Seconds until a test is taken to hang, by its mark; the fixtures that it is the first to need are part of it.
HANGS = {"soak": 4 * 3600, "integration": 2 * 3600, "": 1800}
# Seconds of CPU that a test without one of these marks may cost, its fixtures not counted, at a pace of ``PACE``.
QUICK = 5.0
PACE = 0.075  # seconds of CPU for a million rounds of a loop
SLOWEST = 10

_CPU = pytest.StashKey[float]()


def cpu_seconds() -> float:
    """CPU time of this process, all of its threads and the children it has waited for."""
    return sum(os.times()[:4])


def slowness() -> float:
    """How many times the seconds at ``PACE`` this machine needs just now; at least 1."""
    start, total = time.process_time(), 0
    for number in range(1_000_000):
        total += number * number % 7
    return max(1.0, (time.process_time() - start) / PACE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    heavy: set[Path] = set()
    for item in items:
        mark = next((name for name in HANGS if name and item.get_closest_marker(name)), "")
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(HANGS[mark]))
        if mark:
            heavy.add(item.path)
    items.sort(key=lambda item: item.path not in heavy)  # a stable sort: files stay whole and in their order


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    before = cpu_seconds()
    try:
        return (yield)
    finally:
        spent = cpu_seconds() - before
        item.stash[_CPU] = spent / slowness() if spent > QUICK else spent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    # Plain attributes of a report reach the process that sums up, also from a worker.
    report.cpu = item.stash.get(_CPU, 0.0) if report.when == "call" else 0.0
    report.is_quick = not any(name and item.get_closest_marker(name) for name in HANGS)
    return report


@dataclass
class Cost:
    """What a test took in wall-clock seconds with its fixtures, and in seconds of CPU by itself."""

    seconds: float = 0.0
    cpu: float = 0.0
    is_quick: bool = True


class Costs:
    """Gathers the costs of a session's tests and tells of the dearest; lives in the process that sums up."""

    def __init__(self) -> None:
        self.by_test: dict[str, Cost] = {}

    def too_dear(self) -> Iterator[tuple[str, Cost]]:
        return ((name, cost) for name, cost in self.by_test.items() if cost.is_quick and cost.cpu > QUICK)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        cost = self.by_test.setdefault(report.nodeid, Cost())
        cost.seconds += report.duration
        cost.cpu += getattr(report, "cpu", 0.0)
        cost.is_quick = getattr(report, "is_quick", True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.exitstatus == pytest.ExitCode.OK and any(self.too_dear()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        write = terminalreporter.write_line
        slowest = sorted(self.by_test.items(), key=lambda one: -one[1].seconds)[:SLOWEST]
        if len(self.by_test) > SLOWEST:
            terminalreporter.section(f"{SLOWEST} slowest tests")
            for name, cost in slowest:
                write(f"{cost.seconds:7.1f} s, of it {cost.cpu:6.1f} s CPU in the test itself  {name}")
        if dear := sorted(self.too_dear(), key=lambda one: -one[1].cpu):
            terminalreporter.section("tests that are too dear", red=True)
            for name, cost in dear:
                write(f"FAILED {name}: {cost.cpu:.1f} s of CPU, more than {QUICK:.0f}")
            write("  mend: give it less to do (fewer rows, a ready home, a small project), or mark it `integration`")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Costs(), "costs")
