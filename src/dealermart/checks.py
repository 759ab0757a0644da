"""Expectation suites: load them, run them on a batch in DuckDB, and find every row that fails.

A suite is plain JSON (``expectations/<feed>.json``), one Great Expectations suite per feed::

    {"name": "sales", "expectations": [
      {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "dealer_id"},
       "meta": {"rule": "dealer_id_missing"}, "severity": "warning", "description": "dealer_id is missing"}]}

Every rule has a name of its own (``meta.rule``) and a severity: ``critical`` refuses the files that hold failing rows,
``warning`` quarantines the rows, ``info`` reports. Nothing that leaves this module carries a value of the data.

The SQL of an ``unexpected_rows_expectation`` may read, beside ``{batch}``, the views ``feed_<feed>`` (the row in force
per key) and ``known_<feed>`` (every accepted row), the table ``twins`` (``_row_id`` of rows whose key another row of
the batch may have) and the macro ``reporting_currency()``. A rule with ``"waits_for": ["dealers"]`` in its meta says
what a failing row waits for: a row that fails such rules only is judged again when those feeds get new rows. In the
views of the rule's own feed stand the rows of the batch too, as far as nothing speaks against them.

Look-ups are written ``anti join ... on`` with plain equalities: of any other condition, and of ``not in`` with several
columns, DuckDB makes a comparison of every row with every row.
"""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import duckdb
import numpy as np
import pyarrow as pa

from dealermart.base import CheckCrashed, SuiteError
from dealermart.config import Contract

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
QUARANTINED: tuple[Severity, ...] = ("critical", "warning")

KEY = "_row_id"
BATCH_COLUMNS = {
    "_delivery_id": "varchar",
    "_row_number": "bigint",
    "_row_part": "integer",
    KEY: "bigint",
    "_is_deleted": "boolean",
}


@dataclass(frozen=True)
class Type:
    """An expectation type that the engine is proven to evaluate (tests/checks holds a case for each).

    Attributes:
        needs: Arguments that must stand in the suite. A tuple inside means: at least one of these.
        takes: Arguments that may stand there besides.
        rows: Whether it judges single rows, so that the failing ones can be found.
    """

    needs: tuple[str | tuple[str, ...], ...]
    takes: tuple[str, ...] = ()
    rows: bool = True

    @property
    def arguments(self) -> set[str]:
        needed = {name for need in self.needs for name in ((need,) if isinstance(need, str) else need)}
        return needed | set(self.takes)


_ROW = ("row_condition", "mostly")
_BOUNDS: tuple[tuple[str, ...], tuple[str, ...]] = (("min_value", "max_value"), ("strict_min", "strict_max"))
_PAIR = ("column_A", "column_B")
_MULTI = ("ignore_row_if", *_ROW)


def _aggregate() -> Type:
    return Type(("column", _BOUNDS[0]), (*_BOUNDS[1], "row_condition"), rows=False)


TYPES: dict[str, Type] = {
    # one column
    "expect_column_values_to_not_be_null": Type(("column",), _ROW),
    "expect_column_values_to_be_null": Type(("column",), _ROW),
    "expect_column_values_to_be_in_set": Type(("column", "value_set"), _ROW),
    "expect_column_values_to_not_be_in_set": Type(("column", "value_set"), _ROW),
    "expect_column_values_to_be_between": Type(("column", _BOUNDS[0]), (*_BOUNDS[1], *_ROW)),
    "expect_column_values_to_be_unique": Type(("column",), _ROW),
    "expect_column_values_to_match_regex": Type(("column", "regex"), _ROW),
    "expect_column_values_to_not_match_regex": Type(("column", "regex"), _ROW),
    "expect_column_values_to_match_regex_list": Type(("column", "regex_list"), ("match_on", *_ROW)),
    "expect_column_values_to_not_match_regex_list": Type(("column", "regex_list"), _ROW),
    "expect_column_value_lengths_to_be_between": Type(("column", _BOUNDS[0]), (*_BOUNDS[1], *_ROW)),
    "expect_column_value_lengths_to_equal": Type(("column", "value"), _ROW),
    # several columns of a row
    "expect_column_pair_values_a_to_be_greater_than_b": Type(_PAIR, ("or_equal", *_MULTI)),
    "expect_column_pair_values_to_be_equal": Type(_PAIR, _MULTI),
    # Great Expectations counts this one without its row condition: not taken.
    "expect_column_pair_values_to_be_in_set": Type((*_PAIR, "value_pairs_set"), ("ignore_row_if", "mostly")),
    "expect_compound_columns_to_be_unique": Type(("column_list",), _MULTI),
    "expect_select_column_values_to_be_unique_within_record": Type(("column_list",), _MULTI),
    "expect_multicolumn_sum_to_equal": Type(("column_list", "sum_total"), _MULTI),
    "expect_multicolumn_values_to_be_equal": Type(("column_list",), _MULTI),
    # any SQL that selects the failing rows' _row_id
    "unexpected_rows_expectation": Type(("unexpected_rows_query",)),
    # the table as a whole
    "expect_table_row_count_to_be_between": Type((_BOUNDS[0],), (*_BOUNDS[1], "row_condition"), rows=False),
    "expect_table_row_count_to_equal": Type(("value",), ("row_condition",), rows=False),
    "expect_table_columns_to_match_set": Type(("column_set",), ("exact_match",), rows=False),
    "expect_table_column_count_to_equal": Type(("value",), rows=False),
    "expect_column_min_to_be_between": _aggregate(),
    "expect_column_max_to_be_between": _aggregate(),
    "expect_column_mean_to_be_between": _aggregate(),
    "expect_column_sum_to_be_between": _aggregate(),
    "expect_column_unique_value_count_to_be_between": _aggregate(),
    "expect_column_proportion_of_non_null_values_to_be_between": _aggregate(),
}

_EMPTY = "batch"
_TWINS = "twins"
_QUERY = "unexpected_rows_expectation"
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
_RULE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")
# DuckDB's messages quote data after the kind of the fault; the kind alone is safe to show.
_FAULT = re.compile(
    r"\b(Binder|Catalog|Connection|Constraint|Conversion|Dependency|Fatal|INTERNAL|IO|Interrupt|Invalid Input|Invalid"
    r"|Not implemented|Out of Memory|Out of Range|Parser|Permission|Serialization|Syntax|TransactionContext) Error\b"
)


@dataclass(frozen=True)
class Rule:
    """One expectation of a suite. ``columns`` are those that it names outside of SQL; ``description`` is for people;
    ``waits_for`` are the feeds for which a failing row waits."""

    rule: str
    type: str
    severity: Severity
    kwargs: Mapping[str, Any]
    columns: tuple[str, ...]
    description: str
    waits_for: tuple[str, ...] = ()

    @property
    def is_row_level(self) -> bool:
        return TYPES[self.type].rows

    def reads(self, feed: str) -> bool:
        """Whether the SQL reads a view of this feed."""
        return self.type == _QUERY and any(
            re.search(rf"\b{view}\b", str(self.kwargs["unexpected_rows_query"]), re.IGNORECASE) for view in views(feed)
        )


@dataclass(frozen=True)
class Suite:
    """The rules of one table; ``hash`` changes when the meaning of a rule can have changed, not with the layout."""

    name: str
    path: Path
    hash: str
    rules: tuple[Rule, ...]

    @property
    def waits_for(self) -> frozenset[str]:
        """The other feeds for which rows of this one can wait."""
        return frozenset(feed for rule in self.rules for feed in rule.waits_for) - {self.name}

    def about(self, complete: Collection[str] | None) -> Suite:
        """The suite without rules that wait for a feed that is not complete; None stands for all feeds."""
        return self._only(rule for rule in self.rules if complete is None or set(rule.waits_for) <= set(complete))

    def in_turn(self) -> tuple[Suite, Suite]:
        """The rules on what stands in the batch, and those that read the feed's own views and so hang on the former."""
        return (
            self._only(rule for rule in self.rules if not rule.reads(self.name)),
            self._only(rule for rule in self.rules if rule.reads(self.name)),
        )

    def _only(self, rules: Iterable[Rule]) -> Suite:
        return replace(self, rules=tuple(rules))


@dataclass(frozen=True)
class Outcome:
    """What a rule found. Counts only, no values.

    Attributes:
        success: Great Expectations' verdict (a rule with ``mostly`` can succeed and still have failing rows).
        rows: Rows looked at, after the row condition; all rows for rules on SQL or on the table as a whole.
        failed: Rows that fail; None for a rule on the table as a whole.
        failing_rows_sql: SELECT of the failing rows' ``_row_id``; None for a rule on the table as a whole, or where the
            table has no such column.
    """

    rule: str
    type: str
    severity: Severity
    success: bool
    rows: int
    failed: int | None
    failing_rows_sql: str | None


# ------------------------------------------------------------------------------------------------- load


def batch_columns(contract: Contract) -> dict[str, str]:
    """Column name to SQL type of the table that a feed's suite judges: the contract's, and where a row is from."""
    return {column.name: column.sql_type for column in contract.columns} | BATCH_COLUMNS


def views(feed: str) -> tuple[str, str]:
    """Names of the views of a feed that the SQL of rules may read: the row in force per key, and every row."""
    return f"feed_{feed}", f"known_{feed}"


def find_twins(con: duckdb.DuckDBPyConnection, table: str, key: Sequence[str]) -> None:
    """Make the table ``twins`` of rules: the rows whose key stands in ``table`` more than once, found by its hash.

    Hashes can clash, so who reads it compares the keys. To sort them takes a third of what the engine takes to group.
    """
    place = f"hash({', '.join(map(_quoted, key))})"
    places = np.sort(np.asarray(con.execute(f"select {place} as place from {table}").fetchnumpy()["place"]))
    con.register("keys__twice", pa.table({"place": np.unique(places[1:][places[1:] == places[:-1]])}))
    con.execute(f"""
        create or replace temp table {_TWINS} as
        select {KEY} from {table} as rows semi join keys__twice as twice on twice.place = {place}
    """)
    con.unregister("keys__twice")


def define_currency(con: duckdb.DuckDBPyConnection, code: str) -> None:
    """The macro ``reporting_currency()`` of rules, on this connection."""
    con.execute(f"create or replace temp macro reporting_currency() as '{code}'")


def load_suite(
    path: Path, columns: Mapping[str, str] | None = None, feeds: Mapping[str, Contract] | None = None
) -> Suite:
    """Read a suite and refuse what could not be evaluated: types, severities, arguments, names, columns and SQL.

    Args:
        path: The JSON file; its name without ending is the suite's name.
        columns: Column name to SQL type of the table to judge (``batch_columns``). Without it the columns that rules
            name are checked when the suite runs.
        feeds: The feeds whose views the SQL of rules may read, by name.

    Raises:
        SuiteError: names file, line, rule, fault and mend.
    """
    text, data = _read(path)
    rules: dict[str, Rule] = {}
    for number, item in enumerate(_items(path, data), 1):
        rule = _rule(path, text, number, item)
        if rule.rule in rules:
            raise SuiteError(
                f"two rules share the name {rule.rule}",
                where=_where(path, text, rule.rule),
                mend="give every expectation a meta.rule of its own",
            )
        rules[rule.rule] = rule
    suite = Suite(path.stem, path, _hash(data), tuple(rules.values()))
    _check_arguments(suite, text, columns, feeds or {})
    return suite


def rehearse(suite: Suite, columns: Mapping[str, str], feeds: Mapping[str, Contract] | None = None) -> None:
    """Try every rule on an empty table of these types, as the tests do for every suite: it takes as long as a real run.

    Raises:
        SuiteError: a bound, set or comparison does not fit its column's type.
    """
    con = _empty_table(columns)
    _empty_views(con, suite.rules, feeds or {})
    try:
        faults = _crashes(con, _EMPTY, suite.rules)
    finally:
        con.close()
    if faults:
        rule, fault = faults[0]
        raise SuiteError(
            f"the rule cannot be evaluated on columns of these types{fault}",
            where=f"{suite.path}: rule {rule.rule}",
            mend="see that column types, bounds, sets and expressions fit together",
        )


def suite_hash(path: Path) -> str:
    """sha256 (hex) of a suite's content; layout and order of keys do not count.

    Raises:
        SuiteError: the file is missing or not JSON.
    """
    return _hash(_read(path)[1])


def _hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def _read(path: Path) -> tuple[str, Any]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise SuiteError("the suite does not exist", where=str(path), mend="write one suite per feed") from None
    except UnicodeDecodeError:
        raise SuiteError("the file is not UTF-8", where=str(path), mend="save it as UTF-8") from None
    try:
        return text, json.loads(text, parse_float=Decimal, object_pairs_hook=_mapping)
    except json.JSONDecodeError as error:
        fault, line = error.msg, error.lineno
    except _RepeatedKey as error:
        fault, line = f"the key {error} stands twice in one object", 1
    raise SuiteError(f"not valid JSON: {fault}", where=f"{path}:{line}", mend="correct the JSON")


class _RepeatedKey(Exception):
    pass


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKey(next(name for name in names if names.count(name) > 1))
    return data


def _items(path: Path, data: Any) -> list[Any]:
    if not isinstance(data, dict):
        raise SuiteError("a suite is a JSON object", where=str(path), mend='start with {"name": ..., "expectations": [')
    unknown = sorted(set(data) - {"name", "meta", "expectations"})
    if unknown:
        raise SuiteError(
            f"unknown key {', '.join(unknown)}", where=str(path), mend="a suite has name, meta and expectations only"
        )
    if data.get("name") != path.stem:
        raise SuiteError("name is not the file's name", where=str(path), mend=f'write "name": "{path.stem}"')
    items = data.get("expectations")
    if not isinstance(items, list) or not items:
        raise SuiteError("the suite has no rules", where=str(path), mend="add one: an empty suite passes everything")
    return items


def _where(path: Path, text: str, rule: str) -> str:
    """File, line of the rule's (last) mention, and rule."""
    position = text.rfind(json.dumps(rule))
    line = f":{text.count(chr(10), 0, position) + 1}" if position >= 0 else ""
    return f"{path}{line}: rule {rule}"


def _rule(path: Path, text: str, number: int, item: Any) -> Rule:
    where = f"{path}: expectation {number}"
    if not isinstance(item, dict):
        raise SuiteError("an expectation is a JSON object", where=where, mend="write type, kwargs, meta and severity")
    meta = item.get("meta")
    name = meta.get("rule") if isinstance(meta, dict) else None
    if not isinstance(name, str) or not _RULE_NAME.fullmatch(name):
        raise SuiteError(
            "meta.rule is missing or is no plain name",
            where=where,
            mend="name the fault in lower case with underscores, such as dealer_id_missing",
        )
    where = _where(path, text, name)
    unknown = sorted(set(item) - {"type", "kwargs", "meta", "severity", "description", "notes"})
    if unknown:
        raise SuiteError(
            f"unknown key {', '.join(unknown)}",
            where=where,
            mend="an expectation has type, kwargs, meta, severity, description and notes; ids are left out",
        )
    kind, severity, kwargs = item.get("type"), item.get("severity"), item.get("kwargs")
    if kind not in TYPES:
        raise SuiteError(
            f"the expectation type {kind} is unknown or cannot be evaluated on DuckDB",
            where=where,
            mend="use one of checks.TYPES, or an unexpected_rows_expectation with your own SQL",
        )
    if severity not in SEVERITIES:
        raise SuiteError(f"severity {severity} is unknown", where=where, mend=f"use one of {', '.join(SEVERITIES)}")
    if not isinstance(kwargs, dict):
        raise SuiteError("kwargs is missing", where=where, mend="write the expectation's arguments as an object")
    description = item.get("description")
    if not isinstance(description, str) or not description.strip():
        raise SuiteError(
            "the description is missing", where=where, mend="say in plain words what is wrong with a row that fails"
        )
    _check_names(TYPES[kind], kwargs, where)
    rule = Rule(name, kind, severity, _plain(kwargs, where), tuple(_columns(kwargs)), description, _waits(meta, where))
    if rule.waits_for and (severity != "warning" or not rule.is_row_level):
        raise SuiteError(
            "only single rows can wait, by a rule of severity warning",
            where=where,
            mend='write "severity": "warning" and a rule on rows, or leave waits_for out',
        )
    if severity == "critical" and rule.reads(path.stem):
        raise SuiteError(
            f"a critical rule reads rows of its own feed {path.stem}",
            where=where,
            mend="make it a warning: which files are refused must not hang on each other",
        )
    return rule


def _waits(meta: Any, where: str) -> tuple[str, ...]:
    waits = meta.get("waits_for", [])
    if not isinstance(waits, list) or not all(isinstance(feed, str) for feed in waits):
        raise SuiteError(
            "meta.waits_for is no list of feeds", where=where, mend='write such as "waits_for": ["dealers"]'
        )
    return tuple(waits)


def _check_names(kind: Type, kwargs: dict[str, Any], where: str) -> None:
    """Arguments that are missing or unknown; Great Expectations lets some of both through and fails later."""
    for need in kind.needs:
        names = (need,) if isinstance(need, str) else need
        if all(kwargs.get(name) is None for name in names):
            raise SuiteError(f"the argument {' or '.join(names)} is missing", where=where, mend="add it to kwargs")
    unknown = sorted(set(kwargs) - kind.arguments)
    if unknown:
        raise SuiteError(
            f"unknown argument {', '.join(unknown)}",
            where=where,
            mend=f"this type takes {', '.join(sorted(kind.arguments))}",
        )
    if isinstance(kwargs.get("row_condition", {}), str):
        raise SuiteError(
            "row_condition is a text",
            where=where,
            mend='write an object: {"type": "comparison", "column": {"name": ...}, "operator": "==", "parameter": ...}',
        )
    empty = [name for name in ("value_set", "regex_list", "value_pairs_set", "column_list") if kwargs.get(name) == []]
    if empty:
        raise SuiteError(f"{empty[0]} is empty", where=where, mend="list at least one entry")


def _plain(value: Any, where: str) -> Any:
    """JSON with floats. Great Expectations makes floats of bounds: a number that would change by it is refused."""
    if isinstance(value, dict):
        return {key: _plain(part, where) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, where) for part in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if Decimal(repr(float(value))) != value:
            raise SuiteError(
                f"the number {value} has too many digits to be compared exactly",
                where=where,
                mend="use at most 15 digits, or an unexpected_rows_expectation",
            )
        return value if isinstance(value, int) else float(value)
    return value


def _columns(value: Any, name: str = "") -> Iterator[str]:
    """Column names among the arguments, row conditions included."""
    if name in _COLUMN_ARGUMENTS and isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        if name == "column" and isinstance(value.get("name"), str):
            yield value["name"]
        else:
            for key, part in value.items():
                yield from _columns(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _columns(part, name)


def _check_columns(rule: Rule, columns: Iterable[str] | None, where: str) -> None:
    if columns is None:
        return
    unknown = sorted(set(rule.columns) - set(columns))
    if unknown:
        raise SuiteError(
            f"the table has no column {', '.join(unknown)}",
            where=where,
            mend=f"its columns are {', '.join(columns)}",
        )


def _check_arguments(suite: Suite, text: str, columns: Mapping[str, str] | None, feeds: Mapping[str, Contract]) -> None:
    """What Great Expectations says about the arguments, and what DuckDB says about SQL and expressions."""
    con = _empty_table(columns or {KEY: "bigint"})
    try:
        _empty_views(con, suite.rules, feeds)
        for rule in suite.rules:
            where = _where(suite.path, text, rule.rule)
            if unknown := sorted(set(rule.waits_for) - set(feeds)):
                raise SuiteError(
                    f"the rule waits for {', '.join(unknown)}, which is no feed",
                    where=where,
                    mend=f"one of: {', '.join(feeds) or 'none here'}",
                )
            _check_columns(rule, columns, where)
            _check_regexes(con, rule, where)
            if rule.type == _QUERY:
                _check_placeholders(rule, where)
                if columns is not None:
                    _check_query(con, rule, where)
            _check_model(rule, where)
    finally:
        con.close()


@cache
def _nowhere() -> duckdb.DuckDBPyConnection:
    """A database that holds nothing and reads no files. One for all suites: to make one takes longer than to use it."""
    return sandbox()


def _empty_table(columns: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """A connection that sees nothing but one empty table, which goes with it."""
    con = _nowhere().cursor()
    listed = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
    con.execute(f"create temp table {_EMPTY} ({listed})")
    return con


def _empty_views(con: duckdb.DuckDBPyConnection, rules: Iterable[Rule], feeds: Mapping[str, Contract]) -> None:
    """What the rules' SQL may read beside the batch, without rows. Anything else does not exist here."""
    define_currency(con, "XXX")
    con.execute(f"create temp table {_TWINS} ({KEY} bigint)")
    for feed, contract in feeds.items():
        if any(rule.reads(feed) for rule in rules):
            columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in contract.lake_columns.items())
            for view in views(feed):
                con.execute(f"create temp table {view} ({columns})")


def _check_model(rule: Rule, where: str) -> None:
    from dealermart import gx_duckdb

    try:
        with gx_duckdb.quiet():
            _expectation(rule)
        return
    except Exception as error:  # whatever its models raise; a suite holds no data that could be quoted
        fault = _first_fault(error)
    raise SuiteError(f"the arguments do not fit the type: {fault}", where=where, mend="correct kwargs")


def _check_regexes(con: duckdb.DuckDBPyConnection, rule: Rule, where: str) -> None:
    for regex in [*rule.kwargs.get("regex_list", []), *([rule.kwargs["regex"]] if "regex" in rule.kwargs else [])]:
        try:
            con.execute("select regexp_matches('', ?)", [regex]).fetchall()
        except duckdb.Error:
            raise SuiteError(
                f"the expression {regex} is none that RE2 knows",
                where=where,
                mend="RE2 has neither look-around nor back-references",
            ) from None


def _first_fault(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    if not callable(errors):
        return " ".join(str(error).split())
    first = cast("list[dict[str, Any]]", errors())[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"


def _check_placeholders(rule: Rule, where: str) -> None:
    import sqlalchemy

    query = rule.kwargs["unexpected_rows_query"]
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(query) if field is not None}
    except (ValueError, TypeError):
        fields = set()
    if fields != {"batch"}:
        raise SuiteError(
            "the SQL must read {batch} and use no other braces",
            where=where,
            mend="write `from {batch}`, and double any other brace: {{3}}",
        )
    if names := sqlalchemy.text(query).compile().params:
        raise SuiteError(
            f"the SQL holds a colon that reads as a parameter: {', '.join(f':{name}' for name in names)}",
            where=where,
            mend="write the colon as chr(58)",
        )


def _counted_as(rule: Rule) -> str:
    """What Great Expectations writes for {batch} when it counts: a subquery, named by it unless the SQL has a join."""
    subquery = f"(select * from {_EMPTY})"
    has_join = re.search(r"\bjoin\b", rule.kwargs["unexpected_rows_query"], re.IGNORECASE)
    return subquery if has_join else f"{subquery} as subselect"


def _check_query(con: duckdb.DuckDBPyConnection, rule: Rule, where: str) -> None:
    try:
        con.execute(f"describe {_query(rule, _counted_as(rule))}")
        found = [row[0] for row in con.execute(f"describe {_query(rule, _EMPTY)}").fetchall()]
    except duckdb.Error as error:
        fault = " ".join(str(error).split("\n")[0].split())  # of the suite's own SQL on an empty table: no data in it
    else:
        if found == [KEY]:
            return
        fault = f"it selects {', '.join(found)}"
    raise SuiteError(
        f"the SQL does not select {KEY} alone: {fault}",
        where=where,
        mend=f"write `select {KEY} from {{batch}} where ...`; with a join, and only there, {{batch}} takes an alias; "
        "beside it SQL may read twins, feed_<feed> and known_<feed>",
    )


# -------------------------------------------------------------------------------------------------- run


def run(con: duckdb.DuckDBPyConnection, table: str, suite: Suite) -> list[Outcome]:
    """Evaluate a suite on ``table`` (``name`` or ``schema.name``; temporary tables and views will do).

    Nothing is written. A result still pending on ``con`` is lost, as with any other statement.

    Returns:
        One outcome per rule, in the suite's order.

    Raises:
        SuiteError: the table lacks a column that a rule names.
        CheckCrashed: a rule could not be evaluated, or not every rule was.
    """
    if not _TABLE_NAME.fullmatch(table):
        raise ValueError(f"not a plain table name: {table}")
    columns = {row[0] for row in con.execute(f"describe {table}").fetchall()}
    for rule in suite.rules:
        _check_columns(rule, sorted(columns), f"{suite.path}: rule {rule.rule}")
    rows = _count(con, f"select count(*) from {table}")
    faults: list[tuple[Rule, str]] = []
    outcomes: list[Outcome] = []
    results, fault = _validate(con, table, suite.rules, keyed=KEY in columns)
    if fault is None:
        by_rule = {result.expectation_config.meta["rule"]: result for result in results}
        faults = [(rule, crash) for rule in suite.rules if (crash := _crash(by_rule.get(rule.rule))) is not None]
        if not faults:
            outcomes = [_outcome(rule, by_rule[rule.rule], table, rows, KEY in columns) for rule in suite.rules]
    if fault is not None or len(faults) > 1:  # one bad rule takes others down with it: find out which
        faults = _crashes(con, table, suite.rules, keyed=KEY in columns) or faults or [(suite.rules[0], fault or "")]
    if faults:
        names = ", ".join(rule.rule for rule, _ in faults)
        raise CheckCrashed(
            f"rule {names} could not be evaluated{faults[0][1]}; nothing was judged",
            where=str(suite.path),
            mend="mend the rule or the table and run again: this says nothing about the data",
        )
    if len(results) != len(suite.rules):
        raise CheckCrashed(
            f"{len(results)} of {len(suite.rules)} rules gave a result; nothing was judged",
            where=str(suite.path),
            mend="run again; if it stays so, the installed Great Expectations is not the locked version",
        )
    return outcomes


def run_batch(con: duckdb.DuckDBPyConnection, table: str, suite: Suite, key: Sequence[str]) -> list[Outcome]:
    """As ``run``, on the batch of a feed. A deletion is judged by its key alone.

    A rule that names any other column is asked about the rows that delete nothing. Rules in SQL see every row: what a
    deletion does not hold is NULL in it, and ``_is_deleted`` tells it apart.

    Args:
        table: Has ``_is_deleted``. Where there are deletions, outcomes refer to the view ``<table>_kept`` made of it.
        key: Columns of the feed's key.
    """
    if not _count(con, f"select count(*) from {table} where _is_deleted"):
        return run(con, table, suite)
    con.execute(f"create or replace view {table}_kept as select * from {table} where not _is_deleted")
    of_all = [rule for rule in suite.rules if set(rule.columns) <= set(key)]
    of_kept = [rule for rule in suite.rules if rule not in of_all]
    found = {
        outcome.rule: outcome
        for name, rules in ((table, of_all), (f"{table}_kept", of_kept))
        if rules
        for outcome in run(con, name, replace(suite, rules=tuple(rules)))
    }
    return [found[rule.rule] for rule in suite.rules]


def kept(suite: Suite, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """What the log keeps of a suite's run: every rule as it was then and what it found. Counts only, no values."""
    found = {outcome.rule: outcome for outcome in outcomes}
    return [
        {
            "feed": suite.name,
            "rule": rule.rule,
            "type": rule.type,
            "severity": rule.severity,
            "description": rule.description,
            "kwargs": dict(rule.kwargs),
            "success": found[rule.rule].success,
            "rows": found[rule.rule].rows,
            "failed": found[rule.rule].failed,
        }
        for rule in suite.rules
        if rule.rule in found
    ]


def failing_rows(con: duckdb.DuckDBPyConnection, table: str, outcomes: Sequence[Outcome], into: str) -> dict[str, int]:
    """Insert (``_row_id``, ``rule``, ``severity``) of every row that fails a critical or warning rule.

    Args:
        con: The connection on which ``run`` gave ``outcomes`` for ``table``, which has not changed since.
        table: The table that was judged.
        into: Table to fill; made when it does not exist.

    Returns:
        Rows found per rule, for every row-level rule of these severities.

    Raises:
        CheckCrashed: the rows found are not as many as were counted.
    """
    for name in (table, into):
        if not _TABLE_NAME.fullmatch(name):
            raise ValueError(f"not a plain table name: {name}")
    con.execute(f"create table if not exists {into} ({KEY} bigint, rule varchar, severity varchar)")
    found: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.severity not in QUARANTINED or outcome.failing_rows_sql is None:
            continue
        if outcome.failed == 0:  # the usual case, and each query is a scan
            found[outcome.rule] = 0
            continue
        found[outcome.rule] = _count(
            con,
            f"insert into {into} ({KEY}, rule, severity)"
            f" select distinct {KEY}, ?, ? from ({outcome.failing_rows_sql}\n)",
            [outcome.rule, outcome.severity],
        )
        if found[outcome.rule] != outcome.failed:
            raise CheckCrashed(
                f"rule {outcome.rule}: {outcome.failed} rows counted in {table}, {found[outcome.rule]} found",
                mend="a query that selects a row twice is the usual cause; nothing was judged",
            )
    return found


def _validate(
    con: duckdb.DuckDBPyConnection, table: str, rules: Sequence[Rule], *, keyed: bool
) -> tuple[list[Any], str | None]:
    """Great Expectations' results in its own order, or the kind of the fault that kept it from starting."""
    import great_expectations as gx

    from dealermart import gx_duckdb

    result_format: dict[str, Any] = {  # counts and SQL; no values
        "result_format": "BASIC",
        "partial_unexpected_count": 0,
        "exclude_unexpected_values": True,
    }
    if keyed:
        result_format |= {"unexpected_index_column_names": [KEY], "return_unexpected_index_query": True}
    try:
        with gx_duckdb.quiet(), gx_duckdb.open_batch(con, table) as batch:
            suite = gx.ExpectationSuite(name=table, expectations=[_expectation(rule) for rule in rules])
            return list(batch.validate(suite, result_format=result_format).results), None
    except Exception as error:  # whatever it is, it may quote data: only its kind goes on
        return [], _kind(f"{type(error).__name__}: {error}")


def _expectation(rule: Rule) -> Any:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    return ExpectationConfiguration(
        type=rule.type, kwargs=dict(rule.kwargs), meta={"rule": rule.rule}, severity=FailureSeverity(rule.severity)
    ).to_domain_obj()


def _crashes(
    con: duckdb.DuckDBPyConnection, table: str, rules: Sequence[Rule], *, keyed: bool = True
) -> list[tuple[Rule, str]]:
    """Rules that cannot be evaluated, with the kind of the fault; one by one when all together fail."""
    results, fault = _validate(con, table, rules, keyed=keyed)
    crashed = fault is not None or any(_crash(result) is not None for result in results)
    if not crashed:
        return []
    if len(rules) == 1:
        return [(rules[0], fault if fault is not None else _crash(results[0]) or "")]
    return [fault for rule in rules for fault in _crashes(con, table, [rule], keyed=keyed)]


def _crash(result: Any) -> str | None:
    """The kind of the fault when a rule crashed, None when it was evaluated."""
    if result is None:
        return ""
    info = result.exception_info or {}
    # Either one exception, or one per metric.
    parts = [info] if "raised_exception" in info else [part for part in info.values() if isinstance(part, dict)]
    for part in parts:
        if part.get("raised_exception"):
            return _kind(str(part.get("exception_message")))
    return None


def _kind(message: str) -> str:
    match = _FAULT.search(message)
    return f" ({match[0]})" if match else ""


def _outcome(rule: Rule, result: Any, table: str, rows: int, keyed: bool) -> Outcome:
    found = result.result
    seen, failed, sql = rows, None, None
    if rule.type == _QUERY:
        failed = int(found["observed_value"])
        sql = _query(rule, table) if keyed else None
    elif rule.is_row_level:
        seen, failed = int(found["element_count"]), int(found["unexpected_count"] or 0)  # None on an empty table
        sql = found.get("unexpected_index_query")
        if keyed and sql is None:
            raise CheckCrashed(f"rule {rule.rule} gave no query of its failing rows; nothing was judged")
    return Outcome(rule.rule, rule.type, rule.severity, bool(result.success), seen, failed, sql)


def _query(rule: Rule, table: str) -> str:
    """The SQL of a query rule on ``table``, cut at the end as Great Expectations cuts it."""
    return str(rule.kwargs["unexpected_rows_query"]).rstrip("; \t\r\n\v\f").format(batch=table)


def _count(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> int:
    row = con.execute(sql, list(parameters)).fetchone()
    return int(row[0]) if row else 0


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
