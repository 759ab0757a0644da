"""kill -9 at a random moment of ingest, build or publish: the next run ends with the marts of an undisturbed one."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dealermart import settings as environment
from dealermart.settings import Settings

from . import states

INGEST = ["ingest", "--source", "mini", "--received"]
BUILD = ["build", "--period", states.PERIOD]
STAGES = ("ingest", "build", "incremental build", "publish")


@dataclass(frozen=True)
class Undisturbed:
    """States of a home before each stage, how long the stage takes, and what is served in the end."""

    before: dict[str, Path]
    seconds: dict[str, float]
    first: dict[str, str]
    last: dict[str, str]
    drops: list[Path]


def command(settings: Settings, *arguments: str) -> subprocess.Popen[bytes]:
    env = environment.child_environment(DEALERMART_HOME=str(settings.home), DEALERMART_CONFIG=str(settings.config))
    return subprocess.Popen(
        [sys.executable, "-m", "dealermart.cli", *arguments], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def done(settings: Settings, *arguments: str) -> float:
    start = time.monotonic()
    process = command(settings, *arguments)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()
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
    stage("publish", "publish")
    first = states.served(settings)
    done(settings, *INGEST, "2026-05-11", "--drop", str(drops[1]))
    stage("incremental build", *BUILD)
    done(settings, "publish")
    return Undisturbed(before, seconds, first, states.served(settings), drops)


ROUNDS = [0, 1, 2, *(pytest.param(number, marks=pytest.mark.soak) for number in range(3, 30))]


@pytest.mark.parametrize("round_", ROUNDS)
@pytest.mark.parametrize("stage", STAGES)
def test_the_next_run_mends_what_a_killed_one_left(
    undisturbed: Undisturbed, company: Settings, tmp_path: Path, stage: str, round_: int
) -> None:
    settings = replace(company, home=tmp_path / "home")
    if undisturbed.before[stage].exists():
        shutil.copytree(undisturbed.before[stage], settings.home, symlinks=True)
    ingest = [*INGEST, "2026-05-04", "--drop", str(undisturbed.drops[0])]
    process = command(settings, *{"ingest": ingest, "publish": ["publish"]}.get(stage, BUILD))
    time.sleep(random.Random(f"{stage} {round_}").uniform(0.3, 1.0) * undisturbed.seconds[stage])
    process.kill()
    process.communicate()
    done(settings, *ingest)
    done(settings, *BUILD)
    done(settings, "publish")
    assert states.served(settings) == (undisturbed.last if stage == "incremental build" else undisturbed.first)
