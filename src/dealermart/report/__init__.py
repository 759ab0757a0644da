"""What became of a delivery, as pages that people read offline. They are made from the log and can be made again.

Figures without HTML are in ``findings``, pages in ``pages`` and ``templates``, the view of Great Expectations itself in
``rules``.
"""

from dealermart.report.pages import after_ingest, run

__all__ = [
    "after_ingest",
    "run",
]
