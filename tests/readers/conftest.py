"""Reading a file in a test, with what came of it as plain Python values."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dealermart import readers
from dealermart.base import quoted
from dealermart.config import FileSpec
from dealermart.readers import delimited
from dealermart.readers.files import read_file


@dataclass(frozen=True)
class Read:
    """What came of a file: column names, rows as (number, value ...), rejects as (number, reason, line), counts, road."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    rejects: list[tuple[int, str, str]]
    counts: readers.Counts
    road: str


Reader = Callable[..., Read]


def spec_of(**fields: Any) -> FileSpec:
    return FileSpec.model_validate({"name": "raw", "pattern": "*", "format": "csv", **fields})


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection confined as the ingest's is: to the folder of the test."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": 2}) as con:
        con.execute(f"set allowed_directories = ['{tmp_path}']")
        con.execute("set enable_external_access = false")
        yield con


@pytest.fixture
def read(con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Read bytes (or a file) with a profile; ``only_python`` keeps DuckDB's CSV reader out."""
    work = tmp_path / "work"
    work.mkdir()

    def run(content: bytes | Path, *, only_python: bool = False, **fields: Any) -> Read:
        path = content if isinstance(content, Path) else tmp_path / "payload"
        if isinstance(content, bytes):
            path.write_bytes(content)
        roads = []
        by_python = delimited._records
        with monkeypatch.context() as patch:
            patch.setattr(delimited, "_records", lambda *args: (roads.append("python"), by_python(*args))[1])
            if only_python:
                patch.setattr(delimited, "_may_be_plain", lambda *args: False)
            counts = read_file(con, path, spec_of(**fields), "raw", "0123456789abcdef", work)
        assert list(work.iterdir()) == []
        described = con.execute("describe raw").fetchall()
        assert {kind for name, kind, *_ in described if name != "_row_number"} == {"VARCHAR"}
        columns = [name for name, *_ in described if name not in ("_delivery_id", "_row_number")]
        names = ", ".join(map(quoted, columns))
        rows = con.execute(f"select _row_number, {names} from raw order by _row_number").fetchall()
        rejects = con.execute("select _row_number, reason, line from raw__rejects order by _row_number").fetchall()
        deliveries = con.execute("select _delivery_id from raw union select _delivery_id from raw__rejects").fetchall()
        assert deliveries == [("0123456789abcdef",)]
        readers.drop(con, "raw")
        assert con.execute("select table_name from duckdb_tables()").fetchall() == []
        return Read(columns, rows, rejects, counts, roads[0] if roads else "engine")

    return run
