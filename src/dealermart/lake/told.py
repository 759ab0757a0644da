"""What deliveries tell of a feed besides their rows: when they were received, and what is withheld."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Receipt:
    """That a source delivered a file on a day: at first, or once more with the same content.

    Attributes:
        entry: Which of the source's kinds of file it is; None in logs that did not keep it.
        delivery: append, delta or snapshot, as contract and profile said when it came.
        is_repeat: Whether the content was taken before.
    """

    source: str
    delivery_id: str
    entry: str | None
    delivery: str | None
    received: str
    is_repeat: bool

    @property
    def id(self) -> tuple[str, str]:
        return self.source, self.delivery_id


@dataclass(frozen=True)
class KnownReceipts:
    """What deliveries tell of a feed besides their rows.

    Attributes:
        receipts: Every receipt of a delivery that was taken, in any order.
        withheld: Files with the keys of snapshots' rows that are in quarantine: such a key is there all the same.
    """

    receipts: tuple[Receipt, ...] = ()
    withheld: tuple[Path, ...] = ()

    @property
    def snapshots(self) -> list[Receipt]:
        return [one for one in self.receipts if one.delivery == "snapshot"]

    @property
    def received(self) -> dict[tuple[str, str], str]:
        """The received date that counts, by source and delivery.

        It is the earliest, because the same content again changes nothing; of a snapshot it is the latest, because a
        snapshot says what there is on its day.
        """
        whole = {one.id for one in self.snapshots}
        found: dict[tuple[str, str], str] = {}
        for one in self.receipts:
            if one.delivery == "snapshot" or one.id not in whole:
                best = max if one.id in whole else min
                found[one.id] = best(found.get(one.id, one.received), one.received)
        return found

    def changes(self, before: KnownReceipts) -> set[tuple[str, str]]:
        """Source and delivery of rows that can count otherwise than ``before``, although they lay in the lake then."""
        known = {(one.source, one.entry, one.received, one.delivery_id) for one in before.snapshots}
        kinds = {
            (one.source, one.entry)
            for one in self.snapshots
            if (one.source, one.entry, one.received, one.delivery_id) not in known
        }
        then, lain = before.received, {one.id for one in before.receipts}
        moved = {key for key, day in self.received.items() if key in then and then[key] != day}
        return moved | {one.id for one in self.receipts if (one.source, one.entry) in kinds and one.id in lain}


def receipts_of(deliveries: Sequence[dict[str, Any]]) -> tuple[Receipt, ...]:
    """The receipts among the deliveries of one feed as the log keeps them: of what was accepted, and of its repeats."""
    taken = {(one["source"], one["delivery_id"]): one.get("entry") for one in deliveries if one["status"] == "accepted"}
    return tuple(
        Receipt(
            one["source"],
            one["delivery_id"],
            one.get("entry"),
            one.get("delivery"),
            one["received"],
            one["status"] == "duplicate",
        )
        for one in deliveries
        # Content that comes as another kind of file than it was taken for says nothing about either.
        if one["status"] in ("accepted", "duplicate")
        and taken.get((one["source"], one["delivery_id"]), "") == one.get("entry")
    )


def withheld(feed: str) -> str:
    """Under which name the log lists the keys of snapshots' rows that are in quarantine."""
    return f"{feed}#withheld"
