"""The feeds' suites: each rule finds what it is for, and contracts and suites name the same things."""

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import duckdb
import pytest
import yaml

from dealermart import checks
from dealermart.base import load_settings
from dealermart.config import load_contracts
from dealermart.ingest.judge import judge_by_own_rows

SETTINGS = load_settings()
CONTRACTS = load_contracts(SETTINGS)
FEEDS = sorted(CONTRACTS)

# tests/checks/feeds/<feed>.yml: `good` is a right row, every column filled; `cases` are changes to it with the rules that
# must find them (severity info included). Missing required columns are planted for every feed by the test itself, and
# windows that cannot be for those that say `window: true`.
pytestmark = pytest.mark.slow  # every rule of every suite, most of a minute

FILES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (Path(__file__).parent / "feeds").glob("*.yml")}
GOOD = {feed: file["good"] for feed, file in FILES.items()}

WINDOW = [
    ({"valid_from": "1899-12-31"}, {"valid_from_out_of_range"}),
    ({"valid_from": "2100-01-02", "valid_to": None}, {"valid_from_out_of_range"}),
    ({"valid_from": "1900-01-01", "valid_to": "1900-01-01"}, {"valid_to_not_after_valid_from"}),
    ({"valid_from": "1900-01-02", "valid_to": "1900-01-01"}, {"valid_to_not_after_valid_from"}),
    ({"valid_to": "1899-12-31"}, {"valid_to_out_of_range", "valid_to_not_after_valid_from"}),
]


def cases(feed):
    listed = [(case["change"], set(case["finds"])) for case in FILES[feed]["cases"]]
    return [*(WINDOW if FILES[feed].get("window") else []), *listed]


# Found by tests of their own: they are about several rows.
ACROSS_ROWS = {"key_mostly_missing", "conflicting_key", "shares_above_100"}

# What is known besides the batch. K1 and so on are the keys that ``keyed`` gives.
KEYS = [f"K{number}" for number in range(1, 60)]
KNOWN = {
    "dealers": [
        *[{"dealer_id": key} for key in ("D0", "D1", *KEYS)],
        {"dealer_id": "D2", "onboarded_date": "2026-03-01"},
        {"dealer_id": "D2", "onboarded_date": None},
    ],
    "team_members": [{"member_id": key} for key in ("M0", "M1", "M2", "M3", *KEYS)],
    "products": [{"product_id": "P1"}],
    "sales": [{"transaction_id": "T0", "line_no": 1}, {"transaction_id": "T1", "line_no": 1}],
    "targets": [{"target_id": "G1"}],
    "objectives": [{"objective_id": "O1"}],
    "training_courses": [{"course_id": "C1"}],
    "service_cases": [{"case_id": "C1"}],
    "crm_accounts": [{"crm_system": "zoho", "account_id": "A1"}],
    "crm_opportunities": [
        {"crm_system": system, "opportunity_id": key} for system in ("zoho", "fxiaoke") for key in ("O1", *KEYS)
    ],
    "id_links": [
        *[
            {"system": system, "subject_type": "member", "external_id": "U1", "subject_id": "M1"}
            for system in ("zoho", "fxiaoke")
        ],
        {"system": "zoho", "subject_type": "dealer", "external_id": "A7", "subject_id": "D1"},
    ],
    "fx_rates": [
        {"rate_date": day, "from_currency_code": "EUR", "to_currency_code": "CNY"}
        for day in ("1900-01-01", "2026-01-01")
    ]
    + [
        {"rate_date": "2026-01-01", "from_currency_code": "GBP", "to_currency_code": "CNY"},
        {"rate_date": "1900-01-01", "from_currency_code": "CNY", "to_currency_code": "USD"},
    ],
}


@cache
def suite_of(feed):
    return checks.load_suite(SETTINGS.expectations / f"{feed}.json", checks.batch_columns(CONTRACTS[feed]), CONTRACTS)


def judged(feed, rows, only=None):
    """Set of (row id, rule) that the feed's suite, or one rule of it, finds in ``rows``.

    A row is (delivery, column values); row ids count from 1.
    """
    contract, suite = CONTRACTS[feed], suite_of(feed)
    if only:
        suite = replace(suite, rules=tuple(rule for rule in suite.rules if rule.rule == only))
    columns = checks.batch_columns(contract)
    with duckdb.connect() as con:
        con.execute(f"create table batch ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        cells = [
            [*(values[name] for name in contract.names), delivery, number, 1, number, False]
            for number, (delivery, values) in enumerate(rows, 1)
        ]
        row = f"({', '.join('?' * len(columns))})"
        con.execute(
            f"insert into batch values {', '.join([row] * len(cells))}", [cell for line in cells for cell in line]
        )
        con.execute("create table failing (_row_id bigint, rule varchar, severity varchar)")
        checks.define_currency(con, "CNY")
        for name in suite.looked_up | {feed}:
            know(con, name, own=name == feed)
        by_row, by_views = suite.in_turn()
        checks.find_twins(con, "batch", contract.key)
        outcomes = checks.run(con, "batch", by_row)
        checks.failing_rows(con, "batch", outcomes, "failing")
        outcomes += checks.run(con, "batch", by_views)
        judge_by_own_rows(con, "batch", by_views)
        found = set(con.execute("select _row_id, rule from failing").fetchall())
        for outcome in outcomes:
            if outcome.severity == "info":
                found |= {(row[0], outcome.rule) for row in con.execute(outcome.failing_rows_sql).fetchall()}
    return found


def know(con, feed, own):
    """The views of a feed, with the rows of the batch that nothing speaks against yet where it is the batch's own."""
    columns = CONTRACTS[feed].lake_columns
    con.execute(f"create table {feed}_before ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    for values in KNOWN.get(feed, []):
        con.execute(
            f"insert into {feed}_before ({', '.join(values)}) values ({', '.join('?' * len(values))})",
            [*values.values()],
        )
    more = "union all by name select * from batch anti join failing using (_row_id)" if own else ""
    for view in checks.views(feed):
        con.execute(f"create view {view} as from {feed}_before {more}")


def keyed(feed, number, **changes):
    """The right row under a key of its own, as far as the key is text that is not part of what changes."""
    names = [name for name in CONTRACTS[feed].key if name.endswith("_id") or name == "course_id"]
    own = {names[0]: f"K{number}"} if names else {}
    return GOOD[feed] | own | changes


@pytest.mark.parametrize("feed", FEEDS)
def test_every_rule_finds_exactly_what_was_planted(feed):
    required = [column.name for column in CONTRACTS[feed].columns if column.required]
    missing = [({name: None}, {f"{name}_missing"}) for name in required]
    planted = [({}, set()), *cases(feed), *missing]
    # Deliveries of their own keep the rows of one key apart where a key has no text to vary.
    rows = [(f"d{number}", keyed(feed, number, **changes)) for number, (changes, _) in enumerate(planted, 1)]

    expected = {(number, rule) for number, (_, rules) in enumerate(planted, 1) for rule in rules}
    found = {pair for pair in judged(feed, rows) if pair[1] not in ACROSS_ROWS}
    assert found == expected
    assert {rule for _, rule in expected} == {rule.rule for rule in suite_of(feed).rules} - ACROSS_ROWS


@pytest.mark.parametrize("feed", FEEDS)
def test_a_file_is_refused_when_more_than_half_of_its_rows_lack_the_key(feed):
    lacking = GOOD[feed] | {CONTRACTS[feed].key[-1]: None}
    rows = [
        *[("most", lacking), ("most", lacking), ("most", GOOD[feed])],
        *[("half", lacking), ("half", GOOD[feed])],
        *[("none", GOOD[feed])],
    ]

    assert judged(feed, rows, "key_mostly_missing") == {(1, "key_mostly_missing"), (2, "key_mostly_missing")}
    [rule] = [rule for rule in suite_of(feed).rules if rule.rule == "key_mostly_missing"]
    assert rule.severity == "critical"


@pytest.mark.parametrize("feed", FEEDS)
def test_rows_of_one_file_with_one_key_and_other_content_are_all_quarantined(feed):
    """One delivery per other column: a pair that differs in it alone. Repeats and other deliveries are no conflict."""
    contract = CONTRACTS[feed]
    telling = [name for name in contract.names if name not in contract.key and name != contract.version]
    rows = [(name, GOOD[feed] | change) for name in telling for change in ({}, {name: None})]
    rows += [("repeat", GOOD[feed]), ("repeat", GOOD[feed])]
    rows += [("other file", GOOD[feed] | {telling[0]: None})]
    lacking = GOOD[feed] | {contract.key[0]: None}  # without a key nothing can be said
    rows += [("no key", lacking), ("no key", lacking | {telling[0]: None})]

    assert {row for row, _ in judged(feed, rows, "conflicting_key")} == set(range(1, 2 * len(telling) + 1))


def test_versions_of_a_training_record_are_no_conflict():
    first, later = (
        GOOD["training_records"],
        GOOD["training_records"] | {"updated_at": "2026-01-06 08:00:00", "score": 50},
    )
    unversioned = first | {"updated_at": None}
    rows = [("a", first), ("a", later), ("b", unversioned), ("b", unversioned | {"score": 50}), ("b", first)]

    assert {row for row, _ in judged("training_records", rows, "conflicting_key")} == {3, 4}


def share(dealer, member, start, pct, end=None, role="owner"):
    values = {"dealer_id": dealer, "member_id": member, "valid_from": start, "valid_to": end, "split_pct": pct}
    return "file", GOOD["assignments"] | values | {"role": role}


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([("D1", "K1", "2026-01-01", 60), ("D1", "K2", "2026-01-01", 40)], set(), id="100 is full"),
        pytest.param([("D1", "K1", "2026-01-01", 60), ("D1", "K2", "2026-01-01", 40.0001)], {1, 2}, id="a hair more"),
        pytest.param([("D1", "K1", "2026-01-01", 60), ("D2", "K2", "2026-01-01", 60)], set(), id="two dealers"),
        pytest.param(
            [("D1", "K1", "2026-01-01", 100, "2026-04-01"), ("D1", "K2", "2026-04-01", 100)],
            set(),
            id="half-open transfer",
        ),
        pytest.param(
            [("D1", "K1", "2026-01-01", 100, "2026-04-02"), ("D1", "K2", "2026-04-01", 100)],
            {1, 2},
            id="one day too many",
        ),
        pytest.param(
            [("D1", "K1", "2026-01-01", 50), ("D1", "K1", "2026-03-01", 60)],
            set(),
            id="a row ends where the next begins",
        ),
        pytest.param(
            [("D1", "K1", "2026-01-01", 60), ("D1", "K2", "2026-01-01", 60, None, "overlay")],
            set(),
            id="overlay is apart",
        ),
        pytest.param(
            [("D1", "K1", "2026-01-01", 60), ("D1", "K2", "2026-01-01", 60, None, "co_owner")], {1, 2}, id="co-owner"
        ),
        pytest.param([("D1", "K1", "2026-01-01", 60), ("D1", "K2", "2026-01-01", None)], set(), id="a share left open"),
        pytest.param(
            [
                ("D1", "K1", "2026-01-01", 60, "2026-02-01"),
                ("D1", "K2", "2026-01-15", 60, "2026-03-01"),
                ("D1", "K3", "2026-02-15", 30),
            ],
            {1, 2},
            id="the third shares no day with the first and fits beside the second",
        ),
    ],
)
def test_shares_of_a_dealer_above_100_percent_on_a_day(rows, found):
    assert {row_id for row_id, _ in judged("assignments", [share(*row) for row in rows], "shares_above_100")} == found


@pytest.mark.parametrize("feed", FEEDS)
def test_contract_and_suite_name_the_same_columns(feed):
    """Both ways: every rule names the contract's columns (load), every required column must be filled (suite)."""
    contract, suite = CONTRACTS[feed], suite_of(feed)
    required = {column.name for column in contract.columns if column.required}
    filled = {
        rule.kwargs["column"]
        for rule in suite.rules
        if rule.type == "expect_column_values_to_not_be_null" and "row_condition" not in rule.kwargs
    }

    assert filled == required
    dated = {
        column.name
        for column in contract.columns
        if column.type in ("date", "timestamp") and column.name != contract.version
    }
    bounded = {rule.kwargs["column"] for rule in suite.rules if rule.type == "expect_column_values_to_be_between"}
    assert dated <= bounded


@pytest.mark.parametrize("feed", FEEDS)
def test_every_code_of_a_master_is_looked_up(feed):
    """What the lookup finds, the cases say; this says that none was forgotten."""
    contract = CONTRACTS[feed]
    people = {column.name for column in contract.columns if any(person.kind == "member" for person in column.person)}
    coded = {("team_members", name) for name in people}
    coded |= {("dealers", name) for name in contract.names if name.endswith("dealer_id")}
    coded |= {("products", name) for name in contract.names if name == "product_id"}
    coded -= {(feed, name) for name in contract.key}  # a master is not looked up in itself
    coded -= {("team_members", "respondent_id")}  # of a survey among dealers, somebody there
    queries = [rule.kwargs.get("unexpected_rows_query", "") for rule in suite_of(feed).rules]
    asked = {
        (master, name)
        for master, name in coded
        if any(f"feed_{master} " in query and f"= b.{name}\n" in query for query in queries)
    }

    assert asked == coded


def test_every_feed_has_a_suite_and_cases_and_every_suite_a_feed():
    assert sorted(path.stem for path in SETTINGS.expectations.glob("*.json")) == FEEDS
    assert sorted(FILES) == FEEDS


@pytest.mark.parametrize("feed", FEEDS)
def test_the_right_row_fills_every_column(feed):
    """Only then do the tests above see what happens to each column."""
    assert {name for name, value in GOOD[feed].items() if value is not None} == set(CONTRACTS[feed].names)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_rule_stands_on_one_line(feed):
    """So that a change of a rule is one line of a diff, and an error's line is the rule's."""
    path = SETTINGS.expectations / f"{feed}.json"
    lines = [line.strip().rstrip(",") for line in path.read_text("utf-8").splitlines() if '"rule"' in line]

    assert [json.loads(line)["meta"]["rule"] for line in lines] == [rule.rule for rule in suite_of(feed).rules]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_rule_waits_for_the_feeds_that_it_looks_up(feed):
    """What is reported only (info) waits for nothing; all else that names another record can arrive before it."""
    for rule in suite_of(feed).rules:
        looked_up = set(re.findall(r"\b(?:feed|known)_(\w+)", rule.kwargs.get("unexpected_rows_query", "")))
        if rule.severity == "warning":
            assert set(rule.waits_for) == looked_up, rule.rule


def test_sql_stands_in_files_and_every_file_belongs_to_a_rule_or_is_a_template_in_use():
    rules = [
        (path, rule)
        for path in SETTINGS.expectations.rglob("*.json")
        for rule in json.loads(path.read_text("utf-8"))["expectations"]
        if rule["type"] == "unexpected_rows_expectation"
    ]
    assert not [path for path, rule in rules if "unexpected_rows_query" in rule["kwargs"]]
    filed = {
        path.parent / "sql" / path.stem / f"{rule['meta']['rule']}.sql" for path, rule in rules if not rule["kwargs"]
    }
    used = {path.parent / "templates" / f"{rule['kwargs']['template']}.sql" for path, rule in rules if rule["kwargs"]}
    assert set(SETTINGS.expectations.rglob("*.sql")) == filed | used


@pytest.mark.parametrize("feed", FEEDS)
def test_what_a_key_implies_is_taken_from_the_templates(feed):
    """The first suite of a feed has both rules; later ones must not part from the contract's key."""
    shared = {"key_mostly_missing", "conflicting_key"}
    items = json.loads((SETTINGS.expectations / f"{feed}.json").read_text("utf-8"))["expectations"]
    assert {item["meta"]["rule"] for item in items if item["kwargs"] == {"template": item["meta"]["rule"]}} == shared
