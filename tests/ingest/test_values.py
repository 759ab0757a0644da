"""Values that a spreadsheet spoilt, signs that nobody sees and words that may be missing, from the file to the lake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb

from dealermart import ingest, lake
from dealermart.base import Settings

PROFILE = """\
source: shops
title: Shops by way of spreadsheets
files:
  - name: names
    pattern: "names.*"
    format: csv
    key: [shop]
  - name: shop_list
    feed: dealers
    map: shops.sql
    pattern: "shops*.csv"
    format: csv
"""
SELECT = """
    select s._delivery_id, s._row_number, s.shop as dealer_id, s.since as valid_from, n.name as dealer_name,
        s.area as region, s.town as city, s.credit as credit_limit_amount,
        case when n.shop is null then 'no name is known' end as _reject_reason
    from shop_list as s left join names as n on s.shop = n.shop
"""
# Every code is there in another spelling; the last two are not names but what a spreadsheet made of them.
NAMES = '''\
shop,name
\u200b00123,Ａ店
"=""00124""",B
Ｃ１\ufeff,C
4.50001E+11,Many
#REF!,Nobody
'''
SHOPS = """\
shop,since,area,town,credit
="00123",2026-01-01,NA,-,NA
00124\u200e,2026-01-01,NA,-,1E+3
C\u20601,2026-01-01,,x,5
4.50001E+11,2026-01-01,N,x,5
D1,2026-01-01,N,-,#N/A
"""


def test_a_dealer_is_one_however_its_code_is_written(settings: Settings, drop: Callable[..., Path]) -> None:
    folder = settings.sources / "shops"
    folder.mkdir()
    (folder / "source.yml").write_text(PROFILE, "utf-8")
    (folder / "shops.sql").write_text(SELECT, "utf-8")
    result = ingest.run(settings, "shops", dt.date(2026, 3, 1), drop({"names.csv": NAMES, "shops.csv": SHOPS}))

    names, shops = result.files
    assert (names.records, names.rejected, names.accepted) == (5, 2, 3)
    assert (shops.records, shops.rejected, shops.accepted) == (5, 2, 3)
    (path,) = lake.read(settings).paths(settings, "dealers")
    found = duckdb.sql(f"""
        select dealer_id, dealer_name, region, city, cast(credit_limit_amount as integer) from read_parquet('{path}')
        order by 1
    """).fetchall()
    assert found == [("00123", "Ａ店", "NA", None, None), ("00124", "B", "NA", None, 1000), ("C1", "C", None, "x", 5)]
    assert [(fault["stage"], fault["reason"], fault["first_row"]) for fault in names.faults] == [
        ("read", "shop: a spreadsheet shortened the code to a number such as 4.5E+11, and its digits are lost", 5),
        ("read", "shop: an error of a spreadsheet stands there, such as #N/A or ########", 6),
    ]
    assert [(fault["stage"], fault["reason"], fault["first_row"]) for fault in shops.faults] == [
        ("map", "no name is known", 5),
        ("read", "credit: an error of a spreadsheet stands there, such as #N/A or ########", 6),
    ]
    # A dash is three of five towns; the two empty amounts and areas are no words.
    assert [(note["rule"], note["column"]) for note in shops.drift] == [("taken_as_missing", "town")]
    assert shops.drift[0]["text"].startswith("column town: 3 of 5 values are '-', which was taken as missing")
    assert names.drift == []
