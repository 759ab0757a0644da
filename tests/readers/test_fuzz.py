"""Broken files of every format: a clear DataError, or counts that balance; never another exception, never a hang.

The seeds are the files of the corpus. `make soak` runs the same with many more examples.
"""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers.files import read_file
from sample_company import corpus

pytestmark = pytest.mark.slow


FORMATS = ("csv", "xlsx", "xls", "json", "jsonl", "parquet")
MEMORY = 1024**3  # bytes that all examples of a format may take more than what was taken before them
PIECES = [b"", b"\0", b'"', b"\n", b"\r", b",", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xb5\xa5", "é".encode(), b"{", b"}", b"[", b"1e999", b"PAR1", b"<", b"]]>", b"&#0;", b"PK\x03\x04", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80"]  # fmt: skip


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[FileSpec, bytes]]]:
    """Per format the files of the corpus, each with its description."""
    out = tmp_path_factory.mktemp("seeds") / "made"
    corpus.make(out)
    found: dict[str, list[tuple[FileSpec, bytes]]] = {form: [] for form in FORMATS}
    for doc in corpus._docs():
        spec = FileSpec.model_validate(doc.entry())
        found[spec.format].append((spec, (out / "files" / f"{doc.name}.{doc.suffix}").read_bytes()))
    return found


@cache
def _mutations() -> st.SearchStrategy[list[tuple[str, float, float, bytes]]]:
    """Changes of a file: what, where (as shares of its length), and with what."""
    kind = st.sampled_from(["flip", "insert", "delete", "repeat", "cut", "move"])
    share = st.floats(0, 1, exclude_max=True)
    piece = st.one_of(st.sampled_from(PIECES), st.binary(min_size=1, max_size=4))
    return st.lists(st.tuples(kind, share, share, piece), min_size=0, max_size=6)


def mutated(content: bytes, changes: list[tuple[str, float, float, bytes]]) -> bytes:
    for kind, first, second, piece in changes:
        size = len(content)
        start, end = sorted((int(first * size), int(second * size)))
        if kind == "flip":
            content = content[:start] + piece + content[start + len(piece) :]
        elif kind == "insert":
            content = content[:start] + piece + content[start:]
        elif kind == "delete":
            content = content[:start] + content[start + (end - start) % 200 :]
        elif kind == "repeat" and size < 100_000:
            content = content[:end] + content[start:end] * 2 + content[end:]
        elif kind == "cut":
            content = content[: max(end, 1)]
        elif kind == "move":
            content = content[start:end] + content[:start] + content[end:]
    return content


def take(content: bytes, spec: FileSpec, folder: Path) -> None:
    """Read bytes; the counts must be those of the tables, or the file must be refused with place and mend."""
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    path = folder / "payload"
    path.write_bytes(content)
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "memory_limit": "1GB", "threads": 1}) as con:
        con.execute(f"set allowed_directories = ['{folder}']")
        con.execute("set enable_external_access = false")
        refused = None
        try:
            counts = read_file(con, path, spec, "raw", "d", work)
        except DataError as error:
            refused = error
        if refused is not None:
            assert refused.what
            assert refused.mend
            assert str(path) in refused.where
        else:
            rows = con.execute("select count(*), count(distinct _row_number) from raw").fetchall()[0]
            rejects = con.execute("select count(*) from raw__rejects").fetchall()[0][0]
            assert rows == (counts.records - counts.structural - counts.rejected,) * 2
            assert rejects == counts.rejected
    assert list(work.iterdir()) == []


@pytest.fixture
def frugal() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY


def fuzz(seeds: dict[str, list[tuple[FileSpec, bytes]]], form: str, folder: Path, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples < 1000,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data(), seed=st.integers(0, len(seeds[form]) - 1), changes=_mutations())
    def run(data: st.DataObject, seed: int, changes: list[tuple[str, float, float, bytes]]) -> None:
        spec, content = seeds[form][seed]
        if not changes:
            content = data.draw(st.binary(max_size=400))
        take(mutated(content, changes), spec, folder)

    run()


@pytest.mark.usefixtures("frugal")
@pytest.mark.parametrize("form", FORMATS)
def test_broken_files(seeds: dict[str, list[tuple[FileSpec, bytes]]], form: str, tmp_path: Path) -> None:
    fuzz(seeds, form, tmp_path, 100 if form == "csv" else 40)


@pytest.mark.soak
@pytest.mark.usefixtures("frugal")
@pytest.mark.parametrize("form", FORMATS)
def test_broken_files_at_length(seeds: dict[str, list[tuple[FileSpec, bytes]]], form: str, tmp_path: Path) -> None:
    fuzz(seeds, form, tmp_path, 10_000)
