"""Deletions and conflicts, file by file, through the real ingest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dealermart import checks, ingest, lake, mapping
from dealermart.base import REPO, ConfigError, Settings, literal, load_settings, quoted
from dealermart.config import load_contracts
from dealermart.ingest.judge import judge_by_own_rows

from .things import SALES, source

pytestmark = pytest.mark.slow


Drop = Callable[..., Path]
HEAD = f"{SALES},void\n"
ONE = "A1,1,invoice,D1,P1,2,100.50,60,2026-03-01,"
TWO = "A1,2,invoice,D1,P1,1,40,30,2026-03-01,"
FEEDS = load_contracts(load_settings())
GOOD = {
    feed: yaml.safe_load((REPO / "tests" / "checks" / "feeds" / f"{feed}.yml").read_text("utf-8"))["good"]
    for feed in FEEDS
}


def sql_of(value: object) -> str:
    return literal(str(value))


@pytest.fixture
def here(settings: Settings) -> Settings:
    source(settings)
    return settings


def take(settings: Settings, day: int, folder: Path) -> dict[str, tuple[Any, ...]]:
    result = ingest.run(settings, "things", dt.date(2026, 3, day), folder)
    return {one.file: (one.status, one.accepted, one.quarantined, one.duplicate) for one in result.files}


def holds(settings: Settings, feed: str, columns: str) -> list[tuple[Any, ...]]:
    contract, log = load_contracts(settings)[feed], lake.read(settings)
    sql = lake.current_sql(contract, log.paths(settings, feed), log.told(settings, feed))
    return duckdb.sql(f"select {columns} from ({sql}) order by all").fetchall()


def stored(settings: Settings, feed: str, columns: str) -> list[tuple[Any, ...]]:
    contract, log = load_contracts(settings)[feed], lake.read(settings)
    return duckdb.sql(
        f"select {columns} from ({lake.rows_sql(contract, log.paths(settings, feed))}) order by all"
    ).fetchall()


def test_a_deletion_takes_the_line_back_and_a_later_row_brings_it_again(here: Settings, drop: Drop) -> None:
    lines = "transaction_id, line_no, net_amount"
    take(here, 1, drop({"sales.csv": f"{HEAD}{ONE}\n{TWO}\n"}))
    # A void line may say anything else, or nothing: only its key counts.
    found = take(here, 2, drop({"sales.csv": f"{HEAD}A1,1,gift,,,?,?,,never,x\n"}))
    assert found == {"sales.csv": ("accepted", 1, 0, 0)}
    assert [row[1] for row in holds(here, "sales", lines)] == [2]
    assert stored(here, "sales", "line_no, net_amount, sale_date, _is_deleted")[1] == (1, None, None, True)
    assert take(here, 3, drop({"voids.csv": "doc,line\nA1,2\n"})) == {"voids.csv": ("accepted", 1, 0, 0)}
    assert holds(here, "sales", lines) == []
    found = take(here, 4, drop({"sales.csv": f"{HEAD}{TWO}\n\n"}))
    assert found == {"sales.csv": ("accepted", 0, 0, 1)}, "as it was at first"
    assert [row[:2] for row in holds(here, "sales", lines)] == [("A1", 2)]


def test_an_older_deletion_that_comes_late_deletes_nothing_newer(here: Settings, drop: Drop) -> None:
    take(here, 5, drop({"sales.csv": f"{HEAD}{ONE}\n"}))
    take(here, 3, drop({"voids.csv": "doc,line\nA1,1\n"}))
    assert [row[0] for row in holds(here, "sales", "line_no")] == [1]


def test_the_change_time_of_the_source_decides_about_deletions_too(here: Settings, drop: Drop) -> None:
    head = "record,changed,course,score,deleted\n"
    take(here, 1, drop({"records.csv": f"{head}R1,2026-01-05 08:00:00,C1,50,no\nR2,2026-01-05 08:00:00,C1,50,no\n"}))
    take(here, 2, drop({"records.csv": f"{head}R1,2026-01-04 08:00:00,,,yes\nR2,2026-01-06 08:00:00,,,yes\n"}))
    assert holds(here, "training_records", "record_id") == [("R1",)]


def test_a_deletion_without_its_key_is_quarantined(here: Settings, drop: Drop) -> None:
    text = (
        f"{HEAD}A1,,,,,,,,,x\n,1,,,,,,,,x\nA1,-1,,,,,,,,x\n{ONE}\n{TWO}\nA1,3,,,,,,,,\nA1,4,,,,,,,,x\nA1,5,,,,,,,,x\n"
    )
    (one,) = ingest.run(here, "things", dt.date(2026, 3, 1), drop({"sales.csv": text})).files
    # 2 sales and 2 deletions; the 6 of 8 others lack a part of the key, have a bad one, or delete nothing.
    assert (one.accepted, one.quarantined) == (4, 4)
    assert {(fault["rule"], fault["first_row"]) for fault in one.faults} >= {
        ("line_no_missing", 2), ("transaction_id_missing", 3), ("line_no_negative", 4), ("net_amount_missing", 7)
    }  # fmt: skip


def test_a_row_and_its_deletion_in_one_file_are_a_conflict(here: Settings, drop: Drop) -> None:
    (one,) = ingest.run(
        here, "things", dt.date(2026, 3, 1), drop({"sales.csv": f"{HEAD}{ONE}\nA1,1,,,,,,,,x\n{TWO}\n"})
    ).files
    assert (one.accepted, one.quarantined) == (1, 2)
    assert [(fault["rule"], fault["rows"]) for fault in one.faults] == [("conflicting_key", 2)]


def test_a_deletion_that_is_no_condition_is_named(here: Settings, drop: Drop) -> None:
    path = here.sources / "things" / "sales.sql"
    path.write_text(path.read_text("utf-8").replace("coalesce(void, '') = 'x' as", "void as"), "utf-8")
    with pytest.raises(ConfigError, match="returns _is_deleted as varchar"):
        take(here, 1, drop({"sales.csv": f"{HEAD}{ONE}\n"}))


@pytest.mark.parametrize("feed", sorted(FEEDS))
def test_a_deletion_needs_nothing_but_its_key(feed: str) -> None:
    """Every suite: a row of the right key and nothing else passes as a deletion, and fails as a record."""
    contract = FEEDS[feed]
    types = checks.batch_columns(contract)
    suite = checks.load_suite(load_settings().expectations / f"{feed}.json", types, FEEDS)
    with duckdb.connect() as con:
        checks.define_currency(con, "CNY")
        for name, other in FEEDS.items():  # whom the key names is known
            columns = {column: GOOD[name].get(column) for column in other.lake_columns} | {"_is_deleted": False}
            known = ", ".join(
                f"cast({'null' if value is None else sql_of(value)} as {other.lake_columns[column]}) as {column}"
                for column, value in columns.items()
            )
            for view in checks.views(name):
                con.execute(f"create view {view} as select {known}")
        con.execute(f"create table batch ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
        for row_id, is_deleted in ((1, True), (2, False)):
            own = {name: GOOD[feed][name] for name in contract.key}
            own |= {"_delivery_id": f"d{row_id}", "_row_id": row_id, "_is_deleted": is_deleted}
            con.execute(
                f"insert into batch ({', '.join(own)}) values ({', '.join('?' * len(own))})", list(own.values())
            )
        by_row, by_views = suite.in_turn()
        checks.find_twins(con, "batch", contract.key)
        outcomes = checks.run_batch(con, "batch", by_row, contract.key)
        checks.failing_rows(con, "batch", outcomes, "failing")
        outcomes += checks.run(con, "batch", by_views)
        judge_by_own_rows(con, "batch", by_views)
        failing = {row_id for (row_id,) in con.execute("select _row_id from failing").fetchall()}
    asked = any(column.required and column.name not in contract.key for column in contract.columns)
    # A deal that is an opportunity must name its CRM, which the contract does not ask of every deal.
    asked = asked or feed == "deal_participants"
    assert failing == ({2} if asked else set())
    assert sorted(one.rule for one in outcomes) == sorted(rule.rule for rule in suite.rules)


def test_conflicts_are_found_across_the_parts_of_an_unpivot(here: Settings, drop: Drop) -> None:
    head = "target,code,first,second\n"
    text = f"{head}T1,a,10,10\nT2,a,10,20\nT3,a,5,5\nT3,a,5,5\nT4,a,7,7\nT4,a,7,8\n"
    (one,) = ingest.run(here, "things", dt.date(2026, 3, 1), drop({"targets.csv": text})).files
    # Both parts of a record share its key. T1: equal, so 1 row and a repeat. T2: both parts in conflict. T3: 4 equal
    # rows. T4: 4 rows, of which one differs: all of them.
    assert (one.accepted, one.duplicate, one.quarantined) == (2, 4, 6)
    assert [(fault["rule"], fault["rows"], fault["first_row"]) for fault in one.faults] == [("conflicting_key", 6, 3)]


def test_the_parts_of_a_record_lie_apart_in_quarantine(here: Settings, drop: Callable[..., Path]) -> None:
    text = "target,code,first,second\nT1,a,10,10\nT2,a,10,20\n"
    ingest.run(here, "things", dt.date(2026, 3, 1), drop({"targets.csv": text}))
    path = here.quarantine / "targets" / "*.parquet"
    held = duckdb.sql(f"select row_number, row_part from read_parquet('{path}') order by all").fetchall()
    assert held == [(3, 1), (3, 2)]


def test_a_deletion_has_another_hash_than_a_row_that_says_nothing() -> None:
    contract = FEEDS["sales"]
    nothing = ", ".join(f"null as {quoted(name)}" for name in contract.names)
    hashes = f"select {mapping.row_hash(contract)} from (select {nothing}, unnest([false, true]) as _is_deleted)"
    live, gone = duckdb.sql(hashes).fetchall()
    assert live != gone


def test_parts_of_a_text_are_trimmed_and_nothing_is_null(here: Settings, drop: Callable[..., Path]) -> None:
    path = here.sources / "things" / "sales.sql"
    parts = "split_part(dealer, '/', 1) as dealer_id, split_part(dealer, '/', 2) as seller_id"
    path.write_text(path.read_text("utf-8").replace("dealer as dealer_id", parts), "utf-8")
    text = f"{HEAD}A1,1,invoice,D1 / M1,P1,2,100.50,60,2026-03-01,\nA1,2,invoice,D1,P1,2,100.50,60,2026-03-01,\n"
    take(here, 1, drop({"sales.csv": text}))
    assert stored(here, "sales", "line_no, dealer_id, seller_id") == [(1, "D1", "M1"), (2, "D1", None)]
