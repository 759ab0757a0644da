"""Two tables have one hash exactly if they say the same."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dealermart.base import content_hash

BASE = """
    select * from (values
        (1, 'north', 10.00::decimal(18,2), date '2026-03-01', null::varchar),
        (2, 'south', 20.50::decimal(18,2), date '2026-03-02', 'late'),
        (2, 'south', 20.50::decimal(18,2), date '2026-03-02', 'late')
    ) as rows_of_base(id, region, amount, day, note)
"""


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"create table base as {BASE}")
        yield connection


@pytest.mark.parametrize(
    "select",
    [
        pytest.param("select * from base order by id desc", id="another order of rows"),
        pytest.param("select note, day, amount, region, id from base", id="another order of columns"),
        pytest.param("select * replace (id::bigint as id) from base", id="a wider integer"),
        pytest.param("select * replace (amount::decimal(38,2) as amount) from base", id="a wider decimal of one scale"),
        pytest.param(
            "select *, 'run-2' as _run_id, now() as _ingested_at, true as _is_repeat from base", id="run metadata"
        ),
    ],
)
def test_the_same_content_has_the_same_hash(con: duckdb.DuckDBPyConnection, select: str) -> None:
    con.execute(f"create table other as {select}")
    assert content_hash(con, "other") == content_hash(con, "base")


@pytest.mark.parametrize(
    "select",
    [
        pytest.param("select * replace (amount + (id = 1)::int * 0.01 as amount) from base", id="one cent more"),
        pytest.param("select distinct * from base", id="a repeated row once"),
        pytest.param("select * from base union all select * from base where id = 2", id="a row more"),
        pytest.param("select * from base where id = 2", id="a row less"),
        pytest.param("select * replace (coalesce(note, '') as note) from base", id="empty for NULL"),
        pytest.param("select * replace (coalesce(note, 'n') as note) from base", id="the mark of NULL as a text"),
        pytest.param("select * replace (amount::decimal(18,4) as amount) from base", id="another scale"),
        pytest.param("select * rename (note as remark) from base", id="another name of a column"),
        pytest.param("select * replace (region || '1' as region) from base", id="a longer text"),
    ],
)
def test_other_content_has_another_hash(con: duckdb.DuckDBPyConnection, select: str) -> None:
    con.execute(f"create table other as {select}")
    assert content_hash(con, "other") != content_hash(con, "base")


def test_values_do_not_run_into_each_other(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table one as select 'ab' as a, 'c' as b")
    con.execute("create table two as select 'a' as a, 'bc' as b")
    con.execute("create table three as select 'v1:b' as a, null::varchar as b")
    con.execute("create table four as select null::varchar as a, 'v1:b' as b")
    assert len({content_hash(con, name) for name in ("one", "two", "three", "four")}) == 4


def test_a_null_inside_a_list_is_not_the_text_null(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table one as select [null, 'a'] as tags")
    con.execute("create table two as select ['NULL', 'a'] as tags")
    assert content_hash(con, "one") != content_hash(con, "two")


def test_the_time_zone_of_the_session_does_not_count(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table zoned as select timestamptz '2026-03-01 00:00:00+08' as at")
    con.execute("set timezone = 'Asia/Shanghai'")
    here = content_hash(con, "zoned")
    con.execute("set timezone = 'America/Los_Angeles'")
    assert content_hash(con, "zoned") == here


def test_excluded_columns_do_not_count(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create table other as select * replace ('x' as note) from base")
    assert content_hash(con, "other", exclude=["note"]) == content_hash(con, "base", exclude=["note"])


def test_an_excluded_column_that_is_not_there_is_an_error(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(ValueError, match="base has no column remark; it has id, region, amount, day, note"):
        content_hash(con, "base", exclude=["remark"])


def test_the_hash_of_known_rows_stays(con: duckdb.DuckDBPyConnection) -> None:
    """sha256 of the column names and of each row's own sha256, worked out with sha256sum from the documented form."""
    con.execute("create table pair as select * from (values ('x', 1), (null, 2)) as rows_of_pair(a, b)")
    assert content_hash(con, "pair") == "1db3c98450ada64fcedfa60c06e3b1050a21ab555e941153076c06bbc025e1e8"
