"""What holds after some deliveries, worked out in plain Python and row by row, apart from the program's SQL."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Key = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A record in a file. ``fault``: in quarantine, with a key that can be read (``row``) or not (``key``)."""

    key: Key
    value: str
    version: str | None = None
    is_deleted: bool = False
    fault: str | None = None


def _csv(head: str, line: Callable[[Row], str]) -> Callable[[Iterable[Row]], str]:
    return lambda rows: "\n".join([head, *map(line, rows), ""])


def _sale(row: Row) -> str:
    """The value decides the month: a correction moves the line."""
    doc, line = row.key
    kind = "gift" if row.fault == "row" else "invoice"
    number = "abc".index(row.value) + 1
    void = "x" if row.is_deleted else ""
    line = "first" if row.fault == "key" else line
    return f"{doc},{line},{kind},D1,P1,1,{number}0,5,2026-0{number}-10,{void}"


def _dealer(row: Row) -> str:
    code, since = row.key
    return f"{code},{'someday' if row.fault == 'key' else since},{'' if row.fault == 'row' else row.value}"


# How the rows of each kind of file look in the source of things.py; a fault is one that the suite or the cast finds.
_FILES: dict[str, Callable[[Iterable[Row]], str]] = {
    "sale_file": _csv("doc,line,kind,dealer,product,qty,net,cost,day,void", _sale),
    "void_file": _csv("doc,line", lambda row: ",".join(row.key)),
    "dealer_list": _csv("dealer,since,name", _dealer),
    "dealer_changes": _csv(
        "dealer,since,label,deleted", lambda row: f"{_dealer(row)},{'yes' if row.is_deleted else 'no'}"
    ),
    "course_list": _csv(
        "course,title,topic", lambda row: f"{row.key[0]},{row.value},{'gossip' if row.fault else 'selling'}"
    ),
    "record_file": _csv(
        "record,changed,course,score,deleted",
        lambda row: (
            f"{row.key[0]},{row.version or ''},C1,{'200' if row.fault else 'abc'.index(row.value)},"
            f"{'yes' if row.is_deleted else 'no'}"
        ),
    ),
    "whole": _csv("whole", repr),
    "other_whole": _csv("other whole", repr),
    "changes": _csv("changes", repr),
}


@dataclass(frozen=True)
class File:
    """A file as it came: whose, of which kind, on which day."""

    source: str
    entry: str
    delivery: str
    day: dt.date
    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        """Content as it is delivered; files with the same content are one delivery."""
        return _FILES[self.entry](self.rows)

    @property
    def id(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Held:
    """The row that holds, and the day on which a snapshot ended it."""

    row: Row
    gone: dt.date | None


def held(files: list[File]) -> dict[Key, Held]:
    """What holds by key once all files are known. Their order plays no part: they are looked at as a set."""
    files = sorted(set(files), key=lambda one: (one.source, one.entry, one.day, one.id))
    versions: dict[Key, list[tuple[tuple[object, ...], Row, File]]] = {}
    for content in {(one.source, one.id) for one in files}:
        same = [one for one in files if (one.source, one.id) == content]
        file = (max if same[0].delivery == "snapshot" else min)(same, key=lambda one: one.day)
        for number, row in enumerate(file.rows, 2):
            if row.fault is None:
                rank = (row.version is not None, row.version or "", file.day, file.id, number, file.source)
                versions.setdefault(row.key, []).append((rank, row, file))
    result = {}
    for key, found in versions.items():
        _, row, file = max(found, key=lambda one: one[0])
        if row.is_deleted:
            continue
        gone = None
        if file.delivery == "snapshot":
            kind = [one for one in files if (one.source, one.entry) == (file.source, file.entry)]
            for day in sorted({one.day for one in kind if one.day > file.day}):
                rows = [one for whole in kind if whole.day == day for one in whole.rows]
                if all(one.fault != "key" and one.key != key for one in rows):
                    gone = day
                    break
        result[key] = Held(row, gone)
    return result


@dataclass(frozen=True)
class Kind:
    """A kind of file, and what its rows can be."""

    source: str
    entry: str
    delivery: str
    faults: tuple[str | None, ...] = (None,)
    versions: tuple[str | None, ...] = (None,)
    deletes: float = 0.15


def deliveries(rng: random.Random, kinds: list[Kind], keys: list[Key], count: int) -> list[File]:
    """Random deliveries with few keys, values and days, so that all reverse, repeat, delete and miss each other."""
    files: list[File] = []
    for _ in range(count):
        kind = rng.choice(kinds)
        day = dt.date(2026, 3, rng.randint(1, 9))
        same = [one for one in files if (one.source, one.entry) == (kind.source, kind.entry)]
        if same and rng.random() < 0.3:  # the same content on whatever day
            files.append(File(kind.source, kind.entry, kind.delivery, day, rng.choice(same).rows))
            continue
        chosen = rng.sample(keys, rng.randint(1, len(keys)))
        rows: list[Row] = []
        for key in chosen:
            fault = rng.choice(kind.faults) if rng.random() < 0.12 and len(chosen) > 1 else None
            if any(row.fault for row in rows):  # at most one, for a file that is mostly faults is refused
                fault = None
            is_deleted = fault is None and rng.random() < kind.deletes
            rows.append(Row(key, rng.choice("abc"), rng.choice(kind.versions), is_deleted, fault))
        files.append(File(kind.source, kind.entry, kind.delivery, day, tuple(rows)))
    return files
