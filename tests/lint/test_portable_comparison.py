"""What `make test-portable` says of two engines, without the second one: its rows are Parquet files here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from portable import __main__ as command
from portable import compare, sources

ROWS = "select 1 as id, 'a' as name, cast(2.50 as decimal(18, 2)) as amount, cast(7 as ubigint) as hash"
OTHER = "select 1 as id, 'a' as name, cast(2.50 as decimal(18, 2)) as amount, cast(7 as decimal(20, 0)) as hash"


def compared(folder: Path, here: str, there: str | None) -> compare.Outcome:
    """The comparison of a table ``marts.one`` of these rows."""
    warehouse = folder / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create schema marts")
        con.execute(f"create table marts.one as {here}")
        if there is not None:
            (folder / "rows" / "marts.one").mkdir(parents=True)
            con.execute(f"copy ({there}) to '{folder}/rows/marts.one/part.parquet' (format parquet)")
    node = {"resource_type": "model", "schema": "marts", "alias": "one", "config": {"materialized": "table"}}
    return compare.all_models(warehouse, {"nodes": {"model.one": node}}, folder / "rows")


@pytest.mark.parametrize(
    ("here", "there", "says"),
    [
        pytest.param(ROWS, OTHER, "", id="the same"),
        pytest.param(ROWS, f"select hash, amount, name, id from ({OTHER})", "", id="columns in another order"),
        pytest.param(f"{ROWS}, '1' as fingerprint", f"{OTHER}, '2' as fingerprint", "", id="a hash of the engine's own"),
        pytest.param(f"{ROWS} union all {ROWS}", OTHER, "1 rows on DuckDB only, 0 on", id="a row twice"),
        pytest.param(ROWS, f"{OTHER} union all {OTHER}", "0 rows on DuckDB only, 1 on", id="a row twice there"),
        pytest.param(ROWS, f"select * replace ('b' as name) from ({OTHER})", "1 rows on DuckDB only, 1 on", id="a value"),
        pytest.param(
            ROWS, f"select * replace (cast(null as varchar) as name) from ({OTHER})", "1 rows on DuckDB only, 1 on", id="a null"
        ),
        pytest.param(
            ROWS, f"select * replace (cast(amount as decimal(18, 4)) as amount) from ({OTHER})",
            "amount is DECIMAL(18,4), not DECIMAL(18,2)", id="a type",
        ),
        pytest.param(ROWS, f"select * exclude (name) from ({OTHER})", "columns on one side only: name", id="a column"),
    ],
)  # fmt: skip
def test_a_difference_is_told(here: str, there: str, says: str, tmp_path: Path) -> None:
    outcome = compared(tmp_path, here, there)
    assert (outcome.tables, outcome.missing) == (1, [])
    assert [says in one for one in outcome.differences] == ([True] if says else [])


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    outcome = compared(tmp_path, ROWS, None)
    assert outcome.tables == 0
    assert outcome.missing == ["marts.one: not there on the other engine"]


GOOD = {"run": {"one": "success"}, "test": {"key": "pass"}}


@pytest.mark.parametrize(
    ("outcome", "results", "code"),
    [
        pytest.param({"tables": 1}, GOOD, 0, id="all is well"),
        pytest.param({"tables": 0}, GOOD, 1, id="nothing compared"),
        pytest.param({"tables": 1, "missing": ["marts.two: not there"]}, GOOD, 1, id="a table is missing"),
        pytest.param({"tables": 1, "differences": ["marts.one: 1 rows"]}, GOOD, 1, id="a row differs"),
        pytest.param({"tables": 1}, {**GOOD, "test": {"key": "fail"}}, 1, id="a test fails"),
        pytest.param({"tables": 1}, {**GOOD, "run": {"one": "skipped"}}, 1, id="a model is skipped"),
        pytest.param({"tables": 1}, {**GOOD, "test": {}}, 1, id="no test ran"),
        pytest.param({"tables": 1}, {}, 1, id="nothing ran"),
    ],
)
def test_the_exit_code(outcome: dict[str, Any], results: dict[str, Any], code: int) -> None:
    assert command.report(compare.Outcome(**outcome), results, {"Sail": 1.0}) == code


@pytest.mark.parametrize(
    ("view", "files"),
    [
        pytest.param("SELECT * FROM read_parquet(list_value('x/a.parquet', 'x/b.parquet'))", ["x/a.parquet", "x/b.parquet"], id="plain"),
        pytest.param("SELECT * FROM read_parquet('x/a.parquet') LEFT JOIN gone USING (id)", [], id="rows ended by a snapshot"),
    ],
)  # fmt: skip
def test_the_lake_is_read_by_its_files(view: str, files: list[str]) -> None:
    assert sources.lake_files(view) == files
