"""Erase values of a person, or those older than their feed's retention, from all that is kept.

``person`` says who it is and how that is found in SQL, ``tables`` looks at a batch on its way through a rebuild,
``search`` at the files that nobody read, and ``run`` leads it all to one commit.
"""

from dealermart.upkeep.erasure.person import Wanted
from dealermart.upkeep.erasure.run import EraseResult, erase, erase_by_retention, renew

__all__ = ["EraseResult", "Wanted", "erase", "erase_by_retention", "renew"]
