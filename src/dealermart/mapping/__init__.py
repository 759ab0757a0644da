"""A source's select turns raw text into a feed's typed rows. It judges nothing and loses nothing.

What a select may do is in ``select``, the forms of dates and numbers that people use in ``casts``, the balance of rows
in ``rows``.
"""

from dealermart.mapping.casts import cast_sql, is_of_dates
from dealermart.mapping.rows import map_rows, row_hash
from dealermart.mapping.select import check_select, check_single_rows

__all__ = [
    "cast_sql",
    "check_select",
    "check_single_rows",
    "is_of_dates",
    "map_rows",
    "row_hash",
]
