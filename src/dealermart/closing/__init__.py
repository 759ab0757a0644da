"""Closing a period: gates, the frozen folder, and what payroll is given of it.

What is frozen by kind is data (``frozen/kinds.yml``); a new condition of closing is a gate here.
"""

from dealermart.closing.draft import frozen_views
from dealermart.closing.gates import PASSED, SHUT, WAIVABLE, Gate, lock_hash, log_hash
from dealermart.closing.payroll import Payroll, payroll
from dealermart.closing.run import Asked, Closed, asked_of, close, examine

__all__ = [
    "PASSED",
    "SHUT",
    "WAIVABLE",
    "Asked",
    "Closed",
    "Gate",
    "Payroll",
    "asked_of",
    "close",
    "examine",
    "frozen_views",
    "lock_hash",
    "log_hash",
    "payroll",
]
