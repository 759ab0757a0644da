"""Loading suites, running them, finding the failing rows: the faults, the silence, and what is left behind."""

import dataclasses
import gc
import io
import json
import logging
import subprocess
import sys
import traceback

import duckdb
import pytest
from tests.checks import helper

from dealermart import checks
from dealermart.checks import engine
from dealermart.errors import CheckCrashed, SuiteError

COLUMNS = {"_row_id": "bigint", "code": "varchar", "amount": "decimal(18,4)", "day": "date"}
SECRET = "Zhang-Wei-4711"


def rule(name="code_missing", kind="expect_column_values_to_not_be_null", severity="warning", **kwargs):
    return {
        "type": kind,
        "kwargs": kwargs or {"column": "code"},
        "meta": {"rule": name},
        "severity": severity,
        "description": "what is wrong",
    }


def sql(query, name="planted", severity="warning"):
    return rule(name, "unexpected_rows_expectation", severity, unexpected_rows_query=query)


BETWEEN = "expect_column_values_to_be_between"
REGEX = "expect_column_values_to_match_regex"


@pytest.fixture
def write(tmp_path):
    """Write a suite named batch and return its path."""

    def write(*rules, **extra):
        path = tmp_path / "batch.json"
        path.write_text(json.dumps({"name": "batch", "expectations": list(rules), **extra}, indent=1), "utf-8")
        return path

    return write


@pytest.fixture
def con():
    con = duckdb.connect()
    con.execute("create table batch (_row_id bigint, code varchar, amount decimal(18,4), day date)")
    con.execute(
        "insert into batch values (1, 'a', 1, '2026-01-01'), (2, null, -1, '2026-01-02'),"
        " (3, null, null, null), (4, ?, 9, null)",
        [SECRET],
    )
    yield con
    con.close()


# ------------------------------------------------------------------------------------------------- load


BROKEN_RULES = {
    "unknown type": (rule(kind="expect_column_values_to_be_nice"), "expect_column_values_to_be_nice is unknown"),
    "type of no use here": (rule(kind="expect_column_values_to_be_increasing"), "cannot be evaluated on DuckDB"),
    "type that Great Expectations never evaluated": (
        rule(kind="expect_column_quantile_values_to_be_between"),
        "cannot be evaluated on DuckDB",
    ),
    "severity unknown": (rule(severity="error"), "severity error is unknown"),
    "severity missing": ({**rule(), "severity": None}, "severity None is unknown"),
    "no rule name": ({**rule(), "meta": {}}, "meta.rule is missing"),
    "rule name with spaces": (rule("Code missing"), "meta.rule is missing or is no plain name"),
    "no description": ({**rule(), "description": " "}, "the description is missing"),
    "id": ({**rule(), "id": "0b5d"}, "unknown key id"),
    "no kwargs": ({**rule(), "kwargs": None}, "kwargs is missing"),
    "argument missing": (rule(kind=REGEX, column="code"), "the argument regex is missing"),
    "both bounds missing": (rule(kind=BETWEEN, column="amount"), "min_value or max_value is missing"),
    "argument unknown": (rule(column="code", colour="red"), "unknown argument colour"),
    "argument of a wrong type": (rule(column="code", mostly=2), "mostly"),
    "column unknown": (rule(column="colour"), "the table has no column colour"),
    "column of a condition unknown": (
        rule(column="code", row_condition={"type": "nullity", "column": {"name": "colour"}, "is_null": True}),
        "the table has no column colour",
    ),
    "column of a pair unknown": (
        rule(kind="expect_column_pair_values_to_be_equal", column_A="code", column_B="colour"),
        "the table has no column colour",
    ),
    "column of a list unknown": (
        rule(kind="expect_compound_columns_to_be_unique", column_list=["code", "colour"]),
        "the table has no column colour",
    ),
    "one column in a compound key": (
        rule(kind="expect_compound_columns_to_be_unique", column_list=["code"]),
        "column_list",
    ),
    "condition as text": (rule(column="code", row_condition='col("code")=="a"'), "row_condition is a text"),
    "condition of an unknown kind": (rule(column="code", row_condition={"type": "xor"}), "arguments do not fit"),
    "condition where none is counted": (
        rule(
            kind="expect_column_pair_values_to_be_in_set",
            column_A="code",
            column_B="day",
            value_pairs_set=[["a", "b"]],
            row_condition={"type": "nullity", "column": {"name": "code"}, "is_null": True},
        ),
        "unknown argument row_condition",
    ),
    "empty set": (
        rule(kind="expect_column_values_to_be_in_set", column="code", value_set=[]),
        "value_set is empty",
    ),
    "regex that RE2 lacks": (rule(kind=REGEX, column="code", regex="(?=a)"), "none that RE2 knows"),
    "regex in a list": (
        rule(kind="expect_column_values_to_match_regex_list", column="code", regex_list=["a", "("]),
        "none that RE2 knows",
    ),
    "a bound no float can hold": (
        rule(kind=BETWEEN, column="amount", max_value=9007199254740993),
        "9007199254740993 has too many digits",
    ),
    "sql without the batch": (sql("select 1 as _row_id"), "must read {batch}"),
    "sql with other braces": (sql("select _row_id from {batch} where code ~ 'a{3}'"), "no other braces"),
    "sql with a brace too many": (sql("select _row_id from {batch} }"), "no other braces"),
    "sql with a parameter": (sql("select _row_id from {batch} where code = ':x'"), "reads as a parameter: :x"),
    "sql with an unknown column": (sql("select _row_id from {batch} where colour = 1"), 'column "colour"'),
    "sql that selects values": (sql("select _row_id, code from {batch}"), "it selects _row_id, code"),
    "sql that reads another table": (sql("select _row_id from {batch} join lake using (code)"), "lake"),
    "sql that reads a file": (sql("select _row_id from {batch} union select a from read_csv('x.csv')"), "disabled"),
    "sql with an alias and no join": (sql("select b._row_id from {batch} as b"), "syntax error"),
    "sql that writes": (sql("delete from {batch} returning _row_id"), "does not select _row_id alone"),
}


@pytest.mark.parametrize(("bad", "said"), BROKEN_RULES.values(), ids=BROKEN_RULES)
def test_a_broken_rule_is_refused_at_load(write, bad, said):
    path = write(rule("first_rule"), bad)

    with pytest.raises(SuiteError) as caught:
        checks.load_suite(path, COLUMNS)

    assert said in caught.value.what
    assert caught.value.where.startswith(str(path))
    assert caught.value.mend
    name = bad["meta"].get("rule")
    assert "expectation 2" in caught.value.where or f"rule {name}" in caught.value.where


BROKEN_FILES = {
    "not json": ('{"name": "batch",\n "expectations": [}', "not valid JSON"),
    "a key twice": ('{"name": "batch", "name": "batch"}', "the key name stands twice"),
    "a list": ("[]", "a suite is a JSON object"),
    "other name": ('{"name": "sales", "expectations": []}', "name is not the file's name"),
    "no rules": ('{"name": "batch", "expectations": []}', "the suite has no rules"),
    "rules missing": ('{"name": "batch"}', "the suite has no rules"),
    "a rule that is none": ('{"name": "batch", "expectations": ["x"]}', "an expectation is a JSON object"),
    "unknown key": ('{"name": "batch", "expectation": []}', "unknown key expectation"),
}


@pytest.mark.parametrize(("text", "said"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_refused_at_load(tmp_path, text, said):
    path = tmp_path / "batch.json"
    path.write_text(text, "utf-8")

    with pytest.raises(SuiteError, match=said) as caught:
        checks.load_suite(path, COLUMNS)

    assert str(path) in caught.value.where


def test_a_missing_or_foreign_file_is_refused(tmp_path):
    with pytest.raises(SuiteError, match="does not exist"):
        checks.load_suite(tmp_path / "none.json")
    (tmp_path / "batch.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SuiteError, match="not UTF-8"):
        checks.load_suite(tmp_path / "batch.json")


def test_a_fault_names_file_line_and_rule(write):
    path = write(rule("first_rule"), rule("second_rule", severity="bad"))
    line = next(n for n, text in enumerate(path.read_text("utf-8").splitlines(), 1) if "second_rule" in text)

    with pytest.raises(SuiteError) as caught:
        checks.load_suite(path)

    assert caught.value.where == f"{path}:{line}: rule second_rule"


def test_rules_with_one_name_are_refused(write):
    with pytest.raises(SuiteError, match="two rules share the name code_missing"):
        checks.load_suite(write(rule(), rule(column="amount")))


def test_rehearsal_finds_what_does_not_fit_the_types(write):
    suite = checks.load_suite(write(rule("good"), rule("bad_bound", kind=BETWEEN, column="code", min_value=1)), COLUMNS)

    with pytest.raises(SuiteError) as caught:
        helper.rehearse(suite, COLUMNS)

    assert caught.value.where.endswith("rule bad_bound")


def test_a_suite_knows_its_rules(write):
    path = write(rule(kind=BETWEEN, column="amount", min_value=0.1, strict_min=True), meta={"description": "of people"})
    suite = checks.load_suite(path)

    assert suite.rules == (
        checks.Rule(
            "code_missing",
            BETWEEN,
            "warning",
            {"column": "amount", "min_value": 0.1, "strict_min": True},
            ("amount",),
            "what is wrong",
        ),
    )
    assert suite.name == "batch"
    assert suite.hash == helper.suite_hash(path)


def test_the_hash_follows_the_meaning_and_not_the_layout(write):
    path = write(rule())
    first = helper.suite_hash(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), sort_keys=True), "utf-8")
    assert helper.suite_hash(path) == first

    assert helper.suite_hash(write(rule(severity="info"))) != first
    assert len(first) == 64


def test_loading_the_module_stays_cheap():
    code = "import sys, dealermart.checks; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


# -------------------------------------------------------------------------------------------------- run


def test_outcomes_stand_in_the_order_of_the_suite(con, write):
    suite = checks.load_suite(
        write(
            rule("b_amount", kind=BETWEEN, column="amount", min_value=0),
            rule("a_code", severity="critical"),
            rule("c_rows", "expect_table_row_count_to_equal", "info", value=4),
            sql("select _row_id from {batch} where day is null", "d_day", "info"),
        ),
        COLUMNS,
    )
    outcomes = checks.run(con, "batch", suite)

    assert [(one.rule, one.severity, one.success, one.rows, one.failed) for one in outcomes] == [
        ("b_amount", "warning", False, 4, 1),
        ("a_code", "critical", False, 4, 2),
        ("c_rows", "info", True, 4, None),
        ("d_day", "info", False, 4, 2),
    ]


def test_failing_rows_of_critical_and_warning_rules_are_inserted(con, write):
    suite = checks.load_suite(
        write(
            rule("amount_negative", kind=BETWEEN, column="amount", min_value=0),
            rule("code_missing", severity="critical"),
            rule("mostly_there", column="code", mostly=0.1),
            sql("select _row_id from {batch} where day is null", "day_missing", "info"),
            rule("some_rows", "expect_table_row_count_to_be_between", "critical", min_value=100),
        ),
        COLUMNS,
    )
    con.execute("create temp table failing (_row_id bigint, rule varchar, severity varchar, reason varchar)")

    found = checks.failing_rows(con, "batch", checks.run(con, "batch", suite), "failing")

    assert found == {"amount_negative": 1, "code_missing": 2, "mostly_there": 2}
    assert sorted(con.execute("select _row_id, rule, severity from failing").fetchall()) == [
        (2, "amount_negative", "warning"),
        (2, "code_missing", "critical"),
        (2, "mostly_there", "warning"),
        (3, "code_missing", "critical"),
        (3, "mostly_there", "warning"),
    ]


def test_rows_found_that_are_not_those_counted_stop_everything(con, write):
    suite = checks.load_suite(write(rule()), COLUMNS)
    [outcome] = checks.run(con, "batch", suite)

    with pytest.raises(CheckCrashed, match="rule code_missing: 1 rows counted in batch, 2 found"):
        checks.failing_rows(con, "batch", [dataclasses.replace(outcome, failed=1)], "failing")


def test_a_query_that_selects_a_row_twice_stops_everything(con, write):
    twice = "select _row_id from {batch} where code is null union all select _row_id from {batch} where code is null"
    outcomes = checks.run(con, "batch", checks.load_suite(write(sql(twice)), COLUMNS))

    with pytest.raises(CheckCrashed, match="4 rows counted in batch, 2 found"):
        checks.failing_rows(con, "batch", outcomes, "failing")


def test_a_crash_names_its_rule_and_is_no_verdict(con, write):
    path = write(
        rule("code_missing"),
        sql("select _row_id from {batch} where cast(code as integer) = 1", "code_as_number"),
        rule("amount_negative", kind=BETWEEN, column="amount", min_value=0),
    )
    with pytest.raises(CheckCrashed) as caught:
        checks.run(con, "batch", checks.load_suite(path, COLUMNS))

    assert caught.value.what == "rule code_as_number could not be evaluated (Conversion Error); nothing was judged"
    assert caught.value.where == str(path)


def test_a_crash_in_a_shared_query_names_only_the_rule_at_fault(con, write):
    path = write(
        rule("amount_negative", kind=BETWEEN, column="amount", min_value=0),
        rule("code_odd", kind=REGEX, column="amount", regex="^a"),  # no text: the shared counting query cannot be bound
        rule("code_missing"),
    )
    with pytest.raises(CheckCrashed, match="rule code_odd could not be evaluated"):
        checks.run(con, "batch", checks.load_suite(path, COLUMNS))


def test_a_rule_without_a_result_is_no_pass(con, write, monkeypatch):
    suite = checks.load_suite(write(rule("first_rule"), rule("second_rule", column="amount")), COLUMNS)
    whole = engine.validate
    monkeypatch.setattr(engine, "validate", lambda *args, **kwargs: (whole(*args, **kwargs)[0][:1], None))

    with pytest.raises(CheckCrashed, match="could not be evaluated"):
        checks.run(con, "batch", suite)


def test_a_result_too_many_is_no_pass(con, write, monkeypatch):
    suite = checks.load_suite(write(rule()), COLUMNS)
    whole = engine.validate
    monkeypatch.setattr(engine, "validate", lambda *args, **kwargs: (whole(*args, **kwargs)[0] * 2, None))

    with pytest.raises(CheckCrashed, match="2 of 1 rules gave a result"):
        checks.run(con, "batch", suite)


def test_a_table_without_the_column_is_refused(con, write):
    suite = checks.load_suite(write(rule(column="colour")))

    with pytest.raises(SuiteError, match="the table has no column colour"):
        checks.run(con, "batch", suite)


def test_a_table_without_row_ids_is_judged_without_rows(con, write):
    con.execute("create view mart as select code, amount from batch")
    outcomes = checks.run(con, "mart", checks.load_suite(write(rule())))

    assert [(one.success, one.failed, one.failing_rows_sql) for one in outcomes] == [(False, 2, None)]


def test_temporary_tables_views_schemas_and_open_transactions_are_seen(con, write):
    suite = checks.load_suite(write(rule()), COLUMNS)
    con.execute("create schema stage")
    con.execute("begin")
    con.execute("create temp table kept as select * from batch")
    con.execute("create view seen as select * from kept where _row_id < 3")
    con.execute("create table stage.batch as select * from batch where _row_id > 3")

    counted = {table: checks.run(con, table, suite)[0].failed for table in ("kept", "seen", "stage.batch")}
    con.execute("rollback")

    assert counted == {"kept": 2, "seen": 1, "stage.batch": 0}
    assert con.execute("select table_name from duckdb_tables()").fetchall() == [("batch",)]


def test_a_name_that_is_more_than_a_name_is_refused(con, write):
    suite = checks.load_suite(write(rule()), COLUMNS)

    with pytest.raises(ValueError, match="not a plain table name"):
        checks.run(con, "batch; drop table batch", suite)
    with pytest.raises(ValueError, match="not a plain table name"):
        checks.failing_rows(con, "batch", [], "a b")


def test_nothing_holds_the_table_or_the_file_afterwards(tmp_path, write):
    path = tmp_path / "work.duckdb"
    con = duckdb.connect(path)
    con.execute("create table batch as select 1::bigint as _row_id, null::varchar as code")
    outcomes = checks.run(con, "batch", checks.load_suite(write(rule())))
    checks.failing_rows(con, "batch", outcomes, "failing")
    con.execute("drop table batch")
    del con, outcomes
    gc.collect()

    # DuckDB refuses another configuration of a database that is still open in this process.
    again = duckdb.connect(path, read_only=True)
    assert again.execute("select * from failing").fetchall() == [(1, "code_missing", "warning")]
    again.close()


def test_nothing_is_written_to_disk(con, write, tmp_path, monkeypatch):
    suite = checks.load_suite(write(rule()), COLUMNS)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    checks.run(con, "batch", suite)

    assert list(home.rglob("*")) == []


def test_no_value_reaches_results_logs_messages_or_the_screen(con, write, capfd):
    """One rule of each shape fails on the secret value, one crashes on it, and everything that is said is kept."""
    failing = checks.load_suite(
        write(
            rule("code_set", "expect_column_values_to_be_in_set", column="code", value_set=["a"]),
            rule("code_form", REGEX, column="code", regex="^a$"),
            rule("code_length", "expect_column_value_lengths_to_equal", column="code", value=1),
            rule("code_key", "expect_compound_columns_to_be_unique", column_list=["code", "day"]),
            rule("code_max", "expect_column_unique_value_count_to_be_between", column="code", max_value=1),
            sql("select _row_id from {batch} where length(code) > 1", "code_sql"),
        ),
        COLUMNS,
    )
    crashing = checks.load_suite(write(sql("select _row_id from {batch} where cast(code as integer) = 1")), COLUMNS)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        outcomes = checks.run(con, "batch", failing)
        with pytest.raises(CheckCrashed) as caught:
            checks.run(con, "batch", crashing)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    screen = capfd.readouterr()

    assert [one.failed for one in outcomes] == [1, 1, 1, 0, None, 1]
    everything = "\n".join(
        [repr(outcomes), "".join(traceback.format_exception(caught.value)), said.getvalue(), screen.out, screen.err]
    )
    assert SECRET not in everything
    assert SECRET[:5] not in everything
    assert "great_expectations" not in said.getvalue()
    assert (screen.out, screen.err) == ("", "")


def test_logging_is_as_it_was_afterwards(con, write):
    logger = logging.getLogger("great_expectations")
    before = (list(logger.handlers), logger.propagate, logger.level)
    checks.run(con, "batch", checks.load_suite(write(rule()), COLUMNS))

    assert (list(logger.handlers), logger.propagate, logger.level) == before


def test_decimals_compare_exactly_where_floats_would_not(con, write):
    """At 10^13 neighbouring floats are 0.002 apart: 10000000000000.1 and .1001 would be one."""
    con.execute("insert into batch values (5, 'x', 10000000000000.1000, null), (6, 'x', 10000000000000.1001, null)")
    most = rule("too_much", kind=BETWEEN, column="amount", max_value=10000000000000.1)
    suite = checks.load_suite(write(most), COLUMNS)
    [outcome] = checks.run(con, "batch", suite)
    checks.failing_rows(con, "batch", [outcome], "failing")

    assert outcome.failed == 1
    assert con.execute("select _row_id from failing").fetchall() == [(6,)]
