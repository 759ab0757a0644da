"""Running suites and finding the failing rows: the faults, the silence, and what is left behind."""

import copy
import dataclasses
import gc
import io
import logging
import traceback

import duckdb
import pytest
from tests.checks.helper import BETWEEN, COLUMNS, REGEX, rule, sql

from dealermart import checks
from dealermart.base import CheckCrashed, SuiteError
from dealermart.checks import engine

SECRET = "Zhang-Wei-4711"


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

    assert [
        (outcome.rule, outcome.severity, outcome.success, outcome.rows, outcome.failed) for outcome in outcomes
    ] == [
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


@pytest.mark.parametrize(
    ("given", "said"),
    [(lambda results: results[:1], "rule second_rule could not be evaluated"), (lambda results: results * 2, "4 of 2")],
    ids=["one too few", "too many"],
)
def test_a_rule_without_exactly_one_result_is_no_pass(con, write, monkeypatch, given, said):
    suite = checks.load_suite(write(rule("first_rule"), rule("second_rule", column="amount")), COLUMNS)
    whole = engine.validate
    monkeypatch.setattr(engine, "validate", lambda *args, **kwargs: (given(whole(*args, **kwargs)[0]), None))

    with pytest.raises(CheckCrashed, match=said):
        checks.run(con, "batch", suite)


def test_a_table_without_the_column_is_refused(con, write):
    suite = checks.load_suite(write(rule(column="colour")))

    with pytest.raises(SuiteError, match="the table has no column colour"):
        checks.run(con, "batch", suite)


def test_a_table_without_row_ids_is_judged_without_rows(con, write):
    con.execute("create view mart as select code, amount from batch")
    outcomes = checks.run(con, "mart", checks.load_suite(write(rule())))

    assert [(outcome.success, outcome.failed, outcome.failing_rows_sql) for outcome in outcomes] == [(False, 2, None)]


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


def test_a_table_of_the_same_name_is_another_table(con, write):
    """Great Expectations' objects are made once; columns, types, rows and faults of an earlier check must not stay."""
    first = checks.load_suite(write(rule("amount_large", kind=BETWEEN, column="amount", max_value=1.05)))
    crashing = checks.load_suite(write(sql("select _row_id from {batch} where cast(code as integer) = 1")))
    assert [outcome.failed for outcome in checks.run(con, "batch", first)] == [1]
    with pytest.raises(CheckCrashed):
        checks.run(con, "batch", crashing)
    with duckdb.connect() as other:
        other.execute("create table batch as select 7::bigint as _row_id, 1.06::decimal(4,2) as amount, 'x' as name")
        named = checks.load_suite(
            write(
                rule("amount_large", kind=BETWEEN, column="amount", max_value=1.05), rule("name_missing", column="name")
            )
        )
        outcomes = checks.run(other, "batch", named)
        checks.failing_rows(other, "batch", outcomes, "failing")

        assert [(outcome.rows, outcome.failed) for outcome in outcomes] == [(1, 1), (1, 0)]
        assert other.execute("select _row_id from failing").fetchall() == [(7,)]
    assert [outcome.failed for outcome in checks.run(con, "batch", first)] == [1]


def test_a_check_within_a_check_is_refused_and_nothing_is_held_afterwards(con, write):
    from dealermart.checks import gx

    with gx.quiet(), gx.open_batch(con, "batch"):
        with pytest.raises(RuntimeError, match="not ended"):
            gx.open_batch(con, "batch").__enter__()
    assert [outcome.failed for outcome in checks.run(con, "batch", checks.load_suite(write(rule())))] == [2]


def test_expectations_that_remember_leave_great_expectations_its_own(write):
    import great_expectations as gx
    from great_expectations.expectations import registry

    [missing] = checks.load_suite(write(rule())).rules
    made = engine.expectation(missing)

    assert made.configuration is made.configuration
    assert made.configuration.to_domain_obj() is made
    changed = copy.deepcopy(made.configuration)
    assert changed.to_domain_obj().column == "code"
    changed.kwargs["column"] = "amount"
    assert (changed.to_domain_obj().column, made.column) == ("amount", "code")
    own = registry.get_expectation_impl(missing.type)
    assert own is gx.expectations.ExpectColumnValuesToNotBeNull
    assert isinstance(made, own) and type(made) is not own


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

    assert [outcome.failed for outcome in outcomes] == [1, 1, 1, 0, None, 1]
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
    """At 10^13 neighbouring floats are 0.002 apart: 10000000000000.1 and .1001 would be the same."""
    con.execute("insert into batch values (5, 'x', 10000000000000.1000, null), (6, 'x', 10000000000000.1001, null)")
    most = rule("too_much", kind=BETWEEN, column="amount", max_value=10000000000000.1)
    suite = checks.load_suite(write(most), COLUMNS)
    [outcome] = checks.run(con, "batch", suite)
    checks.failing_rows(con, "batch", [outcome], "failing")

    assert outcome.failed == 1
    assert con.execute("select _row_id from failing").fetchall() == [(6,)]
