"""The dictionary: every published table and column, with type, audience and meaning in two languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dealermart.site.words import Words


@dataclass(frozen=True)
class Field:
    """A published column. ``chinese`` is empty where a word for it is missing; ``pii`` where nothing is said."""

    name: str
    type: str
    english: str
    chinese: str
    audience: tuple[str, ...]
    pii: str = ""


@dataclass(frozen=True)
class Table:
    """A published table. ``reads`` names the models and sources that it is built from, ``used_by`` its exposures."""

    name: str
    folder: str
    english: str
    grain: str
    chinese: str
    audience: tuple[str, ...]
    fields: tuple[Field, ...]
    reads: tuple[str, ...]
    used_by: tuple[str, ...]


def tables_of(manifest: dict[str, Any], words: Words) -> list[Table]:
    """Every mart that some audience reads, by folder and name."""
    used: dict[str, list[str]] = {}
    for exposure in manifest["exposures"].values():
        for node_id in exposure["depends_on"]["nodes"]:
            used.setdefault(node_id, []).append(exposure["label"] or exposure["name"])
    tables = []
    for node_id, node in manifest["nodes"].items():
        audience = _audience(node)
        if node["resource_type"] != "model" or not audience:
            continue
        text = " ".join(node["description"].split())
        grain = re.search(r"Grain: (.*?)(?:\.(?: |$)|$)", text)
        reads = sorted(other.split(".")[-1] for other in node["depends_on"]["nodes"])
        tables.append(
            Table(
                node["alias"],
                node["fqn"][-2],
                text.replace(grain[0], "").strip() if grain else text,
                grain[1] if grain else "",
                words.table(node["alias"]) or "",
                audience,
                tuple(_field(column, node["alias"], audience, words) for column in node["columns"].values()),
                tuple(reads),
                tuple(sorted(used.get(node_id, ()))),
            )
        )
    return sorted(tables, key=lambda table: (table.folder, table.name))


def lacking(tables: list[Table]) -> list[str]:
    """What of the dictionary is missing: a description, or the Chinese, of a table or column."""
    found = []
    for table in tables:
        found += [f"{table.name}: no {what}" for what in ("english", "chinese") if not getattr(table, what)]
        for field in table.fields:
            named = f"{table.name}.{field.name}"
            found += [f"{named}: no {what}" for what in ("english", "chinese") if not getattr(field, what)]
    return found


def _meta(part: dict[str, Any]) -> dict[str, Any]:
    return {**(part.get("meta") or {}), **((part.get("config") or {}).get("meta") or {})}


def _audience(node: dict[str, Any]) -> tuple[str, ...]:
    return tuple(_meta(node).get("audience") or ()) if node["resource_type"] == "model" else ()


def _field(column: dict[str, Any], table: str, audience: tuple[str, ...], words: Words) -> Field:
    meta = _meta(column)
    readers = tuple(meta.get("audience") or (("hr",) if meta.get("hr_only") else audience))
    english = " ".join(column["description"].split())
    chinese = words.column(column["name"], table) or ""
    return Field(column["name"], column["data_type"] or "", english, chinese, readers, str(meta.get("pii") or ""))
