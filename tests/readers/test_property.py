"""Files made at random: DuckDB's road, Python's csv module and the text that was written agree."""

import csv
import io

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dealermart import readers
from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers.files import read_file

VALUES = st.one_of(
    st.sampled_from(["", "NULL", "-", " ", "\n", '"', '""', "\u3000a", "经销商", "a\r\nb", "0.50"]),
    st.text(alphabet="ab ,;|\t\"\n\r'\\é中\xa0#", max_size=8),
)
NULLS = {"", "NULL", "null", "N/A", "n/a", "-", "—", "——", "无", "空", "未填"}


@st.composite
def files(draw):
    """A delimiter, the width of the header, and the text of a file: good, ragged and blank lines, quoted where needed."""
    delimiter = draw(st.sampled_from(",;|\t"))
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    quote_all = draw(st.booleans())
    width = draw(st.integers(2, 4))
    good = st.lists(VALUES, min_size=width, max_size=width)
    ragged = st.lists(VALUES, min_size=1, max_size=width + 2)
    lines = draw(st.lists(st.one_of(good, good, good, ragged, st.just([])), min_size=1, max_size=8))

    def written(value):
        if "\n" in value:
            value = value.replace(delimiter, "")  # lines that look like records are a matter of their own
        quoted = quote_all or any(mark in value for mark in (delimiter, '"', "\n", "\r"))
        return '"' + value.replace('"', '""') + '"' if quoted else value

    lines = [[f"c{n}" for n in range(width)], *lines]
    text = line_end.join(delimiter.join(map(written, line)) for line in lines)
    return delimiter, width, text + (line_end if draw(st.booleans()) else "")


def expected(text, width, delimiter):
    """What the file says, by the csv module alone: rows with numbers, rejected numbers, number of structural records."""
    rows, rejected, structural = [], [], 0
    records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True))
    for number, values in enumerate(records[1:], start=2):
        cleaned = tuple(None if value.strip() in NULLS else value.strip() for value in values)
        if not any(value.strip() for value in values):
            structural += 1
        elif len(values) < width or any(value.strip() not in {*NULLS, ""} for value in values[width:]):
            rejected.append(number)
        elif not any(value is not None for value in cleaned[:width]):
            structural += 1
        else:
            rows.append((number, *cleaned[:width]))
    return rows, rejected, structural


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        yield con


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=files())
def test_roads_agree_with_the_csv_module(con, tmp_path, file):
    delimiter, width, text = file
    names = [f"c{n}" for n in range(width)]
    path = tmp_path / "payload"
    path.write_bytes(text.encode())
    spec = FileSpec(name="raw", pattern="*", format="csv", delimiter=delimiter)
    readers.drop(con, "raw")
    rows, rejected, structural = expected(text, width, delimiter)
    if not rows and not rejected:
        with pytest.raises(DataError, match="records"):
            read_file(con, path, spec, "raw", "d", tmp_path)
    else:
        counts = read_file(con, path, spec, "raw", "d", tmp_path)
        found = con.execute(f"select _row_number, {', '.join(names)} from raw order by 1").fetchall()
        refused = con.execute("select _row_number from raw__rejects order by 1").fetchall()
        assert found == rows
        assert [number for (number,) in refused] == rejected
        assert counts == readers.Counts(len(rows) + len(rejected) + structural, structural, len(rejected), "utf-8")
