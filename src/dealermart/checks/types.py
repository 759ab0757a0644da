"""What the room speaks of: types of expectations, a rule, a suite of rules, and what a rule found."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from dealermart.checks.kinds import COMMON, QUERY, Type
from dealermart.checks.rare import RARE
from dealermart.config import Contract

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
QUARANTINED: tuple[Severity, ...] = ("critical", "warning")

KEY = "_row_id"
BATCH_COLUMNS = {
    "_delivery_id": "varchar",
    "_row_number": "bigint",
    "_row_part": "integer",
    KEY: "bigint",
    "_is_deleted": "boolean",
}


TYPES: dict[str, Type] = COMMON | RARE

_VIEW = re.compile(r"\b(?:feed|known)_(\w+)", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    """One expectation of a suite. ``columns`` are those that it names outside of SQL; ``description`` is for people;
    ``waits_for`` are the feeds for which a failing row waits."""

    rule: str
    type: str
    severity: Severity
    kwargs: Mapping[str, Any]
    columns: tuple[str, ...]
    description: str
    waits_for: tuple[str, ...] = ()

    @property
    def is_row_level(self) -> bool:
        return TYPES[self.type].rows

    @cached_property
    def looked_up(self) -> frozenset[str]:
        """The feeds of which the SQL reads a view."""
        sql = str(self.kwargs["unexpected_rows_query"]) if self.type == QUERY else ""
        return frozenset(name.lower() for name in _VIEW.findall(sql))

    def reads(self, feed: str) -> bool:
        """Whether the SQL reads a view of this feed."""
        return feed in self.looked_up


@dataclass(frozen=True)
class Suite:
    """The rules of one table; ``hash`` changes when the meaning of a rule can have changed, not with the layout."""

    name: str
    path: Path
    hash: str
    rules: tuple[Rule, ...]

    @property
    def waits_for(self) -> frozenset[str]:
        """The other feeds for which rows of this one can wait."""
        return frozenset(feed for rule in self.rules for feed in rule.waits_for) - {self.name}

    @property
    def looked_up(self) -> frozenset[str]:
        """The feeds of which the SQL of rules reads a view."""
        return frozenset().union(*(rule.looked_up for rule in self.rules))

    def about(self, complete: Collection[str] | None) -> Suite:
        """The suite without rules that wait for a feed that is not complete; None stands for all feeds."""
        return self._only(rule for rule in self.rules if complete is None or set(rule.waits_for) <= set(complete))

    def in_turn(self) -> tuple[Suite, Suite]:
        """The rules on what stands in the batch, and those that read the feed's own views and so hang on the former."""
        return (
            self._only(rule for rule in self.rules if not rule.reads(self.name)),
            self._only(rule for rule in self.rules if rule.reads(self.name)),
        )

    def _only(self, rules: Iterable[Rule]) -> Suite:
        return replace(self, rules=tuple(rules))


@dataclass(frozen=True)
class Outcome:
    """What a rule found. Counts only, no values.

    Attributes:
        success: Great Expectations' verdict (a rule with ``mostly`` can succeed and still have failing rows).
        rows: Rows looked at, after the row condition; all rows for rules on SQL or on the table as a whole.
        failed: Rows that fail; None for a rule on the table as a whole.
        failing_rows_sql: SELECT of the failing rows' ``_row_id``; None for a rule on the table as a whole, or where the
            table has no such column.
    """

    rule: str
    type: str
    severity: Severity
    success: bool
    rows: int
    failed: int | None
    failing_rows_sql: str | None


def batch_columns(contract: Contract) -> dict[str, str]:
    """Column name to SQL type of the table that a feed's suite judges: the contract's, and where a row is from."""
    return {column.name: column.sql_type for column in contract.columns} | BATCH_COLUMNS


def views(feed: str) -> tuple[str, str]:
    """Names of the views of a feed that the SQL of rules may read: the row in force per key, and every row."""
    return f"feed_{feed}", f"known_{feed}"
