"""The lake and its log: commits, rows, the ledger, the quarantine and the decisions on it.

The log is the manifest of the lake and the decision log in one; whoever writes goes through ``commit``, whoever reads
goes through ``Log`` and the SQL of ``rows``. A change of what a commit holds must read the commits of yesterday.
"""

from dealermart.lake.beside import keep
from dealermart.lake.decisions import (
    DECISION_COLUMNS,
    ROW_KEY,
    decision_sql,
    find_states,
    keep_decisions,
    load_held,
    mapped_sql,
)
from dealermart.lake.ledger import LEDGER, FileResult
from dealermart.lake.log import COMPACT, ERASE, Log, commit, content_of, missing_files, nothing_yet, read, stray_files
from dealermart.lake.quarantine import Quarantine
from dealermart.lake.recovery import plan, recover
from dealermart.lake.refused import open_refusals
from dealermart.lake.rows import current_sql, rows_sql
from dealermart.lake.told import KnownReceipts, Receipt, receipts_of, withheld

__all__ = [
    "COMPACT",
    "DECISION_COLUMNS",
    "ERASE",
    "LEDGER",
    "ROW_KEY",
    "FileResult",
    "KnownReceipts",
    "Log",
    "Quarantine",
    "Receipt",
    "commit",
    "content_of",
    "current_sql",
    "decision_sql",
    "find_states",
    "keep",
    "keep_decisions",
    "load_held",
    "mapped_sql",
    "missing_files",
    "nothing_yet",
    "open_refusals",
    "plan",
    "read",
    "receipts_of",
    "recover",
    "rows_sql",
    "stray_files",
    "withheld",
]
