"""Which rows of a batch are repeats of one accepted before, or of one earlier in the batch."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb

from dealermart.base import Settings
from dealermart.config import load_contracts
from dealermart.ingest import gate

# Place, product, from when, hash of what the row says.
PASSED = [
    (1, None, "2026-01-01", 7),
    (2, None, "2026-01-01", 7),  # without a key no row is another's repeat
    (3, "P3", "2026-01-01", 7),
    (4, "P3", "2026-01-01", 7),  # the second of two
    (5, "P5", "infinity", 7),  # held
    (6, "P6", "-infinity", 7),  # held
    (7, "P7", "2026-01-01", 8),  # held, and says something else now
    (8, "P8", "2026-01-01", 7),  # its hash is held, for another key
]
HELD = [("P5", "infinity", 7), ("P6", "-infinity", 7), ("P7", "2026-01-01", 7), ("P9", "2026-01-01", 7)]


def test_rows_without_a_key_are_no_repeats_and_keys_reach_to_infinity(settings: Settings, tmp_path: Path) -> None:
    contract = load_contracts(settings)["products"]
    assert list(contract.key) == ["product_id", "valid_from"]
    held = tmp_path / "held.parquet"
    kind = "product_id varchar, valid_from date, _row_hash ubigint"
    with duckdb.connect() as con:
        con.execute(f"create table held ({kind})")
        con.executemany("insert into held values (?, cast(? as date), ?)", HELD)
        con.execute(f"copy held to '{held}' (format parquet)")
        con.execute(f"create table passed (_row_id bigint, {kind})")
        con.executemany("insert into passed values (?, ?, cast(? as date), ?)", PASSED)
        con.execute("create table twins as select unnest([1, 2, 3, 4]) as _row_id")
        known = SimpleNamespace(con=con, paths=lambda feed: [held])
        gate._mark_repeats(cast(Any, known), contract)
        found = con.execute("select _row_id from repeated order by 1").fetchall()
    assert found == [(4,), (5,), (6,)]
