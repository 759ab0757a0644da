"""Any state can be rebuilt: whatever the order of deliveries, from landing, as of a moment, and month by month."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from tests import small

from dealermart import build, rebuild
from dealermart.errors import BuildError
from dealermart.settings import Settings

from . import states

pytestmark = pytest.mark.integration

DAYS = [dt.date(2026, 5, 4), dt.date(2026, 5, 11), dt.date(2026, 6, 8)]


@pytest.fixture(scope="module")
def by_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with all tables that are kept by month, for rows that are all good."""
    return small.project(tmp_path_factory.mktemp("by_month") / "project", small.BY_MONTH, judged=False)


@pytest.fixture
def settings(settings: Settings, by_month: Path) -> Settings:
    return replace(settings, project=by_month)


@pytest.fixture(scope="module")
def company(company: Settings, by_month: Path) -> Settings:
    return replace(company, project=by_month)


@pytest.fixture
def drops(tmp_path: Path) -> list[Path]:
    rng = random.Random("deliveries")
    parts = [states.first_delivery(), states.corrections(rng), states.corrections(rng)]
    return [states.write(tmp_path / f"delivery{number}", files) for number, files in enumerate(parts)]


def test_order_rebuild_and_past_moments_give_the_same_marts(
    settings: Settings, drops: list[Path], tmp_path: Path
) -> None:
    moments = [dt.datetime(2026, 5, 4, 6), dt.datetime(2026, 5, 11, 6), dt.datetime(2026, 6, 8, 6)]
    for day, drop, moment in zip(DAYS, drops, moments, strict=True):
        states.deliver(settings, day, drop, moment)
    expected = states.built(settings)

    shuffled = replace(settings, home=tmp_path / "shuffled")
    for number in (2, 0, 1):
        states.deliver(shuffled, DAYS[number], drops[number])
    assert states.built(shuffled) == expected, "the order of deliveries must not matter"

    rebuild.run(settings)
    assert states.built(settings) == expected, "landing, config and log are enough"

    early = replace(settings, home=tmp_path / "early")
    states.deliver(early, DAYS[0], drops[0])
    then = states.built(early, period=None)
    assert then != expected
    assert states.built(settings, as_of=dt.datetime(2026, 5, 10), period=None) == then, (
        "what was learnt later is not seen"
    )
    assert build.run(settings, period=states.PERIOD).skipped, "a build of the past leaves the present alone"

    con = duckdb.connect(str(settings.warehouse))
    con.execute("update marts.fct_sale_line set currency_code = 'cny'")
    con.close()
    with pytest.raises(BuildError, match="fct_sale_line, rule currency_code_is_iso"):
        build.check_marts(settings)


@pytest.fixture(scope="module")
def first_build(tmp_path_factory: pytest.TempPathFactory, company: Settings) -> Path:
    """A home with the first delivery, built."""
    root = tmp_path_factory.mktemp("first")
    settings = replace(company, home=root / "home")
    states.deliver(settings, DAYS[0], states.write(root / "drop", states.first_delivery()))
    states.built(settings)
    return settings.home


SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_incremental_build_equals_a_full_one(
    first_build: Path, company: Settings, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    settings = replace(company, home=tmp_path / "home")
    shutil.copytree(first_build, settings.home, symlinks=True)
    for number, day in enumerate(DAYS[1:]):
        states.deliver(settings, day, states.write(tmp_path / f"later{number}", states.corrections(rng)))
    result = build.run(settings, period=states.PERIOD)
    assert not result.full and not result.skipped
    assert result.warehouse is not None
    incremental = states.marts(result.warehouse)
    whole = replace(settings, home=tmp_path / "whole")
    shutil.copytree(settings.home, whole.home, ignore=shutil.ignore_patterns("warehouse", "dbt"))
    assert states.built(whole) == incremental
