"""What became of a delivery, and what a statement follows from, as pages that people read offline.

Pages on deliveries are made from the log and can be made again: figures without HTML are in ``findings``, pages in
``pages`` and ``templates``, the view of Great Expectations itself in ``rules``. A statement is told in ``statement``,
its phrases are in ``statement_words``.
"""

from dealermart.report.pages import after_ingest, run
from dealermart.report.statement import (
    Block,
    Facts,
    Heading,
    Note,
    Table,
    Words,
    statement_blocks,
    statement_page,
)

__all__ = [
    "Block",
    "Facts",
    "Heading",
    "Note",
    "Table",
    "Words",
    "after_ingest",
    "run",
    "statement_blocks",
    "statement_page",
]
