"""What should have come and did not: said with every run, and an error where the profile says ``required``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from dealermart.base import DataError
from dealermart.config import Profile
from dealermart.lake import FileResult, Log


def undelivered(profile: Profile, log: Log, received: dt.date, results: Iterable[FileResult]) -> list[str]:
    """Names of the entries of which no file came on the day, earlier runs of it included.

    None where nothing came in this run, or only corrected rows of earlier deliveries, which need nothing beside them.
    """
    names = [spec.name for spec in profile.files]
    came = {result.entry for result in results}
    if not came & set(names):
        return []
    came |= {delivery.get("entry") for delivery in _of(profile, log) if delivery["received"] == received.isoformat()}
    return [name for name in names if name not in came]


def late(profile: Profile, log: Log, received: dt.date, lacking: Iterable[str]) -> dict[str, str]:
    """Entries of which no file came for longer than their ``expected_days``, with the words that say so.

    Days are counted from the entry's last delivery, or from the source's first one where none ever came.

    Args:
        lacking: Names of the entries of which nothing came on the day.
    """
    days = [(delivery["received"], delivery.get("entry")) for delivery in _of(profile, log)]
    days = [(day, entry) for day, entry in days if day <= received.isoformat()]
    found = {}
    for spec in profile.files:
        last, expected = max((day for day, entry in days if entry == spec.name), default=None), spec.silence_days
        since = last or min((day for day, _ in days), default=received.isoformat())
        passed = (received - dt.date.fromisoformat(since)).days
        if spec.name in lacking and expected is not None and passed > expected:
            came = f"last came on {last}" if last else "never came"
            every = "every day" if expected == 1 else f"every {expected} days"
            found[spec.name] = f"{spec.name} ({spec.pattern}) is late: it {came}, and is expected {every}"
    return found


def last_received(profile: Profile, log: Log, entry: str) -> str | None:
    """The day (ISO) on which a file of the entry was received last."""
    return max((file["received"] for file in _of(profile, log) if file.get("entry") == entry), default=None)


def missing(what: str, where: str) -> DataError:
    """That a required file did not come."""
    return DataError(
        f"a required file is missing: {what}",
        where=where,
        mend="put it there, or mark the entry required: false in the source's profile",
    )


def _of(profile: Profile, log: Log) -> list[dict[str, Any]]:
    """Deliveries of the source that were taken, now or before: a source that repeats itself is not silent."""
    return [
        delivery
        for delivery in log.deliveries()
        if delivery["source"] == profile.source and delivery["status"] in ("accepted", "duplicate")
    ]
