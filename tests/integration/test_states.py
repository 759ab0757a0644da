"""Any state can be rebuilt: whatever the order of deliveries, from landing, as of a moment, and month by month."""

from __future__ import annotations

import datetime as dt
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests import small

from dealermart import upkeep, warehouse
from dealermart.base import BuildError, Settings
from dealermart.warehouse import dbt
from dealermart.warehouse.promises import check_marts

from . import states

pytestmark = pytest.mark.integration

DAYS = [dt.date(2026, 5, 4), dt.date(2026, 5, 11), dt.date(2026, 6, 8)]


@pytest.fixture(scope="module")
def by_month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with all tables that are kept by month, for rows that are all good."""
    return small.project(tmp_path_factory.mktemp("by_month") / "project", small.BY_MONTH, judged=False)


@pytest.fixture
def settings(settings: Settings, by_month: Path) -> Settings:
    states.add_plans(settings.config)
    return replace(settings, project=by_month)


@pytest.fixture(scope="module")
def company(company: Settings, by_month: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    config = tmp_path_factory.mktemp("with_plans") / "config"
    shutil.copytree(company.config, config)
    states.add_plans(config)
    return replace(company, config=config, project=by_month)


@pytest.fixture
def drops(tmp_path: Path) -> list[Path]:
    rng = random.Random("deliveries")
    parts = [
        states.first_delivery() | states.PLANS,
        *(states.corrections(rng) | states.new_plans(rng) for _ in range(2)),
    ]
    return [states.write(tmp_path / f"delivery{number}", files) for number, files in enumerate(parts)]


def test_order_rebuild_and_past_moments_give_the_same_marts(
    settings: Settings, drops: list[Path], tmp_path: Path
) -> None:
    moments = [dt.datetime(2026, 5, 4, 6), dt.datetime(2026, 5, 11, 6), dt.datetime(2026, 6, 8, 6)]
    for day, drop, moment in zip(DAYS, drops, moments, strict=True):
        states.deliver(settings, day, drop, moment)
    expected = states.built(settings)

    shuffled = replace(settings, home=tmp_path / "shuffled")
    # Learnt last at the same moment: who is here today is said as of it.
    for number, moment in zip((2, 0, 1), moments, strict=True):
        states.deliver(shuffled, DAYS[number], drops[number], moment)
    assert states.built(shuffled) == expected, "the order of deliveries must not matter"

    upkeep.rebuild(settings)
    assert states.built(settings) == expected, "landing, config and log are enough"

    early = replace(settings, home=tmp_path / "early")
    past = dt.datetime(2026, 5, 10)
    states.deliver(early, DAYS[0], drops[0], past)
    then = states.built(early, period=None)
    assert then != expected
    assert states.built(settings, as_of=past, period=None) == then, "what was learnt later is not seen"
    assert warehouse.run(settings, period=states.PERIOD).skipped, "a build of the past leaves the present alone"

    con = duckdb.connect(str(settings.warehouse))
    con.execute("update marts.fct_sale_line set currency_code = 'cny'")
    con.close()
    with pytest.raises(BuildError, match="fct_sale_line, rule currency_code_is_iso"):
        check_marts(settings)


@pytest.fixture(scope="module")
def first_build(tmp_path_factory: pytest.TempPathFactory, company: Settings) -> Path:
    """A home with the first delivery, built."""
    root = tmp_path_factory.mktemp("first")
    settings = replace(company, home=root / "home")
    states.deliver(settings, DAYS[0], states.write(root / "drop", states.first_delivery() | states.PLANS))
    states.built(settings)
    return settings.home


# A later row, the months of 2026 that it makes dirty (of a sale its own, of what holds from a day on all that follow; the
# calendar goes on to the end of the fiscal year), and those in which what sale lines earn is another.
FROM_MARCH, FROM_JANUARY = list(range(3, 13)), list(range(1, 13))
LATER = {
    "sales": ("X1,1,invoice,D1,P1,1,5.00,1,2026-04-30,", [4], [4]),
    "dealers": ("D2,2026-03-15,乙,North,上海", FROM_MARCH, FROM_MARCH),
    "members": ("M1,2026-03-15,Li,sales,T2,M0", FROM_MARCH, FROM_MARCH),
    "products": ("P1,2026-03-15,Stove,Fire", FROM_MARCH, FROM_MARCH),
    "assignments": ("D3,M1,owner,2026-03-15,100", FROM_MARCH, FROM_MARCH),
    "targets": ("T3,M1,2026-04-01,2026-07-01,1", [], list(range(4, 13))),
    "plans": ("M1,sales_commission,2026-05-05,", [], FROM_JANUARY),  # it held from January on
}


@pytest.mark.parametrize("name", LATER)
def test_a_later_row_dirties_the_months_that_it_can_change(
    first_build: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    settings = replace(company, home=tmp_path / "home")
    shutil.copytree(first_build, settings.home, symlinks=True)
    row, *months = LATER[name]
    states.deliver(settings, DAYS[1], states.write(tmp_path / "later", {name: [row]}))

    def stopped(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dealermart.warehouse.build.dbt_build", stopped)
    with pytest.raises(KeyboardInterrupt):
        warehouse.run(settings, period=states.PERIOD)
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        found = [
            con.execute(f"select month(month_start) from meta.{table} order by month_start").fetchall()
            for table in ("dirty_month", "dirty_pay_month")
        ]
    assert [[month for (month,) in rows] for rows in found] == months


# None: one line of April, the month in which invoices have lines whose others lie before and after it.
SEEDS = [None, 0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 30))]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_incremental_build_equals_a_full_one_that_goes_month_by_month(
    first_build: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int | None
) -> None:
    rng = random.Random(seed)
    settings = replace(company, home=tmp_path / "home")
    shutil.copytree(first_build, settings.home, symlinks=True)
    for number, day in enumerate(DAYS[1:] if seed is not None else DAYS[1:2]):
        later = {"sales": [LATER["sales"][0]]} if seed is None else states.corrections(rng) | states.new_plans(rng)
        states.deliver(settings, day, states.write(tmp_path / f"later{number}", later))
    result = warehouse.run(settings, period=states.PERIOD)
    assert not result.full and not result.skipped
    assert result.warehouse is not None
    incremental = states.marts(result.warehouse)
    whole = replace(settings, home=tmp_path / "whole")
    shutil.copytree(settings.home, whole.home, ignore=shutil.ignore_patterns("warehouse", "dbt"))
    monkeypatch.setattr("dealermart.warehouse.inputs.STEP_LINES", 1)
    assert states.built(whole) == incremental


def test_after_a_build_that_was_cut_off_what_hangs_on_a_state_is_made_anew(
    first_build: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it had ended between a state and what follows from it: the state says by then that nothing changes any more."""
    settings = replace(company, home=tmp_path / "home")
    shutil.copytree(first_build, settings.home, symlinks=True)
    states.deliver(settings, DAYS[1], states.write(tmp_path / "later", states.corrections(random.Random("cut off"))))
    whole: dict[str, str] = {}

    def cut_off(*arguments: Any, **named: Any) -> None:
        dbt.dbt_build(*arguments, **named)
        whole.update(states.marts(settings.warehouse))
        with duckdb.connect(str(settings.warehouse)) as con:
            con.execute("delete from intermediate.int_kpi__subject_period")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dealermart.warehouse.build.dbt_build", cut_off)
        with pytest.raises(KeyboardInterrupt):
            warehouse.run(settings, period=states.PERIOD)
    result = warehouse.run(settings, period=states.PERIOD)
    assert not result.full
    assert states.marts(settings.warehouse) == whole
