"""What a source's select may be: one SELECT over known tables that drops no row and reads no clock."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import ConfigError
from dealermart.config import FileSpec

_HARMLESS_FUNCTIONS = {"unnest", "generate_series", "range"}

# A rebuild repeats the mapping years later: it must give the same rows.
_CHANGING_FUNCTIONS = {
    *("now", "today", "current_date", "current_time", "current_timestamp", "get_current_timestamp", "get_current_time"),
    *("current_localtime", "current_localtimestamp", "localtime", "localtimestamp", "transaction_timestamp"),
    *("random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "nextval", "currval", "txid_current", "age"),
    *("current_setting", "getvariable", "version", "pg_backend_pid"),
}


def check_select(con: duckdb.DuckDBPyConnection, path: Path, sql: str, tables: Iterable[str]) -> None:
    """Refuse SQL that is not one SELECT over the given tables.

    Args:
        tables: Names that it may read: its own file, references, ``feed_<feed>``.

    Raises:
        ConfigError: it does not parse, is more than a select, reads elsewhere or joins other than by LEFT JOIN.
    """
    answer = parsed(con, sql)
    if answer["error"]:
        line = sql[: int(answer.get("position") or 0)].count("\n") + 1
        raise ConfigError(
            f"not one SELECT: {answer['error_message']}",
            where=f"{path}:{line}",
            mend="write a single select without a semicolon inside",
        )
    if len(answer["statements"]) != 1:
        raise ConfigError("more than one statement", where=str(path), mend="write a single select")
    nodes = list(nodes_of(answer["statements"][0]))
    allowed = {name.lower() for name in tables}
    ctes = {
        entry["key"].lower()
        for node in nodes
        for entry in node.get("cte_map", {}).get("map", [])
        if isinstance(entry, dict)
    }
    for node in nodes:
        kind = node.get("type")
        if kind == "BASE_TABLE" and (
            node["table_name"].lower() not in allowed | ctes or node["schema_name"] or node["catalog_name"]
        ):
            raise ConfigError(
                f"the select reads {node['table_name']!r}",
                where=str(path),
                mend=f"it may read {', '.join(sorted(allowed))}",
            )
        if kind == "TABLE_FUNCTION" and node["function"]["function_name"] not in _HARMLESS_FUNCTIONS:
            raise ConfigError(
                f"the select calls {node['function']['function_name']}()",
                where=str(path),
                mend="a mapping reads tables only, no files and no network",
            )
        if node.get("class") == "FUNCTION" and node["function_name"].lower() in _CHANGING_FUNCTIONS:
            raise ConfigError(
                f"the select calls {node['function_name']}()",
                where=str(path),
                mend="a mapping gives the same rows whenever it runs: take dates from the file",
            )
        if node.get("class") == "COLUMN_REF" and node["column_names"][-1].lower() in _CHANGING_FUNCTIONS:
            raise ConfigError(
                f"the select reads {node['column_names'][-1]}",
                where=str(path),
                mend="a mapping gives the same rows whenever it runs: take dates from the file",
            )
        if kind == "JOIN" and node["join_type"] != "LEFT" and node["ref_type"] not in ("CROSS", "POSITIONAL"):
            raise ConfigError(
                f"the select joins by {node['join_type']} JOIN",
                where=str(path),
                mend="use LEFT JOIN: a lookup that finds nothing must not lose the row",
            )


def check_single_rows(con: duckdb.DuckDBPyConnection, path: Path, sql: str, spec: FileSpec) -> None:
    """Refuse a select that looks at other rows of its file: one row of it cannot be mapped again by itself.

    Raises:
        ConfigError: it has a window, an aggregate or its file twice.
    """
    answer = parsed(con, sql)
    if answer["error"]:
        return  # no select at all, which ``check_select`` says
    nodes = list(nodes_of(answer["statements"][0]))
    aggregates = {
        name
        for (name,) in con.execute(
            "select distinct function_name from duckdb_functions() where function_type = 'aggregate'"
        ).fetchall()
    }
    reads = sum(node.get("type") == "BASE_TABLE" and node["table_name"].lower() == spec.name.lower() for node in nodes)
    if reads > 1 or any(
        node.get("class") == "WINDOW"
        or (node.get("class") == "FUNCTION" and node["function_name"].lower() in aggregates)
        or node.get("type") in ("DISTINCT_MODIFIER", "LIMIT_MODIFIER")
        or node.get("group_expressions")
        for node in nodes
    ):
        raise ConfigError(
            "the select looks at other rows of the file, so that a rejected row cannot be mapped again by itself",
            where=str(path),
            mend=f"let the select of {spec.name} look at one row at a time, or correct the rows and deliver them again",
        )


def parsed(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The engine's syntax tree of SQL, or its error."""
    return dict(json.loads(con.execute("select json_serialize_sql($sql)", {"sql": sql}).fetchall()[0][0]))


def nodes_of(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a syntax tree."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
