"""What is run now and then on the whole house: rebuild, compact, erase, doctor.

Each works under the lock and becomes visible by one commit or not at all.
"""

from dealermart.upkeep.audited import Audit, Difference, audit, latest_closed
from dealermart.upkeep.compaction import compact
from dealermart.upkeep.doctor import FAIL, OK, TODO, examine
from dealermart.upkeep.erasure import EraseResult, Wanted, erase, erase_by_retention, renew
from dealermart.upkeep.replay import rebuild

__all__ = [
    "FAIL",
    "OK",
    "TODO",
    "Audit",
    "Difference",
    "EraseResult",
    "Wanted",
    "audit",
    "compact",
    "erase",
    "erase_by_retention",
    "examine",
    "latest_closed",
    "rebuild",
    "renew",
]
