"""What the mapping makes of the values that a select gives."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import duckdb

from dealermart import contracts, mapping
from dealermart.profiles import FileSpec
from dealermart.settings import Settings

SPACES = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Zs"]


def test_values_that_a_select_cuts_out_are_trimmed_of_every_space(settings: Settings) -> None:
    """Readers clean what stands in a file; what a select makes of it can begin and end with any space of Unicode."""
    contract = contracts.load_all(settings)["products"]
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
                name as product_name, category
            from file
        """
        mapping.map_rows(con, Path("products.sql"), sql, spec, contract, "mapped")
        found = con.execute("select product_id, product_name, category from mapped order by _row_number").fetchall()
    expected = [(code, name.strip() or None, category.strip() or None) for code, name, category in texts]
    assert len(SPACES) == 17
    assert found == expected
