"""Records in memory, sorted on demand."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Row:
    """A record: values by field name, its id and the count of its versions included."""

    id: str
    values: dict[str, Any]
    version: int = 1


@dataclass
class Gone:
    """What is known of a deleted record; ``row`` is there as long as it can be restored."""

    row: Row | None
    facts: dict[str, Any]


@dataclass
class Table:
    """The records of a module or object. Whoever edits one calls `touched`."""

    rows: dict[str, Row] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)
    _stamp: int = 0
    _sorted: dict[str, tuple[int, list[Any], list[Row]]] = field(default_factory=dict)

    def touched(self) -> None:
        """What was sorted is to be sorted again."""
        self._stamp += 1

    def by(self, name: str, key: Callable[[Row], Any]) -> tuple[list[Any], list[Row]]:
        """All rows in the order of a key, which ``name`` stands for, and their keys."""
        stamp, keys, rows = self._sorted.get(name, (-1, [], []))
        if stamp != self._stamp:
            kept = [row for row in rows if self.rows.get(row.id) is row]  # nearly sorted: cheap to sort again
            known = {id(row) for row in kept}
            rows = kept + [row for row in self.rows.values() if id(row) not in known]
            rows.sort(key=key)
            keys = [key(row) for row in rows]
            self._sorted[name] = (self._stamp, keys, rows)
        return keys, rows


def span(keys: list[Any], low: Any = None, high: Any = None, *, after: bool = False) -> tuple[int, int]:
    """The range of places whose keys lie from low (after it, if so said) to high, both included."""
    start = 0 if low is None else (bisect_right if after else bisect_left)(keys, low)
    end = len(keys) if high is None else bisect_right(keys, high)
    return start, max(start, end)
