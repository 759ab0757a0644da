"""What is run now and then on the whole house: rebuild, compact, erase, doctor.

Each works under the lock and becomes visible by one commit or not at all.
"""

from dealermart.upkeep.compaction import compact
from dealermart.upkeep.doctor import FAIL, OK, TODO, examine
from dealermart.upkeep.erasure import EraseResult, Wanted, erase, erase_by_retention, renew
from dealermart.upkeep.replay import rebuild

__all__ = [
    "FAIL",
    "OK",
    "TODO",
    "EraseResult",
    "Wanted",
    "compact",
    "erase",
    "erase_by_retention",
    "examine",
    "rebuild",
    "renew",
]
