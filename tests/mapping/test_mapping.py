"""What the mapping makes of the values that a select gives."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dealermart import mapping, readers
from dealermart.base import BalanceError, Settings
from dealermart.config import FileSpec, load_contracts

SPACES = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs"]


def test_values_that_a_select_cuts_out_are_trimmed_of_every_space(settings: Settings) -> None:
    """Readers clean what stands in a file; what a select makes of it can begin and end with any space of Unicode."""
    contract = load_contracts(settings)["products"]
    spec = FileSpec(name="file", feed="products", map="products.sql", pattern="*", format="csv")
    texts = [(f"P{number}", f"{space}a{space}b{space}", space * 2) for number, space in enumerate(SPACES)]
    texts += [("P98", "ab", "泵"), ("P99", "", "é ")]
    with duckdb.connect() as con:
        con.execute(
            "create table file (code varchar, name varchar, category varchar, _delivery_id varchar, _row_number bigint)"
        )
        con.executemany("insert into file values (?, ?, ?, 'd', ?)", [(*one, row) for row, one in enumerate(texts)])
        sql = """
            select _delivery_id, _row_number, code as product_id, '2026-01-01' as valid_from,
                name || '' as product_name, substr(category, 1) as category
            from file
        """
        mapping.map_rows(con, Path("products.sql"), sql, spec, contract, "mapped")
        found = con.execute("select product_id, product_name, category from mapped order by _row_number").fetchall()
    expected = [(code, name.strip() or None, category.strip() or None) for code, name, category in texts]
    assert len(SPACES) == 17
    assert found == expected


def _mapped(
    settings: Settings, feed: str, columns: list[str], rows: list[tuple[str | None, ...]], sql: str
) -> list[dict[str, Any]]:
    """The contract's columns that ``sql`` of one delivery ``d`` gives, and the lineage, as rows of ``mapped``."""
    contract = load_contracts(settings)[feed]
    spec = FileSpec(name="file", feed=feed, map="file.sql", pattern="*", format="csv")
    with duckdb.connect() as con:
        con.execute(f"create table file ({', '.join(f'{name} varchar' for name in columns)})")
        con.execute("alter table file add column _delivery_id varchar; alter table file add column _row_number bigint")
        con.executemany(
            f"insert into file values ({', '.join('?' * len(columns))}, 'd', ?)",
            [(*row, number) for number, row in enumerate(rows, 2)],
        )
        mapping.map_rows(con, Path("file.sql"), sql, spec, contract, "mapped", {"d": readers.Counts(len(rows), 0, 0)})
        names = [name for name, *_ in con.execute("describe mapped").fetchall()]
        return [
            dict(zip(names, row, strict=True)) for row in con.execute("from mapped order by _row_number").fetchall()
        ]


def test_a_text_that_all_rows_have_in_common_is_not_said_of_deletions(settings: Settings) -> None:
    found = _mapped(
        settings,
        "products",
        ["code", "state"],
        [("P1", "kept"), ("P2", "void")],
        """
        select _delivery_id, _row_number, code as product_id, '2026-01-01' as valid_from, ' pump ' as product_name,
            '' as category, state = 'void' as _is_deleted
        from file
        """,
    )
    assert [(one["product_id"], one["product_name"], one["category"], one["_is_deleted"]) for one in found] == [
        ("P1", "pump", None, False),
        ("P2", None, None, True),
    ]


def test_a_text_that_all_rows_have_in_common_is_trimmed_and_nothing_is_null(settings: Settings) -> None:
    found = _mapped(
        settings,
        "products",
        ["code"],
        [("P1",), ("P2",)],
        """
        select _delivery_id, _row_number, code as product_id, '2026-01-01' as valid_from, ' pump ' as product_name,
            '' as category
        from file
        """,
    )
    for one, (code, row) in zip(found, [("P1", 2), ("P2", 3)], strict=True):
        assert (one["product_id"], one["product_name"], one["category"]) == (code, "pump", None)
        assert (one["_delivery_id"], one["_row_number"], one["_row_part"], one["_place"]) == ("d", row, 1, row - 2)
        assert one["_reject_reason"] is None
        assert one["_structural"] is None
        assert not one["_is_deleted"]


def test_a_column_that_takes_what_another_of_the_select_made_is_trimmed(settings: Settings) -> None:
    """``product_name`` is no column of the file: the engine takes the one that the select makes."""
    found = _mapped(
        settings,
        "products",
        ["code"],
        [("P1 pump",)],
        """
        select _delivery_id, _row_number, substr(code, 1, 2) as product_id, '2026-01-01' as valid_from,
            substr(code, 3) as product_name, product_name as category
        from file
        """,
    )
    assert [(one["product_id"], one["product_name"], one["category"]) for one in found] == [("P1", "pump", "pump")]


def test_the_number_of_a_record_can_stand_in_a_column(settings: Settings) -> None:
    found = _mapped(
        settings,
        "products",
        ["code"],
        [("P1",), ("P2",)],
        """
        select _delivery_id, _row_number, code as product_id, '2026-01-01' as valid_from, _row_number as product_name,
            code as category
        from file
        """,
    )
    assert [(one["product_id"], one["product_name"]) for one in found] == [("P1", "2"), ("P2", "3")]


def test_a_select_that_gives_rows_to_another_delivery_stops_the_run(settings: Settings) -> None:
    sql = """
        select 'other' as _delivery_id, _row_number, code as product_id, '2026-01-01' as valid_from,
            code as product_name, code as category
        from file
    """
    with pytest.raises(BalanceError, match="not the same ones"):
        _mapped(settings, "products", ["code"], [("P1",)], sql)


PRODUCT = """
    select _delivery_id, _row_number, code as product_id, '2026-01-01' as valid_from, name as product_name,
        {category} as category, price as list_price_amount
    from file
"""


def _products(
    settings: Settings, rows: list[tuple[str | None, ...]], category: str = "'pumps'"
) -> list[dict[str, Any]]:
    return _mapped(settings, "products", ["code", "name", "price"], rows, PRODUCT.format(category=category))


def test_signs_in_a_key_are_ascii_and_all_seen_and_names_stay(settings: Settings) -> None:
    found = _products(
        settings, [("Ｐ\u200c１", "ＰＵＭＰ\u200cＡ", "5"), ("Ⅷ㎏", "（x）", "6"), ("Ｄ\u3000－１", "y", "7")]
    )
    assert [(one["product_id"], one["product_name"]) for one in found] == [
        ("P1", "ＰＵＭＰ\u200cＡ"),
        ("Ⅷ㎏", "（x）"),
        ("D -1", "y"),
    ]


def test_a_key_that_a_spreadsheet_shortened_is_rejected_and_an_amount_is_not(settings: Settings) -> None:
    found = _products(
        settings,
        [("4.50001E+11", "a", "4.5E+3"), ("1,5e+8", "b", "1"), ("1E5", "4.5E+11", "2"), ("E+5", "c", "1E+2")],
    )
    said = f"product_id: {readers.SHORTENED}"
    assert [one["_reject_reason"] for one in found] == [said, said, None, None]
    assert [one["list_price_amount"] for one in found] == [4500, 1, 2, 100]


def test_na_is_a_text_and_no_number(settings: Settings) -> None:
    found = _products(settings, [("NA", "NA", "NA"), ("P2", "b", "NB")], category="name")
    assert [(one["product_id"], one["category"], one["list_price_amount"], one["_reject_reason"]) for one in found] == [
        ("NA", "NA", None, None),
        ("P2", "b", None, "list_price_amount is not a decimal"),
    ]
