"""Many files of one kind become one table: each keeps its own counts, its place, and takes its rows back if it fails."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from dealermart import readers
from dealermart.base import DataError
from dealermart.readers import File, table

from .conftest import spec_of

LINES = spec_of(format="jsonl", totals={"column": "doc", "values": ["Total"]})


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(f"{one if isinstance(one, str) else json.dumps(one)}\n" for one in records), "utf-8")
    return path


def test_files_of_one_shape_and_of_others_keep_their_order_and_counts(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    files = [
        File(lines(tmp_path / "a", {"doc": "A1", "net": 1}, "no record", {"doc": "Total", "net": 1}), LINES, "a"),
        File(lines(tmp_path / "b", {"doc": "B1", "net": 2}, "", {"doc": "B2", "net": 3}), LINES, "b"),
        File(lines(tmp_path / "c", {"doc": "C1", "tax": 4}), LINES, "c"),  # other columns
        File(lines(tmp_path / "d", {"doc": "Total", "net": 9}), LINES, "d"),  # nothing but a total
        File(tmp_path / "gone", LINES, "e"),
        File(lines(tmp_path / "f", {"doc": "F1", "net": 5}), LINES, "f"),
    ]
    found = readers.read_all(con, files, "raw", tmp_path)

    counts = {
        key: (one.records, one.structural, one.rejected)
        for key, one in found.items()
        if isinstance(one, readers.Counts)
    }
    assert counts == {"a": (3, 1, 1), "b": (3, 1, 0), "c": (1, 0, 0), "f": (1, 0, 0)}
    faults = {key: one.what for key, one in found.items() if isinstance(one, DataError)}
    assert faults == {"d": "the file holds no records", "e": "the file does not exist"}
    rows = con.execute("select _delivery_id, _row_number, doc, net, tax from raw order by rowid").fetchall()
    assert rows == [
        ("a", 1, "A1", "1", None),
        ("b", 1, "B1", "2", None),
        ("b", 3, "B2", "3", None),
        ("c", 1, "C1", None, "4"),
        ("f", 1, "F1", "5", None),
    ]
    assert con.execute("select _delivery_id, _row_number, line from raw__rejects").fetchall() == [("a", 2, "no record")]
    assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(2,)]


def test_engine_and_python_read_side_by_side(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    plain, odd = tmp_path / "plain.csv", tmp_path / "odd.csv"
    plain.write_text("doc,net\nA1,1\nA2,2\n", "utf-8")
    odd.write_text('doc,net\nB"1,1\nB2\n', "utf-8")  # a quote inside a value: the engine's reader leaves it to ours
    spec = spec_of()
    found = readers.read_all(
        con, [File(odd, spec, "o"), File(plain, spec, "p"), File(odd, spec, "q"), File(odd, spec, "r")], "raw", tmp_path
    )

    assert {key: (one.records, one.rejected) for key, one in found.items()} == {
        key: (2, 0) if key == "p" else (2, 1) for key in "opqr"
    }
    assert con.execute("select _delivery_id, doc from raw order by rowid").fetchall() == [
        ("o", 'B"1'),
        ("p", "A1"),
        ("p", "A2"),
        ("q", 'B"1'),
        ("r", 'B"1'),
    ]
    assert con.execute("select _delivery_id from raw__rejects order by 1").fetchall() == [("o",), ("q",), ("r",)]


def test_a_file_that_fails_half_way_takes_its_rows_back(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_BATCH_ROWS", 3)
    spec = spec_of(delimiter="||")
    good = ["doc||net", *(f"A{number}||{number}" for number in range(4))]
    files = []
    for key, rows in {"a": good, "b": [*good, "too few", *good[1:], 'B1||"never closed'], "c": good}.items():
        (tmp_path / key).write_text("\n".join([*rows, ""]), "utf-8")
        files.append(File(tmp_path / key, spec, key))
    found = readers.read_all(con, files, "raw", tmp_path)

    assert isinstance(found["b"], DataError)
    assert [found[key] for key in "ac"] == [readers.Counts(4, 0, 0, "utf-8")] * 2
    assert con.execute("select _delivery_id, count(*) from raw group by all order by all").fetchall() == [
        ("a", 4),
        ("c", 4),
    ]
    assert con.execute("select count(*) from raw__rejects").fetchall() == [(0,)]


def test_where_no_file_can_be_read_there_are_no_tables(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    files = [File(lines(tmp_path / "a", {"doc": "Total"}), LINES, "a"), File(tmp_path / "gone", LINES, "b")]

    assert all(isinstance(one, DataError) for one in readers.read_all(con, files, "raw", tmp_path).values())
    assert con.execute("select count(*) from duckdb_tables()").fetchall() == [(0,)]
