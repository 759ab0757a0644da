"""Ingest holds against the truth: every file, every count, every refused row with its rule, reason and place."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.sample_company.ingested import Ingested

from dealermart import lake
from dealermart.base import Settings
from dealermart.config import load_contracts

pytestmark = pytest.mark.slow


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


def test_rows_that_named_what_was_not_known_yet_are_taken_up_when_it_comes(home: Ingested) -> None:
    """Targets of a member with the list that names the member; a payment with the invoice that is sent again."""
    found = {
        (day, one.received, one.file): (one.accepted, one.quarantined)
        for day, result in home.results.items()
        for one in result.taken_up
    }
    [resent] = home.truth["events"]["resent"]
    comes = {"targets": max(one["received"] for one in _truth(home, entry="team")), "payments": resent["received"]}
    assert found == {
        (comes[one["feed"]], one["received"], one["file"]): (one["taken_up"], -one["taken_up"])
        for one in _truth(home, status="accepted")
        if one["taken_up"]
    }
    assert len(found) == 2


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
    contract = load_contracts(home.settings)[feed]
    current = lake.current_sql(contract, lake.read(home.settings).paths(home.settings, feed))
    with duckdb.connect(":memory:") as con:
        assert con.execute(f"select count(*) from ({current})").fetchall()[0][0] == count(home.truth)


def test_net_amount_per_currency_in_the_lake(home: Ingested) -> None:
    contract = load_contracts(home.settings)["sales"]
    current = lake.current_sql(contract, lake.read(home.settings).paths(home.settings, "sales"))
    with duckdb.connect(":memory:") as con:
        rows = con.execute(
            f"select currency_code, cast(sum(net_amount) as decimal(18, 2)) from ({current}) group by all"
        ).fetchall()
    assert {code: f"{amount}" for code, amount in rows} == home.truth["sales"]["net_amount_by_currency"]


# ------------------------------------------------------------------------------------------------ the later feeds
FEEDS = load_contracts(Settings(home=Path("unused")))
LATER = sorted(
    set(FEEDS)
    - {"assignments", "dealers", "fx_rates", "plan_assignments", "products", "sales", "targets", "team_members"}
    - {"training_courses", "training_records"}
)


def _current(home: Ingested, feed: str) -> str:
    return lake.current_sql(FEEDS[feed], lake.read(home.settings).paths(home.settings, feed))


def test_truth_knows_every_feed(home: Ingested) -> None:
    assert sorted(home.truth["feeds"]) == LATER


@pytest.mark.parametrize("feed", LATER)
def test_current_rows_and_sums_of_a_feed(home: Ingested, feed: str) -> None:
    truth = home.truth["feeds"][feed]
    # answers of CSAT and NPS are counted by the truth of their own (current_rows_of_the_lake above)
    rows = f"select * from ({_current(home, feed)})"
    if feed == "survey_responses":
        rows += " where survey not in ('csat', 'nps')"
    with duckdb.connect(":memory:") as con:
        assert con.execute(f"select count(*) from ({rows})").fetchall() == [(truth["current"],)]
        for one in truth["measures"]:
            of = f"{one['measure']}({one['of'] or '*'})"
            by = f"coalesce(cast({one['by']} as varchar), '')" if one["by"] else "''"
            wanted = f"{one['of']} is not null" if one["of"] else "true"
            found = con.execute(f"select {by}, {of} from ({rows}) where {wanted} group by 1").fetchall()
            if one["measure"] == "sum":
                assert {name: Decimal(value) for name, value in found} == {
                    name: Decimal(value) for name, value in one["values"].items()
                }, one
            else:
                assert {name: str(value) for name, value in found} == one["values"], one


DEALERS, MEMBERS = "select dealer_id from dealers", "select member_id from team_members"
PRODUCTS, DOCUMENTS = "select product_id from products", "select transaction_id from sales"
# What a column names. A subject is a dealer or a member by the type beside it.
REFERS = [
    *((feed, "dealer_id", DEALERS) for feed in ("payments", "dealer_stock", "support_requests", "service_cases")),
    *((feed, "dealer_id", DEALERS) for feed in ("survey_responses", "crm_accounts")),
    *((feed, "product_id", PRODUCTS) for feed in ("dealer_stock", "service_cases")),
    *((feed, "transaction_id", DOCUMENTS) for feed in ("payments", "service_cases", "crm_opportunities")),
    *(
        (feed, "member_id", MEMBERS)
        for feed in [
            "absences",
            "career_events",
            "deal_participants",
            "recognitions",
            "review_acknowledgements",
            "review_appeals",
            "review_goals",
            "review_inputs",
            "service_cases",
            "skills",
            "support_requests",
            "survey_responses",
        ]
    ),
    ("actions", "owner_id", MEMBERS),
    ("adjustments", "payee_id", MEMBERS),
    ("adjustments", "approved_by_id", MEMBERS),
    ("career_events", "decided_by_id", MEMBERS),
    ("events", "organiser_id", MEMBERS),
    ("messages", "sender_id", MEMBERS),
    ("plan_acceptances", "payee_id", MEMBERS),
    ("service_cases", "helper_id", MEMBERS),
    ("statement_disputes", "payee_id", MEMBERS),
    ("support_requests", "assignee_id", MEMBERS),
    ("survey_responses", "case_id", "select case_id from service_cases"),
    ("target_approvals", "approver_id", MEMBERS),
    ("target_approvals", "target_id", "select target_id from targets"),
    ("targets", "objective_id", "select objective_id from objectives"),
    ("territories", "subject_id", f"{DEALERS} union all {MEMBERS}"),
    ("events", "attendee_id", f"{DEALERS} union all {MEMBERS}"),
    ("id_links", "subject_id", f"{DEALERS} union all {MEMBERS}"),
    ("review_inputs", "rater_id", f"{DEALERS} union all {MEMBERS}"),
    ("crm_opportunities", "account_id", "select external_id from id_links where subject_type = 'dealer'"),
    ("crm_opportunities", "owner_user_id", "select external_id from id_links where subject_type = 'member'"),
    ("crm_accounts", "account_id", "select external_id from id_links where subject_type = 'dealer'"),
    ("crm_stage_changes", "opportunity_id", "select opportunity_id from crm_opportunities"),
    ("crm_activities", "opportunity_id", "select opportunity_id from crm_opportunities"),
]


@pytest.fixture(scope="module")
def current(home: Ingested) -> Iterator[duckdb.DuckDBPyConnection]:
    """A view of the current rows per feed."""
    with duckdb.connect(":memory:") as con:
        for feed in FEEDS:
            con.execute(f"create view {feed} as {_current(home, feed)}")
        yield con


@pytest.mark.parametrize(("feed", "column", "known"), REFERS, ids=lambda value: str(value)[:30])
def test_every_id_names_something_that_exists(
    current: duckdb.DuckDBPyConnection, feed: str, column: str, known: str
) -> None:
    sql = f"select count(*), count(*) filter ({column} not in ({known})) from {feed} where {column} is not null"
    [(filled, lost)] = current.execute(sql).fetchall()
    assert filled
    assert lost == 0


def test_moments_of_every_system_are_utc(current: duckdb.DuckDBPyConnection) -> None:
    """People work from 9 to 18 o'clock in Shanghai, which is 1 to 10 in UTC, whatever way a system writes it."""
    for feed, column, only in (
        ("messages", "due_at", "true"),
        ("service_cases", "opened_at", "true"),
        ("support_requests", "opened_at", "true"),
        ("crm_opportunities", "created_at", "crm_system = 'zoho'"),
        ("crm_opportunities", "created_at", "crm_system = 'fxiaoke'"),
    ):
        sql = f"select min(hour({column})), max(hour({column})) from {feed} where {only}"
        [(first, last)] = current.execute(sql).fetchall()
        assert (first, last) in ((1, 9), (1, 10)), feed
