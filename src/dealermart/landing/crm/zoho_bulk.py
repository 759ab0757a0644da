"""Zoho's bulk read: a job is created, asked after and downloaded as CSV in a zip; its rows become those of the list.

The CSV has a lookup's id where the list has an object, and texts for every value. The rows are written as the list
writes them, so that one select maps both.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import uuid
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from dealermart.base import ConfigError, FetchError
from dealermart.config import CrmObject
from dealermart.landing.crm.records import Page, Row, Window
from dealermart.landing.crm.web import Again, Clock
from dealermart.landing.crm.zoho_fields import fields, iso, modified

PATIENCE = 4 * 3600.0  # seconds for which a job is waited for
_POLLS = (5.0, 10.0, 20.0, 40.0, 60.0)
_ROWS = 2000
_WHERE = "Zoho's bulk read"
_LOOKUPS = frozenset({"lookup", "ownerlookup", "userlookup"})
_NUMBERS = frozenset({"integer", "double", "percent", "currency", "decimal"})
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")


class Api(Protocol):
    """What of the client is used here."""

    clock: Clock
    folder: Path

    def call(self, method: str, path: str, name: str, **more: Any) -> tuple[Any, list[tuple[str, dict[str, Any]]]]:
        """Call the API."""

    def row(self, item: CrmObject, raw: str, record: dict[str, Any]) -> Row:
        """A record as a row."""


def read(zoho: Api, item: CrmObject, window: Window) -> Iterator[Page]:
    """All records of an object that were changed in a window, in no order.

    Raises:
        Refused: bulk read is not for this module or these credentials. FetchError: a job failed or does not end.
    """
    types: dict[str, str] | None = None
    query: dict[str, Any] = {
        "module": {"api_name": item.name},
        "fields": fields(item),
        "criteria": _criteria(item, window),
        "page": 1,
    }
    while True:
        job = _create(zoho, query)
        result = _wait(zoho, job, item.name)
        if types is None:
            types = _types(zoho, item)
        if result.get("count"):
            for rows in _batches(_download(zoho, job, item, types)):
                yield Page(rows, None)
        if not result.get("more_records"):
            return
        token = result.get("next_page_token")
        query = {"page_token": token} if token else {**query, "page": query.get("page", 1) + 1}


def _criteria(item: CrmObject, window: Window) -> dict[str, Any]:
    def bound(comparator: str, moment: Any) -> dict[str, Any]:
        return {"field": {"api_name": modified(item)}, "comparator": comparator, "value": iso(moment)}

    before = bound("less_than", window.hi)
    if window.lo is None:
        return before
    return {"group_operator": "and", "group": [bound("greater_equal", window.lo), before]}


def _create(zoho: Api, query: dict[str, Any]) -> str:
    _, found = zoho.call("POST", "/crm/bulk/v8/read", "bulk create", json={"query": query, "file_type": "csv"})
    return str(found[0][1]["details"]["id"])


def _wait(zoho: Api, job: str, name: str) -> dict[str, Any]:
    until = zoho.clock.now() + PATIENCE
    for pause in itertools.chain(_POLLS, itertools.repeat(_POLLS[-1])):
        zoho.clock.sleep(pause)
        _, found = zoho.call("GET", f"/crm/bulk/v8/read/{job}", "bulk poll")
        state = found[0][1].get("state") if found else None
        if state == "COMPLETED":
            return dict(found[0][1].get("result") or {})
        if state in ("FAILURE", "FAILED") or zoho.clock.now() > until:
            break
    raise FetchError(
        f"{name}: the bulk read {'failed' if state in ('FAILURE', 'FAILED') else 'did not end'}",
        where=_WHERE,
        mend="run it again, or read it by COQL: first_by: query in the profile",
    )


def _types(zoho: Api, item: CrmObject) -> dict[str, str]:
    _, found = zoho.call("GET", "/crm/v8/settings/fields", "fields", params={"module": item.name}, rows=("fields",))
    return {str(field["api_name"]): str(field.get("data_type", "")) for _, field in found}


def _download(zoho: Api, job: str, item: CrmObject, types: dict[str, str]) -> Iterator[Row]:
    path = zoho.folder / f".{uuid.uuid4().hex}.zip"
    try:
        for attempt in range(4):
            zoho.call("GET", f"/crm/bulk/v8/read/{job}/result", "bulk download", into=path, rows=())
            try:
                with zipfile.ZipFile(path) as packed:
                    if packed.testzip() is None:
                        break
            except zipfile.BadZipFile:
                pass
            zoho.clock.sleep(_POLLS[attempt])
        else:
            raise Again(f"{item.name}: the download is cut off each time", where=_WHERE, mend="run it again")
        with zipfile.ZipFile(path) as packed:
            for name in packed.namelist():
                with packed.open(name) as file:
                    yield from _rows(zoho, item, types, io.TextIOWrapper(file, "utf-8-sig", newline=""))
    finally:
        path.unlink(missing_ok=True)


def _rows(zoho: Api, item: CrmObject, types: dict[str, str], text: io.TextIOWrapper) -> Iterator[Row]:
    lines = csv.reader(text)
    header = [name if name != "Id" else "id" for name in next(lines, [])]
    for cells in lines:
        if len(cells) != len(header):
            raise ConfigError(
                f"{item.name}: a line of the bulk read has another number of fields than its header",
                where=_WHERE,
                mend="read it by COQL: first_by: query in the profile",
            )
        written: dict[str, str] = {}
        record: dict[str, Any] = {}
        for name, cell in zip(header, cells, strict=True):
            written[name], record[name] = _value(cell, types.get(name, ""))
        raw = "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in written.items()) + "}"
        yield zoho.row(item, raw, record)


def _value(cell: str, kind: str) -> tuple[str, Any]:
    """A cell as the list writes it, and as a value."""
    if cell == "":
        return "null", None
    if kind in _LOOKUPS:
        return json.dumps({"id": cell}), {"id": cell}
    if kind == "boolean" and cell in ("true", "false"):
        return cell, cell == "true"
    if kind in _NUMBERS and _NUMBER.fullmatch(cell):
        return cell, Decimal(cell)
    if kind == "multiselectpicklist":
        listed = cell.split(",")
        return json.dumps(listed, ensure_ascii=False), listed
    return json.dumps(cell, ensure_ascii=False), cell


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while some := list(itertools.islice(rows, _ROWS)):
        yield some
