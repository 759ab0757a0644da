"""Closing a period: gates, the frozen folder, and what payroll is given of it.

What is frozen by kind is data (``frozen/kinds.yml``); a new condition of closing is a gate here.
"""

from dealermart.closing.draft import frozen_views
from dealermart.closing.gates import Gate, log_hash
from dealermart.closing.payroll import Payroll, payroll
from dealermart.closing.run import Asked, Closed, close, examine

__all__ = [
    "Asked",
    "Closed",
    "Gate",
    "Payroll",
    "close",
    "examine",
    "frozen_views",
    "log_hash",
    "payroll",
]
