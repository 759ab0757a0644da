"""Every expectation type that a suite may use: rows quarantined = rows planted = Great Expectations' own count.

The expected row ids are read off ROWS by hand. The tests hold on the locked DuckDB and on 2.0; for the latter:

    python -m pip install --target .cache/duckdb2 duckdb==2.0.0
    PYTHONPATH=.cache/duckdb2 python -m pytest tests/checks
"""

import json
import re

import duckdb
import pytest

from dealermart import checks
from dealermart.base import REPO
from dealermart.checks import kinds, rare

COLUMNS = {
    "_row_id": "bigint",
    "code": "varchar",
    "kind": "varchar",
    "amount": "decimal(18,4)",
    "cost": "decimal(18,4)",
    "day": "date",
    "until": "date",
    "n": "bigint",
    "place": "varchar",
    "seen_at": "timestamp",
}
ROWS = """
    (1, 'A1',     'invoice', 10.0000,  5.0000,   '2026-01-01', '2026-02-01', 1,    'x', '2026-01-01 10:00:00'),
    (2, 'A2',     'invoice', 0.1000,   0.1000,   '2026-01-02', '2026-01-02', 2,    'x', '2026-01-01 10:00:01'),
    (3, 'a3',     'return',  -10.0000, 20.0000,  '2026-01-03', null,         3,    'x', '2026-01-01 09:59:59'),
    (4, null,     'return',  5.0000,   null,     '1889-12-31', '2026-01-01', 2,    'x', null),
    (5, 'A1',     'other',   null,     7.0000,   null,         '2026-01-05', null, 'x', '2026-01-01 10:00:00'),
    (6, 'A1',     'invoice', 0.1001,   3.0000,   '2026-01-06', '2026-01-01', 1,    'x', '2026-01-02 00:00:00'),
    (7, 'B22',    null,      100.0000, 100.0000, '2100-01-01', null,         7,    'x', '2026-01-01 10:00:00'),
    (8, '经销商', 'invoice', null,     null,     '2026-01-08', '2026-03-01', null, 'x', '2026-01-01 10:00:00')
"""


def where(column, operator, parameter):
    return {"type": "comparison", "column": {"name": column}, "operator": operator, "parameter": parameter}


def null(column, is_null=True):
    return {"type": "nullity", "column": {"name": column}, "is_null": is_null}


INVOICES = where("kind", "==", "invoice")

# fmt: off
# case: (type, kwargs, ids of the rows that fail). The types that our suites use.
COMMON_ROWS = {
    "not null": ("expect_column_values_to_not_be_null", {"column": "amount"}, {5, 8}),
    "not null, condition": ("expect_column_values_to_not_be_null", {"column": "amount", "row_condition": INVOICES}, {8}),
    "not null, date condition": ("expect_column_values_to_not_be_null", {"column": "cost", "row_condition": where("day", ">=", "2026-01-03")}, {8}),
    "not null, null condition": ("expect_column_values_to_not_be_null", {"column": "amount", "row_condition": null("n")}, {5, 8}),
    "not null, and": ("expect_column_values_to_not_be_null", {"column": "amount", "row_condition": {"type": "and", "conditions": [null("n"), null("cost", False)]}}, {5}),
    "not null, or": ("expect_column_values_to_not_be_null", {"column": "until", "row_condition": {"type": "or", "conditions": [where("n", "==", 3), where("n", ">", 6)]}}, {3, 7}),
    "not null, mostly": ("expect_column_values_to_not_be_null", {"column": "amount", "mostly": 0.5}, {5, 8}),
    "in set": ("expect_column_values_to_be_in_set", {"column": "kind", "value_set": ["invoice", "return"]}, {5}),
    "in set, quoted": ("expect_column_values_to_be_in_set", {"column": "place", "value_set": ["x", "o'x%:y"]}, set()),
    "in set, numbers": ("expect_column_values_to_be_in_set", {"column": "amount", "value_set": [0.1, 10, 100]}, {3, 4, 6}),
    "in set, condition": ("expect_column_values_to_be_in_set", {"column": "code", "value_set": ["A1"], "row_condition": where("kind", "NOT_IN", ["return", "other"])}, {2, 8}),
    "between": ("expect_column_values_to_be_between", {"column": "amount", "min_value": 0, "max_value": 99.9}, {3, 7}),
    "between, a tenth is a tenth": ("expect_column_values_to_be_between", {"column": "amount", "max_value": 0.1}, {1, 4, 6, 7}),
    "between, strict": ("expect_column_values_to_be_between", {"column": "amount", "max_value": 0.1, "strict_max": True}, {1, 2, 4, 6, 7}),
    "between, decimal condition": ("expect_column_values_to_be_between", {"column": "n", "max_value": 1, "row_condition": where("cost", "<=", 0.1)}, {2}),
    "between, dates": ("expect_column_values_to_be_between", {"column": "day", "min_value": "1990-01-01", "max_value": "2100-01-01", "strict_max": True}, {4, 7}),
    "between, timestamps": ("expect_column_values_to_be_between", {"column": "seen_at", "min_value": "2026-01-01T10:00:00", "max_value": "2026-01-01T10:00:00"}, {2, 3, 6}),
    "regex": ("expect_column_values_to_match_regex", {"column": "code", "regex": "^[A-Z][0-9]$"}, {3, 7, 8}),
    "regex, odd signs": ("expect_column_values_to_match_regex", {"column": "code", "regex": r"^\w{2}$|^%:x'\\$"}, {7, 8}),
    "regex, condition": ("expect_column_values_to_match_regex", {"column": "code", "regex": "1$", "row_condition": INVOICES}, {2, 8}),
    "pair, greater": ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "until", "column_B": "day", "ignore_row_if": "either_value_is_missing"}, {2, 6}),
    "pair, greater, missing values compare to nothing": ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "until", "column_B": "day", "ignore_row_if": "neither"}, {2, 6}),
    "pair, greater or equal": ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "until", "column_B": "day", "or_equal": True}, {6}),
    "pair, greater, condition": ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "until", "column_B": "day", "row_condition": where("n", "==", 2)}, {2}),
    "sql": ("unexpected_rows_expectation", {"unexpected_rows_query": "select _row_id from {batch} where amount < cost"}, {3, 6}),
    "sql, odd signs": ("unexpected_rows_expectation", {"unexpected_rows_query": "select _row_id from {batch} where regexp_matches(code, '^[A-Z][0-9]{{2}}$') or code like 'a%' or n::varchar = 'n:' ;\n"}, {3, 7}),
    "sql, join": ("unexpected_rows_expectation", {"unexpected_rows_query": "select a._row_id from {batch} as a join (select code from {batch} as b group by code having count(*) > 2) as c using (code)"}, {1, 5, 6}),
}

# The types that only a company's own suites use: all that is known of them stands here.
RARE_ROWS = {
    "null": ("expect_column_values_to_be_null", {"column": "cost", "row_condition": where("kind", "IN", ["other", "return"])}, {3, 5}),
    "not in set": ("expect_column_values_to_not_be_in_set", {"column": "kind", "value_set": ["return"]}, {3, 4}),
    "not in set, condition": ("expect_column_values_to_not_be_in_set", {"column": "n", "value_set": [1, 2], "row_condition": INVOICES}, {1, 2, 6}),
    "unique": ("expect_column_values_to_be_unique", {"column": "code"}, {1, 5, 6}),
    "unique, condition": ("expect_column_values_to_be_unique", {"column": "code", "row_condition": INVOICES}, {1, 6}),
    "unique, two groups": ("expect_column_values_to_be_unique", {"column": "n"}, {1, 2, 4, 6}),
    "not regex": ("expect_column_values_to_not_match_regex", {"column": "code", "regex": "^A"}, {1, 2, 5, 6}),
    "not regex, condition": ("expect_column_values_to_not_match_regex", {"column": "code", "regex": "^A", "row_condition": INVOICES}, {1, 2, 6}),
    "regex list, condition": ("expect_column_values_to_match_regex_list", {"column": "code", "regex_list": ["2$", "^a"], "row_condition": null("until", False)}, {1, 5, 6, 8}),
    "regex list, any": ("expect_column_values_to_match_regex_list", {"column": "code", "regex_list": ["^A", "^B"]}, {3, 8}),
    "regex list, all": ("expect_column_values_to_match_regex_list", {"column": "code", "regex_list": ["^A", "1$"], "match_on": "all"}, {2, 3, 7, 8}),
    "not regex list, condition": ("expect_column_values_to_not_match_regex_list", {"column": "code", "regex_list": ["2$", "^a"], "row_condition": null("until")}, {3, 7}),
    "not regex list": ("expect_column_values_to_not_match_regex_list", {"column": "code", "regex_list": ["^a", "^B"]}, {3, 7}),
    "length between": ("expect_column_value_lengths_to_be_between", {"column": "code", "max_value": 2}, {7, 8}),
    "length between, condition": ("expect_column_value_lengths_to_be_between", {"column": "code", "min_value": 3, "max_value": 3, "row_condition": INVOICES}, {1, 2, 6}),
    "length, condition": ("expect_column_value_lengths_to_equal", {"column": "code", "value": 2, "row_condition": null("kind")}, {7}),
    "length": ("expect_column_value_lengths_to_equal", {"column": "code", "value": 3}, {1, 2, 3, 5, 6}),
    "pair, equal": ("expect_column_pair_values_to_be_equal", {"column_A": "amount", "column_B": "cost"}, {1, 3, 4, 5, 6}),
    "pair, equal, either missing": ("expect_column_pair_values_to_be_equal", {"column_A": "amount", "column_B": "cost", "ignore_row_if": "either_value_is_missing"}, {1, 3, 6}),
    "pair, equal, condition": ("expect_column_pair_values_to_be_equal", {"column_A": "amount", "column_B": "cost", "row_condition": INVOICES}, {1, 6}),
    "pair in set": ("expect_column_pair_values_to_be_in_set", {"column_A": "kind", "column_B": "n", "value_pairs_set": [["invoice", 1], ["return", 3]], "ignore_row_if": "either_value_is_missing"}, {2, 4}),
    "compound": ("expect_compound_columns_to_be_unique", {"column_list": ["code", "n"]}, {1, 6}),
    "compound, three alike": ("expect_compound_columns_to_be_unique", {"column_list": ["place", "code"]}, {1, 5, 6}),
    "compound, condition": ("expect_compound_columns_to_be_unique", {"column_list": ["place", "code"], "row_condition": INVOICES}, {1, 6}),
    "compound, any missing": ("expect_compound_columns_to_be_unique", {"column_list": ["place", "n"], "ignore_row_if": "any_value_is_missing"}, {1, 2, 4, 6}),
    "compound, a missing part is no duplicate": ("expect_compound_columns_to_be_unique", {"column_list": ["place", "n"], "row_condition": null("n")}, set()),
    "unique in the row": ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["amount", "cost"]}, {2, 7}),
    "unique in the row, missing is alike": ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["amount", "cost"], "ignore_row_if": "never"}, {2, 7, 8}),
    "unique in the row, condition": ("expect_select_column_values_to_be_unique_within_record", {"column_list": ["amount", "cost"], "row_condition": INVOICES}, {2}),
    "sum": ("expect_multicolumn_sum_to_equal", {"column_list": ["amount", "cost"], "sum_total": 0.2}, {1, 3, 6, 7}),
    "sum, condition": ("expect_multicolumn_sum_to_equal", {"column_list": ["amount", "cost"], "sum_total": 15, "row_condition": INVOICES}, {2, 6}),
    "all equal": ("expect_multicolumn_values_to_be_equal", {"column_list": ["amount", "cost"]}, {1, 3, 4, 5, 6}),
    "all equal, condition": ("expect_multicolumn_values_to_be_equal", {"column_list": ["amount", "cost"], "row_condition": where("n", "IN", [1, 2])}, {1, 4, 6}),
}

# case: (type, kwargs, success on ROWS, success on an empty table)
COMMON_TABLES = {
    "rows between": ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 8}, True, False),
    "rows between, too few": ("expect_table_row_count_to_be_between", {"min_value": 9}, False, False),
    "rows between, condition": ("expect_table_row_count_to_be_between", {"max_value": 4, "row_condition": INVOICES}, True, True),
}

RARE_TABLES = {
    "rows": ("expect_table_row_count_to_equal", {"value": 8}, True, False),
    "rows, condition": ("expect_table_row_count_to_equal", {"value": 4, "row_condition": INVOICES}, True, False),
    "no rows": ("expect_table_row_count_to_equal", {"value": 0}, False, True),
    "columns": ("expect_table_columns_to_match_set", {"column_set": list(COLUMNS)}, True, True),
    "columns, one more": ("expect_table_columns_to_match_set", {"column_set": list(COLUMNS)[1:]}, False, False),
    "columns, at least": ("expect_table_columns_to_match_set", {"column_set": ["code"], "exact_match": False}, True, True),
    "columns, one unknown": ("expect_table_columns_to_match_set", {"column_set": ["code", "colour"], "exact_match": False}, False, False),
    "column count": ("expect_table_column_count_to_equal", {"value": 10}, True, True),
    "column count, other": ("expect_table_column_count_to_equal", {"value": 9}, False, False),
    "smallest, condition": ("expect_column_min_to_be_between", {"column": "amount", "min_value": 0.1, "row_condition": INVOICES}, True, False),
    "smallest": ("expect_column_min_to_be_between", {"column": "amount", "min_value": -10}, True, False),
    "smallest, too small": ("expect_column_min_to_be_between", {"column": "amount", "min_value": -9}, False, False),
    "largest, condition": ("expect_column_max_to_be_between", {"column": "amount", "max_value": 10, "row_condition": INVOICES}, True, False),
    "largest": ("expect_column_max_to_be_between", {"column": "day", "max_value": "2100-01-01"}, True, False),
    "largest, too large": ("expect_column_max_to_be_between", {"column": "day", "max_value": "2100-01-01", "strict_max": True}, False, False),
    "mean, condition": ("expect_column_mean_to_be_between", {"column": "amount", "min_value": 3.4, "max_value": 3.401, "row_condition": INVOICES}, True, False),
    "mean": ("expect_column_mean_to_be_between", {"column": "amount", "min_value": 17.53, "max_value": 17.54}, True, False),
    "mean, other": ("expect_column_mean_to_be_between", {"column": "amount", "max_value": 17.53}, False, False),
    "distinct, condition": ("expect_column_unique_value_count_to_be_between", {"column": "code", "max_value": 3, "row_condition": INVOICES}, True, True),
    "distinct": ("expect_column_unique_value_count_to_be_between", {"column": "code", "min_value": 5, "max_value": 5}, True, False),
    "distinct, more": ("expect_column_unique_value_count_to_be_between", {"column": "code", "min_value": 6}, False, False),
    "filled share, condition": ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "cost", "max_value": 0.5, "row_condition": where("kind", "==", "return")}, True, True),
    "filled share": ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "amount", "min_value": 0.75}, True, False),
    "filled share, less": ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "amount", "min_value": 0.76}, False, False),
    "sum of the column": ("expect_column_sum_to_be_between", {"column": "amount", "min_value": 105.2001, "max_value": 105.2001}, True, False),
    "sum of the column, condition": ("expect_column_sum_to_be_between", {"column": "amount", "max_value": 105, "row_condition": null("amount", False)}, False, False),
}
# fmt: on

ROW_CASES, TABLE_CASES = COMMON_ROWS | RARE_ROWS, COMMON_TABLES | RARE_TABLES
CASES = ROW_CASES | TABLE_CASES


def rule_of(case):
    return re.sub(r"\W+", "_", case)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """All cases in one suite, run once on the rows and once on an empty table.

    Returns:
        Outcomes on the rows and on the empty table, and the ids found, each by rule.
    """
    rules = [
        {
            "type": kind,
            "kwargs": kwargs,
            "meta": {"rule": rule_of(case)},
            "severity": "warning",
            "description": case,
        }
        for case, (kind, kwargs, *_) in CASES.items()
    ]
    path = tmp_path_factory.mktemp("suite") / "batch.json"
    path.write_text(json.dumps({"name": "batch", "expectations": rules}), "utf-8")
    suite = checks.load_suite(path, COLUMNS)
    con = duckdb.connect(config={"enable_external_access": "false"})
    con.execute(f"create table batch ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})")
    con.execute("create table empty as select * from batch")
    con.execute(f"insert into batch values {ROWS}")
    full, empty = checks.run(con, "batch", suite), checks.run(con, "empty", suite)
    checks.failing_rows(con, "batch", full, "found")
    found = {outcome.rule: [] for outcome in full}
    for row, rule, severity in con.execute("select _row_id, rule, severity from found order by all").fetchall():
        assert severity == "warning"
        found[rule].append(row)
    for outcome in full:  # a count of zero is not looked up by failing_rows
        if outcome.failed == 0:
            found[outcome.rule] += con.execute(outcome.failing_rows_sql).fetchall()
    on_empty = {
        outcome.rule: con.execute(outcome.failing_rows_sql).fetchall() for outcome in empty if outcome.failing_rows_sql
    }
    con.close()
    return {outcome.rule: outcome for outcome in full}, {outcome.rule: outcome for outcome in empty}, found, on_empty


@pytest.mark.parametrize(("case", "expected"), [(case, row[2]) for case, row in ROW_CASES.items()], ids=ROW_CASES)
def test_rows_found_are_the_rows_planted_and_counted(results, case, expected):
    full, _, found, _ = results
    outcome = full[rule_of(case)]

    assert found[rule_of(case)] == sorted(expected)
    assert outcome.failed == len(expected)
    assert outcome.success == (not expected or "mostly" in ROW_CASES[case][1])


@pytest.mark.parametrize("case", ROW_CASES)
def test_an_empty_table_passes_every_row_rule(results, case):
    _, empty, _, on_empty = results
    outcome = empty[rule_of(case)]

    assert (outcome.success, outcome.rows, outcome.failed) == (True, 0, 0)
    assert on_empty[rule_of(case)] == []


@pytest.mark.parametrize("case", TABLE_CASES)
def test_rules_on_the_whole_table(results, case):
    full, empty, found, _ = results
    _, _, on_rows, on_empty = TABLE_CASES[case]
    outcome, none = full[rule_of(case)], empty[rule_of(case)]

    assert (outcome.success, outcome.rows, outcome.failed, outcome.failing_rows_sql) == (on_rows, 8, None, None)
    assert (none.success, none.rows) == (on_empty, 0)
    assert found[rule_of(case)] == []


@pytest.mark.parametrize(
    ("types", "rows", "tables"),
    [(kinds.COMMON, COMMON_ROWS, COMMON_TABLES), (rare.RARE, RARE_ROWS, RARE_TABLES)],
    ids=["common", "rare"],
)
def test_every_type_has_a_case(types, rows, tables):
    assert {case[0] for case in rows.values()} == {name for name, kind in types.items() if kind.rows}
    assert {case[0] for case in tables.values()} == {name for name, kind in types.items() if not kind.rows}


def test_the_common_types_are_those_that_our_suites_use():
    used = {
        rule["type"]
        for path in REPO.joinpath("expectations").rglob("*.json")
        for rule in json.loads(path.read_text("utf-8"))["expectations"]
    }

    assert used == set(kinds.COMMON)


def test_every_type_that_takes_a_row_condition_has_a_case_with_one():
    cases = [*ROW_CASES.values(), *TABLE_CASES.values()]

    assert {case[0] for case in cases if "row_condition" in case[1]} == {
        name for name, kind in checks.TYPES.items() if "row_condition" in kind.takes
    }


def test_rows_looked_at_are_those_of_the_condition(results):
    full = results[0]

    assert full["not_null"].rows == 8
    assert full["not_null_condition"].rows == 4  # rows 1, 2, 6 and 8 are invoices
    assert full["sql"].rows == 8
