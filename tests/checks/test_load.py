"""Loading suites: every fault is named with file, line, rule and mend; the SQL of rules stands beside the suite."""

import json
import subprocess
import sys

import pytest
from tests.checks.helper import BETWEEN, COLUMNS, REGEX, rehearse, rule, sql, suite_hash

from dealermart import checks
from dealermart.base import SuiteError, load_settings
from dealermart.checks import engine, plain
from dealermart.config import Contract, load_contracts

SETTINGS = load_settings()
CONTRACTS = load_contracts(SETTINGS)


# fmt: off
BROKEN_RULES = {
    "unknown type": (rule(kind="expect_column_values_to_be_nice"), "expect_column_values_to_be_nice is unknown"),
    "type of no use here": (rule(kind="expect_column_values_to_be_increasing"), "cannot be evaluated on DuckDB"),
    "type that Great Expectations never evaluated": (rule(kind="expect_column_quantile_values_to_be_between"), "cannot be evaluated on DuckDB"),
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
    "column of a condition unknown": (rule(column="code", row_condition={"type": "nullity", "column": {"name": "colour"}, "is_null": True}), "the table has no column colour"),
    "column of a pair unknown": (rule(kind="expect_column_pair_values_to_be_equal", column_A="code", column_B="colour"), "the table has no column colour"),
    "column of a list unknown": (rule(kind="expect_compound_columns_to_be_unique", column_list=["code", "colour"]), "the table has no column colour"),
    "one column in a compound key": (rule(kind="expect_compound_columns_to_be_unique", column_list=["code"]), "column_list"),
    "condition as text": (rule(column="code", row_condition='col("code")=="a"'), "row_condition is a text"),
    "condition of an unknown kind": (rule(column="code", row_condition={"type": "xor"}), "arguments do not fit"),
    "condition where none is counted": (rule(kind="expect_column_pair_values_to_be_in_set", column_A="code", column_B="day", value_pairs_set=[["a", "b"]], row_condition={"type": "nullity", "column": {"name": "code"}, "is_null": True}), "unknown argument row_condition"),
    "empty set": (rule(kind="expect_column_values_to_be_in_set", column="code", value_set=[]), "value_set is empty"),
    "regex that RE2 lacks": (rule(kind=REGEX, column="code", regex="(?=a)"), "none that RE2 knows"),
    "regex in a list": (rule(kind="expect_column_values_to_match_regex_list", column="code", regex_list=["a", "("]), "none that RE2 knows"),
    "a bound no float can hold": (rule(kind=BETWEEN, column="amount", max_value=9007199254740993), "9007199254740993 has too many digits"),
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
# fmt: on


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
        rehearse(suite, COLUMNS)

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
    assert suite.hash == suite_hash(path)


def test_the_hash_follows_the_meaning_and_not_the_layout(write):
    path = write(rule())
    first = suite_hash(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), sort_keys=True), "utf-8")
    assert suite_hash(path) == first

    assert suite_hash(write(rule(severity="info"))) != first
    assert len(first) == 64


def test_neither_the_room_nor_our_suites_import_great_expectations():
    code = """
import sys
from dealermart import checks
from dealermart.base import load_settings
from dealermart.checks import engine, plain
from dealermart.config import load_contracts
place = load_settings()
known = load_contracts(place)
for feed, contract in known.items():
    checks.load_suite(place.expectations / f"{feed}.json", checks.batch_columns(contract), known)
for path in (place.expectations / "marts").glob("*.json"):
    checks.load_suite(path)
sys.exit("great_expectations" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


PLAIN = [
    rule(column="code", mostly=0.9),
    rule(kind=BETWEEN, column="amount", min_value=0, max_value=1.5, strict_min=True),
    rule(kind=BETWEEN, column="day", min_value="1990-01-01", max_value="2100-01-01"),
    rule(kind=REGEX, column="code", regex="^a"),
    rule(kind="expect_column_values_to_be_in_set", column="code", value_set=["a", "b"]),
    rule(
        kind="expect_column_pair_values_a_to_be_greater_than_b",
        column_A="day",
        column_B="day",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    ),
    rule(column="code", row_condition={"type": "nullity", "column": {"name": "day"}, "is_null": False}),
    rule(
        column="code",
        row_condition={"type": "comparison", "column": {"name": "code"}, "operator": "IN", "parameter": ["a"]},
    ),
    rule(kind="expect_table_row_count_to_be_between", min_value=1),
    sql("select _row_id from {batch}"),
]


@pytest.mark.parametrize("right", PLAIN)
def test_what_is_right_at_first_sight_is_right_for_great_expectations(write, right):
    [loaded] = checks.load_suite(write(right)).rules

    assert plain.is_plain(loaded)
    assert engine.expectation(loaded).configuration.type == right["type"]


@pytest.mark.parametrize(
    "kwargs",
    [
        {"mostly": 2},
        {"mostly": True},
        {"min_value": True},
        {"min_value": "2026-02-30"},
        {"min_value": "2026-W01-1"},
        {"min_value": "soon"},
        {"min_value": 2, "max_value": 1},
        {"min_value": 2, "max_value": "2026-01-01"},
        {"value_set": "ab"},
        {"value_set": [1, "a"]},
        {"value_set": [None]},
        {"strict_min": 1},
        {"ignore_row_if": "never"},
        {"row_condition": {"type": "xor"}},
        {"row_condition": {"type": "nullity", "column": "code", "is_null": True}},
        {"row_condition": {"type": "nullity", "column": {"name": "code"}, "is_null": 1}},
        {"row_condition": {"type": "comparison", "column": {"name": "code"}, "operator": "~", "parameter": 1}},
        {"row_condition": {"type": "comparison", "column": {"name": "code"}, "operator": "IN", "parameter": 1}},
        {"regex_list": ["a"]},
    ],
    ids=str,
)
def test_whatever_is_odd_is_left_to_great_expectations(kwargs):
    assert not plain.is_plain(checks.Rule("odd", BETWEEN, "warning", {"column": "amount"} | kwargs, (), "odd"))


# -------------------------------------------------------------------------------------------------- SQL


QUERY = "unexpected_rows_expectation"
CONTRACT = Contract.model_validate(
    {
        "feed": "batch",
        "title": "Batch",
        "title_zh": "批",
        "grain": "one row per code",
        "delivery": "append",
        "key": ["code"],
        "columns": [{"name": "code", "type": "string", "required": True, "description": "what it is"}],
    }
)


def in_file(name="planted", severity="warning", **kwargs):
    return rule(name, QUERY, severity) | {"kwargs": kwargs}


@pytest.fixture
def beside(tmp_path):
    """Write the SQL of a rule of the suite batch, or a template."""

    def beside(text, name="planted", folder="sql/batch"):
        path = tmp_path / folder / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return beside


def test_sql_stands_in_a_file_and_means_what_it_would_in_the_suite(write, beside):
    query = "select _row_id from {batch} where regexp_matches(code, '^[A-Z]{{3}}  --$') and (amount > 1 or day is null)"
    inline = checks.load_suite(write(sql(query)), COLUMNS)
    beside(
        "-- A join that is none.\n\nselect _row_id  -- the row\nfrom {{ batch }}\nwhere\n"
        "    regexp_matches(code, '^[A-Z]{3}  --$')\n    /* one\n    of two */\n    and (\n"
        "        amount > 1\n        or day is null\n    )\n"
    )
    filed = checks.load_suite(write(in_file()), COLUMNS)

    assert filed.hash == inline.hash
    text = filed.rules[0].kwargs["unexpected_rows_query"]
    assert text.startswith("select _row_id\nfrom {batch}\nwhere\n    regexp_matches(code, '^[A-Z]{{3}}  --$')\n")
    assert "join" not in text


def test_the_hash_follows_the_sql_of_files_and_templates_and_not_their_layout(write, beside):
    path = write(in_file(), in_file("shaped", template="shape", column="code"))
    hashes = []
    for own, shape in (
        ("select _row_id from {{ batch }}", "select _row_id from {{ batch }} where {{ column }} = 'a b'"),
        (
            "-- why\nselect\n    _row_id\nfrom {{ batch }}\n",
            "select _row_id\nfrom {{ batch }}\nwhere {{ column }} = 'a b'",
        ),
        (
            "select _row_id from {{ batch }} where day is null",
            "select _row_id from {{ batch }} where {{ column }} = 'a b'",
        ),
        ("select _row_id from {{ batch }}", "select _row_id from {{ batch }} where {{ column }} = 'a  b'"),
    ):
        beside(own)
        beside(shape, "shape", "templates")
        hashes.append(checks.load_suite(path, COLUMNS).hash)

    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_a_template_is_given_the_key_and_version_of_the_contract(write, beside):
    beside(
        "select _row_id from {{ batch }} where {{ key | join }} is null{% if version %} and {{ version }}{% endif %}",
        "shape",
        "templates",
    )
    suite = checks.load_suite(write(in_file(template="shape")), COLUMNS, {"batch": CONTRACT})

    assert suite.rules[0].kwargs == {"unexpected_rows_query": "select _row_id from {batch} where code is null"}


SELECT = "select _row_id from {{ batch }} where "
# id: (kwargs of the rule, its own SQL, the template `shape`, what is said, the file and line that are named)
BROKEN_SQL = {
    "an argument beside the SQL": ({"unexpected_rows_query": "select _row_id from {batch}", "mostly": 0.5}, None, None, "unknown argument mostly", "batch.json"),
    "SQL and a template": ({"unexpected_rows_query": "select _row_id from {batch}", "template": "shape"}, None, SELECT + "true", "unknown argument template", "batch.json"),
    "no file": ({}, None, None, "the rule has no SQL", "batch.json:19: rule planted"),
    "a file too many": (None, SELECT + "true", None, "has no rule planted", "planted.sql:1"),
    "a file of a rule with a template": ({"template": "shape"}, SELECT + "true", SELECT + "true", "has SQL in", "planted.sql:1"),
    "an unknown column": ({}, "-- why\nselect _row_id\nfrom {{ batch }}\nwhere colour = 1\n", None, 'column "colour"', "planted.sql:4: rule planted"),
    "no batch": ({}, "select 1 as _row_id\n", None, "reads no batch", "planted.sql:1: rule planted"),
    "a parameter": ({}, SELECT + "code = ':x'", None, "reads as a parameter: :x", "planted.sql:1: rule planted"),
    "Jinja that is none": ({}, "select\n{% if %}", None, "not valid Jinja", "planted.sql:2"),
    "an argument that nobody gives": ({}, SELECT + "{{ key }} is null", None, "asks for key", "planted.sql:1"),
    "no such template": ({"template": "form"}, None, SELECT + "true", "no template form", "batch.json:21: rule planted"),
    "an argument of no use": ({"template": "shape", "colour": "red"}, None, SELECT + "true", "takes no colour", "batch.json"),
    "an argument missing": ({"template": "shape"}, None, SELECT + "{{ column }} is null", "'column' is undefined", "batch.json"),
    "an argument of a wrong kind": ({"template": "shape", "when": 1}, None, SELECT + "{{ when.items() }}", "has no attribute", "batch.json"),
    "a key without a contract": ({"template": "shape"}, None, SELECT + "{{ key }} is null", "'key' is undefined", "batch.json"),
    "a template on an unknown column": ({"template": "shape", "column": "colour"}, None, "\n" + SELECT + "{{ column }} = 1", 'column "colour"', "shape.sql: rule planted of batch"),
}  # fmt: skip


@pytest.mark.parametrize(("kwargs", "own", "template", "said", "where"), BROKEN_SQL.values(), ids=BROKEN_SQL)
def test_broken_sql_is_refused_with_its_file_and_line(write, beside, kwargs, own, template, said, where):
    if own is not None:
        beside(own)
    if template is not None:
        beside(template, "shape", "templates")
    path = write(rule(), *([in_file(**kwargs)] if kwargs is not None else []))

    with pytest.raises(SuiteError) as caught:
        checks.load_suite(path, COLUMNS)

    assert said in caught.value.what
    assert where in caught.value.where
    assert caught.value.mend


def test_every_suite_is_one_of_great_expectations_own_once_its_sql_is_filled_in():
    import great_expectations as gx

    for path in sorted(SETTINGS.expectations.rglob("*.json")):
        contract = CONTRACTS.get(path.stem)
        suite = checks.load_suite(path, checks.batch_columns(contract) if contract else None, CONTRACTS)
        data = json.loads(path.read_text("utf-8"))
        for item, loaded in zip(data["expectations"], suite.rules, strict=True):
            item["kwargs"] = dict(loaded.kwargs)
        assert len(gx.ExpectationSuite(**data).expectations) == len(suite.rules), path


def test_a_suite_is_checked_anew_when_it_or_what_it_is_checked_against_changes(write, beside):
    path = write(in_file())
    beside("select _row_id from {{ batch }} where code is null")
    assert checks.load_suite(path, COLUMNS) == checks.load_suite(path, COLUMNS)

    with pytest.raises(SuiteError, match='column "code"'):
        checks.load_suite(path, {"_row_id": "bigint"})
    beside("select _row_id from {{ batch }} where colour is null")
    with pytest.raises(SuiteError, match='column "colour"'):
        checks.load_suite(path, COLUMNS)
    beside("select _row_id from {{ batch }} as b anti join feed_batch as k on k.code = b.code")
    with pytest.raises(SuiteError, match="feed_batch"):
        checks.load_suite(path, COLUMNS)
    assert checks.load_suite(path, COLUMNS, {"batch": CONTRACT}).looked_up == {"batch"}
    with pytest.raises(SuiteError, match="feed_batch"):
        checks.load_suite(path, COLUMNS)
