"""JSON documents and JSON lines. Objects inside a record become columns with dotted names, lists stay JSON text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
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

_CLASH = "keys that differ by case, blanks or nesting only stand for one column"


class _Number(str):
    """A number as the file writes it: no digit is lost on the way."""


class _Object(dict[str, Any]):
    """A JSON object that knows what was written where a key was given twice: a dict keeps the last value only."""

    pairs: list[tuple[str, Any]] | None = None

    @property
    def written(self) -> Iterable[tuple[str, Any]]:
        """All keys and values, as often as they stand there."""
        return self.items() if self.pairs is None else self.pairs


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
        if not isinstance(found, _Object) or step not in found:
            has = f"; there are: {', '.join(found)}" if isinstance(found, _Object) and found else ""
            raise DataError(
                f"there is no {step!r} on the path {spec.records}{has}",
                where=str(path),
                mend="set records in the source profile to the dotted path of the list",
            )
        if step in _repeated(found):
            raise DataError(
                f"{step!r} stands twice on the path {spec.records}, and only one of them could be read",
                where=str(path),
                mend="ask the sender for one list of records",
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
        if len(made) != len(pairs):
            made.pairs = pairs
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
    names: dict[str, str] = {}
    keys = cache(columns_of.key)
    for _, value in values():
        if isinstance(value, _Object):
            for name, _ in _flat(value):
                names.setdefault(keys(name), name)
    if not names:
        raise DataError(
            "the file holds no records",
            where=str(path),
            mend="if there is nothing to report, deliver nothing; otherwise ask the sender for the rows",
        )
    # A record that repeats its keys as values is a record.
    columns = replace(columns_of.resolve(list(names.values()), spec, str(path)), headers=())
    counts = target.loader.add(target, spec, columns, _records(values(), list(names), keys))
    return replace(counts, encoding=encoding.name, confidence=encoding.confidence)


def _records(
    values: Iterable[tuple[int, Any]], names: list[str], keys: Callable[[str], str]
) -> Iterator[Record | None]:
    """Records with a field per name; ``keys`` says what names are compared by."""
    for number, value in values:
        if value is None:
            yield None
        elif isinstance(value, _Broken):
            yield Record(number, reason=_NO_JSON, line=str(value))
        elif not isinstance(value, _Object):
            yield Record(number, reason=_NO_OBJECT, line=_whole(_written(value)))
        elif twice := list(_all_repeated(value)):
            yield Record(number, reason=f"{_TWICE}: {_named(twice)}", line=_whole(_written(value)))
        else:
            flat = [(keys(name), name, text) for name, text in _flat(value)]
            fields = {key: text for key, _, text in flat}
            if len(fields) == len(flat):
                yield Record(number, [fields.get(name) for name in names])
            else:
                stands = Counter(key for key, *_ in flat)
                clashing = [name for key, name, _ in flat if stands[key] > 1]
                yield Record(number, reason=f"{_CLASH}: {_named(clashing)}", line=_whole(_written(value)))


def _flat(value: _Object, before: str = "") -> Iterator[tuple[str, str | None]]:
    for key, inner in value.items():
        if isinstance(inner, _Object):
            yield from _flat(inner, f"{before}{key}.")
        else:
            text = None if inner is None else str(inner) if isinstance(inner, str) else _written(inner)
            yield _whole(before + key), None if text is None else _whole(text)


def _repeated(value: _Object) -> list[str]:
    """Keys that stand in an object more than once."""
    if value.pairs is None:
        return []
    return [key for key, count in Counter(key for key, _ in value.pairs).items() if count > 1]


def _all_repeated(value: Any) -> Iterator[str]:
    """The same for all objects in a value."""
    if isinstance(value, _Object):
        yield from _repeated(value)
    if isinstance(value, (list, _Object)):
        for inner in value if isinstance(value, list) else (inner for _, inner in value.written):
            yield from _all_repeated(inner)


def _named(keys: Iterable[str]) -> str:
    """Keys for a reason: a few, and short, because a file can call them anything."""
    texts = [_whole(key) if len(key) <= 40 else f"{_whole(key[:40])}..." for key in dict.fromkeys(keys)]
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")


def _whole(text: str) -> str:
    """A text with U+FFFD for half a character: JSON can write one (``"\\ud83d"``), no encoding can."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _written(value: Any) -> str:
    """JSON text, numbers as they came."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, _Object):
        return (
            "{"
            + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_written(inner)}" for key, inner in value.written)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
