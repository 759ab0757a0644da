"""Ingest holds against the truth: every file, every count, every refused row with its rule, reason and place."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from tests.sample.ingested import Ingested

from dealermart import contracts, lake

COUNTS = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")


def _truth(home: Ingested, **wanted: str) -> list[dict[str, Any]]:
    return [one for one in home.truth["files"] if all(one[key] == value for key, value in wanted.items())]


def test_every_file_has_the_counts_of_the_truth(home: Ingested) -> None:
    found = {
        (day, one.file): {"status": one.status, **{name: getattr(one, name) for name in COUNTS}}
        for day, result in home.results.items()
        for one in result.files
        if one.status != "duplicate"
    }
    assert found == {
        (one["received"], one["file"]): {name: one[name] for name in ("status", *COUNTS)}
        for one in _truth(home, status="accepted")
    }


def test_rows_that_named_somebody_not_known_yet_are_taken_up_with_the_list_that_names_them(home: Ingested) -> None:
    found = {
        (day, one.received, one.file): (one.accepted, one.quarantined)
        for day, result in home.results.items()
        for one in result.taken_up
    }
    lists = [one["received"] for one in _truth(home, entry="team")]
    assert found == {
        (max(lists), one["received"], one["file"]): (one["taken_up"], -one["taken_up"])
        for one in _truth(home, status="accepted")
        if one["taken_up"]
    }
    assert len(found) == 1


def test_the_copy_under_another_name_changes_nothing(home: Ingested) -> None:
    found = {
        (day, one.file) for day, result in home.results.items() for one in result.files if one.status == "duplicate"
    }
    assert found == {(one["received"], one["file"]) for one in _truth(home, status="duplicate")}


def test_every_refused_row_stands_in_quarantine_with_its_place_and_reason(home: Ingested) -> None:
    with duckdb.connect(":memory:") as con:
        rows = con.execute(
            "select source_file, row_number, row_part, stage,"
            " case stage when 'check' then rule when 'map' then reason end from read_parquet($paths)",
            {"paths": [str(path) for path in home.settings.quarantine.glob("*/*.parquet")]},
        ).fetchall()
    planted = [
        (one["file"], row["row_number"], row["row_part"], row)
        for one in _truth(home, status="accepted")
        for row in one["planted"]
        if row["outcome"] in ("rejected", "quarantined")
    ]
    # The reader has its own words for a line that is no record; its place and stage are what the truth knows.
    reading = ("too many fields", "too few fields", "cut line")
    wanted = [
        (file, number, part, "read", None)
        if row["kind"] in reading
        else (file, number, part, "check" if row["outcome"] == "quarantined" else "map", row["why"])
        for file, number, part, row in planted
    ]
    assert sorted(rows, key=repr) == sorted(wanted, key=repr)


@pytest.mark.parametrize(
    ("feed", "count"),
    [
        pytest.param("sales", lambda truth: truth["sales"]["current_lines"], id="sale lines"),
        pytest.param("training_records", lambda truth: truth["training"]["records"], id="training records"),
        pytest.param("survey_responses", lambda truth: truth["csat"]["responses"], id="survey responses"),
    ],
)
def test_current_rows_of_the_lake(home: Ingested, feed: str, count: Any) -> None:
    contract = contracts.load_all(home.settings)[feed]
    current = lake.current_sql(contract, lake.read(home.settings).paths(home.settings, feed))
    with duckdb.connect(":memory:") as con:
        assert con.execute(f"select count(*) from ({current})").fetchall()[0][0] == count(home.truth)


def test_net_amount_per_currency_in_the_lake(home: Ingested) -> None:
    contract = contracts.load_all(home.settings)["sales"]
    current = lake.current_sql(contract, lake.read(home.settings).paths(home.settings, "sales"))
    with duckdb.connect(":memory:") as con:
        rows = con.execute(
            f"select currency_code, cast(sum(net_amount) as decimal(18, 2)) from ({current}) group by all"
        ).fetchall()
    assert {code: f"{amount}" for code, amount in rows} == home.truth["sales"]["net_amount_by_currency"]
