"""Modules and fields of a Zoho tenant, and how their values look in JSON and in bulk CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from zlib import crc32

from tests.crm_sim.store import Row, Table

JSON_TYPE = {
    "integer": "integer", "double": "double", "currency": "double", "percent": "double", "boolean": "boolean",
    "lookup": "jsonobject", "ownerlookup": "jsonobject", "userlookup": "jsonobject", "RRULE": "jsonobject",
    "multiselectpicklist": "jsonarray", "tags": "jsonarray", "subform": "jsonarray", "multiselectlookup": "jsonarray",
    "multiuserlookup": "jsonarray", "fileupload": "jsonarray",
}  # fmt: skip
SINGLE_ONLY = {"subform", "multiselectlookup", "multiuserlookup", "fileupload"}  # by GET of the record alone
RICH_TEXT = 500  # characters of a rich text in a list


@dataclass(frozen=True)
class Field:
    """A field: API name, data type, and for a lookup the module it points to (empty: several)."""

    name: str
    data_type: str = "text"
    lookup: str = ""
    pick: tuple[str, ...] = ()
    custom: bool = False
    rich: bool = False
    coql: bool = True
    bulk: bool = True


@dataclass(frozen=True)
class Module:
    """A module with its fields by API name.

    Attributes:
        refuses: Code of the error that reading it gives, as for modules that are listed but cannot be read.
        named: The field that stands for a record in lookups.
        related: Related list -> (module of its rows, their lookup to this one).
    """

    name: str
    fields: dict[str, Field]
    named: str = "Name"
    generated_type: str = "default"
    refuses: str = ""
    related: dict[str, tuple[str, str]] = field(default_factory=dict)
    table: Table = field(default_factory=Table, compare=False)

    @property
    def modified(self) -> bool:
        return "Modified_Time" in self.fields


def module(name: str, fields: Iterable[Field], *, system: bool = True, **more: Any) -> Module:
    """A module with the system fields that nearly all have."""
    common = [Field("id", "bigint")]
    if system:
        common += [
            Field("Owner", "ownerlookup"), Field("Created_By", "userlookup"), Field("Modified_By", "userlookup"),
            Field("Created_Time", "datetime"), Field("Modified_Time", "datetime"), Field("Tag", "tags"),
        ]  # fmt: skip
    return Module(name, {f.name: f for f in [*common, *fields]}, **more)


@dataclass
class Render:
    """Writes values as the API does.

    Attributes:
        zone: Zone of the user who asks.
        name_of: Module and id -> name of that record, if there is one.
        user_of: Id of a user -> name and e-mail.
    """

    zone: tzinfo
    name_of: Callable[[str, str], str | None]
    user_of: Callable[[str], tuple[str, str] | None]

    def moment(self, value: datetime) -> str:
        return value.astimezone(self.zone).isoformat(timespec="seconds")

    def json(self, f: Field, value: Any, *, whole: bool = False) -> Any:
        """A value in lists and, if ``whole``, in the reply for a single record."""
        if value is None:
            return [] if f.data_type == "tags" else None
        if f.data_type == "datetime":
            return self.moment(value)
        if f.data_type in ("ownerlookup", "userlookup"):
            name, email = self.user_of(value) or (None, None)
            return {"name": name, "id": value, **({"email": email} if f.data_type == "ownerlookup" else {})}
        if f.data_type == "lookup":
            return {"name": self.name_of(f.lookup, value), "id": value}
        if f.data_type == "tags":
            return [
                {"name": name, "id": f"{4_000_000 + crc32(name.encode()) % 1000}", "color_code": None} for name in value
            ]
        if f.rich and not whole:
            return value[:RICH_TEXT]
        return value

    def csv(self, f: Field, value: Any) -> str:
        """A value in a bulk file: lookups flattened to ids, several values joined by commas."""
        if value is None:
            return ""
        if f.data_type == "datetime":
            return self.moment(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            return ",".join(map(str, value))
        return str(value)

    def record(self, kind: Module, row: Row, names: Iterable[str], *, whole: bool = False) -> dict[str, Any]:
        """A record with the named fields (unknown ones are left out) and its id."""
        shown = {"id": row.id}
        for name in names:
            f = kind.fields.get(name)
            if f is None or (f.data_type in SINGLE_ONLY and not whole):
                continue
            shown[name] = row.id if name == "id" else self.json(f, row.values.get(name), whole=whole)
        return shown


def stored(f: Field, value: Any) -> Any:
    """A value as it is kept: moments aware and in whole seconds, as the product keeps them."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{f.name}: a moment without a zone")
        return value.astimezone(UTC).replace(microsecond=0)
    return value


def comparable(f: Field, text: Any) -> Any:
    """A literal of a query as a value to compare with.

    Raises:
        ValueError: It does not fit the field's type.
    """
    if text is None:
        return None
    if f.data_type in ("datetime",):
        moment = datetime.fromisoformat(str(text))
        if moment.tzinfo is None:
            raise ValueError("a datetime needs its offset")
        return moment.astimezone(UTC)
    if f.name == "id" or f.data_type in ("bigint", "lookup", "ownerlookup", "userlookup"):
        return int(text)
    if f.data_type in ("integer", "double", "currency", "percent"):
        return float(text)
    if f.data_type == "boolean":
        if str(text).lower() not in ("true", "false"):
            raise ValueError("a boolean is true or false")
        return str(text).lower() == "true"
    return str(text)


def compared(f: Field, row: Row) -> Any:
    """A record's value in the form of `comparable`; None if it is empty."""
    value = row.id if f.name == "id" else row.values.get(f.name)
    if value is None:
        return None
    if f.name == "id" or f.data_type in ("bigint", "lookup", "ownerlookup", "userlookup"):
        return int(value)
    if f.data_type in ("integer", "double", "currency", "percent"):
        return float(value)
    return value
