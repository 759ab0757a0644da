"""What follows from the contracts stands in the repo as it should; whatever drifts is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
import yaml
from tests.checks.helper import rehearse

import make_feeds
from dealermart import checks
from dealermart.base import REPO, ConfigError, load_settings, quoted
from dealermart.config import PROVENANCE, Contract, load_contracts, load_yaml

SETTINGS = load_settings()
CONTRACTS = load_contracts(SETTINGS)
STAGING = REPO / make_feeds.STAGING


def test_staging_models_sources_and_document_follow_from_the_contracts() -> None:
    found = list(make_feeds.drift(REPO, CONTRACTS, SETTINGS.expectations))
    assert not found, "\n".join([*found, "mend: change the contract in config/feeds and run `make feeds`"])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that follow from the contracts, to be damaged."""
    shutil.copytree(STAGING, tmp_path / make_feeds.STAGING)
    for path in (make_feeds.SOURCES, make_feeds.MACRO, make_feeds.CURRENCIES, make_feeds.DOC):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / path, tmp_path / path)
    return tmp_path


STG = "dbt_project/models/staging/stg_recognitions"


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        pytest.param(
            f"{STG}.sql",
            "    award,\n",
            "",
            [f"{STG}.sql: lacks: award,"],
            id="a column of the contract is not selected",
        ),
        pytest.param(
            f"{STG}.sql",
            "    award,\n",
            "    award,\n    prize,\n",
            [f"{STG}.sql: has too much: prize,"],
            id="one more",
        ),
        pytest.param(
            f"{STG}.yml",
            "        data_type: decimal(18,4)\n",
            "        data_type: double\n",
            [f"{STG}.yml: lacks: data_type: decimal(18,4)", f"{STG}.yml: has too much: data_type: double"],
            id="another type",
        ),
        pytest.param(
            f"{STG}.yml",
            "        config: {meta: {hr_only: true}}\n",
            "",
            [f"{STG}.yml: lacks: config: {{meta: {{hr_only: true}}}}"],
            id="the mark for HR only is gone",
        ),
        pytest.param(
            "dbt_project/models/sources/lake.yml",
            '          - {name: award, data_type: "varchar"}\n',
            "",
            ['dbt_project/models/sources/lake.yml: lacks: - {name: award, data_type: "varchar"}'],
            id="the source lacks a column",
        ),
        pytest.param(
            "dbt_project/macros/feeds.sql",
            "        'sales',\n",
            "",
            ["dbt_project/macros/feeds.sql: lacks: 'sales',"],
            id="a test of all feeds would leave one out",
        ),
        pytest.param(
            "docs/feeds.md",
            "| `awarded_date` | date | required | Day of the award |\n",
            "",
            ["docs/feeds.md: lacks: | `awarded_date` | date | required | Day of the award |"],
            id="the document is old",
        ),
        pytest.param(
            f"{STG}.sql",
            "    award,\n    cast(awarded_date as date) as awarded_date,\n",
            "    cast(awarded_date as date) as awarded_date,\n    award,\n",
            [f"{STG}.sql: has its lines in another order than the contract"],
            id="another order",
        ),
    ],
)
def test_drift_is_named_with_its_file(copy: Path, file: str, old: str, new: str, found: list[str]) -> None:
    path = copy / file
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert list(make_feeds.drift(copy, CONTRACTS, SETTINGS.expectations)) == found


def test_a_model_without_a_contract_and_a_contract_without_a_model_are_named(copy: Path) -> None:
    (copy / f"{STG}.sql").rename(copy / make_feeds.STAGING / "stg_prizes.sql")
    assert list(make_feeds.drift(copy, CONTRACTS, SETTINGS.expectations)) == [
        "dbt_project/models/staging/stg_prizes.sql: belongs to no contract of config/feeds",
        f"{STG}.sql: is missing, its contract is there",
    ]


@pytest.mark.parametrize("feed", sorted(CONTRACTS))
def test_a_staging_model_has_the_types_that_its_yml_and_its_contract_state(feed: str) -> None:
    """Asked of the engine, not of the generator: names and types of the select, of the yml, of the contract."""
    contract = CONTRACTS[feed]
    sql = (STAGING / f"stg_{feed}.sql").read_text("utf-8")
    sql = sql.replace(f"{{{{ source('lake', '{feed}') }}}}", "lake").replace("{{ as_of() }}", "timestamp '2026-01-01'")
    lake_of_texts = ", ".join(
        f"{quoted(name)} {kind if name in PROVENANCE else 'varchar'}" for name, kind in contract.lake_columns.items()
    )
    typed = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in contract.lake_columns.items())
    with duckdb.connect() as con:
        con.execute(f"create table lake ({lake_of_texts})")
        stated = {name: kind for name, kind, *_ in con.execute(f"describe {sql}").fetchall()}
        wanted = {name: kind for name, kind, *_ in con.execute(f"describe select {typed}").fetchall()}
    [model] = yaml.safe_load((STAGING / f"stg_{feed}.yml").read_text("utf-8"))["models"]
    assert stated == wanted
    assert list(stated) == [column["name"] for column in model["columns"]] == list(contract.lake_columns)
    hr_only = {c["name"] for c in model["columns"] if c.get("config", {}).get("meta", {}).get("hr_only")}
    assert hr_only == {column.name for column in contract.columns if column.hr_only}
    meta = model.get("config", {}).get("meta", {})
    assert meta.get("hr_only", False) == contract.hr_only
    assert meta.get("hr_only_rows", {}) == {name: list(values) for name, values in contract.hr_only_rows.items()}


def test_the_first_suite_of_a_new_feed_loads_and_fills_what_is_required(tmp_path: Path) -> None:
    contract = CONTRACTS["crm_opportunities"]
    path = tmp_path / "crm_opportunities.json"
    path.write_text(make_feeds.first_suite(contract), "utf-8")
    shutil.copytree(SETTINGS.expectations / "templates", tmp_path / "templates")
    suite = checks.load_suite(path, checks.batch_columns(contract), {contract.feed: contract})
    rehearse(suite, checks.batch_columns(contract))
    rules = [rule.rule for rule in suite.rules]
    assert rules[0] == "key_mostly_missing"
    assert rules[-1] == "conflicting_key"
    assert {"stage_missing", "closed_date_out_of_range", "currency_code_missing", "probability_pct_out_of_range"} <= {
        *rules
    }
    assert "updated_at_out_of_range" not in rules


def test_a_mark_on_a_column_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    text = (
        (SETTINGS.feeds / "support_requests.yml")
        .read_text("utf-8")
        .replace("hr_only_rows: {kind:", "hr_only_rows: {sort:")
    )
    (tmp_path / "support_requests.yml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match="sort is named as key, date or HR-only mark but is no column"):
        load_yaml(tmp_path / "support_requests.yml", Contract)


def test_values_marked_for_hr_only_are_values_that_the_suite_knows() -> None:
    """A misspelt value would mark no row at all."""
    for feed, contract in CONTRACTS.items():
        for column, values in contract.hr_only_rows.items():
            rules = json.loads((SETTINGS.expectations / f"{feed}.json").read_text("utf-8"))["expectations"]
            arguments = [rule["kwargs"] for rule in rules if rule["kwargs"].get("column") == column]
            [known] = [one["value_set"] for one in arguments if "value_set" in one]
            assert set(values) <= set(known)


def test_the_document_says_of_each_feed_where_it_ends() -> None:
    reached = make_feeds.marts_of(REPO / make_feeds.MODELS)
    assert {name.removeprefix("stg_") for name in reached} == set(CONTRACTS)
    assert {name for name, marts in reached.items() if not marts} == set(), "every feed reaches a mart"
    assert "mart_incentive__statement_line" in reached["stg_adjustments"], "what was approved is paid"
    assert "mart_kpi__subject_period" in reached["stg_messages"], "by the models that gather others by name"
    text = (REPO / make_feeds.DOC).read_text("utf-8")
    line = next(line for line in text.splitlines() if line.startswith("| [adjustments]"))
    assert line.endswith("| marts |")


def test_a_feed_reaches_a_mart_as_soon_as_a_model_leads_there(tmp_path: Path) -> None:
    models = {
        "staging/stg_a.sql": "select 1",
        "staging/stg_b.sql": "select 1",
        "intermediate/pay/int_pay.sql": "select * from {{ ref('stg_a') }}",
        "marts/pay/mart_pay.sql": 'select * from {{ ref( "int_pay" ) }}',
        "marts/pay/mart_all.sql": "{% for x in ['pay'] %}select * from {{ ref('int_' ~ x) }}{% endfor %}",
        "intermediate/dead_end.sql": "select * from {{ ref('stg_b') }}",
    }
    for name, sql in models.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(sql, "utf-8")
    assert make_feeds.marts_of(tmp_path) == {"stg_a": ["mart_all", "mart_pay"], "stg_b": []}
    document = make_feeds.document(
        {"sales": CONTRACTS["sales"]}, SETTINGS.expectations, {"stg_sales": ["mart_pay"]}, set()
    )
    assert "| append | marts |" in document
    assert "\n\nReaches `mart_pay`.\n" in document
