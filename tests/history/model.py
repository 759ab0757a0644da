"""What holds after some deliveries, worked out in plain Python and row by row, apart from the program's SQL."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
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
        """Content as a file; files with the same content are one delivery."""
        lines = [
            ",".join((*row.key, row.value, row.version or "", str(row.is_deleted), row.fault or ""))
            for row in self.rows
        ]
        return "\n".join([f"{self.entry} columns", *lines, ""])

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


def deliveries(rng: random.Random, kinds: list[tuple[str, str, str]], keys: list[Key], count: int) -> list[File]:
    """Random deliveries with few keys, values and days, so that all reverse, repeat, delete and miss each other.

    Args:
        kinds: (source, entry, delivery) of the kinds of files.
    """
    files: list[File] = []
    for _ in range(count):
        source, entry, delivery = rng.choice(kinds)
        day = dt.date(2026, 3, rng.randint(1, 9))
        same = [one for one in files if (one.source, one.entry) == (source, entry)]
        if same and rng.random() < 0.3:  # the same content on whatever day
            files.append(File(source, entry, delivery, day, rng.choice(same).rows))
            continue
        chosen = rng.sample(keys, rng.randint(1, len(keys)))
        rows = []
        for key in chosen:
            version = rng.choice([None, "2026-01-01 08:00:00", "2026-01-02 08:00:00"])
            fault = rng.choices([None, "row", "key"], [24, 2, 1])[0] if len(chosen) > 1 else None
            is_deleted = fault is None and rng.random() < 0.15
            rows.append(Row(key, rng.choice("abc"), version, is_deleted, fault))
        files.append(File(source, entry, delivery, day, tuple(rows)))
    return files
