"""Load a suite, and refuse what could not be evaluated with file, line, rule, fault and mend."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

import duckdb

from dealermart.base import SuiteError, quoted, sandbox
from dealermart.checks import engine
from dealermart.checks.kinds import QUERY, Type
from dealermart.checks.plain import is_plain
from dealermart.checks.sql import ARGUMENT, Queries, Query, canonical
from dealermart.checks.types import KEY, SEVERITIES, TYPES, Rule, Suite, views
from dealermart.config import Contract

EMPTY = "batch"
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list")
_RULE_NAME = re.compile(r"[a-z][a-z0-9_]*")


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
    feeds = feeds or {}
    queries = Queries(path, feeds.get(path.stem))
    rules: dict[str, Rule] = {}
    places: dict[str, Query] = {}
    items = []
    for number, item in enumerate(_items(path, data), 1):
        where = _where_of(path, text, number, item)
        if item["meta"]["rule"] in rules:
            raise SuiteError(
                f"two rules share the name {item['meta']['rule']}",
                where=where,
                mend="give every expectation a meta.rule of its own",
            )
        _check_item(item, where)
        rule = item["meta"]["rule"]
        if item["type"] == QUERY:
            places[rule] = query = queries.of(rule, item["kwargs"], where)
            item = item | {"kwargs": {ARGUMENT: query.text}}
        rules[rule] = _rule(path.stem, item, where)
        items.append(item)
    queries.refuse_left()
    suite = Suite(path.stem, path, _hash(data, items), tuple(rules.values()))
    seen = _seen(suite, columns, feeds)
    if seen not in _CHECKED:
        _check_arguments(suite, _Places(text, places), columns, feeds)
        _CHECKED.add(seen)
    return suite


# Suites that passed in this process, with the columns and the other feeds that they were checked against.
_CHECKED: set[Hashable] = set()


def _seen(suite: Suite, columns: Mapping[str, str] | None, feeds: Mapping[str, Contract]) -> Hashable:
    views_of = tuple((feed, feed in feeds and feeds[feed].hash) for feed in sorted(suite.looked_up))
    return suite.path, suite.hash, columns and tuple(columns.items()), views_of, tuple(feeds)


def _hash(data: dict[str, Any], items: list[dict[str, Any]]) -> str:
    """sha256 (hex) of a suite's content, SQL included; layout and order of keys do not count."""
    plain = [
        item | {"kwargs": {ARGUMENT: canonical(item["kwargs"][ARGUMENT])}} if item["type"] == QUERY else item
        for item in items
    ]
    text = json.dumps(data | {"expectations": plain}, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


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


def _where_of(path: Path, text: str, number: int, item: Any) -> str:
    """Where a rule stands in the suite, for its faults; one without a name is refused."""
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
    return _where(path, text, name)


def _check_item(item: dict[str, Any], where: str) -> None:
    """What a rule of any type must hold."""
    unknown = sorted(set(item) - {"type", "kwargs", "meta", "severity", "description", "notes"})
    if unknown:
        raise SuiteError(
            f"unknown key {', '.join(unknown)}",
            where=where,
            mend="an expectation has type, kwargs, meta, severity, description and notes; ids are left out",
        )
    if item.get("type") not in TYPES:
        raise SuiteError(
            f"the expectation type {item.get('type')} is unknown or cannot be evaluated on DuckDB",
            where=where,
            mend="use one of checks.TYPES, or an unexpected_rows_expectation with your own SQL",
        )
    if item.get("severity") not in SEVERITIES:
        raise SuiteError(
            f"severity {item.get('severity')} is unknown", where=where, mend=f"use one of {', '.join(SEVERITIES)}"
        )
    if not isinstance(item.get("kwargs"), dict):
        raise SuiteError("kwargs is missing", where=where, mend="write the expectation's arguments as an object")
    description = item.get("description")
    if not isinstance(description, str) or not description.strip():
        raise SuiteError(
            "the description is missing", where=where, mend="say in plain words what is wrong with a row that fails"
        )


def _rule(feed: str, item: dict[str, Any], where: str) -> Rule:
    kind, kwargs, meta = item["type"], item["kwargs"], item["meta"]
    _check_names(TYPES[kind], kwargs, where)
    rule = Rule(
        meta["rule"],
        kind,
        item["severity"],
        _plain(kwargs, where),
        tuple(_columns(kwargs)),
        item["description"],
        _waits(meta, where),
    )
    if rule.waits_for and (rule.severity != "warning" or not rule.is_row_level):
        raise SuiteError(
            "only single rows can wait, by a rule of severity warning",
            where=where,
            mend='write "severity": "warning" and a rule on rows, or leave waits_for out',
        )
    if rule.severity == "critical" and rule.reads(feed):
        raise SuiteError(
            f"a critical rule reads rows of its own feed {feed}",
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


def check_columns(rule: Rule, columns: Iterable[str] | None, where: str) -> None:
    """Refuse a rule that names a column which is not among these; None stands for not known yet."""
    if columns is None:
        return
    unknown = sorted(set(rule.columns) - set(columns))
    if unknown:
        raise SuiteError(
            f"the table has no column {', '.join(unknown)}",
            where=where,
            mend=f"its columns are {', '.join(columns)}",
        )


@dataclass(frozen=True)
class _Places:
    """Where the faults of a suite are: in its text, or in the files with the SQL of rules."""

    text: str
    queries: Mapping[str, Query]

    def of(self, suite: Suite, rule: Rule) -> str:
        return _where(suite.path, self.text, rule.rule)

    def of_sql(self, suite: Suite, rule: Rule, line: int = 1) -> str:
        query = self.queries[rule.rule]
        if query.path is None:
            return self.of(suite, rule)
        number = f":{query.skipped + line}" if query.skipped is not None else ""
        return f"{query.path}{number}: rule {rule.rule} of {suite.name}"


def _check_arguments(
    suite: Suite, places: _Places, columns: Mapping[str, str] | None, feeds: Mapping[str, Contract]
) -> None:
    """What Great Expectations says about the arguments, and what DuckDB says about SQL and expressions."""
    con = empty_table(columns or {KEY: "bigint"})
    try:
        empty_views(con, suite.rules, feeds)
        for rule in suite.rules:
            where = places.of(suite, rule)
            if unknown := sorted(set(rule.waits_for) - set(feeds)):
                raise SuiteError(
                    f"the rule waits for {', '.join(unknown)}, which is no feed",
                    where=where,
                    mend=f"one of: {', '.join(feeds) or 'none here'}",
                )
            check_columns(rule, columns, where)
            _check_regexes(con, rule, where)
            if rule.type == QUERY:
                _check_placeholders(rule, places.of_sql(suite, rule), places.queries[rule.rule])
                if columns is not None and (fault := _fault_of(con, rule)):
                    what, line = fault
                    raise SuiteError(
                        f"the SQL does not select {KEY} alone: {what}",
                        where=places.of_sql(suite, rule, line),
                        mend=f"write `select {KEY} from the batch where ...`; with a join, and only there, the batch "
                        "takes an alias; beside it SQL may read twins, feed_<feed> and known_<feed>",
                    )
            _check_model(rule, where)
    finally:
        con.close()


@cache
def _nowhere() -> duckdb.DuckDBPyConnection:
    """A database that holds nothing and reads no files. One for all suites: to make one takes longer than to use it."""
    return sandbox()


def empty_table(columns: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
    """A connection that sees nothing but one empty table, which goes with it."""
    con = _nowhere().cursor()
    listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    con.execute(f"create temp table {EMPTY} ({listed})")
    return con


def empty_views(con: duckdb.DuckDBPyConnection, rules: Iterable[Rule], feeds: Mapping[str, Contract]) -> None:
    """What the rules' SQL may read beside the batch, without rows. Anything else does not exist here."""
    engine.define_currency(con, "XXX")
    tables = {engine.TWINS: f"{KEY} bigint"}
    for feed in frozenset().union(*(rule.looked_up for rule in rules)) & feeds.keys():
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in feeds[feed].lake_columns.items())
        tables |= dict.fromkeys(views(feed), columns)
    made = "".join(f"create temp table {name} ({columns});" for name, columns in tables.items())
    con.execute(f"begin; {made} commit")


def _check_model(rule: Rule, where: str) -> None:
    if is_plain(rule):
        return
    from dealermart.checks import gx

    try:
        with gx.quiet():
            engine.expectation(rule)
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


def _check_placeholders(rule: Rule, where: str, query_of: Query) -> None:
    query = rule.kwargs[ARGUMENT]
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(query) if field is not None}
    except (ValueError, TypeError):
        fields = set()
    if fields != {"batch"}:
        raise SuiteError(
            "the SQL must read {batch} and use no other braces" if query_of.path is None else "the SQL reads no batch",
            where=where,
            mend="write `from {batch}`, and double any other brace: {{3}}"
            if query_of.path is None
            else "write `from {{ batch }}`",
        )
    if ":" not in query.replace("::", ""):
        return
    import sqlalchemy

    if names := sqlalchemy.text(query).compile().params:
        raise SuiteError(
            f"the SQL holds a colon that reads as a parameter: {', '.join(f':{name}' for name in names)}",
            where=where,
            mend="write the colon as chr(58)",
        )


def _counted_as(rule: Rule) -> str:
    """What Great Expectations writes for {batch} when it counts: a subquery, named by it unless the SQL has a join."""
    subquery = f"(select * from {EMPTY})"
    has_join = re.search(r"\bjoin\b", rule.kwargs[ARGUMENT], re.IGNORECASE)
    return subquery if has_join else f"{subquery} as subselect"


def _fault_of(con: duckdb.DuckDBPyConnection, rule: Rule) -> tuple[str, int] | None:
    """What is wrong with the SQL of a rule and in which of its lines; None if nothing is."""
    try:
        con.execute(f"describe {engine.sql_of(rule, _counted_as(rule))}")
        found = [row[0] for row in con.execute(f"describe {engine.sql_of(rule, EMPTY)}").fetchall()]
    except duckdb.Error as error:  # of the suite's own SQL on an empty table: no data in it
        line = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
        return " ".join(str(error).split("\n")[0].split()), int(line[1]) if line else 1
    return None if found == [KEY] else (f"it selects {', '.join(found)}", 1)
