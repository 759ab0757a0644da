"""One hash for what a table says, whatever order its rows were written in and however its columns are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import duckdb

# Columns that say when and by which run a row came, not what it says.
RUN_METADATA = ("_ingested_at", "_run_id", "_is_repeat")
_BATCH = 50_000


def content_hash(con: duckdb.DuckDBPyConnection, relation: str, exclude: Collection[str] = ()) -> str:
    """Canonical hash of a table's content.

    Two tables get the same hash exactly if they have the same column names and the same rows, each as often: the
    order of rows and of columns does not count, nor does a column's storage (an INTEGER 1 and a BIGINT 1 are the
    same). Values count by their exact text: 1.00 differs from 1.0, NULL differs from the empty text. The rows are
    hashed and sorted inside DuckDB, which spills to disk, and streamed through one sha256.

    Args:
        con: Connection to the database; only read.
        relation: Table or view, as it is written in SQL (``marts.dim_dealer``).
        exclude: Columns that do not count, besides those that begin with a name of ``RUN_METADATA``.

    Returns:
        sha256, 64 hexadecimal digits.

    Raises:
        ValueError: a column of ``exclude`` is not there, or no column is left.
    """
    described = con.execute(f"describe from {relation}").fetchall()
    types = {name: sql_type for name, sql_type, *_ in described}
    missing = sorted(set(exclude) - types.keys())
    if missing:
        raise ValueError(f"{relation} has no column {', '.join(missing)}; it has {', '.join(types)}")
    names = sorted(name for name in types if name not in exclude and not name.startswith(RUN_METADATA))
    if not names:
        raise ValueError(f"{relation} has no column that counts")
    row = " || ".join(_field(name, types[name]) for name in names)
    digest = hashlib.sha256("\n".join(names).encode())
    rows = con.execute(f"select sha256({row}) as row_hash from {relation} order by row_hash")
    while batch := rows.fetchmany(_BATCH):
        digest.update("".join(value for (value,) in batch).encode())
    return digest.hexdigest()


def _field(name: str, sql_type: str) -> str:
    """SQL for one value so that values cannot run into each other: 'n' for NULL, else length and text."""
    column = '"' + name.replace('"', '""') + '"'
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        text = f"cast(timezone('UTC', {column}) as varchar)"
    elif sql_type.endswith(("]", ")")) and not sql_type.startswith("DECIMAL("):
        text = f"cast(to_json({column}) as varchar)"  # nested values: a NULL inside must differ from the text NULL
    else:
        text = f"cast({column} as varchar)"
    return f"case when {column} is null then 'n' else 'v' || length({text}) || ':' || {text} end"
