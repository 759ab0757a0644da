"""Bytes in: what arrives is fetched, kept unchanged by its hash, and stands ready to be read again.

A new place to fetch from is a class in ``places``. What an erasure left of a file stands beside it (``erased``) and is
read in its place. Nothing here looks into a file further than its kind.
"""

from dealermart.landing.crm import Asked, asked_of, check_crm, crm_entry_of, crm_is_entered
from dealermart.landing.erased import (
    ERASED_HASH,
    ERASED_MARKS,
    ERASED_NAME,
    close_erased,
    erased_folders,
    erased_sql,
    load_erased,
    restore_erased,
)
from dealermart.landing.fetching import fetch, options_of
from dealermart.landing.inbox import Due, came, company_today, due, tell
from dealermart.landing.store import (
    ID_LENGTH,
    Delivery,
    StillChanging,
    another,
    delivered_names,
    find,
    land,
    scan,
    unpacking,
)

__all__ = [
    "ERASED_HASH",
    "ERASED_MARKS",
    "ERASED_NAME",
    "ID_LENGTH",
    "Asked",
    "Delivery",
    "Due",
    "StillChanging",
    "another",
    "asked_of",
    "came",
    "check_crm",
    "close_erased",
    "company_today",
    "crm_entry_of",
    "crm_is_entered",
    "delivered_names",
    "due",
    "erased_folders",
    "erased_sql",
    "fetch",
    "find",
    "land",
    "load_erased",
    "options_of",
    "restore_erased",
    "scan",
    "tell",
    "unpacking",
]
