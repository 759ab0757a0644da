"""Files that are made to fill the memory: each is read by a process of its own, and what that took is bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dealermart.base import REPO

MB = 1024 * 1024
GB = 1024 * MB
# What the process takes on top of its imports; the limits of the readers are 64 MB a line, 128 MB a JSON document.
MOST = 600

READ = """
import json, resource, sys, tempfile
from pathlib import Path
import duckdb
from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers.files import read_file

def taken():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = taken()
con = duckdb.connect(config={"memory_limit": "500MB", "threads": 2})
spec = FileSpec(name="raw", pattern="*", format=sys.argv[2], columns=["doc", "line"])
with tempfile.TemporaryDirectory() as work:
    con.execute(f"set temp_directory = '{work}/spill'")
    try:
        counts = read_file(con, Path(sys.argv[1]), spec, "raw", "0", Path(work))
        said = [counts.records, counts.structural, counts.rejected]
    except DataError as error:
        said = str(error)
print(json.dumps({"said": said, "mb": taken() - before}))
"""


def line_of(size: int) -> Iterator[bytes]:
    for _ in range(size // MB):
        yield b"x" * MB


def empty_lines(size: int) -> Iterator[bytes]:
    for _ in range(size // MB):
        yield b"\n" * MB


def table(columns: int, rows: int) -> Iterator[bytes]:
    yield b",".join([b"doc", b"line", *(b"c%d" % number for number in range(columns - 2))]) + b"\n"
    for _ in range(rows):
        yield b",".join([b"1"] * columns) + b"\n"


CASES = {
    "csv, one line": ("csv", lambda size: line_of(size), "a line is longer than 64 MB"),
    "csv, one line after good ones": ("csv", lambda size: (b"doc,line\nA,1\n", *line_of(size)), "a line is longer than 64 MB"),
    "csv, a quote before many lines": ("csv", lambda size: (b'doc,line\nA,"', *empty_lines(size)), "is never closed"),
    "csv, 10,000 columns": ("csv", lambda size: table(10_000, size // MB), "there are 10,000 columns, more than 2,000"),
    "csv, as many columns as are taken": ("csv", lambda size: table(2_000, 300), [300, 0, 0]),
    "csv, NUL bytes for a line": ("csv", lambda size: (b"doc,line\nA,1\n", *(bytes(MB) for _ in range(size // MB))), "a line is longer than 64 MB"),
    "csv, NUL bytes in a row": ("csv", lambda size: (b"doc,line\nA,1\n", bytes(MB), b"\nA,2\n"), [3, 0, 1]),
    "JSON lines, one line": ("jsonl", lambda size: (b'{"doc": 1, "line": 2}\n{"doc": "', *line_of(size)), "a line is longer than 64 MB"),
    "JSON document": ("json", lambda size: (b'[{"doc": "', *line_of(size)), "the JSON document is larger than 128 MB"),
    "not Parquet": ("parquet", lambda size: (b"PAR1", *line_of(size)), "the file is not Parquet, or damaged"),
    "not a workbook": ("xlsx", lambda size: line_of(size), "not a workbook"),
}  # fmt: skip


def read(path: Path, kind: str) -> tuple[object, int]:
    environment = {**os.environ, "PYTHONPATH": str(REPO / "src")}
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), kind], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])  # the engine may show its progress before
    return found["said"], found["mb"]


def check(tmp_path: Path, case: str, size: int) -> None:
    kind, content, expected = CASES[case]
    path = tmp_path / "payload"
    with path.open("wb") as out:
        for piece in content(size):
            out.write(piece)
    try:
        said, mb = read(path, kind)
    finally:
        path.unlink()
    if isinstance(expected, str):
        assert expected in str(said)
        assert "mend: " in str(said)
    else:
        assert said == expected
    assert mb < MOST


@pytest.mark.parametrize("case", CASES)
def test_a_large_file_is_read_or_refused_in_bounded_memory(tmp_path: Path, case: str) -> None:
    check(tmp_path, case, 160 * MB)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES)
def test_a_file_of_a_gigabyte_is_read_or_refused_in_the_same_memory(tmp_path: Path, case: str) -> None:
    check(tmp_path, case, GB)
