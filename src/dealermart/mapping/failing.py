"""Rows for which a select raises an error: found only when the statement failed, so that the others can go on.

A select judges one row at a time, so a row that makes it fail can be left out and rejected. First each column of the
select is tried by itself, in one pass over all rows; what that does not find (an error in a CTE, a join, an unnest) is
found by halving.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import ConfigError, literal, quoted
from dealermart.config import FileSpec
from dealermart.mapping.select import check_single_rows, parsed

# What the engine raises for a value; everything else is wrong with the select, or with the machine.
VALUE_FAULTS = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.InvalidTypeException,
    duckdb.NotImplementedException,
    duckdb.OutOfRangeException,
)

MOST_HALVED = 1000  # rows of a file that are looked for by halving; with more of them the file is not what it should be

_MOST_NAMED = 4  # columns that a reason names

_LONGEST = 120  # letters of an expression in a reason

# The engine's texts quote the value, and a reason must not.
_WORDS = (
    (r"Date out of range|field value out of range", "there is no such date"),
    (r"invalid (date|time\w*) field format", "a text is no {0}"),
    (r"Could not parse string", "a text does not have the form that is asked for"),
    (r"Could not convert .* to (\w+)|Failed to cast .* to (\w+)", "a value does not fit the cast to {0}"),
    (r"Overflow in (\w+)", "the {0} gives too large a number"),
    (r"More than one row returned by a subquery", "a lookup finds more than one row"),
    (r"Malformed JSON", "a text is no JSON"),
)


def in_words(error: duckdb.Error) -> str:
    """What the engine says of a value, without the value."""
    text = str(error).split("\n")[0]
    for pattern, words in _WORDS:
        if found := re.search(pattern, text):
            return words.format(*filter(None, found.groups()))
    return "a value does not fit what the select asks of it"


@contextmanager
def set_apart(con: duckdb.DuckDBPyConnection, path: Path, sql: str, spec: FileSpec) -> Iterator[None]:
    """Inside the block the raw table ``spec.name`` lacks the rows for which the select raises an error; they stand in
    ``unmappable`` (``_delivery_id, _row_number, reason``), also after it.

    Of a select that looks at other rows, and of a file with very many such rows, all rows are among them.

    Raises:
        duckdb.Error: the select fails without any row.
    """
    database = con.execute("select current_database()").fetchall()[0][0]
    raw = f"{quoted(database)}.main.{quoted(spec.name)}"
    con.execute("create or replace temp table unmappable (_delivery_id varchar, _row_number bigint, reason varchar)")
    view = f"temp.{quoted(spec.name)}"  # is found before the raw table
    shown = f"create or replace temp view {quoted(spec.name)} as from {raw}"
    rest = f"{shown} anti join unmappable using (_delivery_id, _row_number)"
    con.execute(f"{shown} where false")
    try:
        con.execute(f"from ({sql})").fetchall()  # wrong without any row: the fault is the select's
        con.execute(rest)
        try:
            check_single_rows(con, path, sql, spec)
        except ConfigError:
            why = f"{path.name} looks at other rows of the file and fails: {_error_of(con, sql)}"
            con.execute(f"insert into unmappable select _delivery_id, _row_number, $why from {raw}", {"why": why})
        else:
            with suppress(duckdb.Error):  # not every select can be tried column by column
                con.execute(f"insert into unmappable {_tried(con, path, sql)}")
            if _error_of(con, sql):
                _halve(con, path, sql, spec)
                con.execute(rest)
        yield
    finally:
        con.execute(f"drop view {view}")


def _error_of(con: duckdb.DuckDBPyConnection, sql: str, names: str = "tried") -> str | None:
    """What is wrong when the select is run; None if nothing is. ``names``: the row, or some of its columns."""
    try:
        con.execute(f"select bit_xor(hash({names})) from ({sql}) as tried").fetchall()
    except VALUE_FAULTS as error:
        return in_words(error)
    return None


def _tried(con: duckdb.DuckDBPyConnection, path: Path, sql: str) -> str:
    """SQL for the rows in which a column of the select raises an error, with the reason.

    A struct that holds a column is nothing only where the column could not be computed.
    """
    tree = parsed(con, sql)
    node = tree["statements"][0]["node"]
    listed: list[str] = []
    whens: list[str] = []
    for item in node["select_list"]:
        name = item["alias"] or (item.get("column_names") or [""])[-1]
        text = _text_of(con, [item | {"alias": ""}]).removeprefix("SELECT ")
        if name in ("_delivery_id", "_row_number"):
            listed.append(f"{text} as {name}")
        elif item["class"] not in ("COLUMN_REF", "CONSTANT", "STAR"):
            said = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
            whens.append(f"when fault_{len(whens)} then {literal(f'{name}: {path.name} cannot compute {said}')}")
            listed.append(f"try(struct_pack(value := {text})) is null as fault_{len(whens) - 1}")
    node["select_list"] = parsed(con, f"select {', '.join(listed)}")["statements"][0]["node"]["select_list"]
    return f"""
        select _delivery_id, _row_number, min(case {" ".join(whens)} end) as reason
        from ({_text_of(con, node["select_list"], tree)}) group by all having reason is not null
    """


def _text_of(con: duckdb.DuckDBPyConnection, listed: list[dict[str, Any]], tree: dict[str, Any] | None = None) -> str:
    """The text of a select that lists these columns: of ``tree``, or of one that reads nothing."""
    tree = tree or parsed(con, "select 1")
    tree["statements"][0]["node"]["select_list"] = listed
    return str(con.execute("select json_deserialize_sql(cast($1 as json))", [json.dumps(tree)]).fetchall()[0][0])


def _halve(con: duckdb.DuckDBPyConnection, path: Path, sql: str, spec: FileSpec) -> None:
    """Add to ``unmappable`` the rows of each file for which the select fails, found by halving."""
    con.execute(f"create temp table halved as from {quoted(spec.name)}")  # what is hidden already, stays hidden
    lineage = ("_delivery_id", "_row_number", "_row_part")
    columns = [name for name, *_ in con.execute(f"describe {sql}").fetchall() if name not in lineage]

    def fails(delivery_id: str, low: int, high: int, names: str = "tried") -> str | None:
        rows = f"_delivery_id = {literal(delivery_id)} and _row_number between {low} and {high}"
        con.execute(f"create or replace temp view {quoted(spec.name)} as from halved where {rows}")
        return _error_of(con, sql, names)

    def reason(delivery_id: str, row: int, words: str) -> str:
        of = [name for name in columns if fails(delivery_id, row, row, quoted(name))]
        named = f"{', '.join(of[:_MOST_NAMED])}: " if len(of) < len(columns) else ""
        return f"{named}{path.name} fails: {words}"

    for delivery_id, low, high in con.execute(
        "select _delivery_id, min(_row_number), max(_row_number) from halved group by 1"
    ).fetchall():
        found: dict[int, str] = {}
        todo = [(low, high)]
        while todo and len(found) < MOST_HALVED:
            low, high = todo.pop()
            if (words := fails(delivery_id, low, high)) is None:
                continue
            if low == high:
                found[low] = reason(delivery_id, low, words)
            else:
                middle = (low + high) // 2
                todo += [(middle + 1, high), (low, middle)]
        if todo:
            why = f"{path.name} fails for very many rows, {found[min(found)]}"
            rows = f"from halved where _delivery_id = {literal(delivery_id)}"
            con.execute(f"insert into unmappable select _delivery_id, _row_number, {literal(why)} {rows}")
        else:
            for row, why in found.items():
                con.execute("insert into unmappable values (?, ?, ?)", [delivery_id, row, why])
    con.execute("drop table halved")
