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

pytestmark = pytest.mark.slow


MB = 1024 * 1024
GB = 1024 * MB
# What the process takes on top of its imports in MB; the readers' limits are 64 MB a line, 128 MB a JSON document,
# 2,000 columns.
MOST = 600
# A quarter of these limits, for files of a quarter of the size; what the engine takes anyhow stays.
SMALL, MOST_OF_SMALL = 4, 300

READ = """
import json, resource, sys, tempfile
from pathlib import Path
import duckdb
from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers.files import read_file
from dealermart.readers import columns, delimited, jsons, survey

part = int(sys.argv[3])
columns._MOST_COLUMNS //= part
line, jsons._LARGEST_DOCUMENT = survey.LONGEST_LINE // part, jsons._LARGEST_DOCUMENT // part
delimited.LONGEST_LINE = jsons.LONGEST_LINE = survey.LONGEST_LINE = line

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
    "csv, one line": ("csv", lambda size, part: line_of(size), "a line is longer than {line} MB"),
    "csv, one line after good ones": ("csv", lambda size, part: (b"doc,line\nA,1\n", *line_of(size)), "a line is longer than {line} MB"),
    "csv, a quote before many lines": ("csv", lambda size, part: (b'doc,line\nA,"', *empty_lines(size)), "is never closed"),
    "csv, 10,000 columns": ("csv", lambda size, part: table(10_000, size // MB), "there are 10,000 columns, more than {columns:,}"),
    "csv, as many columns as are taken": ("csv", lambda size, part: table(2_000 // part, 300), [300, 0, 0]),
    "csv, NUL bytes for a line": ("csv", lambda size, part: (b"doc,line\nA,1\n", *(bytes(MB) for _ in range(size // MB))), "a line is longer than {line} MB"),
    "csv, NUL bytes in a row": ("csv", lambda size, part: (b"doc,line\nA,1\n", bytes(MB), b"\nA,2\n"), [3, 0, 1]),
    "JSON lines, one line": ("jsonl", lambda size, part: (b'{"doc": 1, "line": 2}\n{"doc": "', *line_of(size)), "a line is longer than {line} MB"),
    "JSON document": ("json", lambda size, part: (b'[{"doc": "', *line_of(size)), "the JSON document is larger than {document} MB"),
    "not Parquet": ("parquet", lambda size, part: (b"PAR1", *line_of(size)), "the file is not Parquet, or damaged"),
    "not a workbook": ("xlsx", lambda size, part: line_of(size), "not a workbook"),
}  # fmt: skip


def read(path: Path, kind: str, part: int) -> tuple[object, int]:
    environment = {**os.environ, "PYTHONPATH": str(REPO / "src")}
    command = [sys.executable, "-c", READ, str(path), kind, str(part)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])  # the engine may show its progress before
    return found["said"], found["mb"]


def check(tmp_path: Path, case: str, size: int, part: int, most: int) -> None:
    kind, content, expected = CASES[case]
    path = tmp_path / "payload"
    with path.open("wb") as out:
        for piece in content(size, part):
            out.write(piece)
    try:
        said, mb = read(path, kind, part)
    finally:
        path.unlink()
    if isinstance(expected, str):
        assert expected.format(line=64 // part, document=128 // part, columns=2000 // part) in str(said)
        assert "mend: " in str(said)
    else:
        assert said == expected
    assert mb < most


@pytest.mark.parametrize("case", CASES)
def test_a_large_file_is_read_or_refused_in_bounded_memory(tmp_path: Path, case: str) -> None:
    check(tmp_path, case, 160 * MB // SMALL, SMALL, MOST_OF_SMALL)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES)
def test_a_file_of_a_gigabyte_is_read_or_refused_in_the_same_memory(tmp_path: Path, case: str) -> None:
    check(tmp_path, case, GB, 1, MOST)
