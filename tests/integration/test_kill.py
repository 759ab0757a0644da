"""kill -9 at a random moment of ingest, build or publish: the next run ends with the marts of an undisturbed one."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.warm import Command

from dealermart.base import Settings

from . import states

pytestmark = pytest.mark.integration

INGEST = ["ingest", "--source", "mini", "--received"]
BUILD = ["build", "--period", states.PERIOD]
STAGES = ("ingest", "build", "incremental build", "publish")


@dataclass(frozen=True)
class Undisturbed:
    """States of a home before each stage, how long the stage takes, and what is served in the end.

    All rounds are played in the one home: dbt reads a project once for a warehouse and remembers it by the path.
    """

    settings: Settings
    parsed: Path
    before: dict[str, Path]
    seconds: dict[str, float]
    first: dict[str, str]
    last: dict[str, str]
    drops: list[Path]


def done(settings: Settings, *arguments: str) -> float:
    start = time.monotonic()
    process = Command(settings, *arguments)
    assert process.wait() == 0, process.said
    return time.monotonic() - start


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, company: Settings) -> Undisturbed:
    root = tmp_path_factory.mktemp("undisturbed")
    rng = random.Random("kill")
    drops = [
        states.write(root / "drop0", states.first_delivery()),
        states.write(root / "drop1", states.corrections(rng)),
    ]
    settings = replace(company, home=root / "home")
    before: dict[str, Path] = {}
    seconds: dict[str, float] = {}

    def stage(name: str, *arguments: str) -> None:
        before[name] = root / f"before {name}"
        if settings.home.exists():
            shutil.copytree(settings.home, before[name], symlinks=True)
        seconds[name] = done(settings, *arguments)

    stage("ingest", *INGEST, "2026-05-04", "--drop", str(drops[0]))
    stage("build", *BUILD)
    parsed = root / "parsed"
    parsed.mkdir()
    shutil.copy(settings.home / "dbt" / "target" / "partial_parse.msgpack", parsed)
    stage("publish", "publish")
    first = states.served(settings)
    done(settings, *INGEST, "2026-05-11", "--drop", str(drops[1]))
    stage("incremental build", *BUILD)
    done(settings, "publish")
    return Undisturbed(settings, parsed, before, seconds, first, states.served(settings), drops)


def is_short(stage: str, number: int) -> bool:
    """Three rounds of each command: two of the three builds are incremental ones."""
    return number < {"build": 1, "incremental build": 2}.get(stage, 3)


ROUNDS = [
    pytest.param(stage, number, marks=() if is_short(stage, number) else pytest.mark.soak)
    for stage in STAGES
    for number in range(30)
]


@pytest.mark.parametrize(("stage", "round_"), ROUNDS)
def test_the_next_run_mends_what_a_killed_one_left(undisturbed: Undisturbed, stage: str, round_: int) -> None:
    settings = undisturbed.settings
    shutil.rmtree(settings.home)
    if undisturbed.before[stage].exists():
        shutil.copytree(undisturbed.before[stage], settings.home, symlinks=True)
    if not (target := settings.home / "dbt" / "target").exists():
        shutil.copytree(undisturbed.parsed, target)
    ingest = [*INGEST, "2026-05-04", "--drop", str(undisturbed.drops[0])]
    process = Command(settings, *{"ingest": ingest, "publish": ["publish"]}.get(stage, BUILD))
    time.sleep(random.Random(f"{stage} {round_}").uniform(0.3, 1.0) * undisturbed.seconds[stage])
    process.kill()
    process.wait()
    done(settings, *ingest)
    done(settings, *BUILD)
    done(settings, "publish")
    assert states.served(settings) == (undisturbed.last if stage == "incremental build" else undisturbed.first)
