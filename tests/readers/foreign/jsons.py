"""JSON as services, databases and search engines export it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.readers.foreign.case import COLUMNS, HEAD, Case, numbered, three


def dicts(mark: str) -> list[dict[str, Any]]:
    return [
        {"Code": f"{mark}1", "Name": "Alpha", "From": "2026-01-01", "Limit": 100, "City": "Wien"},
        {"Code": f"{mark}2", "Name": "Beta & Sons", "From": "2026-01-02", "Limit": 2.5, "City": "Wien"},
        {"Code": f"{mark}3", "Name": "Gamma", "From": "2026-01-03", "Limit": None, "City": "Wien"},
    ]


def lines(items: Iterable[dict[str, Any]], end: str = "\n") -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + end for item in items)


def named(prefix: str) -> dict[str, Any]:
    return {"aliases": {name: [f"{prefix}.{text}"] for name, text in zip(COLUMNS, HEAD, strict=True)}}


def cases() -> Iterable[Case]:
    for number, encoding in enumerate(("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "gb18030")):
        mark = f"HA{number}"
        yield Case(
            f"list_{encoding}".replace("-", "_"),
            json.dumps(dicts(mark), ensure_ascii=False, indent=2).encode(encoding),
            numbered(three(mark), 1),
            format="json",
            spec={"encoding": encoding},
        )
    yield Case("list_escaped", json.dumps([{"Code": "HB1", "Name": "上海 🚲 é\u2028", "From": "2026-01-01"}]).encode(), [(1, "HB1", "上海 🚲 é", "2026-01-01", None, None)], format="json")  # fmt: skip
    found = {"took": 3, "hits": {"total": {"value": 3}, "hits": [{"_id": str(n), "_source": item} for n, item in enumerate(dicts("HC"))]}}  # fmt: skip
    yield Case(
        "search_engine",
        json.dumps(found).encode(),
        [(*row, str(n)) for n, row in enumerate(numbered(three("HC"), 1))],
        format="json",
        spec={"records": "hits.hits", **named("_source")},
        columns=(*COLUMNS, "_id"),
    )
    places = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [16.5, 48.25]}, "properties": item} for item in dicts("HD")]}  # fmt: skip
    yield Case(
        "places_on_a_map",
        json.dumps(places).encode(),
        [(*row, "Feature", "Point", "[16.5, 48.25]") for row in numbered(three("HD"), 1)],
        format="json",
        spec={"records": "features", **named("properties")},
        columns=(*COLUMNS, "type", "geometry.type", "geometry.coordinates"),
    )
    yield Case(
        "document_store",
        b'{"_id": {"$oid": "65a1"}, "Code": "HE1", "Name": "A", "From": {"$date": "2026-01-01"}, "Limit": {"$numberDecimal": "1234.50"}, "City": "x"}\n'
        b'{"_id": {"$oid": "65a2"}, "Code": "HE2", "Name": "B", "From": {"$date": "2026-01-02"}, "Limit": {"$numberDecimal": "0.10"}, "City": null}\n',
        [(1, "HE1", "A", "2026-01-01", "1234.50", "x", "65a1"), (2, "HE2", "B", "2026-01-02", "0.10", None, "65a2")],
        format="jsonl",
        spec={
            "aliases": {
                "dealer_id": ["Code"],
                "dealer_name": ["Name"],
                "valid_from": ["From.$date"],
                "credit_limit_amount": ["Limit.$numberDecimal"],
                "city": ["City"],
            }
        },
        columns=(*COLUMNS, "_id.$oid"),
    )
    yield Case(
        "numbers_beyond_doubles",
        b'[{"Code": 9007199254740993, "Name": "A", "From": "2026-01-01", "Limit": 12345678901234.5678, "City": 0.1},'
        b' {"Code": 12345678901234567890123, "Name": "B", "From": "2026-01-02", "Limit": 1.10, "City": true}]',
        [
            (1, "9007199254740993", "A", "2026-01-01", "12345678901234.5678", "0.1"),
            (2, "12345678901234567890123", "B", "2026-01-02", "1.10", "true"),
        ],
        format="json",
    )
    yield Case(
        "numbers_that_are_none",
        (
            lines(dicts("HF"))
            + '{"Code": "HF4", "Name": "A", "From": "2026-01-01", "Limit": NaN}\n{"Code": "HF5", "Name": "A", "From": "2026-01-01", "Limit": -Infinity}\n'
        ).encode(),
        numbered(three("HF"), 1),
        unmapped={4: "", 5: ""},
        format="jsonl",
        is_raw=False,
    )
    yield Case("numbers_that_are_none_in_a_list", json.dumps([*dicts("HG"), {"Code": "HG4", "Name": "A", "From": "2026-01-01", "Limit": float("nan")}]).encode(), numbered(three("HG"), 1), unmapped={4: ""}, format="json", is_raw=False)  # fmt: skip
    yield Case(
        "lines_with_blank_ones",
        ("\ufeff\n" + lines(dicts("HH"), "\r\n\r\n") + "  \n").encode(),
        [(2, *three("HH")[0]), (4, *three("HH")[1]), (6, *three("HH")[2])],
        structural=5,
        format="jsonl",
    )
    yield Case(
        "lines_cut_off",
        (lines(dicts("HI")) + '{"Code": "HI4", "Name": "A", "Fr').encode(),
        numbered(three("HI"), 1),
        rejected={4: "not valid JSON"},
        format="jsonl",
    )
    yield Case(
        "lines_that_hold_something_else",
        (lines(dicts("HJ")) + '["HJ4", "A"]\n{"Code": "HJ5"} {"Code": "HJ6"}\n' + lines(dicts("HK"))).encode(),
        [*numbered(three("HJ"), 1), *numbered(three("HK"), 6)],
        rejected={4: "not a JSON object", 5: "not valid JSON"},
        format="jsonl",
    )
    yield Case("list_cut_off", json.dumps(dicts("HL"))[:-20].encode(), refused="JSON", format="json")
    yield Case(
        "list_elsewhere",
        json.dumps({"items": dicts("HM")}).encode(),
        refused="data",
        format="json",
        spec={"records": "data"},
    )
    yield Case("list_of_nothing", b"[]", refused="no records", format="json")
    for number, (name, keys) in enumerate(
        {
            "nested_and_dotted": '"City": {"x": "a"}, "City.x": "b"',
            "the_same_twice": '"City": "a", "City": "b"',
        }.items()
    ):
        mark = f"HN{number}"
        yield Case(
            f"keys_collide_{name}",
            (lines(dicts(mark)) + f'{{"Code": "{mark}4", "Name": "A", "From": "2026-01-01", {keys}}}\n').encode(),
            numbered(three(mark), 1),
            unmapped={4: ""},
            format="jsonl",
            is_raw=False,
        )
    yield Case(
        "lists_and_objects_in_values",
        b'[{"Code": "HO1", "Name": "A", "From": "2026-01-01", "tags": ["a", {"b": [1, null]}], "more": {"deep": {"er": 1}}, "none": {}, "no": []}]',
        [(1, "HO1", "A", "2026-01-01", None, None, '["a", {"b": [1, null]}]', "1", "[]")],
        format="json",
        columns=(*COLUMNS, "tags", "more.deep.er", "no"),
    )
    yield Case(
        "half_a_pair_of_surrogates",
        (lines(dicts("HP")) + '{"Code": "HP4", "Name": "A\\ud83d", "From": "2026-01-01"}\n').encode(),
        numbered(three("HP"), 1),
        unmapped={4: ""},
        format="jsonl",
        is_raw=False,
    )
    yield Case(
        "damaged_texts",
        (
            lines(dicts("HQ"))
            + '{"Code": "HQ4", "Name": "#REF!", "From": "2026-01-01"}\n{"Code": "4.5E+11", "Name": "A", "From": "2026-01-01"}\n'
        ).encode(),
        numbered(three("HQ"), 1),
        unmapped={4: "", 5: ""},
        format="jsonl",
        is_raw=False,
    )
