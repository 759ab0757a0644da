"""Parquet of three writers, in every codec and encoding that they write, whole and broken."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
from tests.readers.foreign.case import COLUMNS, HEAD, Case, Line, numbered, three

ARROW = ("none", "snappy", "gzip", "zstd", "lz4", "brotli")
DUCK = ("uncompressed", "snappy", "gzip", "zstd", "lz4", "lz4_raw", "brotli")
POLARS = ("uncompressed", "snappy", "gzip", "brotli", "zstd", "lz4")
# Column, encoding, version of the pages.
ENCODINGS = [
    ("Code", "PLAIN", "1.0"),
    ("Code", "DELTA_BYTE_ARRAY", "1.0"),
    ("Code", "DELTA_LENGTH_BYTE_ARRAY", "2.0"),
    ("Count", "DELTA_BINARY_PACKED", "1.0"),
    ("Count", "DELTA_BINARY_PACKED", "2.0"),
    ("Share", "BYTE_STREAM_SPLIT", "2.0"),
    ("Share", "PLAIN", "2.0"),
    ("Paid", "RLE", "1.0"),
    ("Paid", "RLE", "2.0"),
    ("Fixed", "DELTA_BYTE_ARRAY", "2.0"),
]
MORE = {"Count": pa.int64(), "Share": pa.float64(), "Paid": pa.bool_(), "Fixed": pa.binary(4)}


def cases() -> Iterable[Case]:
    for number, codec in enumerate(ARROW):
        yield parquet(f"arrow_{codec}", partial(arrow, f"IA{number}", compression=codec), rows(f"IA{number}"))
    for number, (column, encoding, pages) in enumerate(ENCODINGS):
        options = {"use_dictionary": False, "column_encoding": {column: encoding}, "data_page_version": pages}
        yield parquet(
            f"arrow_{column}_{encoding}_{pages[0]}".lower(),
            partial(arrow, f"IB{number:02}", **options),
            rows(f"IB{number:02}"),
        )
    for number, options in enumerate(
        [
            {"use_dictionary": True, "version": "1.0", "data_page_version": "1.0"},
            {"use_dictionary": True, "version": "2.6", "data_page_version": "2.0"},
            {"use_dictionary": True, "dictionary_pagesize_limit": 8},
            {"row_group_size": 1, "write_statistics": False},
            {"write_page_index": True, "write_page_checksum": True, "data_page_size": 16},
            {"store_schema": False, "compression_level": 19, "compression": "zstd"},
        ]
    ):
        yield parquet(f"arrow_options_{number}", partial(arrow, f"IC{number}", **options), rows(f"IC{number}"))
    for number, codec in enumerate(DUCK):
        for version in ("v1", "v2"):
            mark = f"ID{number}{version}"
            yield parquet(
                f"duckdb_{codec}_{version}", partial(duck, mark, codec, version), numbered(three(mark), 1), COLUMNS
            )
    for codec in POLARS:
        mark = f"IE{codec}"
        yield parquet(f"polars_{codec}", partial(polars, codec), numbered(three(mark), 1), COLUMNS)
    yield from _types()
    yield from _broken()


def parquet(id: str, content: Any, read: list[Line], columns: tuple[str, ...] = (*COLUMNS, *MORE), **more: Any) -> Case:
    return Case(id, content, read, format="parquet", columns=columns, **more)


def rows(mark: str) -> list[Line]:
    return [(*row, str(row[0] * 10), str(row[0] / 4).removesuffix(".0"), ("true", "false")[row[0] % 2], "abcd") for row in numbered(three(mark), 1)]  # fmt: skip


def table(mark: str) -> pa.Table:
    columns = dict(zip(HEAD, map(list, zip(*three(mark), strict=True)), strict=True))
    more = {"Count": [10, 20, 30], "Share": [0.25, 0.5, 0.75], "Paid": [False, True, False], "Fixed": [b"abcd"] * 3}
    return pa.table(
        {**columns, **{name: pa.array(more[name], kind) for name, kind in MORE.items()}},
    )


def written(found: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(found, out, **options)
    return out.getvalue()


def arrow(mark: str, **options: Any) -> bytes:
    return written(table(mark), **options)


def duck(mark: str, codec: str, version: str) -> bytes:
    values = ", ".join(
        "(" + ", ".join("null" if cell is None else f"'{cell}'" for cell in line) + ")" for line in three(mark)
    )
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as con:
        path = Path(folder) / "a.parquet"
        names = ", ".join(f'"{name}"' for name in HEAD)
        con.execute(f"copy (select * from (values {values}) as t({names})) to '{path}' (compression {codec}, parquet_version {version})")  # fmt: skip
        return path.read_bytes()


@functools.cache
def _all_polars() -> dict[str, bytes]:
    """Polars writes in a process of its own: its threads do not go with the forks of a test session."""
    data = {codec: dict(zip(HEAD, map(list, zip(*three(f"IE{codec}"), strict=True)), strict=True)) for codec in POLARS}
    code = f"""
import base64, io, polars
for codec, columns in {data!r}.items():
    out = io.BytesIO()
    polars.DataFrame(columns).with_columns(polars.col("City").cast(polars.Categorical)).write_parquet(out, compression=codec)
    print(codec, base64.b64encode(out.getvalue()).decode())
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return {codec: base64.b64decode(content) for codec, content in map(str.split, said.splitlines())}


def polars(codec: str) -> bytes:
    return _all_polars()[codec]


# -- types -------------------------------------------------------------------------------------------------------------------


def _types() -> Iterable[Case]:
    moment = dt.datetime(2026, 3, 1, 10, 0, 0, 123456)
    utc = moment.replace(tzinfo=dt.UTC)
    day = dt.date(2026, 1, 1)
    values: dict[str, tuple[Any, str | None]] = {
        "ms": (pa.array([moment.replace(microsecond=123000)], pa.timestamp("ms")), "2026-03-01 10:00:00.123"),
        "us": (pa.array([moment], pa.timestamp("us")), "2026-03-01 10:00:00.123456"),
        "ns": (pa.array([1772359200123456789], pa.timestamp("ns")), "2026-03-01 10:00:00.123456789"),
        "whole": (pa.array([moment.replace(microsecond=0)], pa.timestamp("us")), "2026-03-01 10:00:00"),
        "zoned": (pa.array([utc.replace(microsecond=0)], pa.timestamp("us", "Asia/Shanghai")), "2026-03-01 10:00:00+00"),
        "day": (pa.array([day], pa.date32()), "2026-01-01"),
        "day64": (pa.array([day], pa.date64()), "2026-01-01"),
        "clock": (pa.array([dt.time(8, 30)], pa.time64("us")), "08:30:00"),
        "small": (pa.array([-128], pa.int8()), "-128"),
        "large": (pa.array([2**64 - 1], pa.uint64()), "18446744073709551615"),
        "exact": (pa.array([2**53 + 1], pa.int64()), "9007199254740993"),
        "single": (pa.array([0.1], pa.float32()), "0.1"),
        "half": (pa.array([0.5], pa.float16()), "0.5"),
        "text": (pa.array(["x" * 100], pa.large_string()), "x" * 100),
        "view": (pa.array(["a view"], pa.string_view()), "a view"),
        "category": (pa.array(["north"]).dictionary_encode(), "north"),
        "bytes": (pa.array(["上海".encode()], pa.binary()), "上海"),
        "nothing": (pa.nulls(1), None),
        "list": (pa.array([[1, None, 3]], pa.list_(pa.int32())), "[1,null,3]"),
        "lists": (pa.array([[["a"], []]], pa.list_(pa.list_(pa.string()))), '[["a"],[]]'),
        "object": (pa.array([{"a": 1, "b": {"c": "x"}}]), '{"a":1,"b":{"c":"x"}}'),
        "map": (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), '{"k":1}'),
        "decimal9": (pa.array([Decimal("12345.67")], pa.decimal128(9, 2)), "12345.67"),
        "decimal18": (pa.array([Decimal("-0.0001")], pa.decimal128(18, 4)), "-0.0001"),
        "decimal38": (pa.array([Decimal("12345678901234567890.12345678")], pa.decimal128(38, 8)), "12345678901234567890.12345678"),
    }  # fmt: skip
    for number, options in enumerate([{}, {"store_decimal_as_integer": True, "data_page_version": "2.0"}]):
        base = {"Code": [f"IF{number}"], "Name": ["A"], "From": pa.array([day])}
        found = pa.table({**base, **{name: array for name, (array, _) in values.items()}})
        yield parquet(
            f"types_{number}",
            partial(written, found, **options),
            [(1, f"IF{number}", "A", "2026-01-01", None, None, *(text for _, text in values.values()))],
            (*COLUMNS, *values),
        )
    lines = pa.table({"Code": ["IG1", "IG2"], "Name": ["A", "B"], "From": pa.array([moment.replace(hour=0, minute=0, microsecond=0)] * 2, pa.timestamp("ns")), "Limit": pa.array([Decimal("1.50"), None], pa.decimal128(12, 2)), "City": pa.array(["x", None]).dictionary_encode()})  # fmt: skip
    yield parquet(
        "types_of_the_feed_int96",
        partial(written, lines, use_deprecated_int96_timestamps=True),
        [(1, "IG1", "A", "2026-03-01 00:00:00", "1.50", "x"), (2, "IG2", "B", "2026-03-01 00:00:00", None, None)],
        COLUMNS,
        accepted=[("IG1", "A", "2026-03-01", "1.5", "x"), ("IG2", "B", "2026-03-01", None, None)],
    )
    yield parquet("row_groups_empty", _groups, [*numbered(three("IH"), 1), *numbered(three("II"), 4)], COLUMNS)
    index = table("IJ").select(list(HEAD)).append_column("__index_level_0__", pa.array([5, 6, 7]))
    yield parquet(
        "data_frame_with_its_index",
        partial(written, index),
        [(*row, str(number)) for number, row in enumerate(numbered(three("IJ"), 1), 5)],
        (*COLUMNS, "__index_level_0__"),
    )
    blank = pa.table(
        {
            "Code": ["IK1", None, " ", "IK4"],
            "Name": ["A", None, "", "B"],
            "From": ["2026-01-01", None, None, "2026-01-02"],
        }
    )
    yield parquet(
        "blank_records",
        partial(written, blank),
        [(1, "IK1", "A", "2026-01-01", None, None), (4, "IK4", "B", "2026-01-02", None, None)],
        COLUMNS,
        structural=2,
    )


def _groups() -> bytes:
    out = io.BytesIO()
    first, second = (
        pa.table(dict(zip(HEAD, map(list, zip(*three(mark), strict=True)), strict=True))) for mark in ("IH", "II")
    )
    with pq.ParquetWriter(out, first.schema) as writer:
        for part in (first.slice(0, 0), first, first.slice(0, 0), second, second.slice(0, 0)):
            writer.write_table(part)
    return out.getvalue()


# -- what cannot be read -----------------------------------------------------------------------------------------------------


class _Keys(pe.KmsClient):
    def __init__(self, _: Any) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64encode(key)

    def unwrap_key(self, key: bytes, _: str) -> bytes:
        return base64.b64decode(key)


def encrypted(is_footer_plain: bool) -> bytes:
    keys = pe.EncryptionConfiguration("footer", column_keys={"column": ["Limit"]}, plaintext_footer=is_footer_plain)
    properties = pe.CryptoFactory(_Keys).file_encryption_properties(pe.KmsConnectionConfig(), keys)
    found, out = table("IL").select(list(HEAD)), io.BytesIO()
    with pq.ParquetWriter(out, found.schema, encryption_properties=properties) as writer:
        writer.write_table(found)
    return out.getvalue()


def other_codec(number: int) -> bytes:
    """The codec of each column named otherwise in the footer; a snappy file, where a codec is the number 1."""
    content = written(table("IM").select(list(HEAD)), compression="snappy", store_schema=False)
    size = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - size : -8]
    for name in HEAD:
        # Field 3, the path in the schema: a list with one text; then field 4, the codec as a zigzag number.
        field = b"\x19\x18" + bytes([len(name)]) + name.encode() + b"\x15"
        assert footer.count(field + b"\x02") == 1
        footer = footer.replace(field + b"\x02", field + bytes([2 * number]))
    return content[: -8 - size] + footer + content[-8:]


def footer_overwritten() -> bytes:
    content = arrow("IN")
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    return content[:start] + bytes(100) + content[start + 100 :]


def _broken() -> Iterable[Case]:
    whole = partial(arrow, "IN")

    def bad(id: str, content: Any, refused: str) -> Case:
        return parquet(id, content, [], refused=refused)

    yield bad("encrypted", partial(encrypted, False), "(?i)encrypt")
    yield bad("encrypted_column_under_a_plain_footer", partial(encrypted, True), "(?i)encrypt")
    yield bad("encrypted_by_its_last_word", lambda: whole()[:-4] + b"PARE", "(?i)encrypt")
    yield bad("codec_lzo", partial(other_codec, 3), "(?i)parquet|codec|compress")
    yield bad("codec_lz4_of_old_writers", partial(other_codec, 5), "(?i)parquet|codec|compress")
    yield bad("codec_unknown", partial(other_codec, 60), "(?i)parquet|codec|compress")
    for column in ("Count", "Fixed"):  # the engine knows this encoding of floating-point numbers only
        options = {"use_dictionary": False, "column_encoding": {column: "BYTE_STREAM_SPLIT"}}
        yield bad(f"byte_stream_split_of_{column.lower()}", partial(arrow, "IN", **options), "(?i)encoding")
    yield bad("cut_in_half", lambda: whole()[: len(whole()) // 2], "(?i)parquet")
    yield bad("cut_of_its_last_bytes", lambda: whole()[:-6], "(?i)parquet")
    yield bad("footer_overwritten", footer_overwritten, "(?i)parquet")
    yield bad("footer_longer_than_file", lambda: whole()[:-8] + b"\xff\xff\xff\x7fPAR1", "(?i)parquet")
    yield bad("pages_overwritten", lambda: b"PAR1" + bytes(200) + whole()[204:], "(?i)parquet")
    yield bad("text_said_to_be_parquet", b"Code,Name,From\nIO1,A,2026-01-01\n", "(?i)parquet")
    yield bad("arrow_file_said_to_be_parquet", b"ARROW1\0\0" + bytes(100) + b"ARROW1", "(?i)parquet")
    yield bad("magic_only", b"PAR1PAR1", "(?i)parquet")
    yield bad("no_rows", lambda: written(table("IP").slice(0, 0)), "no records")
