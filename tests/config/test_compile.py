"""Config tables have the stated types, the stated rows and a hash that follows their content alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from dealermart.base import REPO, Settings
from dealermart.config import Plan, load_config
from dealermart.warehouse.tables import SCHEMAS, compile_config, config_hash

Change = Callable[[str, str, str], None]
END = date(2025, 7, 1)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def rows(con: duckdb.DuckDBPyConnection, file: Path, columns: str = "*") -> list[tuple[object, ...]]:
    return con.execute(f"select {columns} from read_parquet('{file}')").fetchall()


def test_every_table_has_its_types_even_without_a_value(settings: Settings, con: duckdb.DuckDBPyConnection) -> None:
    (settings.config / "plans" / "commission.yml").unlink()
    files = compile_config(settings, END, con)
    assert files.keys() == SCHEMAS.keys()
    for name, file in files.items():
        found = {column: kind.lower() for column, kind, *_ in con.execute(f"describe from '{file}'").fetchall()}
        assert found == SCHEMAS[name], name
    assert rows(con, files["plan_segment"]) == []
    assert not list(settings.compiled.glob("*.unfinished"))
    assert con.execute("select count(*) from duckdb_tables()").fetchone() == (0,)


def test_the_top_rating_has_no_upper_end(settings: Settings, con: duckdb.DuckDBPyConnection) -> None:
    files = compile_config(settings, END, con)
    assert rows(con, files["rating_band"], "rating, rating_no, lower_score, upper_score") == [
        ("good", 1, Decimal(60), None),
        ("poor", 2, Decimal(0), Decimal(60)),
    ]


def test_fiscal_months_run_to_the_end_of_their_year(settings: Settings, con: duckdb.DuckDBPyConnection) -> None:
    """The year starts in April and is named by the calendar year in which it ends."""
    found = rows(con, compile_config(settings, END, con)["fiscal_month"])
    assert len(found) == 24
    assert found[0] == (
        "2025-M01", date(2024, 4, 1), date(2024, 5, 1), 2025, 1, 1,
        "2025-Q1", date(2024, 4, 1), date(2024, 7, 1), "2025", date(2024, 4, 1), date(2025, 4, 1),
    )  # fmt: skip
    assert found[11] == (
        "2025-M12", date(2025, 3, 1), date(2025, 4, 1), 2025, 12, 4,
        "2025-Q4", date(2025, 1, 1), date(2025, 4, 1), "2025", date(2024, 4, 1), date(2025, 4, 1),
    )  # fmt: skip
    assert found[-1][:4] == ("2026-M12", date(2026, 3, 1), date(2026, 4, 1), 2026)


@pytest.mark.parametrize(
    ("period_end", "months"),
    [
        pytest.param(date(2024, 5, 1), 12, id="first month"),
        pytest.param(date(2025, 4, 1), 12, id="exactly a year"),
        pytest.param(date(2025, 5, 1), 24, id="a month more"),
    ],
)
def test_the_calendar_covers_whole_fiscal_years(
    settings: Settings, con: duckdb.DuckDBPyConnection, period_end: date, months: int
) -> None:
    assert len(rows(con, compile_config(settings, period_end, con)["fiscal_month"])) == months


def test_layout_and_comments_change_no_hash(settings: Settings, change: Change) -> None:
    before = config_hash(settings)
    change("plans/commission.yml", "plan: commission\nversion: 1\n", "# of 2024\nversion: 1\nplan:   'commission'\n")
    change("plans/commission.yml", "value: 1.1}", "value: 1.100}")
    assert config_hash(settings) == before
    assert before.keys() == SCHEMAS.keys()


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        pytest.param("plans/commission.yml", "value: 1.1}", "value: 1.1001}", {"plan", "plan_segment"}, id="rate"),
        pytest.param("plans/commission.yml", "5000.00", "5000.01", {"plan", "plan_segment"}, id="a cent of bonus"),
        pytest.param("reviews/service.yml", "0.9,", "0.91,", {"review_template", "review_point"}, id="point"),
        pytest.param(
            "reviews/service.yml", "name_zh: 良", "name_zh: 优", {"review_template", "rating_band"}, id="name"
        ),
        pytest.param(
            "reviews/service.yml", "name: Tact", "name: Care", {"review_template", "review_criterion"}, id="rated"
        ),
        pytest.param("review_rules.yml", "middle_from: 60", "middle_from: 61", {"review_rule"}, id="nine-box"),
        pytest.param("career_ladder.yml", "quarters: 2", "quarters: 3", {"career_condition"}, id="ladder"),
        pytest.param("kpis.yml", "min_sample: 5", "min_sample: 6", {"kpi"}, id="smallest sample"),
        pytest.param("company.yml", "Asia/Shanghai", "UTC", {"company"}, id="time zone"),
        pytest.param(
            "company.yml", "calendar_start: 2024", "calendar_start: 2023", {"company", "fiscal_month"}, id="calendar"
        ),
    ],
)
def test_a_change_changes_the_hash_of_its_tables_alone(
    settings: Settings, change: Change, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = config_hash(settings)
    change(file, old, new)
    after = config_hash(settings)
    assert {name for name in SCHEMAS if before[name] != after[name]} == changed


def test_an_urgency_that_is_left_out_keeps_its_channels(
    settings: Settings, change: Change, con: duckdb.DuckDBPyConnection
) -> None:
    change("company.yml", "time_zone", "channel_fit: {urgent: [chat]}\ncontact_cadence_days: {B: 21, A: 14}\ntime_zone")
    files = compile_config(settings, END, con)
    found = rows(con, files["message_channel"])
    assert [channel for urgency, channel in found if urgency == "urgent"] == ["chat"]
    assert [channel for urgency, channel in found if urgency == "low"] == ["email", "chat", "portal"]
    assert rows(con, files["contact_cadence"]) == [("A", 14), ("B", 21)]
    assert rows(con, files["message_rule"]) == [(30, 10, 30)]


@pytest.mark.parametrize("company", ["company.yml", "company.adventureworks.yml"])
def test_the_files_that_come_with_the_project_are_right(tmp_path: Path, company: str) -> None:
    config = load_config(replace(Settings(home=tmp_path), config=REPO / "config", company=company))
    assert {template.role for _, template in config.templates} == {"sales", "service", "support", "manager", "overlay"}


@pytest.mark.parametrize(
    ("company", "files"),
    [
        pytest.param("company.yml", {"plans/sales_commission.yml"}, id="the sample company"),
        pytest.param(
            "company.adventureworks.yml",
            {f"plans/adventureworks/commission_{points}bp.yml" for points in (0, 100, 120, 150, 160, 180, 190, 200)},
            id="AdventureWorks",
        ),
    ],
)
def test_plans_in_a_folder_apply_to_the_company_that_names_them(tmp_path: Path, company: str, files: set[str]) -> None:
    config = load_config(replace(Settings(home=tmp_path), config=REPO / "config", company=company))
    assert {file for file, _ in config.plans} == files


def test_a_company_names_the_plans_that_apply(settings: Settings, change: Change) -> None:
    change("company.yml", "time_zone", "plans: []\ntime_zone")
    change("plans/commission.yml", "CNY", "KWD")
    assert load_config(settings).plans == ()


def test_a_number_is_taken_as_it_is_written(settings: Settings, change: Change) -> None:
    """0.1 has no exact binary fraction; through a float these digits would come out changed."""
    change("plans/commission.yml", "value: 5000.00", "value: 703687441776.07")
    rate = load_config(settings).plans[0][1].components[1].rate
    assert rate is not None
    assert rate.bands[0].value == Decimal("703687441776.07")


def test_plans_are_frozen(settings: Settings) -> None:
    plan = load_config(settings).plans[0][1]
    assert isinstance(plan, Plan)
    with pytest.raises(ValueError, match="frozen"):
        plan.version = 2  # type: ignore[misc]
