"""Foreign bytes become a table of raw text, and every record of them is accounted for.

All that opens what somebody else wrote lives here: archives, workbooks, text, JSON, Parquet. A new format is a module
and a line in ``files``. Nothing here knows a feed or judges a value.
"""

from dealermart.readers.archives import (
    UNREADABLE,
    Member,
    decoded,
    is_workbook,
    name_inside,
    names_inside,
    packing,
    unpack,
    unpack_entry,
)
from dealermart.readers.columns import is_code, named
from dealermart.readers.damage import SHORTENED, SUSPECT, reason, shortened_sql
from dealermart.readers.files import File, read_all
from dealermart.readers.second import Lost, Seen, header_key, second_reading
from dealermart.readers.table import Counts, code_sql, drop, rows, shape
from dealermart.readers.workbooks import check_workbook

__all__ = [
    "SHORTENED",
    "SUSPECT",
    "UNREADABLE",
    "Counts",
    "File",
    "Lost",
    "Member",
    "Seen",
    "check_workbook",
    "code_sql",
    "decoded",
    "drop",
    "header_key",
    "is_code",
    "is_workbook",
    "name_inside",
    "named",
    "names_inside",
    "packing",
    "read_all",
    "reason",
    "rows",
    "second_reading",
    "shape",
    "shortened_sql",
    "unpack",
    "unpack_entry",
]
