"""The ledger: what became of every delivered file, with both balances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dealermart.base import BalanceError

LEDGER = {
    "delivery_id": "varchar",
    "source": "varchar",
    "source_file": "varchar",
    "feed": "varchar",
    "received_date": "date",
    "ingested_at": "timestamp",
    "status": "varchar",
    "records": "bigint",
    "structural": "bigint",
    "rejected": "bigint",
    "mapped": "bigint",
    "accepted": "bigint",
    "quarantined": "bigint",
    "duplicate": "bigint",
}

_COUNTS = ("records", "structural", "rejected", "mapped", "accepted", "quarantined", "duplicate")


def balanced(delivery: Mapping[str, Any]) -> bool:
    """Whether both balances of a file hold, as the log or the run says them; one that was not read has none."""
    if delivery.get("records") is None:
        return True
    counts = {name: delivery.get(name) or 0 for name in _COUNTS}
    taken = counts["accepted"] + counts["quarantined"] + counts["duplicate"]
    return bool(
        counts["records"] == counts["mapped"] + counts["structural"] + counts["rejected"] and counts["mapped"] == taken
    )


@dataclass
class FileResult:
    """What became of one delivered file. Counts are rows after unpivoting, None where the file could not be read.

    Attributes:
        feed: Feed, or ``source.name`` of a reference.
        status: accepted, duplicate (its content was taken before), refused or unrecognised; taken_up or released where
            rows of an earlier delivery left the quarantine: counts are then what changed, and add up all the same.
        entry: The kind of file in the source's profile, by name.
        delivery: What the file holds, as contract and profile said when it came: append, delta or snapshot.
        apart: Structural rows that the select sets apart, by its reason.
        seen: What its columns hold, by column: values, how many were tried, numbers and dates among these.
        drift: What differs from the deliveries before and was taken all the same, and what was taken as missing: rule,
            column, text.
        overridden: Rules that would have refused it, had nobody decided otherwise.
        anew: Whether a duplicate tells something new by the day on which it came.
        faults: What is in quarantine: stage, rule, reason, rows, first_row.
        latest_event: The latest day that an accepted row is about, days after the receipt left aside (ISO).
        encoding: How a text file was read.
        confidence: Percent, where the encoding was detected and not stated.
        profile_hash: Of the profile by which rows in quarantine were mapped again; that of a file stands in its commit.
        held: Of a duplicate, how many of its rows are in quarantine or were rejected.
        notes: What is in the file and was not read, in words.
    """

    file: str
    delivery_id: str
    feed: str | None
    status: str
    records: int | None = None
    structural: int | None = None
    rejected: int | None = None
    mapped: int | None = None
    accepted: int | None = None
    quarantined: int | None = None
    duplicate: int | None = None
    error: str | None = None
    received: str = ""
    entry: str | None = None
    delivery: str | None = None
    apart: dict[str, int] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, list[int]] = field(default_factory=dict)
    drift: list[dict[str, str]] = field(default_factory=list)
    overridden: list[str] = field(default_factory=list)
    anew: bool = False
    latest_event: str | None = None
    encoding: str | None = None
    confidence: int | None = None
    profile_hash: str | None = None
    held: int = 0
    notes: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Both balances of a file that was read.

        Raises:
            BalanceError: a row is missing or counted twice.
        """
        if not balanced(vars(self)):
            counts = ", ".join(f"{name} {getattr(self, name)}" for name in _COUNTS)
            raise BalanceError(
                f"the rows of the file do not add up: {counts}",
                where=self.file,
                mend="report this as a fault of the program; nothing was committed",
            )
