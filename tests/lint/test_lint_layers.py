"""Each rule of scripts/lint_layers.py is shown to fail on a planted violation, and to pass on what is meant to pass."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import lint_layers

# Put together here, because the lint reads this file, too.
HOME_OF_SOMEBODY = "/" + "root" + "/dealers.csv"
INDEX_ADDRESS = "--" + "index-url example"


def model(name: str, folder: str, *reads: str, **changes: Any) -> dict[str, Any]:
    """A model as dbt writes it into its manifest, fit to be published."""
    node = {
        "resource_type": "model",
        "name": name,
        "original_file_path": f"models/{folder}/{name}.sql",
        "raw_code": "-- Grain: one row per dealer\nselect 1",
        "depends_on": {"nodes": list(reads)},
        "config": {
            "contract": {"enforced": True},
            "access": "public",
            "group": "sales_operations",
            "meta": {"audience": ["bi", "hr"]},
        },
        "patch_path": f"dealermart://models/{folder}/{name}.yml",
        "description": "Dealers.",
    }
    config = {**node["config"], **changes.pop("config", {})}
    return {**node, **changes, "config": config}


def manifest(*models: dict[str, Any]) -> dict[str, Any]:
    seed = {"resource_type": "seed", "name": "corrections", "original_file_path": "seeds/corrections.csv"}
    base = [
        model("stg_a", "staging", "source.lake.a", config={"meta": {}}),
        model("int_a", "intermediate/sales", config={"meta": {}}),
        model("dim_a", "marts/core"),
        model("mart_kpi", "marts/kpi"),
    ]
    return {
        "nodes": {"seed.corrections": seed, **{f"model.{one['name']}": one for one in [*base, *models]}},
        "sources": {
            f"source.{schema}.a": {"source_name": schema, "name": "a"} for schema in ("lake", "config", "meta")
        },
    }


@pytest.mark.parametrize(
    ("folder", "reads"),
    [
        pytest.param("staging", "source.lake.a", id="staging reads the lake"),
        pytest.param("intermediate/sales", "model.stg_a", id="intermediate reads staging"),
        pytest.param("intermediate/sales", "model.int_a", id="intermediate reads intermediate"),
        pytest.param("intermediate/sales", "model.dim_a", id="intermediate reads core"),
        pytest.param("intermediate/sales", "seed.corrections", id="intermediate reads seeds"),
        pytest.param("intermediate/sales", "source.config.a", id="intermediate reads config"),
        pytest.param("marts/kpi", "model.int_a", id="marts read intermediate"),
        pytest.param("marts/kpi", "model.dim_a", id="marts read core"),
        pytest.param("marts/review", "model.mart_kpi", id="marts read marts"),
        pytest.param("marts/kpi", "source.config.a", id="marts read config"),
        pytest.param("marts/core", "source.meta.a", id="marts read the dirty months"),
    ],
)
def test_a_layer_may_read_the_one_below(folder: str, reads: str) -> None:
    assert list(lint_layers.layers(manifest(model("new", folder, reads)))) == []


@pytest.mark.parametrize(
    ("folder", "reads", "named"),
    [
        pytest.param("staging", "model.stg_a", "stg_a", id="staging reads staging"),
        pytest.param("staging", "model.dim_a", "dim_a", id="staging reads a mart"),
        pytest.param("intermediate/sales", "source.lake.a", "lake.a", id="intermediate reads the lake"),
        pytest.param("intermediate/sales", "model.mart_kpi", "mart_kpi", id="intermediate reads a mart above core"),
        pytest.param("marts/kpi", "model.stg_a", "stg_a", id="marts read staging"),
        pytest.param("marts/core", "source.lake.a", "lake.a", id="marts read the lake"),
        pytest.param("marts/core", "seed.corrections", "corrections", id="marts read a seed"),
    ],
)
def test_a_reference_past_the_layer_is_found(folder: str, reads: str, named: str) -> None:
    (found,) = lint_layers.layers(manifest(model("new", folder, reads)))
    assert found.rule == "layer"
    assert found.where == f"dbt_project/models/{folder}/new.sql"
    assert named in found.what


def test_a_folder_that_is_no_layer_is_found() -> None:
    (found,) = lint_layers.layers(manifest(model("new", "misc")))
    assert "'misc' is no layer" in found.what


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"config": {"contract": {"enforced": False}}}, "no enforced contract", id="contract off"),
        pytest.param({"config": {"contract": None}}, "no enforced contract", id="no contract"),
        pytest.param({"config": {"access": "protected"}}, "access is not public", id="not public"),
        pytest.param({"config": {"group": None}}, "no group", id="no group"),
        pytest.param({"patch_path": None}, "no yml", id="no yml"),
        pytest.param({"description": " "}, "no description", id="no description"),
        pytest.param({"config": {"meta": {}}}, "audience", id="no audience"),
        pytest.param({"config": {"meta": {"audience": ["bi"]}}}, "audience", id="an audience without hr"),
        pytest.param({"config": {"meta": {"audience": ["hr", "all"]}}}, "audience", id="an unknown audience"),
        pytest.param({"config": {"meta": {"audience": "hr"}}}, "audience", id="an audience that is no list"),
    ],
)
def test_a_mart_that_is_not_fit_to_be_published_is_found(changes: dict[str, Any], what: str) -> None:
    assert list(lint_layers.published(manifest(model("new", "marts/kpi")))) == []
    (found,) = lint_layers.published(manifest(model("new", "marts/kpi", **changes)))
    assert found.where.endswith("new.sql")
    assert what in found.what


SAID = {"audience": ["bi", "hr"], "pii": "none"}


@pytest.mark.parametrize(
    ("meta", "column", "what"),
    [
        pytest.param({}, {"meta": {}}, "no meta.audience", id="a column of which nothing is said"),
        pytest.param({}, {"meta": {"audience": ["hr"]}}, "no meta.pii", id="a column without pii"),
        pytest.param({}, {"meta": {**SAID, "audience": ["hr", "manager"]}}, "no part", id="wider than its model"),
        pytest.param({}, {"meta": {**SAID, "pii": "some"}}, "meta.pii", id="an unknown kind of pii"),
        pytest.param({}, {"meta": {**SAID, "pii": "sensitive"}}, "sensitive", id="sensitive, for BI"),
        pytest.param({}, {"meta": {**SAID, "pii": "direct"}}, "whose id", id="a person without id"),
        pytest.param({}, {"meta": {**SAID, "pii": "direct", "person": "b"}}, "no column", id="an id that is no column"),
        pytest.param({"audience": ["hr", "manager"]}, {"meta": {**SAID, "audience": ["hr"]}}, "which rows", id="no row rule"),
        pytest.param(
            {"audience": ["hr", "manager"], "rows": "all"},
            {"meta": {"audience": ["hr", "manager"], "pii": "indirect"}}, "all rows of a", id="all rows of persons",
        ),
        pytest.param({"rows": {"member": "b"}}, {"meta": SAID}, "'b'", id="a row rule on no column"),
        pytest.param({"indexes": [["b"]]}, {"meta": SAID}, "'b'", id="an index on no column"),
    ],
)  # fmt: skip
def test_what_nobody_said_of_an_audience_is_found_with_how_to_mend_it(
    meta: dict[str, Any], column: dict[str, Any], what: str
) -> None:
    good = {"a": {"data_type": "varchar", "meta": SAID}}
    assert list(lint_layers.published(manifest(model("new", "marts/kpi", columns=good)))) == []
    config = {"meta": {"audience": ["bi", "hr"], **meta}}
    new = model("new", "marts/kpi", config=config, columns={"a": {"data_type": "varchar", **column}})
    found = list(lint_layers.published(manifest(new)))
    assert any(what in finding.what for finding in found)
    assert all(finding.mend for finding in found)


def test_an_audience_makes_any_model_a_published_one() -> None:
    hidden = model("new", "intermediate/sales", config={"contract": {}, "meta": {"audience": ["hr"]}})
    assert [found.what for found in lint_layers.published(manifest(hidden))] == ["it has no enforced contract"]


@pytest.mark.parametrize(
    ("folder", "first_line", "found"),
    [
        pytest.param("marts/kpi", "-- Grain: one row per dealer", 0, id="stated"),
        pytest.param("staging", "with a as (select 1)", 0, id="staging is one to one"),
        pytest.param("marts/kpi", "with a as (select 1)", 1, id="missing in a mart"),
        pytest.param("intermediate/sales", "-- dealers", 1, id="another comment"),
        pytest.param("intermediate/sales", "\n-- Grain: one row per dealer", 1, id="not the first line"),
        pytest.param("marts/kpi", "-- Grain: one row per ", 1, id="left open"),
    ],
)
def test_the_first_line_states_the_grain(folder: str, first_line: str, found: int) -> None:
    text = f"{first_line}\nselect 1"
    assert len(list(lint_layers.grains(manifest(model("new", folder, raw_code=text))))) == found


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        pytest.param("select a / b", [1], id="division"),
        pytest.param("select a // b", [1], id="integer division"),
        pytest.param("select 1,\n    a/b", [2], id="on the second line"),
        pytest.param("select {{ a }} / {{ b }}", [1], id="between expressions"),
        pytest.param("{{ exact_divide('a / b', 'c', 2) }}", [1], id="in an argument that becomes SQL"),
        pytest.param("select avg(a)", [1], id="an average is a double"),
        pytest.param("select AVG (a)", [1], id="an average in capitals"),
        pytest.param("select divide(a, b)", [1], id="the function of the same name"),
        pytest.param("select a::double", [1], id="a cast to double"),
        pytest.param("select cast(a as float)", [1], id="a cast to float"),
        pytest.param("select a / b -- not money", [1], id="an excuse without a reason"),
        pytest.param("{{ a }} / {{ b }} {# not money: #}", [1], id="an excuse in Jinja without a reason"),
        pytest.param("-- not money: days\nselect a / b", [2], id="an excuse on another line"),
        pytest.param("select 'it''s' || (a / b)", [1], id="after a quoted quote"),
        pytest.param("{% macro share(a, b) %} {{ a }} / {{ b }} {% endmacro %}", [1], id="another macro"),
        pytest.param("select a / b -- not money: days over days", [], id="an excuse"),
        pytest.param("{{ a }} / {{ b }} {#- not money: a share -#}", [], id="an excuse in Jinja"),
        pytest.param("-- a / b\n/* c / d\ne / f */ select 1 {# g / h #}", [], id="comments"),
        pytest.param("select 'a / b', \"c/d\"", [], id="quoted text"),
        pytest.param("select double_pay, avg_basis", [], id="names that only begin so"),
        pytest.param(
            "{% macro exact_divide(a, b) %} {{ a }} // {{ b }} {% endmacro %}\nselect 1", [], id="the macro itself"
        ),
        pytest.param(
            "{%- macro duckdb__exact_divide(a, b) -%}\n{{ a }} // {{ b }}\n{%- endmacro %}\nselect a / b",
            [4],
            id="below the macro",
        ),
    ],
)
def test_inexact_arithmetic_is_found(sql: str, lines: list[int]) -> None:
    found = list(lint_layers.money("a.sql", sql))
    assert [one.where for one in found] == [f"a.sql:{line}" for line in lines]


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        pytest.param("select now()", 1, id="now"),
        pytest.param("select today()", 1, id="today"),
        pytest.param("select CURRENT_DATE", 1, id="current_date"),
        pytest.param("select current_timestamp", 1, id="current_timestamp"),
        pytest.param("select {{ dbt.current_timestamp() }}", 1, id="by way of dbt"),
        pytest.param("select '{{ run_started_at }}'\n, {{ run_started_at }}", 1, id="the start of the run"),
        pytest.param("select is_current, now_id from a -- now()", 0, id="names and comments"),
        pytest.param("select cast('{{ var(\"as_of\") }}' as timestamp)", 0, id="the input"),
    ],
)
def test_a_clock_is_found(sql: str, count: int) -> None:
    assert len(list(lint_layers.clocks("a.sql", sql))) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param(f"path = '{HOME_OF_SOMEBODY}'", 1, id="an absolute path"),
        pytest.param(f"see {HOME_OF_SOMEBODY}", 1, id="in prose"),
        pytest.param(INDEX_ADDRESS, 1, id="an index address"),
        pytest.param("https://example.org/" + "simple/", 1, id="the address of an index"),
        pytest.param("var" + HOME_OF_SOMEBODY, 0, id="relative"),
        pytest.param("../shared/data", 0, id="beside the repo"),
        pytest.param("$HOME/" + "work/a", 0, id="below a variable"),
    ],
)
def test_what_holds_on_one_machine_only_is_found(text: str, count: int) -> None:
    assert len(list(lint_layers.machine("a.md", text))) == count


def test_a_long_dag_file_is_found() -> None:
    assert list(lint_layers.dag_length("dags/a.py", "x = 1\n" * 60)) == []
    assert [found.rule for found in lint_layers.dag_length("dags/a.py", "x = 1\n" * 61)] == ["dag"]


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        ("con = duckdb.connect()", ["duckdb"]),
        ("with duckdb.connect(path, read_only=True) as con: ...", ["duckdb"]),
        ("for one in rows: print(one)", ["name"]),
        ("total = sum(one.rows for one in files)", ["name"]),
        ("key = lambda one: 1", ["name"]),
        ("for row in rows: print(row)", []),
        ("con: duckdb.DuckDBPyConnection", []),
    ],
)
def test_python_that_says_nothing_or_opens_duckdb_is_found(line: str, rules: list[str]) -> None:
    assert [found.rule for found in lint_layers.python("src/dealermart/a.py", line)] == rules
    if rules == ["duckdb"]:
        assert list(lint_layers.python(lint_layers.DUCKDB, line)) == []


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project that breaks one rule in each place where files are read."""
    files = {
        "dbt_project/models/marts/kpi/a.sql": "select a / b",
        "dbt_project/models/marts/kpi/a.yml": "expression: a::date = b",
        "dbt_project/macros/b.sql": "select now()\n{% macro duckdb__c() %}1{% endmacro %}",
        "dags/c.py": "x = 1\n" * 61,
        "docs/d.md": HOME_OF_SOMEBODY,
        "src/e.py": "a / b  # Python may divide\none = 1\n",
        ".venv/f.md": HOME_OF_SOMEBODY,
        "var/g.md": HOME_OF_SOMEBODY,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (tmp_path / "docs" / "picture.png").write_bytes(b"\x89PNG\xff\xfe" + HOME_OF_SOMEBODY.encode())
    return tmp_path


def test_each_rule_looks_at_its_own_files(project: Path) -> None:
    assert [(found.rule, found.where) for found in lint_layers.of_tree(project)] == [
        ("dag", "dags/c.py"),
        ("clock", "dbt_project/macros/b.sql:1"),
        ("portable", "dbt_project/macros/b.sql:1"),
        ("money", "dbt_project/models/marts/kpi/a.sql:1"),
        ("portable 2", "dbt_project/models/marts/kpi/a.yml:1"),
        ("machine", "docs/d.md:1"),
        ("name", "src/e.py:2"),
        ("portable", "dbt_project/macros/b.sql:2"),
    ]


@pytest.mark.parametrize(
    ("planted", "code", "says"),
    [
        pytest.param(False, 0, "0 findings in 4 models", id="clean"),
        pytest.param(True, 1, "a model of layer marts/kpi reads stg_a", id="planted"),
    ],
)
def test_the_command_fails_when_a_rule_is_broken(
    planted: bool,
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "manifest.json").write_text(
        json.dumps(manifest(*([model("new", "marts/kpi", "model.stg_a")] if planted else []))), "utf-8"
    )
    monkeypatch.setattr(
        sys, "argv", ["lint_layers", "--root", str(root), "--manifest", str(tmp_path / "manifest.json")]
    )
    assert lint_layers.main() == code
    assert says in capsys.readouterr().out


def test_no_manifest_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lint_layers", "--root", str(tmp_path), "--manifest", str(tmp_path / "none")])
    assert lint_layers.main() == 2
    assert "nothing was checked" in capsys.readouterr().out
