"""The feeds' suites: each rule finds what it is for, and contracts and suites name the same things."""

import json
from dataclasses import replace
from functools import cache

import duckdb
import pytest

from dealermart import checks, contracts, ingest, settings

SETTINGS = settings.load()
CONTRACTS = contracts.load_all(SETTINGS)
FEEDS = sorted(CONTRACTS)

# One right row per feed, every column filled (where two columns cannot both be filled, the rule says so below).
GOOD = {
    "assignments": {
        "dealer_id": "D1",
        "member_id": "M1",
        "role": "owner",
        "valid_from": "2025-01-01",
        "valid_to": "2026-01-01",
        "split_pct": 60,
    },
    "dealers": {
        "dealer_id": "D1",
        "valid_from": "1900-01-01",
        "valid_to": "9999-12-31",
        "dealer_name": "上海华通贸易有限公司",
        "dealer_type": "专卖店",
        "tier": "A",
        "parent_dealer_id": "D0",
        "region": "East",
        "country": "China",
        "city": "上海",
        "currency_code": "CNY",
        "onboarded_date": "1974-01-01",
        "status": "active",
        "credit_limit_amount": 0,
    },
    "fx_rates": {
        "rate_date": "2026-01-01",
        "from_currency_code": "USD",
        "to_currency_code": "CNY",
        "rate_type": "market",
        "rate": 7.0123,
    },
    "plan_assignments": {
        "plan_assignment_id": "PA1",
        "payee_type": "member",
        "payee_id": "M1",
        "plan_id": "sales_2026",
        "target_pay_amount": 60000,
        "currency_code": "CNY",
        "valid_from": "2026-01-01",
        "valid_to": "2027-01-01",
    },
    "products": {
        "product_id": "P1",
        "valid_from": "2026-01-01",
        "valid_to": "2026-07-01",
        "product_name": "Road-150",
        "category": "Bikes",
        "subcategory": "Road Bikes",
        "brand": "R",
        "unit": "piece",
        "currency_code": "USD",
        "list_price_amount": 0,
        "standard_cost_amount": 0,
    },
    "sales": {
        "transaction_id": "T1",
        "line_no": 0,
        "transaction_type": "invoice",
        "channel": "sell_in",
        "dealer_id": "D1",
        "product_id": "P1",
        "seller_id": "M1",
        "quantity": 1,
        "unit_price_amount": 10,
        "discount_amount": 10,
        "net_amount": 0,
        "cost_amount": 6,
        "currency_code": "EUR",
        "sale_date": "1990-01-01",
        "original_transaction_id": "T0",
        "original_line_no": 1,
    },
    "survey_responses": {
        "response_id": "S1",
        "survey": "csat",
        "scale_min": 1,
        "scale_max": 5,
        "respondent_id": "R1",
        "dealer_id": "D1",
        "member_id": "M1",
        "case_id": "C1",
        "sent_date": "2026-01-01",
        "answered_date": "2026-01-01",
        "score": 5,
        "comment": "好",
    },
    "targets": {
        "target_id": "G1",
        "subject_type": "member",
        "subject_id": "M1",
        "metric": "net_revenue",
        "product_category": "Bikes",
        "valid_from": "2026-01-01",
        "valid_to": "2026-02-01",
        "target_value": 0,
        "unit": "CNY",
        "objective_id": "O1",
        "weight_pct": 100,
    },
    "team_members": {
        "member_id": "M1",
        "valid_from": "2026-01-01",
        "valid_to": "2026-07-01",
        "member_name": "José Saraiva",
        "role": "sales",
        "grade": "L2",
        "team": "East",
        "manager_id": "M0",
        "region": "East",
        "hired_date": "1985-01-01",
        "left_date": "2026-07-01",
        "employment_pct": 50,
        "currency_code": "CNY",
        "base_pay_amount": 240000,
        "gender": "f",
        "birth_year": 1990,
    },
    "training_courses": {
        "course_id": "C1",
        "course_name": "Basics",
        "topic": "product",
        "is_mandatory": True,
        "hours": 0,
    },
    "training_records": {
        "record_id": "R1",
        "updated_at": "2026-01-05 08:00:00",
        "course_id": "C1",
        "member_id": "M1",
        "dealer_id": "D1",
        "assigned_date": "2026-01-01",
        "due_date": "2026-01-01",
        "started_date": "2026-01-01",
        "completed_date": "2026-01-01",
        "score": 100,
        "is_passed": True,
        "cost_amount": 0,
        "currency_code": "CNY",
    },
}

WINDOW = [
    ({"valid_from": "1899-12-31"}, {"valid_from_out_of_range"}),
    ({"valid_from": "2100-01-02", "valid_to": None}, {"valid_from_out_of_range"}),
    ({"valid_from": "1900-01-01", "valid_to": "1900-01-01"}, {"valid_to_not_after_valid_from"}),
    ({"valid_from": "1900-01-02", "valid_to": "1900-01-01"}, {"valid_to_not_after_valid_from"}),
    ({"valid_to": "1899-12-31"}, {"valid_to_out_of_range", "valid_to_not_after_valid_from"}),
]

# Changes to the right row, and the rules that must find it (severity info included). A missing required column is
# planted for every feed by the test itself.
CASES = {
    "assignments": [
        *WINDOW,
        ({"role": "boss"}, {"role_unknown"}),
        ({"role": "Owner"}, {"role_unknown"}),
        ({"split_pct": -0.0001}, {"split_pct_out_of_range"}),
        ({"split_pct": 100.0001}, {"split_pct_out_of_range"}),
        ({"split_pct": 0}, set()),
        ({"dealer_id": "D9"}, {"dealer_unknown"}),
        ({"member_id": "M9"}, {"member_unknown"}),
        ({"split_pct": None}, {"split_pct_missing"}),
        ({"split_pct": None, "role": "service"}, set()),
    ],
    "dealers": [
        *WINDOW,
        ({"status": "closed"}, {"status_unknown"}),
        ({"status": None, "tier": None, "currency_code": None, "valid_to": None}, set()),
        ({"currency_code": "RMB¥"}, {"currency_code_malformed"}),
        ({"currency_code": "cny"}, {"currency_code_malformed"}),
        ({"onboarded_date": "1899-12-31"}, {"onboarded_date_out_of_range"}),
        ({"credit_limit_amount": -1}, {"credit_limit_amount_negative"}),
        ({"parent_dealer_id": "D9"}, {"parent_unknown"}),
        ({"parent_dealer_id": None}, set()),
    ],
    "fx_rates": [
        ({"rate_date": "1989-12-31"}, {"rate_date_out_of_range"}),
        ({"rate_date": "2100-01-02"}, {"rate_date_out_of_range"}),
        ({"from_currency_code": "US"}, {"from_currency_code_malformed"}),
        ({"to_currency_code": "USDT"}, {"to_currency_code_malformed"}),
        ({"rate_type": "spot"}, {"rate_type_unknown"}),
        ({"rate": 0}, {"rate_not_positive"}),
        ({"rate": -7}, {"rate_not_positive"}),
        ({"rate": "0.0000000001"}, set()),
        ({"from_currency_code": "CNY", "rate": "1.0000000001"}, {"own_rate_not_one"}),
        ({"from_currency_code": "CNY", "rate": 1}, set()),
    ],
    "plan_assignments": [
        *WINDOW,
        ({"payee_type": "team"}, {"payee_type_unknown"}),
        ({"payee_type": "dealer", "payee_id": "D1"}, set()),
        ({"payee_type": "dealer", "payee_id": "M1"}, {"dealer_unknown"}),
        ({"payee_id": "D1"}, {"member_unknown"}),
        ({"target_pay_amount": -1}, {"target_pay_amount_negative"}),
        ({"currency_code": "YUAN"}, {"currency_code_malformed"}),
        ({"currency_code": None}, {"currency_code_missing"}),
        ({"currency_code": None, "target_pay_amount": None}, set()),
    ],
    "products": [
        *WINDOW,
        ({"currency_code": "$"}, {"currency_code_malformed"}),
        ({"currency_code": None}, {"currency_code_missing"}),
        ({"currency_code": None, "list_price_amount": None}, set()),
        ({"list_price_amount": -0.01}, {"list_price_amount_negative"}),
        ({"standard_cost_amount": -0.01}, {"standard_cost_amount_negative"}),
    ],
    "sales": [
        ({"line_no": -1}, {"line_no_negative"}),
        ({"transaction_type": "order"}, {"transaction_type_unknown"}),
        ({"channel": "web"}, {"channel_unknown"}),
        ({"quantity": 0}, {"invoice_quantity_not_positive"}),
        ({"quantity": -1}, {"invoice_quantity_not_positive"}),
        ({"net_amount": -0.0001}, {"invoice_net_amount_negative"}),
        ({"transaction_type": "return", "quantity": -1, "net_amount": -5}, set()),
        ({"transaction_type": "return", "quantity": 0, "net_amount": -5}, {"return_quantity_not_negative"}),
        ({"transaction_type": "return", "quantity": 2, "net_amount": -5}, {"return_quantity_not_negative"}),
        ({"transaction_type": "return", "quantity": -1, "net_amount": 5}, {"return_net_amount_positive"}),
        ({"transaction_type": "credit_note", "quantity": 0, "net_amount": -5}, set()),
        ({"transaction_type": "credit_note", "quantity": 0, "net_amount": 5}, {"return_net_amount_positive"}),
        ({"unit_price_amount": -1}, {"unit_price_amount_negative"}),
        ({"currency_code": "比特币"}, {"currency_code_malformed"}),
        ({"currency_code": "CNY"}, set()),  # the reporting currency needs no rate
        ({"currency_code": "USD"}, {"rate_unknown"}),  # there is one from CNY to USD, and none is turned round
        ({"currency_code": "GBP", "sale_date": "2026-01-01"}, set()),
        ({"currency_code": "GBP", "sale_date": "2025-12-31"}, {"rate_unknown"}),
        ({"sale_date": "1989-12-31"}, {"sale_date_out_of_range"}),
        ({"dealer_id": "D9"}, {"dealer_unknown"}),
        ({"dealer_id": "D2", "sale_date": "2026-03-01"}, set()),  # the day of onboarding
        ({"dealer_id": "D2", "sale_date": "2026-02-28"}, {"dealer_not_onboarded"}),
        ({"product_id": "P9"}, {"product_unknown"}),
        ({"seller_id": "M9"}, {"seller_unknown"}),
        ({"original_line_no": 2}, {"original_unknown"}),
        ({"original_line_no": None}, set()),  # the document without a line
        ({"original_transaction_id": "T9", "original_line_no": None}, {"original_unknown"}),
        ({"sale_date": "2206-01-01"}, {"sale_date_out_of_range"}),
        ({"original_transaction_id": None}, {"original_transaction_id_missing"}),
        ({"original_transaction_id": None, "original_line_no": None, "seller_id": None}, set()),
    ],
    "survey_responses": [
        ({"survey": "thumbs"}, {"survey_unknown"}),
        ({"scale_max": 1, "score": 1}, {"scale_max_not_after_scale_min"}),
        ({"scale_min": 5, "scale_max": 1}, {"scale_max_not_after_scale_min", "score_outside_scale"}),
        ({"survey": "nps"}, {"nps_scale_not_0_to_10"}),
        ({"survey": "nps", "scale_min": 0, "scale_max": 10}, set()),
        ({"sent_date": "1989-12-31"}, {"sent_date_out_of_range"}),
        ({"sent_date": "2026-01-02"}, {"answered_date_before_sent_date"}),
        ({"answered_date": "2206-01-01"}, {"answered_date_out_of_range"}),
        ({"score": None}, {"answered_without_score"}),
        ({"answered_date": None}, {"score_without_answered_date"}),
        ({"answered_date": None, "score": None}, set()),
        ({"dealer_id": "D9", "member_id": "M9"}, {"dealer_unknown", "member_unknown"}),
        ({"dealer_id": None, "member_id": None}, set()),
        ({"score": 0.9999}, {"score_outside_scale"}),
        ({"score": 5.0001}, {"score_outside_scale"}),
    ],
    "targets": [
        ({"valid_from": "1899-12-31"}, {"valid_from_out_of_range"}),
        ({"valid_from": "2100-01-02", "valid_to": "2100-01-03"}, {"valid_from_out_of_range", "valid_to_out_of_range"}),
        ({"valid_to": "2026-01-01"}, {"valid_to_not_after_valid_from"}),
        ({"subject_type": "company"}, {"subject_type_unknown"}),
        ({"target_value": -1}, {"target_value_negative"}),
        ({"unit": "count"}, set()),
        ({"unit": "pieces"}, {"unit_unknown"}),
        ({"weight_pct": 100.1}, {"weight_pct_out_of_range"}),
        ({"weight_pct": -1}, {"weight_pct_out_of_range"}),
        ({"subject_id": "M9"}, {"member_unknown"}),
        ({"subject_type": "dealer", "subject_id": "D1"}, set()),
        ({"subject_type": "dealer", "subject_id": "M1"}, {"dealer_unknown"}),
        ({"subject_type": "team", "subject_id": "East"}, set()),
        ({"subject_type": "region", "subject_id": "East"}, set()),
    ],
    "team_members": [
        *WINDOW,
        ({"role": "intern"}, {"role_unknown"}),
        ({"hired_date": "1939-12-31"}, {"hired_date_out_of_range"}),
        ({"left_date": "1939-12-31"}, {"left_date_out_of_range", "left_date_not_after_hired_date"}),
        ({"left_date": "1985-01-01"}, {"left_date_not_after_hired_date"}),
        ({"left_date": None, "valid_to": None}, set()),
        ({"employment_pct": 101}, {"employment_pct_out_of_range"}),
        ({"currency_code": "R"}, {"currency_code_malformed"}),
        ({"currency_code": None}, {"currency_code_missing"}),
        ({"base_pay_amount": -1}, {"base_pay_amount_negative"}),
        ({"birth_year": 90}, {"birth_year_out_of_range"}),
        ({"member_id": "M0"}, {"member_is_own_manager"}),
        ({"manager_id": "M9"}, {"manager_unknown"}),
        ({"manager_id": None}, set()),
    ],
    "training_courses": [
        ({"topic": "cooking"}, {"topic_unknown"}),
        ({"hours": -0.5}, {"hours_negative"}),
        ({"hours": None}, set()),
    ],
    "training_records": [
        ({"member_id": None, "dealer_id": None}, {"trainee_missing"}),
        ({"member_id": None}, set()),
        ({"member_id": "M9"}, {"member_unknown"}),
        ({"dealer_id": "D9"}, {"dealer_unknown"}),
        ({"assigned_date": "1989-12-31"}, {"assigned_date_out_of_range"}),
        ({"due_date": "2206-01-01"}, {"due_date_out_of_range"}),
        ({"due_date": "2025-12-31"}, {"due_date_before_assigned_date"}),
        ({"started_date": "1989-12-31"}, {"started_date_out_of_range"}),
        ({"completed_date": "2206-01-01"}, {"completed_date_out_of_range"}),
        (
            {"completed_date": "2025-12-31", "started_date": "2025-12-31"},
            {"completed_date_before_assigned_date"},
        ),
        ({"started_date": "2026-01-02"}, {"completed_date_before_started_date"}),
        ({"started_date": None, "completed_date": None, "score": None, "is_passed": None}, set()),
        ({"score": 100.5}, {"score_out_of_range"}),
        ({"cost_amount": -1}, {"cost_amount_negative"}),
        ({"currency_code": "EURO"}, {"currency_code_malformed"}),
        ({"currency_code": None}, {"currency_code_missing"}),
        ({"currency_code": None, "cost_amount": None}, set()),
    ],
}

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
    "team_members": [{"member_id": key} for key in ("M0", "M1", *KEYS)],
    "products": [{"product_id": "P1"}],
    "sales": [{"transaction_id": "T0", "line_no": 1}],
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
            [*(values[name] for name in contract.names), delivery, "file.csv", number, 1, number, False]
            for number, (delivery, values) in enumerate(rows, 1)
        ]
        row = f"({', '.join('?' * len(columns))})"
        con.execute(
            f"insert into batch values {', '.join([row] * len(cells))}", [cell for line in cells for cell in line]
        )
        con.execute("create table failing (_row_id bigint, rule varchar, severity varchar)")
        checks.define_currency(con, "CNY")
        for name in CONTRACTS:
            know(con, name, own=name == feed)
        by_row, by_views = suite.in_turn()
        outcomes = checks.run(con, "batch", by_row)
        checks.failing_rows(con, "batch", outcomes, "failing")
        outcomes += checks.run(con, "batch", by_views)
        ingest.judge_by_own_rows(con, "batch", by_views)
        found = set(con.execute("select _row_id, rule from failing").fetchall())
        for one in outcomes:
            if one.severity == "info":
                found |= {(row[0], one.rule) for row in con.execute(one.failing_rows_sql).fetchall()}
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
    planted = [({}, set()), *CASES[feed], *missing]
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
    assert {row for row, _ in judged("assignments", [share(*one) for one in rows], "shares_above_100")} == found


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
    dated = {column.name for column in contract.columns if column.type == "date"}
    bounded = {rule.kwargs["column"] for rule in suite.rules if rule.type == "expect_column_values_to_be_between"}
    assert dated <= bounded


def test_every_feed_has_a_suite_and_every_suite_a_feed():
    assert sorted(path.stem for path in SETTINGS.expectations.glob("*.json")) == FEEDS


@pytest.mark.parametrize("feed", FEEDS)
def test_a_rule_stands_on_one_line(feed):
    """So that a change of a rule is one line of a diff, and an error's line is the rule's."""
    path = SETTINGS.expectations / f"{feed}.json"
    lines = [line.strip().rstrip(",") for line in path.read_text("utf-8").splitlines() if '"rule"' in line]

    assert [json.loads(line)["meta"]["rule"] for line in lines] == [rule.rule for rule in suite_of(feed).rules]
