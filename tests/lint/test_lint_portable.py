"""Each rule of portable SQL is shown to fail on a planted violation, and the project to keep them all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import lint_layers
import lint_portable

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        pytest.param(1, "select a // b", id="1 integer division"),
        pytest.param(1, "select avg(a)", id="1 average"),
        pytest.param(1, "select cast(a as hugeint)", id="1 hugeint"),
        pytest.param(1, "select cast(a as ubigint)", id="1 unsigned"),
        pytest.param(2, "select a::date", id="2 double colon"),
        pytest.param(2, "select cast(a as varchar)", id="2 varchar"),
        pytest.param(2, "select cast(coalesce(a, (b)) as timestamp with time zone)", id="2 a type that is not listed"),
        pytest.param(2, "select cast(a as decimal)", id="2 a decimal without digits"),
        pytest.param(3, "select unnest(a)", id="3 unnest"),
        pytest.param(3, "select [a, b]", id="3 list"),
        pytest.param(3, "select {'a': 1}", id="3 struct"),
        pytest.param(3, "select list_sort(a)", id="3 function of lists"),
        pytest.param(3, "select f(lambda x: x)", id="3 lambda"),
        pytest.param(4, "select string_agg(a, ', ' order by a nulls last)", id="4 string_agg"),
        pytest.param(4, "select {{ dbt.listagg('a', \"', '\", 'order by a nulls last') }}", id="4 dbt.listagg"),
        pytest.param(5, "select a from b qualify rank() over (order by a nulls last) = 1", id="5 qualify"),
        pytest.param(5, "select a from b group by all", id="5 group by all"),
        pytest.param(5, "select a from b order by all", id="5 order by all"),
        pytest.param(5, "select * exclude (a) from b", id="5 exclude"),
        pytest.param(5, "select b.* replace (1 as a) from b", id="5 replace"),
        pytest.param(6, "select a from b semi join c using (a)", id="6 semi join"),
        pytest.param(6, "select a from b asof join c on b.d >= c.d", id="6 asof join"),
        pytest.param(6, "pivot a on b", id="6 pivot"),
        pytest.param(7, "select a.valid_to - valid_from from a", id="7 date less date"),
        pytest.param(7, "select cast(a as date) - b", id="7 cast less something"),
        pytest.param(7, "select {{ as_of_date() }} - b", id="7 macro less something"),
        pytest.param(7, "select sale_date + interval 1 day", id="7 interval"),
        pytest.param(7, "select date_trunc('month', sale_date)", id="7 date_trunc"),
        pytest.param(7, "select {{ dbt.date_trunc('month', 'sale_date') }}", id="7 dbt.date_trunc"),
        pytest.param(8, "select a from read_parquet('b')", id="8 read"),
        pytest.param(8, "select a from 'b.parquet'", id="8 a file's name"),
        pytest.param(8, "create or replace table a as select 1", id="8 DDL"),
        pytest.param(8, "delete from {{ this }}", id="8 delete"),
        pytest.param(8, 'select "a" from b', id="8 double quotes"),
        pytest.param(9, "select lag(a) over (partition by b order by c) from d", id="9 window"),
        pytest.param(9, "select a from b order by a nulls last, c desc limit 1", id="9 the second key"),
        pytest.param(9, "select {{ exact_divide('sum(a) over (order by b)', 'c', 2) }}", id="9 in an argument"),
        pytest.param(10, "select a from (values (1, 2), (3, 1 + 1)) as b (a, c)", id="10 an expression"),
        pytest.param(10, "select a from (values ({{ open_end() }})) as b (a)", id="10 a macro"),
        pytest.param(11, "select cast(a as decimal(38, 10))", id="11 wide"),
        pytest.param(11, "select cast(a as decimal(28, 10)) * b", id="11 before a product"),
        pytest.param(11, "select b * cast(a as decimal(28, 10))", id="11 behind a product"),
        pytest.param(13, "select sum(a) as a from b group by c having sum(a) > 1", id="13 alias in having"),
        pytest.param(
            13, "with d as (select 1 as a) select max(e) as e from d group by c having max(d.a) < max(e)", id="13 in a CTE"
        ),
        pytest.param(14, "with recursive a as (select 1) select * from a", id="14 recursive"),
        pytest.param(0, "select strftime(a, '%Y')", id="a function that is not listed"),
        pytest.param(0, "select {{ multiply('date_part(a)', 'b') }}", id="a function in an argument"),
        pytest.param(0, "select {{ dbt.split_part('a', 'b', 1) }}", id="a macro of dbt that is not listed"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_found(rule: int, sql: str) -> None:
    found = {fault.rule: fault for fault in lint_portable.faults(f"-- Grain: one row per a\n{sql}\n")}
    assert rule in found
    assert found[rule].mend
    (first, *_) = lint_portable.of_text("a.sql", f"\n{sql}")
    assert first.where == "a.sql:2"


def test_every_rule_of_the_page_has_a_planted_violation() -> None:
    marks = test_a_planted_violation_is_found.pytestmark  # type: ignore[attr-defined]
    assert {case.values[0] for case in marks[0].args[1]} | {12} == set(range(15))


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("select cast(a as string), cast(b as decimal(18, 2)), cast(null as date)", id="types"),
        pytest.param("select cast(a as {{ 'bigint' if x else 'decimal(28, 8)' }})", id="a type from Jinja"),
        pytest.param("select count(*) filter (where a is distinct from 'x'), bool_or(b)", id="filter"),
        pytest.param("select concat_ws('-', a, b) || c, greatest(a, least(b, c))", id="listed functions"),
        pytest.param("select lag(a) over (partition by f(b, c) order by d nulls last)".replace("f(b, c)", "b, c"), id="window"),
        pytest.param(
            "select sum(a) over (order by b desc nulls last, c nulls first rows between 1 preceding and current row)",
            id="frame",
        ),
        pytest.param("select {{ dbt.datediff('a', 'b', 'day') }}, {{ dbt.dateadd('day', 1, 'a') }}", id="dates by dbt"),
        pytest.param("select cast(date_trunc('month', sale_date) as date)", id="date_trunc in a cast"),
        pytest.param("select cast({{ dbt.date_trunc('month', 'sale_date') }} as date)", id="dbt.date_trunc in a cast"),
        pytest.param("select amount_after - amount_before, 4 * (a - b)", id="numbers"),
        pytest.param("select a from (values (1, 'x'), (-2.5, null)) as b (a, c)", id="literals in values"),
        pytest.param("select sum(a) as total from b group by c having sum(a) > 1", id="another alias"),
        pytest.param("select b.a as a from b group by b.a having count(b.a) > 1", id="having with a table's name"),
        pytest.param("select 1 -- avg(a) // b\n/* a::date */ {# unnest(a) #}", id="comments"),
        pytest.param("select 'a::date [x] \"y\" //'", id="texts"),
        pytest.param("{{ config(pre_hook=\"{{ f('x') }}\", tags=['a']) }}\nselect 1", id="braces inside Jinja"),
        pytest.param("{% macro duckdb__a(b) %} select unnest({{ b }}) {% endmacro %}", id="a macro of one engine"),
        pytest.param("{%- macro spark__a(b) -%} explode({{ b }}) {%- endmacro -%}", id="a macro of the other"),
    ],
)  # fmt: skip
def test_what_both_engines_take_is_left_alone(sql: str) -> None:
    assert list(lint_portable.faults(sql)) == []


def test_the_finding_says_where_what_and_the_mend() -> None:
    (found,) = lint_portable.of_text("models/a.sql", "select\n    1,\n    cast(a as varchar) as b\n")
    assert str(found) == "models/a.sql:3: [portable 2] cast as varchar\n    mend: write string"


def test_expressions_of_yml_tests_are_sql_too() -> None:
    text = "models:\n  - name: a\n    data_tests:\n      - expression_is_true:\n          arguments:\n            expression: a::date = b\n"
    (found,) = lint_portable.of_yml("a.yml", text)
    assert (found.rule, found.where) == ("portable 2", "a.yml:6")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({}, [], id="whole months"),
        pytest.param({"raw_code": "{{ config(materialized='incremental') }}"}, ["by_fiscal_month()"], id="a config of its own"),
        pytest.param({"config": {"unique_key": "id"}}, ["unique_key"], id="a unique key"),
        pytest.param({"columns": {"id": {}}}, ["fiscal_month_start"], id="no month"),
        pytest.param(
            {"raw_code": "{{ by_fiscal_period('a_state') }}", "columns": {"period_id": {}}}, [], id="whole periods"
        ),
        pytest.param({"raw_code": "{{ by_fiscal_period('a_state') }}"}, ["period_id"], id="no period"),
        pytest.param({"raw_code": "{{ remembered('fiscal_month_start') }}", "config": {"unique_key": "fiscal_month_start"}}, [], id="a state"),
        pytest.param({"config": {"materialized": "table"}, "columns": {}}, [], id="not incremental"),
    ],
)  # fmt: skip
def test_an_incremental_model_holds_whole_months(changes: dict[str, Any], what: list[str]) -> None:
    node = {
        "resource_type": "model",
        "original_file_path": "models/a.sql",
        "raw_code": "{{ by_fiscal_month() }}\nselect 1",
        "columns": {"fiscal_month_start": {}},
        **changes,
        "config": {"materialized": "incremental", **changes.get("config", {})},
    }
    found = list(lint_portable.of_models({"nodes": {"model.a": node}}))
    assert len(found) == len(what)
    assert all(word in one.what and one.rule == "portable 12" for word, one in zip(what, found, strict=True))


DISPATCH = "{% macro a() %}{{ return(adapter.dispatch('a', 'dealermart')()) }}{% endmacro %}\n"
DUCKDB = "{% macro duckdb__a() %}1{% endmacro %}\n"
SPARK = "{%- macro spark__a() -%}1{%- endmacro -%}\n"


@pytest.mark.parametrize(
    ("macros", "what"),
    [
        pytest.param(DISPATCH + DUCKDB + SPARK, [], id="both"),
        pytest.param(DISPATCH + DUCKDB, ["spark__a is missing"], id="no Spark"),
        pytest.param(DISPATCH + SPARK, ["duckdb__a is missing"], id="no DuckDB"),
        pytest.param(DUCKDB, ["nothing dispatches duckdb__a"], id="not dispatched"),
        pytest.param(SPARK, [], id="in place of dbt's own"),
    ],
)
def test_a_macro_of_one_engine_has_a_twin(macros: str, what: list[str]) -> None:
    found = [one.what for one in lint_portable.twins({"macros/a.sql": macros})]
    assert len(found) == len(what)
    assert all(said in one for said, one in zip(what, found, strict=True))


@pytest.mark.integration  # renders every model
def test_the_project_keeps_the_rules() -> None:
    found = [one for one in lint_layers.of_tree(ROOT) if one.rule.startswith("portable")]
    assert found == []


@pytest.mark.integration
def test_the_incremental_models_of_the_project_hold_whole_months(tmp_path: Path) -> None:
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")), "--quiet", "--log-path", str(tmp_path), "parse",
            "--project-dir", "dbt_project", "--profiles-dir", "dbt_project", "--target-path", str(tmp_path),
        ],
        cwd=ROOT,
        check=True,
    )  # fmt: skip
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    kinds = [node["config"].get("materialized") for node in manifest["nodes"].values()]
    assert kinds.count("incremental") >= 4
    assert list(lint_portable.of_models(manifest)) == []
