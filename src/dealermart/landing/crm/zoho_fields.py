"""Which fields of a Zoho module are asked for, and how moments are written there."""

from __future__ import annotations

import datetime as dt

from dealermart.config import CrmObject


def modified(item: CrmObject) -> str:
    """The field with the time of change."""
    return item.modified or "Modified_Time"


def fields(item: CrmObject) -> list[str]:
    """The fields that are asked for."""
    more = ("Created_Time", item.stage, item.stage_since) if item.stage else ()
    return list(dict.fromkeys(["id", modified(item), *item.fields, *(name for name in more if name)]))


def iso(moment: dt.datetime) -> str:
    """A moment as Zoho takes it, to the second."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
