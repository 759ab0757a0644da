"""Records of an API as they came: a line of JSON each, with what the pull knows of it beside."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dealermart.landing.crm.web import Again

FORM = "%Y-%m-%d %H:%M:%S.%f"  # moments in UTC, as texts that sort

_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder(parse_float=Decimal)


@dataclass(frozen=True)
class Row:
    """A record: its id, the moment of its last change as the CRM says it (UTC), the text that came and its values.

    Attributes:
        created: When it was entered, where that is asked for.
        staged: Since when its stage holds, where the CRM says it.
    """

    id: str
    modified: dt.datetime
    raw: str
    record: dict[str, Any] = field(repr=False)
    is_gone: bool = False
    created: dt.datetime | None = None
    staged: dt.datetime | None = None


@dataclass(frozen=True)
class Gone:
    """A record that the CRM says is deleted, the moment of that, and the text that says so."""

    id: str
    at: dt.datetime
    raw: str


@dataclass(frozen=True)
class Page:
    """What one answer brought, and what to ask the next one after; None at the end."""

    rows: list[Row]
    after: list[str] | None


@dataclass(frozen=True)
class Window:
    """Changes from ``lo`` (from the beginning, if None) to before ``hi``, in UTC; ``after``: where to go on."""

    lo: dt.datetime | None
    hi: dt.datetime
    after: list[str] | None = None


def split(text: str, *path: str) -> tuple[Any, list[tuple[str, dict[str, Any]]]]:
    """An answer, and the objects of the list below ``path`` of it, each with its own text.

    The list itself is not in the answer that is returned; what is there instead of a list, is.

    Raises:
        Again: the text is no JSON, because it was cut off.
    """
    found: list[tuple[str, dict[str, Any]]] = []
    try:
        value, end = _walk(text, _skip(text, 0), path, found)
        if _skip(text, end) != len(text):
            raise ValueError
    except (ValueError, IndexError, RecursionError):
        raise Again("the answer is no JSON, or cut off") from None
    return value, found


def _walk(text: str, at: int, path: tuple[str, ...], found: list[tuple[str, dict[str, Any]]]) -> tuple[Any, int]:
    if not path and text[at] == "[":
        return None, _list(text, at, found)
    if not path or text[at] != "{":
        return _DECODER.raw_decode(text, at)
    made: dict[str, Any] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        if text[at] != '"':
            raise ValueError
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError
        inner = path[1:] if key == path[0] else None
        at = _skip(text, at + 1)
        made[key], at = _DECODER.raw_decode(text, at) if inner is None else _walk(text, at, inner, found)
        at = _next(text, at, "}")
    return made, at + 1


def _list(text: str, at: int, found: list[tuple[str, dict[str, Any]]]) -> int:
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        if not isinstance(value, dict):
            raise ValueError
        found.append((text[at:end], value))
        at = _next(text, end, "]")
    return at + 1


def _next(text: str, at: int, end: str) -> int:
    """Behind the comma after a value, or at the end of what it stands in."""
    at = _skip(text, at)
    if text[at] == ",":
        at = _skip(text, at + 1)
        if text[at] == end:
            raise ValueError
    elif text[at] != end:
        raise ValueError
    return at


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def line(raw: str, changed: str, gone: bool) -> str:
    """A record's line: its text as it came, and ``_pull`` with the version that we give it."""
    body = raw.replace("\r", " ").replace("\n", " ").strip()[1:-1].strip()
    pull = json.dumps({"changed_at": changed, "gone": gone})
    return f'{{{body}{", " if body else ""}"_pull": {pull}}}\n'


def fingerprint(record: dict[str, Any]) -> bytes:
    """Short hash of what a record says, however a way of asking writes it: a lookup is its id, nothing is nothing."""
    said = sorted((key, text) for key, value in record.items() if (text := _plain(value)) is not None)
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).digest()[:12]


def _plain(value: Any) -> str | None:
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return str(value["id"]) if value.get("id") is not None else json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, (int, Decimal)):
        number = Decimal(value)
        return str(int(number)) if number == number.to_integral_value() else str(number.normalize())
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def written(moment: dt.datetime) -> str:
    """A moment in UTC as a text that sorts."""
    return moment.astimezone(dt.UTC).strftime(FORM) if moment.tzinfo else moment.strftime(FORM)


def read(text: str) -> dt.datetime:
    """The moment that ``written`` wrote, with its zone."""
    return dt.datetime.strptime(text, FORM).replace(tzinfo=dt.UTC)
