"""kill -9 at a random moment of a closing: nothing is closed, or all of it, and the next closing ends well."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.closing import built
from tests.warm import Command

from dealermart import frozen
from dealermart.base import Settings

pytestmark = pytest.mark.integration

CLOSE = ["close", "--period", "2026-Q2", "--by", "Chen, finance", "--reason", "pay run"]
DONE = ["pay/2026-Q1/V1R1", "pay/2026-Q2/V1R1"]


@pytest.fixture(scope="module")
def before(
    ready_home: Path, company: Settings, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Path, float]:
    """Settings, the home before a closing (the first quarter is closed), and the seconds that a closing takes."""
    root = tmp_path_factory.mktemp("killed")
    settings = replace(company, home=root / "home")
    shutil.copytree(ready_home, settings.home)
    built.closed(settings, "2026-Q1")
    shutil.copytree(settings.home, root / "before")
    Command(settings, "audit", "verify").wait()  # the server that starts commands is up
    start = time.monotonic()
    assert Command(settings, *CLOSE).wait() == 0
    return settings, root / "before", time.monotonic() - start


ROUNDS = [pytest.param(number, marks=() if number < 3 else pytest.mark.soak) for number in range(30)]


@pytest.mark.parametrize("round_", ROUNDS)
def test_a_killed_closing_has_closed_nothing_or_all(before: tuple[Settings, Path, float], round_: int) -> None:
    settings, home, seconds = before
    shutil.rmtree(settings.home)
    shutil.copytree(home, settings.home)
    process = Command(settings, *CLOSE)
    # Of the last rounds many come where the folder is written: towards the end.
    time.sleep(random.Random(f"close {round_}").uniform(0.0 if round_ % 3 else 0.6, 1.0) * seconds)
    process.kill()
    process.wait()
    assert frozen.verify(settings) == []
    left = built.names(settings)
    assert left in (DONE[:1], DONE)
    assert Command(settings, *CLOSE).wait() == (1 if left == DONE else 0)
    assert frozen.verify(settings) == [] and built.names(settings) == DONE
    assert not (settings.closed / ".draft").exists()


STEPS = ("write_tables", "copy_config", "seal", "show", "rename")


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_each_step_closes_nothing(ready: Settings, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A full disk in the place of a kill, at the beginning of every step."""

    def full(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        where = "dealermart.closing.draft.os.rename" if step == "rename" else f"dealermart.closing.run.{step}"
        patched.setattr(where, full)
        with pytest.raises(OSError, match="No space left"):
            built.closed(ready, "2026-Q1")
    assert frozen.verify(ready) == [] and built.names(ready) == []
    built.closed(ready, "2026-Q1")
    assert built.names(ready) == DONE[:1]
