"""What a quarter's reviews become for people: the workbook for HR, a pack per person, a pack per team.

All of it is made from a published copy, never from the warehouse: ``tables`` reads the copy, ``quarter`` gathers a
quarter's rows, ``sheets`` and ``workbook`` make the workbook by ``book``, ``pack`` and ``charts`` the pages. Words are
in ``words`` and ``labels``, both languages side by side; who may read a file is decided in ``places``.
"""

from dealermart.review.packing import Packed, Packs, pack
from dealermart.review.pulling import Pulled, pull
from dealermart.review.workbook import Wanted

__all__ = ["Packed", "Packs", "Pulled", "Wanted", "pack", "pull"]
