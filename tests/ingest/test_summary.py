"""What a run says of itself in a scheduler's log: counts, what is wrong, where the report is; no value of the data."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from dealermart.ingest.partition import IngestResult
from dealermart.lake import FileResult

NOTHING = IngestResult("r1", "erp", dt.date(2026, 3, 2), False, ())


def taken(name: str, records: int, accepted: int, **rules: int) -> FileResult:
    """A file with so many records, and so many of them held back by rules."""
    file = FileResult(name, name, "sales", "accepted", records=records, accepted=accepted, structural=0, rejected=0)
    file.quarantined, file.duplicate = sum(rules.values()), records - accepted - sum(rules.values())
    file.faults = [
        {"rule": rule, "rows": rows, "reason": "secret 12345", "first_row": 2} for rule, rows in rules.items()
    ]
    return file


SAID = {
    "nothing came": (NOTHING, ["erp delivered nothing on 2026-03-02"]),
    "all is well": (
        replace(NOTHING, files=(taken("a.csv", 1200, 1200),), report="reports/r1/index.html"),
        ["files: 1 accepted", "rows: 1,200 records, 1,200 accepted", "report: reports/r1/index.html"],
    ),
    "rows are held back": (
        replace(NOTHING, files=(taken("a.csv", 10, 6, late=1, price=2), taken("b.csv", 5, 3, late=2))),
        [
            "files: 2 accepted",
            "rows: 15 records, 9 accepted, 5 quarantined, 1 duplicate",
            "in quarantine: 3 by late",
            "in quarantine: 2 by price",
        ],
    ),
    "files are refused, left, and rows taken up": (
        replace(
            NOTHING,
            files=(FileResult("c.csv", "c", None, "refused", error="secret 12345"),),
            left=("d.csv: written to",),
            taken_up=(taken("old.csv", 4, 3),),
        ),
        [
            "files: 1 refused",
            "rows: none",
            "taken up from quarantine: 4",
            "not taken: c.csv",
            "left for the next run: 1 files",
        ],
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_a_run_says_what_became_of_its_files(case: str) -> None:
    result, lines = SAID[case]
    assert result.summary() == lines
