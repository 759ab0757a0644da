"""A small company for tests: its own config folder, state in a temporary home, files written by hand."""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import small, warm

from dealermart.base import REPO, Settings

pytest_plugins = ["tests.limits"]

os.umask(0o077)  # as every program of ours begins

COMPANY = """\
name: Test Brand
name_zh: 测试品牌
reporting_currency: CNY
fx_rate_type: market
plan_fx_rate_type: plan
fiscal_year_start_month: 1
calendar_start: 2026-01-01
time_zone: Asia/Shanghai
min_group_size: 5
credit_rule: stated_seller_else_assignment
complete_feeds: []  # most tests deliver what they are about and no masters; tests of waiting rows say otherwise
"""

PROFILE = """\
source: mini
title: A source for tests
files:
  - name: sale_file
    feed: sales
    map: sales.sql
    pattern: "sales*.csv"
    format: csv
    required_columns: [doc, line, kind, dealer, product, qty, net, day]
    aliases: {doc: [单号], seller: [业务员], cost: [成本]}
    totals: {column: doc, values: [合计]}
    dates: ["%Y/%m/%d"]
  - name: dealer_file
    feed: dealers
    map: dealers.sql
    pattern: "dealers*.csv"
    format: csv
  - name: member_file
    feed: team_members
    map: members.sql
    pattern: "members*.csv"
    format: csv
  - name: assignment_file
    feed: assignments
    map: assignments.sql
    pattern: "assignments*.csv"
    format: csv
  - name: product_file
    feed: products
    map: products.sql
    pattern: "products*.csv"
    format: csv
  - name: target_file
    feed: targets
    map: targets.sql
    pattern: "targets*.csv"
    format: csv
  - name: city
    pattern: "city*.csv"
    format: csv
    columns: [city, country]
    key: [city]
"""

SALES_SQL = """\
select
    _delivery_id,
    _row_number,
    doc as transaction_id,
    line as line_no,
    kind as transaction_type,
    'sell_in' as channel,
    dealer as dealer_id,
    product as product_id,
    seller as seller_id,
    qty as quantity,
    net as net_amount,
    cost as cost_amount,
    'CNY' as currency_code,
    day as sale_date
from sale_file
"""

DEALERS_SQL = """\
select
    f._delivery_id,
    f._row_number,
    f.dealer as dealer_id,
    f.since as valid_from,
    f.name as dealer_name,
    f.region,
    f.city,
    city.country,
    'active' as status
from dealer_file as f
left join city on f.city = city.city
"""

PLAIN = {
    "members": "select _delivery_id, _row_number, member as member_id, since as valid_from, name as member_name, role, team, manager as manager_id from member_file",
    "assignments": "select _delivery_id, _row_number, dealer as dealer_id, member as member_id, role, since as valid_from, share as split_pct from assignment_file",
    "products": "select _delivery_id, _row_number, product as product_id, since as valid_from, name as product_name, category from product_file",
    "targets": """select _delivery_id, _row_number, target as target_id, 'member' as subject_type, member as subject_id, 'net_revenue' as metric,
    first_day as valid_from, end_day as valid_to, value as target_value, 'CNY' as unit from target_file""",
}

Make = Callable[..., Settings]


def write_config(folder: Path) -> Path:
    """Write a config folder: the small company's contracts, the repository's KPIs, plans and reviews, the source ``mini``."""
    for name in ("plans", "reviews"):
        shutil.copytree(REPO / "config" / name, folder / name)
    small.feeds(folder / "feeds")
    shutil.copy(REPO / "config" / "kpis.yml", folder)
    (folder / "company.yml").write_text(COMPANY, "utf-8")
    source = folder / "sources" / "mini"
    source.mkdir(parents=True)
    (source / "source.yml").write_text(PROFILE, "utf-8")
    (source / "sales.sql").write_text(SALES_SQL, "utf-8")
    (source / "dealers.sql").write_text(DEALERS_SQL, "utf-8")
    for name, sql in PLAIN.items():
        (source / f"{name}.sql").write_text(sql, "utf-8")
    return folder


@pytest.fixture(scope="session", autouse=True)
def warm_dbt() -> Iterator[None]:
    """Whatever builds starts dbt as a fork of a process that has imported it."""
    with warm.dbt():
        yield


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dbt project and the short suites; with Great Expectations imported, which no test shall be billed for."""
    importlib.import_module("dealermart.checks.gx")
    return small.project(tmp_path_factory.mktemp("small") / "project")


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Settings:
    """The test company with a config that no test changes; every test brings a home of its own.

    One thread: the workers of the suite share the cores, and the engine's second one would spend time on waiting.
    """
    root = tmp_path_factory.mktemp("company")
    return Settings(
        home=root / "nobody", config=write_config(root / "config"), project=project, user="tester", threads=1
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config folder to change."""
    return write_config(tmp_path / "config")


@pytest.fixture
def settings(tmp_path: Path, config: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test company in a home of its own; a command that is given home and config finds its project."""
    monkeypatch.setenv("DEALERMART_PROJECT", str(project))
    return Settings(home=tmp_path / "home", config=config, project=project, user="tester", threads=1)


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Write files into a new drop folder: ``drop({"sales.csv": text_or_bytes, ...})``."""
    count = 0

    def write(files: dict[str, str | bytes]) -> Path:
        nonlocal count
        count += 1
        folder = tmp_path / f"drop{count}"
        folder.mkdir()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return folder

    return write


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that need programs of the machine run in `make test-office` only; elsewhere the report names them as skipped."""
    if "office" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("office"):
            item.add_marker(pytest.mark.skip(reason="needs programs of the machine: `make test-office` runs it"))
