"""A value that makes an expression of a select raise an error costs its row, not the file and not the day."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dealermart import mapping, readers
from dealermart.base import ConfigError, Settings
from dealermart.config import FileSpec, load_contracts

SPEC = FileSpec(name="file", feed="products", map="products.sql", pattern="*", format="csv")
# What stands beside the expression under test.
REST = "_delivery_id, _row_number, code as product_id, 'pump' as product_name, null as category"


def _reasons(
    settings: Settings, sql: str, values: list[str | None], spec: FileSpec = SPEC
) -> dict[tuple[int, int], str | None]:
    """Row number (from 2) and part of all rows that the select gives, with their reject reason."""
    contract = load_contracts(settings)["products"]
    with duckdb.connect() as con:
        con.execute("create table file (code varchar, v varchar, _delivery_id varchar, _row_number bigint)")
        rows = [(f"P{number}", value, number) for number, value in enumerate(values, 2)]
        con.executemany("insert into file values (?, ?, 'd', ?)", rows)
        con.execute("create table city (code varchar, since varchar)")
        con.execute("insert into city values ('a', '2026-01-01'), ('b', '2026-01-01'), ('b', '2026-02-01')")
        mapping.map_rows(
            con, Path("products.sql"), sql, spec, contract, "mapped", {"d": readers.Counts(len(rows), 0, 0)}
        )
        found = con.execute("select _row_number, _row_part, _reject_reason from mapped order by all").fetchall()
        assert con.execute("from file").fetchall() == [(code, value, "d", number) for code, value, number in rows]
        left = con.execute("select view_name from duckdb_views() where not internal").fetchall()
        assert left == [("mapped",)]
    return {(row, part): reason for row, part, reason in found}


# The expression, a good value, one that makes it raise, and the reason of its row.
EXPRESSIONS = {
    "a quarter that is none": (
        "make_date(2026, cast(v as integer) * 3 - 2, 1)", "4", "5",
        "valid_from: products.sql cannot compute make_date(2026, ((CAST(v AS INTEGER) * 3) - 2), 1)",
    ),
    "a cast": (
        "cast(v as date)", "2026-03-01", "2026-02-30",
        "valid_from: products.sql cannot compute CAST(v AS DATE)",
    ),
    "strptime": (
        "strptime(v, '%d.%m.%Y')", "01.03.2026", "March",
        "valid_from: products.sql cannot compute strptime(v, '%d.%m.%Y')",
    ),
    "a number too large": (
        "date '2026-01-01' + cast(v as integer) * 100000", "0", "2000000",
        "valid_from: products.sql cannot compute (CAST('2026-01-01' AS DATE) + (CAST(v AS INTEGER) * 100000))",
    ),
    "a pattern": (
        "if(regexp_matches('2026-01-01', v), '2026-01-01', null)", "20", "[",
        "valid_from: products.sql cannot compute CASE  WHEN (regexp_matches('2026-01-01', v)) THEN ('2026-01-01') ELSE NULL END",
    ),
    "a lookup that is not unique": (
        "(select since from city where city.code = v)", "a", "b",
        "products.sql fails: a lookup finds more than one row",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_a_value_that_an_expression_does_not_take_rejects_its_row(settings: Settings, case: str) -> None:
    expression, good, bad, reason = EXPRESSIONS[case]
    found = _reasons(settings, f"select {REST}, {expression} as valid_from from file", [good, bad, None, good, bad])
    assert found == {(2, 1): None, (3, 1): reason, (4, 1): None, (5, 1): None, (6, 1): reason}


CAST_IN_A_CTE = f"with f as (select *, cast(v as date) as since from file) select {REST}, since as valid_from from f"


def test_an_error_inside_a_cte_is_found_by_halving_and_names_the_columns_made_of_it(settings: Settings) -> None:
    values = ["2026-01-01"] * 40
    values[7] = values[30] = "Monday"
    found = _reasons(settings, CAST_IN_A_CTE, values)
    reason = "valid_from: products.sql fails: a text is no date"
    assert {row: said for (row, _), said in found.items() if said} == {9: reason, 32: reason}
    assert len(found) == 40


def test_a_row_that_becomes_several_is_rejected_in_all_its_parts(settings: Settings) -> None:
    sql = f"""
        select {REST}, part as _row_part, make_date(cast(v as integer), part, 1) as valid_from
        from file cross join (select unnest([1, 2]) as part)
    """
    found = _reasons(settings, sql, ["2026", "soon"], SPEC.model_copy(update={"unpivot": 2}))
    reason = "valid_from: products.sql cannot compute make_date(CAST(v AS INTEGER), part, 1)"
    assert found == {(2, 1): None, (2, 2): None, (3, 1): reason, (3, 2): reason}


def test_with_very_many_such_rows_the_file_is_not_searched_to_its_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dealermart.mapping.failing.MOST_HALVED", 3)
    found = _reasons(settings, CAST_IN_A_CTE, ["Monday"] * 8)
    reason = "products.sql fails for very many rows, valid_from: products.sql fails: a text is no date"
    assert set(found.values()) == {reason}


def test_a_select_that_looks_at_other_rows_loses_all_of_them(settings: Settings) -> None:
    sql = f"select {REST}, max(cast(v as date)) over () as valid_from from file"
    reason = "products.sql looks at other rows of the file and fails: a text is no date"
    assert set(_reasons(settings, sql, ["2026-01-01", "Monday"]).values()) == {reason}


def test_what_is_wrong_with_the_select_itself_stays_an_error_of_the_config(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="a value does not fit what the select asks of it"):
        _reasons(settings, f"select {REST}, regexp_matches(v, '[') as valid_from from file", ["2026-01-01"])
