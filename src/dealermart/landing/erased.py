"""What stands in landing for a delivery from which values of a person were erased: what was read of it, without them.

The bytes are gone. Rows that are about the person keep no raw text at all, but what their select made of them, so a
rebuild need not map them again. In the folder of the delivery, below ``erased``, lie ``read.parquet`` (the raw table),
``rejects.parquet`` (records that could not be read), ``mapped.parquet`` (the rows about the person as mapped),
``moved.parquet`` (those of them that left the quarantine later) and ``erased.json``, written last, with the counts of
reading and a hash of each table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import duckdb

from dealermart.base import Settings, literal, quoted, read_only, sync, typed_sql, write_json
from dealermart.config import PROVENANCE, Contract
from dealermart.readers import Counts, drop

ERASED_NAME = "erased"

ERASED_HASH = (
    "_erased_hash"  # stands for the hash of what an erased row said: equal rows stay equal, and repeats repeats
)

ERASED_MARKS = {
    "_is_deleted": "boolean",
    "_delivery_id": "varchar",
    "_row_number": "bigint",
    "_row_part": "integer",
    "_reject_reason": "varchar",
    "_structural": "varchar",
    ERASED_HASH: PROVENANCE["_row_hash"],
}


def erased_folders(settings: Settings, source: str, received: str, delivery_id: str) -> list[Path]:
    """Where it stands for a delivery, an erasure that is at work first; none where nothing was erased from it."""
    inside = Path("landing", source, received, delivery_id, ERASED_NAME)
    found = [settings.pending / inside, settings.home / inside]
    return [folder for folder in found if (folder / "erased.json").exists()][:1]


def close_erased(folder: Path, counts: Counts) -> None:
    """Complete a folder whose tables are written."""
    hashes = {}
    for path in sorted(folder.glob("*.parquet")):
        sync(path)
        read_only(path)
        hashes[path.name] = _hash(path)
    write_json(folder / "erased.json", {"counts": asdict(counts), "sha256": hashes})


def erased_is_whole(folder: Path) -> bool:
    """Whether its tables are those that were written."""
    try:
        hashes: dict[str, str] = json.loads((folder / "erased.json").read_text("utf-8"))["sha256"]
        return all(_hash(folder / name) == digest for name, digest in hashes.items())
    except (OSError, ValueError, KeyError):
        return False


def load_erased(con: duckdb.DuckDBPyConnection, table: str, folder: Path) -> Counts:
    """Tables ``table`` and ``<table>__rejects``, as reading the file made them but for what was erased."""
    for name, made in (("read", table), ("rejects", f"{table}__rejects")):
        con.execute(f"create table {quoted(made)} as from read_parquet({literal(str(folder / f'{name}.parquet'))})")
    return Counts(**json.loads((folder / "erased.json").read_text("utf-8"))["counts"])


def restore_erased(con: duckdb.DuckDBPyConnection, mapped: str, contract: Contract, paths: Iterable[Path]) -> None:
    """Put rows as they were mapped before their erasure in place of what their select makes of nothing.

    Args:
        mapped: The view that ``mapping.map_rows`` made.
        paths: The ``mapped.parquet`` of deliveries.
    """
    # A new table, no deletion: a batch's rows are numbered by their places in it, and those of a table from which rows
    # were deleted can change.
    con.execute(f"""
        create temp table stored as {erased_sql(contract, paths)};
        create table restored as
        select * exclude (_place) from {quoted(mapped)} anti join stored using (_delivery_id, _row_number)
        union all by name
        select * from stored;
        drop table stored
    """)
    drop(con, mapped)
    con.execute(f"""
        alter table restored rename to {quoted(f"{mapped}__rows")};
        create view {quoted(mapped)} as select *, rowid as _place from {quoted(f"{mapped}__rows")}
    """)


def erased_sql(contract: Contract, paths: Iterable[Path]) -> str:
    """SELECT of erased rows, by the contract's columns of today."""
    types = {column.name: column.sql_type for column in contract.columns} | ERASED_MARKS
    return typed_sql(types, paths)


def _hash(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
