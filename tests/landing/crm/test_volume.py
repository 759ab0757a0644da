"""Many records, and a network that fails: complete and exact, by hardly more calls than there must be, in little memory."""

from __future__ import annotations

import datetime as dt
import math
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.crm_sim import Fxiaoke, Zoho

from dealermart.base import REPO, Settings

from .conftest import CHANCES, DEALS, START, Make, Source, entry_of, profile
from .test_pull import same

FAULTS = ["429", "500", "503", "timeout", "reset", "lost", "slow", "truncated"]


def coql(rows: int) -> int:
    """Pages of COQL: 200 records in the first, 2,000 in each other one."""
    return 1 + math.ceil(max(0, rows - 200) / 2000)


def pages(rows: int) -> int:
    """Pages of Fxiaoke: 100 records each, and the empty one that says that there are no more."""
    return math.ceil(rows / 100) + 1


def bulk(rows: int) -> int:
    """Five pages of COQL, the fields' types, and for each 200,000 records a job: created, asked after thrice, taken."""
    return 5 + 1 + 5 * math.ceil(rows / 200_000) if rows > 8200 else coql(rows)


def fill(sim: Zoho | Fxiaoke, rows: int) -> list[str]:
    """Records of the last year, a few in each second."""
    rng, made = random.Random(1), []
    for number in range(rows):
        at = START - dt.timedelta(seconds=3600 + rng.randrange(rows // 2 + 1))
        if isinstance(sim, Zoho):
            values = {
                "Deal_Name": f"Deal {number}",
                "Stage": "Qualification",
                "Amount": number / 4,
                "Closing_Date": "2026-09-01",
            }
            made.append(sim.add("Deals", values, at=at))
        else:
            made.append(sim.add("NewOpportunityObj", {"name": f"商机 {number}", "amount": number / 4}, at=at))
    return made


def edit(sim: Zoho | Fxiaoke, ids: list[str], rows: int, seed: int) -> None:
    """So many changes, among them one deletion in a hundred."""
    rng, name = random.Random(seed), "Deals" if isinstance(sim, Zoho) else "NewOpportunityObj"
    sim.clock.advance(86_400)
    for place, item in enumerate(rng.sample(ids, rows)):
        if place % 100 == 0:
            sim.delete(name, item)
            ids.remove(item)
        else:
            sim.change(name, item, {"Amount" if isinstance(sim, Zoho) else "amount": place})
    sim.clock.advance(3600)  # beyond the overlap: what the pull before has read is not read again


CASES = {
    "zoho": (lambda rows: bulk(rows) + 2, lambda rows, gone: coql(rows - gone) + 3),  # org, deleted; and by their ids
    "fxiaoke": (
        lambda rows: pages(rows) + 1,
        lambda rows, gone: pages(rows - gone) + 1,
    ),  # the list of objects: its date
}


@pytest.mark.integration
@pytest.mark.parametrize("system", CASES)
def test_complete_and_exact_by_the_fewest_calls_whatever_fails(
    source: Make, zoho: Zoho, fxiaoke: Fxiaoke, system: str
) -> None:
    sim: Zoho | Fxiaoke = zoho if system == "zoho" else fxiaoke
    one = source(
        sim, DEALS if system == "zoho" else CHANCES, part_records=1000, sweep_hours=0 if system == "fxiaoke" else 168
    )
    first, increment = CASES[system]
    total, changed = (9_000, 1_000) if system == "zoho" else (3_000, 1_000)
    ids = fill(sim, total)
    sim.faults.random(7, 0.35 if system == "zoho" else 0.15, FAULTS, seconds=0.05)
    _exact(one, lambda: first(total))
    for seed in range(2):
        edit(sim, ids, changed, seed)
        gone = changed // 100
        swept = pages(len(ids)) + (1 if gone else 0) if system == "fxiaoke" else 0  # what is missing is looked up
        back = 1 if seed and gone else 0  # those that went before are looked at
        _exact(one, lambda gone=gone, swept=swept, back=back: increment(changed, gone) + swept + back)
    assert {kind for kind, _ in sim.faults.struck} >= {"429", "500", "truncated", "slow", "timeout"}


def _exact(one: Source, wanted: Callable[[], int]) -> None:
    struck = len(one.sim.faults.struck)
    one.pull()
    failed = sum(1 for kind, _ in one.sim.faults.struck[struck:] if kind != "slow")
    asked = sum(number for name, number in one.calls.items() if name != "token")
    failed_tokens = sum(1 for kind, path in one.sim.faults.struck[struck:] if kind != "slow" and "oken" in path)
    assert asked - (failed - failed_tokens) == wanted(), one.calls
    same(one)


@pytest.mark.soak
@pytest.mark.parametrize("system", CASES)
def test_two_hundred_thousand_in_the_memory_of_ten_thousand(tmp_path: Path, system: str) -> None:
    peaks = {}
    for total in (20_000, 200_000):
        sim: Zoho | Fxiaoke = Zoho() if system == "zoho" else Fxiaoke()
        with sim:
            sim.clock.set(START)
            if isinstance(sim, Fxiaoke):
                sim.limits.burst, sim.limits.daily = 10**9, 10**9
            ids = fill(sim, total)
            sim.faults.random(3, 0.02, FAULTS, seconds=0.2)
            home = tmp_path / f"{system}{total}"
            more = {"calls_per_20_seconds": 10**9} if system == "fxiaoke" else {}
            made = profile(system, DEALS if system == "zoho" else CHANCES, **more)
            one = Source(
                Settings(home=home, config=tmp_path), sim, made, entry_of(sim), "id" if system == "zoho" else "_id"
            )
            peaks[total] = _pulled_apart(one)
            edit(sim, ids, 1_000, 1)
            _pulled_apart(one)
            same(one)
            print(system, total, "records:", sim.counted("") - len(sim.faults.struck), "calls,", peaks[total], "MB")
    assert peaks[200_000] < peaks[20_000] + 40


def _pulled_apart(one: Source) -> float:
    """Pull in a process of its own; gives the most memory that it had, in MB."""
    script = f"""
import datetime as dt, pathlib, re
from tests.landing.crm.conftest import Source, profile
from dealermart.base import Settings
from dealermart.config import Profile
from dealermart.landing.crm import Asked, doors, sync
profile = Profile.model_validate_json({one.profile.model_dump_json(by_alias=True)!r})
settings = Settings(home=pathlib.Path({str(one.settings.home)!r}))
with doors._client(settings, profile, {one.entry!r}) as client:
    sync.pull(settings, profile, client, dt.date(2026, 8, 3), Asked(), lambda text: None)
print(int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024)
"""
    path = os.pathsep.join([str(REPO / "src"), str(REPO)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one.land()
    return float(done.stdout)
