"""JSON documents and JSON lines. Objects inside a record become columns with dotted names, lists stay JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from dealermart.base import DataError
from dealermart.config import FileSpec
from dealermart.readers import columns as columns_of
from dealermart.readers.encodings import Encoding, as_utf8
from dealermart.readers.survey import LONGEST_LINE, decoded, too_long
from dealermart.readers.table import Counts, Record, Target

_LARGEST_DOCUMENT = 128 * 1024 * 1024  # it is held in memory, as objects that take some ten times its size

_NO_OBJECT = "not a JSON object"

_NO_JSON = "not valid JSON"

_TWICE = "a key stands twice in one object"


class _Number(str):
    """A number as the file writes it: no digit is lost on the way."""


class _Object(dict[str, Any]):
    """A JSON object that knows whether a key was given twice."""

    twice = False


def read(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read the list of records of a document; record numbers are places in the list. See ``readers.read``."""
    if path.stat().st_size > _LARGEST_DOCUMENT:
        raise DataError(
            f"the JSON document is larger than {_LARGEST_DOCUMENT // 1024 // 1024} MB",
            where=str(path),
            mend="ask for JSON lines, or for smaller files",
        )
    text, encoding = _text(path, spec, work)
    try:
        found: Any = _decoder().decode(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{_NO_JSON}: {error.msg}",
            where=f"{path}:{error.lineno}",
            mend="ask the sender for the whole file, or set format: jsonl in the source profile",
        ) from None
    except RecursionError:
        raise DataError(
            f"{_NO_JSON}: it is nested too deeply", where=str(path), mend="ask the sender for a flat list of records"
        ) from None
    for step in spec.records.split(".") if spec.records else ():
        if not isinstance(found, dict) or step not in found:
            has = f"; there are: {', '.join(found)}" if isinstance(found, dict) and found else ""
            raise DataError(
                f"there is no {step!r} on the path {spec.records}{has}",
                where=str(path),
                mend="set records in the source profile to the dotted path of the list",
            )
        found = found[step]
    if not isinstance(found, list):
        raise DataError(
            "there is no list of records",
            where=str(path),
            mend="set records in the source profile to the dotted path of the list",
        )
    return _load(con, path, spec, target, lambda: enumerate(found, start=1), encoding)


def read_lines(con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, work: Path) -> Counts:
    """Read a file with one JSON object per line; see ``readers.read``."""
    text, encoding = as_utf8(path, spec.encoding, work)
    decoder = _decoder()

    def values() -> Iterator[tuple[int, Any]]:
        with text.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), b""), start=1):
                if len(raw) > LONGEST_LINE:
                    raise too_long(path)
                line = decoded(raw, path, number).removeprefix("\ufeff" if number == 1 else "").strip()
                if number <= spec.skip_rows:
                    continue
                try:
                    yield number, decoder.decode(line) if line else None
                except (json.JSONDecodeError, RecursionError):
                    yield number, _Broken(line)

    try:
        if all(value is None or isinstance(value, _Broken) for _, value in values()):
            raise DataError(
                "no line holds JSON", where=str(path), mend="set format in the source profile to what the file is"
            )
        return _load(con, path, spec, target, values, encoding)
    finally:
        if text != path:
            text.unlink()


class _Broken(str):
    """A line that is not JSON."""


def _decoder() -> json.JSONDecoder:
    def made(pairs: list[tuple[str, Any]]) -> _Object:
        made = _Object(pairs)
        made.twice = len(made) != len(pairs)
        return made

    return json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number, object_pairs_hook=made)


def _text(path: Path, spec: FileSpec, work: Path) -> tuple[str, Encoding]:
    text, encoding = as_utf8(path, spec.encoding, work)
    try:
        return decoded(text.read_bytes(), path, 1).removeprefix("\ufeff"), encoding
    finally:
        if text != path:
            text.unlink()


def _load(
    con: duckdb.DuckDBPyConnection, path: Path, spec: FileSpec, target: Target, values: Any, encoding: Encoding
) -> Counts:
    """Load records; ``values()`` gives them with their numbers and is called twice, first for all names."""
    names: dict[str, None] = {}
    for _, value in values():
        if isinstance(value, _Object):
            names.update(dict.fromkeys(name for name, _ in _flat(value)))
    if not names:
        raise DataError(
            "the file holds no records",
            where=str(path),
            mend="if there is nothing to report, deliver nothing; otherwise ask the sender for the rows",
        )
    # A record that repeats its keys as values is a record.
    columns = replace(columns_of.resolve(list(names), spec, str(path)), headers=())
    counts = target.loader.add(target, spec, columns, _records(values(), list(names)))
    return replace(counts, encoding=encoding.name, confidence=encoding.confidence)


def _records(values: Iterable[tuple[int, Any]], names: list[str]) -> Iterator[Record | None]:
    for number, value in values:
        if value is None:
            yield None
        elif isinstance(value, _Broken):
            yield Record(number, reason=_NO_JSON, line=str(value))
        elif not isinstance(value, _Object):
            yield Record(number, reason=_NO_OBJECT, line=_written(value))
        elif _has_twice(value):
            yield Record(number, reason=_TWICE, line=_written(value))
        else:
            fields = dict(_flat(value))
            yield Record(number, [fields.get(name) for name in names])


def _flat(value: _Object, before: str = "") -> Iterator[tuple[str, str | None]]:
    for key, inner in value.items():
        if isinstance(inner, _Object):
            yield from _flat(inner, f"{before}{key}.")
        else:
            yield before + key, None if inner is None else str(inner) if isinstance(inner, str) else _written(inner)


def _has_twice(value: Any) -> bool:
    if isinstance(value, _Object):
        return value.twice or any(map(_has_twice, value.values()))
    return isinstance(value, list) and any(map(_has_twice, value))


def _written(value: Any) -> str:
    """JSON text, numbers as they came."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Object):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_written(inner)}" for key, inner in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
