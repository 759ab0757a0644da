"""Figures of the report, without HTML: what failed and since when, and what came last when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

TREND = 12  # runs of a source that a trend shows

REASONS = 20  # reasons per feed and stage; a source's own select words them, and could word one per row

TROUBLE = ("refused", "unrecognised")

MOVED = ("taken_up", "released")  # rows of an earlier delivery that left the quarantine: no file of this run

ORDER = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True)
class Point:
    """A rule in one run: rows that failed of rows that it looked at (None: the rule is on the table as a whole)."""

    received: str
    rows: int | None
    of: int

    @property
    def share(self) -> float:
        """0 to 1; a rule on the whole table that failed counts as all rows."""
        if self.rows is None:
            return 1.0
        return min(1.0, self.rows / self.of) if self.of else float(self.rows > 0)


@dataclass(frozen=True)
class Failure:
    """A reason for which rows were not taken (or, severity info, were reported), with the runs up to this one."""

    feed: str
    stage: str
    rule: str
    severity: str
    reason: str
    files: int
    trend: tuple[Point, ...]

    @property
    def now(self) -> Point:
        return self.trend[-1]

    @property
    def change(self) -> int | None:
        """Rows more than in the run before; None where there is none to compare with."""
        if len(self.trend) < 2 or self.now.rows is None or self.trend[-2].rows is None:
            return None
        return self.now.rows - self.trend[-2].rows


@dataclass(frozen=True)
class Fresh:
    """When a kind of file of a source came last. ``days`` are counted to ``Log.received``."""

    source: str
    entry: str
    feed: str
    received: str | None
    event: str | None
    days: int | None
    expected: int | None

    @property
    def state(self) -> str:
        if self.days is None or self.received is None:
            return "never came"
        if self.expected is None:
            return ""
        return "late" if self.days > self.expected else "on time"


@dataclass
class Found:
    """What one run found, by (feed, stage, rule, reason)."""

    rows: int | None = 0
    severity: str = ""
    reason: str = ""
    files: set[str] = field(default_factory=set)


Key = tuple[str, str, str, str]


def later(day: str | None, other: str | None) -> str | None:
    """The later of two days, where there is one."""
    return max((known for known in (day, other) if known), default=None)


def files_of(commit: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of a run."""
    return [file for file in commit["deliveries"] if file["status"] not in MOVED]


def read_feed(commit: dict[str, Any], feed: str) -> bool:
    """Whether a run read a file of the feed."""
    return any(file["feed"] == feed and file["records"] is not None for file in files_of(commit))


def rows_of(commit: dict[str, Any], feed: str, mapped: bool) -> int:
    """Rows of a feed in a run: those that checks saw, or all that were no structure."""
    own = [file for file in files_of(commit) if file["feed"] == feed and file["records"] is not None]
    return sum(file["mapped"] if mapped else file["records"] - file["structural"] for file in own)


def folded(found: dict[Key, Found]) -> dict[Key, Found]:
    """At most ``REASONS`` reasons per feed, stage and rule, the most frequent; the rest is one line."""
    kept: dict[Key, Found] = {}
    several: dict[tuple[str, str, str], int] = {}
    for key, part in sorted(found.items(), key=lambda item: -(item[1].rows or 0)):
        several[key[:3]] = several.get(key[:3], 0) + 1
        if several[key[:3]] <= REASONS:
            kept[key] = part
            continue
        rest = kept.setdefault((*key[:3], "\0"), Found(0, part.severity, "other reasons"))
        rest.rows = (rest.rows or 0) + (part.rows or 0)
        rest.files |= part.files
    return kept


def changed(commit: dict[str, Any], before: dict[str, Any] | None) -> list[str]:
    """What of profile, contracts and suites is not what it was in the run before: a trend can break there."""
    if before is None:
        return []
    changed = ["the source's profile"] if commit["profile_hash"] != before["profile_hash"] else []
    for name, word in (("contract_hashes", "contract"), ("suite_hashes", "suite")):
        changed += [
            f"the {word} of {feed}"
            for feed, now in commit[name].items()
            if feed in before[name] and before[name][feed] != now
        ]
    return changed


def by_trouble(result: dict[str, Any]) -> tuple[bool, bool, str]:
    """How files are sorted: those with trouble first."""
    return result["status"] not in TROUBLE, not result["faults"], result["file"]
