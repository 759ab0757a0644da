"""What the dbt project reads, for another engine: the lake's own files, and the small tables as Parquet."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import duckdb

SCHEMAS = ("lake", "config", "meta", "closed")
# DuckDB's types in Spark's words; the others have the same name.
TYPES = {"varchar": "string", "ubigint": "decimal(20,0)", "integer": "int", "timestamp": "timestamp_ntz"}


def hand_over(warehouse: Path, out: Path) -> None:
    """Write a folder per source, ``<schema>.<name>``, with its Parquet files, and ``sources.json`` with the columns.

    A feed's folder holds copies of the lake's files, as the warehouse's view of the feed lists them. Where the view
    does more than read them (a snapshot has ended rows), its rows stand there instead.
    """
    out.mkdir(parents=True)
    columns: dict[str, dict[str, str]] = {}
    con = duckdb.connect(str(warehouse), read_only=True)
    try:
        listed = con.execute(
            "select table_schema, table_name, sql from information_schema.tables"
            " left join duckdb_views() on schema_name = table_schema and view_name = table_name"
            " where list_contains(?, table_schema) order by table_schema, table_name",
            [list(SCHEMAS)],
        ).fetchall()
        for schema, name, view in listed:
            relation, folder = f'{schema}."{name}"', out / f"{schema}.{name}"
            folder.mkdir()
            described = con.execute(f"describe {relation}").fetchall()
            columns[f"{schema}.{name}"] = {column: spark_type(kind) for column, kind, *_ in described}
            files = lake_files(view) if schema == "lake" and view else []
            for file in files:
                shutil.copyfile(file, folder / Path(file).name)
            if not files:
                con.execute(f"copy (select * from {relation}) to '{folder / 'rows.parquet'}' (format parquet)")
    finally:
        con.close()
    (out / "sources.json").write_text(json.dumps(columns, indent=1), "utf-8")


def lake_files(view: str) -> list[str]:
    """The files that a view of the lake reads; none where it does more with them than list their rows."""
    return [] if re.search(r"\bjoin\b", view, re.IGNORECASE) else re.findall(r"'([^']+\.parquet)'", view)


def spark_type(kind: str) -> str:
    """A type of DuckDB in Spark's words."""
    return TYPES.get(kind.lower(), kind.lower())
