"""The rules for all tests (limits.py), on sessions of a few tests made for it."""

from __future__ import annotations

import re

import pytest
from tests import limits

pytest_plugins = ["pytester"]

CHEAP = """
import subprocess, sys, time
import pytest

def work(seconds=0.3):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

@pytest.fixture(scope="module")
def shared():
    work()

def test_with_a_dear_fixture(shared): pass
def test_that_waits(): time.sleep(0.4)
@pytest.mark.integration
def test_of_integration(): work()
@pytest.mark.soak
def test_of_the_soak(): work()
"""
DEAR = """
def test_dear(): work()
def test_dear_by_a_child(): subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.4: pass"])
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Where 0.2 seconds are too dear."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(limits, "QUICK", 0.2)
    monkeypatch.setattr(limits, "slowness", lambda: 1.0)
    pytester.makeini(
        "[pytest]\nmarkers =\n    integration: x\n    soak: x\naddopts = -p tests.limits -p pytest_timeout -p xdist"
    )
    return pytester


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["in one process", "by a worker"])
def test_dear_tests_fail_the_session_and_are_named_before_its_count(
    run: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    run.makepyfile(CHEAP + DEAR)
    result = run.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    named = re.findall(r"^FAILED .*::(\w+): 0\.\d s of CPU, more than", str(result.stdout), re.MULTILINE)
    assert sorted(named) == ["test_dear", "test_dear_by_a_child"]
    assert result.outlines[-2].startswith("  mend: ")
    assert "6 passed" in result.outlines[-1]


def test_on_a_slow_machine_more_seconds_are_the_same_cost(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "slowness", lambda: 4.0)
    run.makepyfile(CHEAP + DEAR)
    assert run.runpytest_inprocess().ret == pytest.ExitCode.OK


def test_what_may_be_dear_passes_and_the_slowest_close_the_run(
    run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SLOWEST", 3)
    run.makepyfile(CHEAP)
    result = run.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.OK
    told = [line for line in result.outlines if " CPU in the test itself " in line]
    assert len(told) == 3
    assert result.outlines[-4:-1] == told
    assert "4 passed" in result.outlines[-1]


def test_a_failure_stays_a_failure(run: pytest.Pytester) -> None:
    run.makepyfile("def test_it(): assert False")
    assert run.runpytest_inprocess().ret == pytest.ExitCode.TESTS_FAILED


def test_files_with_integration_tests_come_first_and_only_a_hang_is_cut_off(run: pytest.Pytester) -> None:
    body = "\ndef test_{}(request): print('ran', request.node.name, request.node.get_closest_marker('timeout').args[0])"
    marked = {mark: f"\nimport pytest\n@pytest.mark.{mark}" for mark in ("integration", "soak", "timeout(7)")}
    run.makepyfile(
        test_a=body.format("a"),
        test_b=body.format("b1") + marked["integration"] + body.format("b2"),
        test_c=marked["timeout(7)"] + body.format("c"),
        test_d=marked["soak"] + body.format("d"),
    )
    result = run.runpytest_inprocess("-s")
    plain, integration, soak = (str(limits.HANGS[mark]) for mark in ("", "integration", "soak"))
    assert re.findall(r"ran test_(\w+) (\d+)", str(result.stdout)) == [
        ("b1", plain), ("b2", integration), ("d", soak), ("a", plain), ("c", "7"),
    ]  # fmt: skip
