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
        return [receipt for receipt in self.receipts if receipt.delivery == "snapshot"]

    @property
    def received(self) -> dict[tuple[str, str], str]:
        """The received date that counts, by source and delivery.

        It is the earliest, because the same content again changes nothing; of a snapshot it is the latest, because a
        snapshot says what there is on its day.
        """
        whole = {receipt.id for receipt in self.snapshots}
        found: dict[tuple[str, str], str] = {}
        for receipt in self.receipts:
            if receipt.delivery == "snapshot" or receipt.id not in whole:
                best = max if receipt.id in whole else min
                found[receipt.id] = best(found.get(receipt.id, receipt.received), receipt.received)
        return found

    def changes(self, before: KnownReceipts) -> set[tuple[str, str]]:
        """Source and delivery of rows that can count otherwise than ``before``, although they lay in the lake then."""
        known = {(receipt.source, receipt.entry, receipt.received, receipt.delivery_id) for receipt in before.snapshots}
        kinds = {
            (receipt.source, receipt.entry)
            for receipt in self.snapshots
            if (receipt.source, receipt.entry, receipt.received, receipt.delivery_id) not in known
        }
        then, lain = before.received, {receipt.id for receipt in before.receipts}
        moved = {key for key, day in self.received.items() if key in then and then[key] != day}
        return moved | {
            receipt.id for receipt in self.receipts if (receipt.source, receipt.entry) in kinds and receipt.id in lain
        }


def receipts_of(deliveries: Sequence[dict[str, Any]]) -> tuple[Receipt, ...]:
    """The receipts among the deliveries of one feed as the log keeps them: of what was accepted, and of its repeats."""
    taken = {
        (delivery["source"], delivery["delivery_id"]): delivery.get("entry")
        for delivery in deliveries
        if delivery["status"] == "accepted"
    }
    return tuple(
        Receipt(
            delivery["source"],
            delivery["delivery_id"],
            delivery.get("entry"),
            delivery.get("delivery"),
            delivery["received"],
            delivery["status"] == "duplicate",
        )
        for delivery in deliveries
        # Content that comes as another kind of file than it was taken for says nothing about either.
        if delivery["status"] in ("accepted", "duplicate")
        and taken.get((delivery["source"], delivery["delivery_id"]), "") == delivery.get("entry")
    )


def withheld(feed: str) -> str:
    """Under which name the log lists the keys of snapshots' rows that are in quarantine."""
    return f"{feed}#withheld"
