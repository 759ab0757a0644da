"""Dashboards as files: what is refused, what Superset is given, and how its numbers are compared."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from boards import bundle, look
from boards.__main__ import _shown
from boards.spec import Board, Chart, load_boards
from dealermart.base import REPO, ConfigError

CHART: dict[str, Any] = {
    "title": "Paid", "title_zh": "已付", "kind": "table", "table": "mart_pay", "by": ["day", "who"],
    "values": {"amount": "sum(amount)", "rows": "count(*)"}, "where": "who is not null", "latest": "day",
}  # fmt: skip
COLUMNS = {"mart_pay": {"day": ("date", "The day", "日期"), "amount": ("numeric(18,2)", "", "金额")}}


def board(**more: Any) -> dict[str, Any]:
    return {"title": "Pay", "title_zh": "薪酬", "audience": "hr", "charts": [CHART | more]}


def written(tmp_path: Path, **more: Any) -> dict[str, Any]:
    boards = {"pay": Board.model_validate(board(**more))}
    bundle.write(tmp_path, boards, {("hr", "mart_pay"): "hr"}, COLUMNS)
    files = {
        path.relative_to(tmp_path).as_posix(): yaml.safe_load(path.read_text("utf-8"))
        for path in tmp_path.rglob("*.yaml")
    }
    return files


def test_the_projects_dashboards_read_and_speak_two_languages() -> None:
    boards = load_boards()
    found = {slug: found.audience for slug, found in boards.items()}
    bi = dict.fromkeys(("dealers", "pipeline", "sales-monitor", "targets", "training-service"), "bi")
    assert found == bi | {"incentives": "hr"}
    listed = (REPO / "dashboards" / "README.md").read_text("utf-8")
    for slug, found_ in boards.items():
        assert f"| `{slug.replace('-', '_')}` | {found_.audience} |" in listed
        assert all(chart.title_zh != chart.title for chart in found_.charts)


def test_the_projects_charts_use_marts_and_columns_that_there_are() -> None:
    models = {path.stem: path for path in (REPO / "dbt_project" / "models" / "marts").rglob("*.yml")}
    for found in load_boards().values():
        for chart in found.charts:
            (model,) = yaml.safe_load(models[chart.table].read_text("utf-8"))["models"]
            columns = {column["name"]: column["data_type"] for column in model["columns"]}
            with duckdb.connect() as con:  # the SQL of the chart over an empty mart
                con.execute("create schema bi")
                listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                con.execute(f"create table bi.{chart.table} ({listed})")
                con.execute(chart.select("bi"))


def test_the_lineage_ends_in_the_dashboards() -> None:
    exposures = yaml.safe_load((REPO / "dbt_project" / "models" / "exposures.yml").read_text("utf-8"))["exposures"]
    stated = {exposure["name"]: set(exposure["depends_on"]) for exposure in exposures}
    for slug, found in load_boards().items():
        wanted = {f"ref('{chart.table}')" for chart in found.charts}
        assert stated[f"dashboard_{slug.replace('-', '_')}"] == wanted


WRONG = {
    "a number with by": ({"kind": "number"}, "a number has one value"),
    "a line without a date": ({"kind": "line", "by": []}, "a line or bar has a date in by"),
    "a table without by": ({"by": []}, "a table needs by"),
    "an unknown key": ({"colour": "red"}, "colour"),
    "series of two values": ({"kind": "line"}, "a line or bar with series has one value"),
    "no value": ({"values": {}}, "values"),
    "too wide": ({"width": 13}, "width"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_broken_file_is_refused_by_line(tmp_path: Path, case: str) -> None:
    changed, words = WRONG[case]
    (tmp_path / "pay.yml").write_text(yaml.safe_dump(board(**changed), allow_unicode=True), "utf-8")
    with pytest.raises(ConfigError, match=words) as raised:
        load_boards(tmp_path)
    assert "pay.yml" in str(raised.value)


def test_superset_is_given_no_secret_and_one_connection_per_audience(tmp_path: Path) -> None:
    database = written(tmp_path)["databases/hr.yaml"]
    assert database["sqlalchemy_uri"] == "postgresql+psycopg2:///?service=dealermart_hr"
    assert not any(database[right] for right in ("expose_in_sqllab", "allow_dml", "allow_ctas", "allow_file_upload"))


def test_parts_of_the_bundle_name_each_other_and_stay_the_same(tmp_path: Path) -> None:
    files = written(tmp_path / "a")
    chart, dataset = (
        files["charts/pay_paid.yaml"],
        next(file for name, file in files.items() if name.startswith("datasets/")),
    )
    grid = files["dashboards/pay.yaml"]["position"]
    assert chart["dataset_uuid"] == dataset["uuid"]
    assert dataset["database_uuid"] == files["databases/hr.yaml"]["uuid"]
    assert grid["CHART-1"]["meta"]["uuid"] == chart["uuid"]
    assert files["dashboards/pay.yaml"]["dashboard_title"] == "Pay 薪酬"
    assert chart["params"]["adhoc_filters"][0]["sqlExpression"] == "who is not null"
    assert dataset["sql"] == LATEST
    assert dataset["table_name"].startswith("mart_pay__")
    assert [column["verbose_name"] for column in dataset["columns"]] == ["day 日期", "amount 金额"]
    assert [column["is_dttm"] for column in dataset["columns"]] == [True, False]
    assert written(tmp_path / "b") == files


def test_charts_fill_rows_of_twelve_columns(tmp_path: Path) -> None:
    charts = [CHART | {"title": f"c{width}{number}", "width": width} for number, width in enumerate((7, 5, 3, 9, 6))]
    boards = {"pay": Board.model_validate(board() | {"charts": charts})}
    bundle.write(tmp_path, boards, {("hr", "mart_pay"): "hr"}, COLUMNS)
    grid = yaml.safe_load((tmp_path / "dashboards" / "pay.yaml").read_text("utf-8"))["position"]
    rows = [grid[row]["children"] for row in grid["GRID_ID"]["children"]]
    assert rows == [["CHART-1", "CHART-2"], ["CHART-3", "CHART-4"], ["CHART-5"]]


LATEST = "select * from hr.mart_pay where day = (select max(day) from hr.mart_pay where who is not null)"


def test_a_charts_rows_are_asked_of_the_mart_as_the_chart_asks() -> None:
    asked = 'select day, who, sum(amount) as "amount", count(*) as "rows" from '
    by = "where who is not null group by day, who order by day, who"
    assert Chart.model_validate(CHART).select("hr") == f"{asked}({LATEST}) as latest {by}"
    assert Chart.model_validate(CHART | {"latest": ""}).select("hr") == f"{asked}hr.mart_pay {by}"


EXPECTED = {"columns": ["who", "amount"], "keys": 1, "rows": [["A", "1.10"], ["B", None]]}
SHOWN: dict[str, tuple[list[dict[str, Any]], int]] = {
    "the same": ([{"who": "A", "amount": 1.1}, {"who": "B", "amount": None}], 0),
    "in another order": ([{"who": "B", "amount": None}, {"who": "A", "amount": 1.1}], 0),
    "a cent off": ([{"who": "A", "amount": 1.11}, {"who": "B", "amount": None}], 1),
    "nothing as 0": ([{"who": "A", "amount": 1.1}, {"who": "B", "amount": 0}], 1),
    "a row less": ([{"who": "A", "amount": 1.1}], 1),
    "somebody else": ([{"who": "A", "amount": 1.1}, {"who": "C", "amount": None}], 1),
}


@pytest.mark.parametrize("case", SHOWN)
def test_what_is_shown_is_compared_with_the_mart(case: str) -> None:
    rows, faults = SHOWN[case]
    assert len(look.differences(rows, EXPECTED)) == faults


def test_series_come_as_columns() -> None:
    expected = {"columns": ["day", "who", "amount"], "keys": 2, "series": True, "rows": [[1, "A", "5"], [1, "B", "7"]]}
    assert look.differences([{"day": 1, "B": 7.0, "A": 5.0}], expected) == []
    assert len(look.differences([{"day": 1, "B": 7.0, "A": 6.0}], expected)) == 1
    assert len(look.differences([{"day": 1, "B": 7.0, "A": None}], expected)) == 1


def test_a_number_is_looked_for_as_the_page_writes_it() -> None:
    assert _shown(Decimal("1234567.891"), ",.2f") == "1,234,567.89"
    assert _shown(Decimal("0.98765"), ".1%") == "98.8%"
    assert _shown(12345, ",d") == "12,345"
