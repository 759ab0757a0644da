"""Rows of every model on DuckDB beside those of the other engine, which are a folder of Parquet files per model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb


@dataclass
class Outcome:
    """What was compared and what is wrong; a difference names the model and says how many rows each side has alone."""

    tables: int = 0
    views: int = 0
    rows: int = 0
    missing: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)


def all_models(warehouse: Path, manifest: Mapping[str, Any], other: Path) -> Outcome:
    """Compare every model of the manifest: columns, types, and rows both ways; a row that stands twice counts twice.

    Args:
        other: Holds a folder ``<schema>.<name>`` for each model.
    """
    outcome = Outcome()
    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        for node in manifest["nodes"].values():
            if node["resource_type"] != "model":
                continue
            name = f"{node['schema']}.{node['alias']}"
            if not any((other / name).glob("*.parquet")):
                outcome.missing.append(f"{name}: not there on the other engine")
                continue
            fault, rows = _compare(con, name, other / name)
            outcome.differences += [f"{name}: {fault}"] if fault else []
            outcome.rows += rows
            outcome.tables += node["config"]["materialized"] != "view"
            outcome.views += node["config"]["materialized"] == "view"
    finally:
        con.close()
    return outcome


def _compare(con: duckdb.DuckDBPyConnection, name: str, folder: Path) -> tuple[str, int]:
    """What differs, in words, and how many rows DuckDB has."""
    con.execute(f"create or replace temp view theirs as select * from read_parquet('{folder}/*.parquet')")
    wanted = _columns(con, name)
    found = _columns(con, "theirs")
    rows = con.execute(f"select count(*) from {name}").fetchall()[0][0]
    if set(found) != set(wanted):  # the order is free: Spark puts the column of its partitions last
        return f"columns on one side only: {', '.join(sorted(set(found) ^ set(wanted)))}", rows
    # Spark has no unsigned numbers.
    signed = {column: "DECIMAL(20,0)" if kind == "UBIGINT" else kind for column, kind in wanted.items()}
    other_types = [
        f"{column} is {found[column]}, not {signed[column]}" for column in signed if found[column] != signed[column]
    ]
    if other_types:
        return "; ".join(other_types), rows
    # Each engine has hashes of its own.
    compared = {column: kind for column, kind in signed.items() if column != "fingerprint"}
    shown = ", ".join(f'cast("{column}" as {kind}) as "{column}"' for column, kind in compared.items())
    ours, theirs = (f"select {shown} from {relation}" for relation in (name, "theirs"))
    pairs = ((ours, theirs), (theirs, ours))
    alone = [con.execute(f"select count(*) from ({a} except all {b})").fetchall()[0][0] for a, b in pairs]
    return f"{alone[0]} rows on DuckDB only, {alone[1]} on the other engine only" if any(alone) else "", rows


def _columns(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {column: kind for column, kind, *_ in con.execute(f"describe {relation}").fetchall()}
