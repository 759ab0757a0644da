"""A delivery's way: land, read, map, judge, commit; and the rows that wait or were held back.

``partition`` leads one delivery, ``source`` reads and maps its files, ``gate`` judges a feed's table and writes what
passes, ``waiting`` moves rows out of the quarantine. A rebuild repeats ``batch`` and decides nothing anew.
"""

from dealermart.ingest.batch import process
from dealermart.ingest.choice import Choice, listing, rows, states
from dealermart.ingest.count import VERDICT
from dealermart.ingest.expected import last_received, late
from dealermart.ingest.export import export
from dealermart.ingest.job import Batch, Eraser, Folders, Job
from dealermart.ingest.judge import Judge, Rejects
from dealermart.ingest.overrides import Override
from dealermart.ingest.partition import run
from dealermart.ingest.release import reject, release
from dealermart.ingest.verify import Verified, Verifier, raise_for_differences
from dealermart.ingest.waiting import repeat

__all__ = [
    "VERDICT",
    "Batch",
    "Choice",
    "Eraser",
    "Folders",
    "Job",
    "Judge",
    "Override",
    "Rejects",
    "Verified",
    "Verifier",
    "export",
    "last_received",
    "late",
    "listing",
    "process",
    "raise_for_differences",
    "reject",
    "release",
    "repeat",
    "rows",
    "run",
    "states",
]
