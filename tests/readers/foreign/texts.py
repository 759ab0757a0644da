"""Delimited text: exports of banks and market places, code pages, what spreadsheets and old systems do to a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.readers.foreign.case import COLUMNS, HEAD, Case, Line, delimited, numbered, three

FIND = {"header": "find"}
TOTALS = {"totals": {"column": "dealer_id", "values": ["Total", "合计"]}}


def cases() -> Iterable[Case]:
    yield from _exports()
    yield from _code_pages()
    yield from _spreadsheets()
    yield from _damaged()
    yield from _layouts()


# -- exports of banks, payment services and market places ----------------------------------------------------------------


def _exports() -> Iterable[Case]:
    lines = [
        ("WA1", "杭州西湖店", "2026-01-01", "1200.00", "杭州"),
        ("WA2", "上海浦东店", "2026-01-02", "88.50", "上海"),
        ("WA3", "南京鼓楼店", "2026-01-03", None, "南京"),
    ]
    # Each field is filled up to a tab, each line ends in a delimiter; dashes and a count close the file.
    preamble = "#导出账单\n#账号：[example@example.com]\n#起始日期：[2026-01-01 00:00:00]    终止日期：[2026-02-01 00:00:00]\n#---------------明细列表---------------\n"
    footer = "#---------------明细列表结束---------------\n#共3笔：[已完成]\n#导出时间：[2026-02-01 09:00:00]\n"
    body = delimited(lines, "\t,", "\n", tail="\t,")
    yield Case(
        "wallet_preamble_and_footer",
        (preamble + body + footer).encode("gb18030"),
        numbered(lines, 6),
        rejected={9: "too few fields", 10: "too few fields", 11: "too few fields"},
        spec={**FIND, "encoding": "gb18030"},
    )
    lines = three("WB")
    # Blank lines with delimiters above and between, the title quoted.
    preamble = 'Payment Statement,,,,\nName:[Example],,,,\n"From:[2026-01-01], to:[2026-02-01]",,,,\n,,,,\n----------------,,,,\n'
    yield Case(
        "messenger_pay_preamble",
        b"\xef\xbb\xbf" + (preamble + delimited(lines, end="\r\n")).encode(),
        numbered(lines, 7),
        spec=FIND,
    )
    lines = three("WC", "Hong Kong")
    text = "".join(",".join(f'"{"" if cell is None else cell}"\t' for cell in line) + "\r\n" for line in [HEAD, *lines])
    yield Case("bank_quoted_then_tab", text.encode(), numbered(lines))
    text = "".join(" , ".join(f'"{"" if cell is None else cell}" ' for cell in line) + "\n" for line in [HEAD, *lines])
    yield Case("bank_quoted_then_blank", text.replace("WC", "WD").encode(), numbered(three("WD", "Hong Kong")))
    yield Case(
        "bank_amounts_in_quotes",
        b'Code,Name,From,Limit,City\r\nWE1,"Doe, John",2026-01-01,"1,000.00",Kowloon\r\nWE2,"5"" pipes",2026-01-02,"(1,250.00)",\r\nWE3,Plain,2026-01-03,"-",X\r\n',
        [
            (2, "WE1", "Doe, John", "2026-01-01", "1,000.00", "Kowloon"),
            (3, "WE2", '5" pipes', "2026-01-02", "(1,250.00)", None),
            (4, "WE3", "Plain", "2026-01-03", None, "X"),
        ],
        accepted=[
            ("WE1", "Doe, John", "2026-01-01", "1000", "Kowloon"),
            ("WE2", '5" pipes', "2026-01-02", "-1250", None),
            ("WE3", "Plain", "2026-01-03", None, "X"),
        ],
    )
    lines = three("WF")
    yield Case(
        "payments_all_quoted_bom",
        b"\xef\xbb\xbf"
        + "".join(",".join(f'"{cell or ""}"' for cell in line) + "\n" for line in [HEAD, *lines]).encode(),
        numbered(lines),
    )
    # A settlement: tabs, the first record holds the sums of the whole report and no code.
    head = ("Report", *HEAD)
    rows = [("R1", None, None, "2026-01-31", "102.5", None), *(("R1", *line) for line in three("WG"))]
    yield Case(
        "settlement_first_line_sums",
        delimited(rows, "\t", head=head).encode(),
        [(number, *line[1:], line[0]) for number, line in enumerate(rows, 2)],
        held={2: "dealer_id|dealer_name"},
        spec={"delimiter": "\t"},
        columns=(*COLUMNS, "Report"),
    )
    lines = three("WH")
    yield Case(
        "market_place_preamble_in_quotes",
        (
            '"Includes orders, refunds, and fees"\n"All amounts in EUR, unless stated"\n"Definitions:"\n"Sales ""net"": without tax"\n'
            + delimited(lines)
        ).encode(),
        numbered(lines, 6),
        spec={"skip_rows": 4},
    )
    yield Case(
        "market_place_preamble_in_quotes_found",
        ('"Includes orders, refunds,\nand fees"\n"Definitions:"\n' + delimited(three("WI"))).encode(),
        numbered(three("WI"), 4),
        spec=FIND,
    )
    yield Case(
        "totals_and_trailing_blank_lines",
        (delimited(three("WJ")) + "Total,,,102.5,\n\n,,,,\n  \n\n").encode(),
        numbered(three("WJ")),
        structural=5,
        spec=TOTALS,
    )
    yield Case(
        "subtotals_by_page_and_header_again",
        (delimited(three("WK")) + "合 计,,,102.5,\n" + delimited(three("WL")) + "合计：,,,205,\n").encode(),
        [*numbered(three("WK")), *numbered(three("WL"), 7)],
        structural=3,
        spec=TOTALS,
    )
    yield Case("trailing_delimiter", delimited(three("WM"), tail=",").encode(), numbered(three("WM")))
    yield Case(
        "trailing_delimiter_not_in_header",
        (delimited([], ";") + delimited(three("WN"), ";", head=None, tail=";")).encode(),
        numbered(three("WN")),
        spec={"delimiter": ";"},
    )
    yield Case(
        "sep_line",
        ("sep=;\r\n" + delimited(three("WO"), ";", "\r\n")).encode(),
        numbered(three("WO"), 3),
        spec={"delimiter": ";", **FIND},
    )
    yield Case(
        "sep_line_after_bom_skipped",
        b"\xef\xbb\xbf" + ("sep=\t\r\n" + delimited(three("WP"), "\t", "\r\n")).encode(),
        numbered(three("WP"), 3),
        spec={"delimiter": "\t", "skip_rows": 1},
    )
    yield Case(
        "accounting_semicolons_and_decimal_commas",
        delimited(
            [("WQ1", "Müller", "01.02.2026", "1.234,50", "Köln"), ("WQ2", "Söhne", "31.12.2025", "-0,5", "Bonn")],
            ";",
            "\r\n",
        ).encode("cp1252"),
        [(2, "WQ1", "Müller", "01.02.2026", "1.234,50", "Köln"), (3, "WQ2", "Söhne", "31.12.2025", "-0,5", "Bonn")],
        spec={"delimiter": ";", "decimal": ",", "encoding": "cp1252"},
        accepted=[("WQ1", "Müller", "2026-02-01", "1234.5", "Köln"), ("WQ2", "Söhne", "2025-12-31", "-0.5", "Bonn")],
    )
    yield Case(
        "database_dump_footer",
        (delimited(three("WR"), "|") + "(3 rows affected)\n").encode(),
        numbered(three("WR")),
        rejected={5: "too few fields"},
        spec={"delimiter": "|"},
    )
    yield Case(
        "database_dump_wrong_delimiter",
        delimited(three("WS"), "|").encode(),
        refused="in the header it is a vertical bar; the columns are: Code, Name, From, Limit, City",
    )
    yield Case(
        "page_of_html", b"<!DOCTYPE html>\n<html><body>\n<h1>502 Bad Gateway</h1>\n</body></html>\n", refused="column"
    )
    yield Case("header_only", b"Code,Name,From,Limit,City\r\n", refused="no records")


# -- code pages ----------------------------------------------------------------------------------------------------------

# Names and cities of made-up dealers in eight languages and more.
TONGUES = {
    "zh": [("北京宏远汽车销售有限公司", "北京"), ("上海东方自行车商行", "上海"), ("广州市天河区运动用品店", "广州"), ("成都锦江电动车专卖店", "成都")],
    "tw": [("臺北車業股份有限公司", "臺北市"), ("高雄自行車專賣店", "高雄市"), ("臺中運動用品總經銷", "臺中市"), ("新竹電動車商行", "新竹縣")],
    "ja": [("東京サイクル株式会社", "東京都"), ("大阪スポーツ用品店", "大阪市"), ("名古屋の自転車屋さん", "名古屋"), ("札幌ウィンター商会", "札幌")],
    "ko": [("서울자전거 주식회사", "서울특별시"), ("부산 스포츠 용품점", "부산광역시"), ("대구전동차 대리점", "대구"), ("인천 자전거 상사", "인천")],
    "ru": [("Московский велосипед", "Москва"), ("Спорттовары Иванова", "Казань"), ("Торговый дом Север", "Архангельск"), ("Уральские дороги", "Екатеринбург")],
    "pl": [("Żółty Rower Spółka", "Łódź"), ("Świat Dętek", "Gdańsk"), ("Księżyc i Gwiazdy", "Częstochowa"), ("Źródło Części", "Wałbrzych")],
    "el": [("Ποδήλατα Αθηνών", "Αθήνα"), ("Αθλητικά είδη Παπαδόπουλος", "Θεσσαλονίκη"), ("Ηλεκτρικά οχήματα", "Πάτρα"), ("Εμπορική Κρήτης", "Ηράκλειο")],
    "tr": [("İstanbul Bisiklet Şirketi", "İstanbul"), ("Dağcılık ve Kış Sporları", "Eskişehir"), ("Işıklı Yaşam Mağazası", "Muğla"), ("Güneş Çağdaş Ticaret", "Şanlıurfa")],
    "de": [("Fahrräder Größmann", "Köln"), ("Schöner Fahren GmbH", "München"), ("Äußere Straße Zweiräder", "Düsseldorf"), ("Süßwarenhändler Jäger", "Göttingen")],
    "fr": [("Cycles Élégants", "Besançon"), ("Société générale du vélo", "Orléans"), ("Chez Hélène et François", "Nîmes"), ("Forêt d'été", "Évreux")],
}  # fmt: skip
# Language, code page, and what a profile may say wrongly of it.
PAGES: list[tuple[str, str, tuple[str, ...]]] = [
    ("zh", "gb18030", ("cp1252",)),
    ("zh", "gbk", ("big5", "shift_jis")),
    ("tw", "big5", ("gb18030", "cp1252")),
    ("tw", "cp950", ()),
    ("ja", "shift_jis", ("gb18030", "cp1252")),
    ("ja", "cp932", ()),
    ("ja", "euc_jp", ("gb18030",)),
    ("ko", "euc_kr", ("gb18030", "cp1252")),
    ("ko", "cp949", ()),
    ("ru", "cp1251", ("gb18030", "cp1252")),
    ("ru", "koi8_r", ("gb18030", "cp1252")),
    ("ru", "cp866", ()),
    ("pl", "cp1250", ("gb18030", "cp1252")),
    ("pl", "iso8859_2", ()),
    ("el", "cp1253", ("gb18030", "cp1252")),
    ("el", "iso8859_7", ()),
    ("tr", "cp1254", ("gb18030",)),
    ("de", "cp1252", ("gb18030", "utf-8")),
    ("de", "iso8859_15", ()),
    ("fr", "cp1252", ("gb18030", "utf-8")),
    ("fr", "mac_roman", ("cp1252",)),
    ("zh", "utf-8", ("cp1252", "gb18030")),
    ("de", "utf-8", ("cp1252", "gb18030")),
    ("ru", "utf-8", ("cp1251",)),
    ("zh", "utf-16-le", ("utf-8", "gb18030")),
    ("ja", "utf-16-be", ("utf-8",)),
]
MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff", "utf-8": b"\xef\xbb\xbf"}


def _code_pages() -> Iterable[Case]:
    for number, (tongue, page, wrong) in enumerate(PAGES):

        def lines(mark: str, tongue: str = tongue, number: int = number) -> list[Line]:
            return [
                (f"P{number}{mark}{place}", name, f"2026-01-{place:02}", str(place * 10), city)
                for place, (name, city) in enumerate(TONGUES[tongue] * 2, 1)
            ]

        name = f"page_{tongue}_{page}".replace("-", "_")
        yield Case(name, delimited(lines("R")).encode(page), numbered(lines("R")), spec={"encoding": page})
        for stated in wrong:
            yield Case(
                f"{name}_as_{stated}".replace("-", "_"),
                delimited(lines("W")).encode(page),
                refused="encod",
                spec={"encoding": stated},
            )
        if page in MARKS:
            yield Case(
                f"{name}_with_mark",
                MARKS[page] + delimited(lines("M")).encode(page),
                numbered(lines("M")),
                spec={"encoding": page},
            )
    for number, page in enumerate(("utf-16-le", "utf-16-be")):
        lines = three(f"U{number}")
        yield Case(
            f"page_{page}_auto".replace("-", "_"),
            MARKS[page] + delimited(lines, "\t", "\r\n").encode(page),
            numbered(lines),
            spec={"encoding": "auto", "delimiter": "\t"},
        )
    for tongue, page in (("zh", "gb18030"), ("zh", "utf-8"), ("de", "cp1252"), ("ru", "utf-8")):
        told = [
            (f"UA{tongue}{page[0]}{place}", name, f"2026-01-{place:02}", None, city)
            for place, (name, city) in enumerate(TONGUES[tongue] * 2, 1)
        ]
        yield Case(
            f"auto_{tongue}_{page}".replace("-", "_"),
            delimited(told).encode(page),
            numbered(told),
            spec={"encoding": "auto"},
        )
    # What detection does not know it must not take for something that it knows.
    for tongue, page in (("tw", "big5"), ("ja", "shift_jis"), ("ko", "euc_kr"), ("ru", "cp1251"), ("ru", "koi8_r"), ("pl", "cp1250"), ("el", "cp1253")):  # fmt: skip
        told = [
            (f"UN{place}", name, f"2026-01-{place:02}", None, city)
            for place, (name, city) in enumerate(TONGUES[tongue] * 2, 1)
        ]
        yield Case(
            f"auto_{tongue}_{page}_untold", delimited(told).encode(page), refused="encod", spec={"encoding": "auto"}
        )


# -- what a spreadsheet does to a text -------------------------------------------------------------------------------------


def _spreadsheets() -> Iterable[Case]:
    good = numbered(three("XA"))
    yield Case(
        "sheet_key_shortened",
        (delimited(three("XA")) + "4.50001E+11,Short,2026-01-01,1,x\n1E+05,Short,2026-01-01,1,x\n").encode(),
        good,
        unmapped={5: "", 6: ""},
        is_raw=False,
    )
    yield Case(
        "sheet_amount_with_exponent",
        b"Code,Name,From,Limit,City\nXB1,A,2026-01-01,1.5E+03,x\nXB2,B,2026-01-01,2E-1,y\n",
        [(2, "XB1", "A", "2026-01-01", "1.5E+03", "x"), (3, "XB2", "B", "2026-01-01", "2E-1", "y")],
        accepted=[("XB1", "A", "2026-01-01", "1500", "x"), ("XB2", "B", "2026-01-01", "0.2", "y")],
    )
    for number, error in enumerate(
        ("#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#N/A", "#SPILL!", "########")
    ):
        mark = f"XC{number}"
        bad = {"name": f"{mark}7,{error},2026-01-01,1,x\n", "amount": f"{mark}8,Name,2026-01-01,{error},x\n"}
        yield Case(
            f"sheet_error_{number}",
            (delimited(three(mark)) + "".join(bad.values())).encode(),
            numbered(three(mark)),
            unmapped={5: "", 6: ""},
            is_raw=False,
        )
    yield Case(
        "sheet_error_as_key",
        (delimited(three("XD")) + "#REF!,Name,2026-01-01,1,x\n###,Name,2026-01-01,1,x\n").encode(),
        numbered(three("XD")),
        unmapped={5: "", 6: ""},
        is_raw=False,
    )
    yield Case(
        "sheet_text_formulas",
        b'Code,Name,From,Limit,City\n="00823",="Text Name",="2026-01-01",="1000.50",\n="00824","=""Quoted""",2026-01-02,5,="x"\n"=""00825""",Plain,2026-01-03,5,y\nXE4,Plain,2026-01-04,5,=1+1\n',
        [
            (2, "00823", "Text Name", "2026-01-01", "1000.50", None),
            (3, "00824", "Quoted", "2026-01-02", "5", "x"),
            (4, "00825", "Plain", "2026-01-03", "5", "y"),
            (5, "XE4", "Plain", "2026-01-04", "5", "=1+1"),
        ],
        is_raw=False,
    )
    yield Case(
        "sheet_zeros_kept",
        b"Code,Name,From,Limit,City\n000777,A,2026-01-01,007,0\n000778,B,20260102,1,00\n0000,C,2026/1/3,1,1e5\n",
        [
            (2, "000777", "A", "2026-01-01", "007", "0"),
            (3, "000778", "B", "20260102", "1", "00"),
            (4, "0000", "C", "2026/1/3", "1", "1e5"),
        ],
        accepted=[
            ("000777", "A", "2026-01-01", "7", "0"),
            ("000778", "B", "2026-01-02", "1", "00"),
            ("0000", "C", "2026-01-03", "1", "1e5"),
        ],
    )
    yield Case(
        "sheet_dates_turned",
        b"Code,Name,From,Limit,City\nXF1,A,46023,1,x\nXF2,B,01-Feb,1,x\nXF3,C,02/03/2026,1,x\nXF4,D,2026-02-30,1,x\nXF5,E,2026.1.5,1,x\nXF6,F,2026-01-06 00:00:00,1,x\nXF7,G,20260107,1,x\n",
        [
            (2, "XF1", "A", "46023", "1", "x"),
            (3, "XF2", "B", "01-Feb", "1", "x"),
            (4, "XF3", "C", "02/03/2026", "1", "x"),
            (5, "XF4", "D", "2026-02-30", "1", "x"),
            (6, "XF5", "E", "2026.1.5", "1", "x"),
            (7, "XF6", "F", "2026-01-06 00:00:00", "1", "x"),
            (8, "XF7", "G", "20260107", "1", "x"),
        ],
        unmapped={3: "valid_from", 4: "valid_from", 5: "valid_from"},
        accepted=[
            ("XF1", "A", "2026-01-01", "1", "x"),
            ("XF5", "E", "2026-01-05", "1", "x"),
            ("XF6", "F", "2026-01-06", "1", "x"),
            ("XF7", "G", "2026-01-07", "1", "x"),
        ],
    )
    yield Case(
        "sheet_region_called_na",
        b"Code,Name,From,Limit,City\nXG1,NA,2026-01-01,NA,NA\nXG2,Nana,2026-01-02,1,Nantes\nNA,Key,2026-01-03,2,Rome\n",
        [
            (2, "XG1", "NA", "2026-01-01", None, "NA"),
            (3, "XG2", "Nana", "2026-01-02", "1", "Nantes"),
            (4, "NA", "Key", "2026-01-03", "2", "Rome"),
        ],
        is_raw=False,
    )


# -- signs that nobody sees, characters cut, quotes astray -----------------------------------------------------------------


def _damaged() -> Iterable[Case]:
    hidden = ["\u200b", "\ufeff", "\u200e", "\u200f", "\u2060", "\u202a", "\u00ad", "\u00a0", "\u3000", "\t"]
    lines = [
        (f"{sign}YA{n}{sign}", f"{sign}Name{n}", "2026-01-01", f"{sign}{n}", f"Ci{n}{sign}")
        for n, sign in enumerate(hidden)
    ]
    yield Case(
        "invisible_around_values",
        delimited(lines).encode(),
        numbered([(f"YA{n}", f"Name{n}", "2026-01-01", str(n), f"Ci{n}") for n in range(len(hidden))]),
        is_raw=False,
    )
    yield Case(
        "invisible_inside_keys",
        delimited([(f"Y{sign}B{n}", "Name", "2026-01-01", None, "x") for n, sign in enumerate(hidden[:6])]).encode(),
        numbered([(f"YB{n}", "Name", "2026-01-01", None, "x") for n in range(6)]),
        is_raw=False,
    )
    yield Case(
        "full_width_keys_and_digits",
        "Code,Name,From,Limit,City\nＹＣ１,ＡＢＣ商行,２０２６-０１-０１,１２３．５,上海\nyc－２,甲,2026年1月2日,１，０００,北京\n".encode(),
        [(2, "YC1", "ＡＢＣ商行", "2026-01-01", "123.5", "上海"), (3, "yc-2", "甲", "2026-01-02", "1000", "北京")],
        is_raw=False,
    )
    hanzi = [(f"YD{n}", name, "2026-01-01", None, city) for n, (name, city) in enumerate(TONGUES["zh"] * 2, 1)]
    content = delimited(hanzi).encode("gb18030")
    for place, (old, new) in {
        "before_delimiter": ("商行,2026".encode("gb18030"), "商行".encode("gb18030")[:-1] + b",2026"),
        "at_line_end": (",北京\n".encode("gb18030"), ",北京".encode("gb18030")[:-1] + b"\n"),
    }.items():
        row = 3 if place == "before_delimiter" else 2
        yield Case(
            f"half_hanzi_{place}",
            content.replace(old, new, 1).replace(b"YD", place[0].encode() + b"YD"),
            [(number, place[0] + code, *rest) for number, code, *rest in numbered(hanzi) if number != row],
            unmapped={row: ""},
            spec={"encoding": "gb18030"},
            is_raw=False,
        )
    yield Case(
        "half_character_utf8",
        delimited(hanzi).replace("YD", "YE").encode().replace("商行,2026".encode(), "商行".encode()[:-1] + b",2026", 1),
        [(number, code.replace("YD", "YE"), *rest) for number, code, *rest in numbered(hanzi) if number != 3],
        unmapped={3: ""},
        is_raw=False,
    )
    yield Case(
        "decoded_twice",
        (delimited(three("YF")) + "YF4,MÃ¼ller,2026-01-01,1,x\nYF5,Caf\ufffd,2026-01-01,1,x\n").encode(),
        numbered(three("YF")),
        unmapped={5: "", 6: ""},
        is_raw=False,
    )
    yield Case(
        "nul_bytes",
        (delimited(three("YG")) + "YG4,Na\0me,2026-01-01,1,x\n").encode(),
        numbered(three("YG")),
        rejected={5: "NUL"},
    )
    yield Case(
        "nul_bytes_at_the_end",
        delimited(three("YH")).encode() + bytes(4096),
        numbered(three("YH")),
        rejected={5: "NUL"},
    )
    yield Case(
        "stray_quotes_over_rows",
        b'Code,Name,From\nYI1,First,2026-01-01\nYI2,"Open name,2026-01-01\nYI3,Third,2026-01-01\nYI4,Fourth,2026-01-01\nYI5,Close name",2026-01-01\nYI6,Sixth,2026-01-01\nYI7,Seventh,2026-01-01\n',
        [
            (2, "YI1", "First", "2026-01-01", None, None),
            (4, "YI6", "Sixth", "2026-01-01", None, None),
            (5, "YI7", "Seventh", "2026-01-01", None, None),
        ],
        rejected={3: ""},
    )
    swallowed = "".join(f"YJ{n},Name {n},2026-01-01,{n},x\n" for n in range(2, 400))
    yield Case(
        "stray_quotes_over_many_rows",
        f'Code,Name,From,Limit,City\nYJ0,A,2026-01-01,1,x\nYJ1,"Open,2026-01-01,1,x\n{swallowed}YJ400,"Next",2026-01-01,1,x\nYJ401,B,2026-01-01,1,x\n'.encode(),
        refused="quote",
    )
    yield Case(
        "stray_quotes_semicolons",
        b'Code;Name;From;Limit;City\nYK1;A;2026-01-01;1;x\nYK2;"Open;2026-01-01;1;x\nYK3;B;2026-01-01;1;x\nYK4;Close";2026-01-01;1;x\nYK5;C;2026-01-01;1;x\n',
        [(2, "YK1", "A", "2026-01-01", "1", "x"), (4, "YK5", "C", "2026-01-01", "1", "x")],
        rejected={3: ""},
        spec={"delimiter": ";"},
    )
    yield Case(
        "quote_never_closed",
        b'Code,Name,From,Limit,City\nYL1,A,2026-01-01,1,x\nYL2,"Open,2026-01-01,1,x\nYL3,B,2026-01-01,1,x\nYL4,C,2026-01-01,1,x\n',
        refused="quote",
    )
    yield Case(
        "texts_of_many_lines",
        b'Code,Name,From,Limit,City\nYM1,"Road 5\nFloor 2, left\nDoor 7",2026-01-01,1,x\nYM2,"a\r\n\r\nb",2026-01-02,2,"c, d"\nYM3,C,2026-01-03,3,\n',
        [
            (2, "YM1", "Road 5\nFloor 2, left\nDoor 7", "2026-01-01", "1", "x"),
            (3, "YM2", "a\r\n\r\nb", "2026-01-02", "2", "c, d"),
            (4, "YM3", "C", "2026-01-03", "3", None),
        ],
    )
    yield Case(
        "quotes_inside_values",
        b'Code,Name,From,Limit,City\nYN1,5" x 3" pipe,2026-01-01,1,x\nYN2,O"Neil,2026-01-02,2,x\nYN3,"He said ""no""",2026-01-03,3,x\n',
        [
            (2, "YN1", '5" x 3" pipe', "2026-01-01", "1", "x"),
            (3, "YN2", 'O"Neil', "2026-01-02", "2", "x"),
            (4, "YN3", 'He said "no"', "2026-01-03", "3", "x"),
        ],
    )


# -- lines and columns -------------------------------------------------------------------------------------------------------


def _layouts() -> Iterable[Case]:
    yield Case("line_ends_cr", delimited(three("ZA"), end="\r").encode(), numbered(three("ZA")))
    mixed = "".join(
        line + end for line, end in zip(delimited(three("ZB")).split("\n"), ("\r\n", "\n", "\r\n", "\n"), strict=False)
    )
    yield Case("line_ends_mixed", mixed.encode(), numbered(three("ZB")))
    yield Case("line_ends_doubled", delimited(three("ZC"), end="\r\r\n").encode(), numbered(three("ZC")))
    yield Case("last_line_without_end", delimited(three("ZD")).encode().rstrip(b"\n"), numbered(three("ZD")))
    yield Case(
        "end_of_file_sign_of_dos", delimited(three("ZE")).encode() + b"\x1a", numbered(three("ZE")), rejected={5: ""}
    )
    for count, mark in ((600, "ZF"), (2_500, "ZG")):
        more = [f"c{n}" for n in range(count)]
        lines = [(*line, *[f"v{n}" for n in range(count)]) for line in three(mark)]
        content = delimited(lines, "~", head=(*HEAD, *more)).encode()
        read: dict[str, Any] = {"rows": numbered(lines), "columns": (*COLUMNS, *more)}
        yield Case(
            f"columns_{count}", content, spec={"delimiter": "~"}, **(read if count < 2_000 else {"refused": "column"})
        )
    wide = [("ZH1", "x" * 100_000, "2026-01-01", "1", "y"), ("ZH2", "A", "2026-01-02", "2", "y")]
    yield Case("a_long_value", delimited(wide).encode(), numbered(wide))
    yield Case(
        "ragged_lines",
        b"Code,Name,From,Limit,City\nZI1,A,2026-01-01,1,x\nZI2,B,2026-01-02,1\nZI3,C,2026-01-03,1,x,y\nZI4,D,2026-01-04,1,x,\nZI5,E,2026-01-05,,\n",
        [
            (2, "ZI1", "A", "2026-01-01", "1", "x"),
            (5, "ZI4", "D", "2026-01-04", "1", "x"),
            (6, "ZI5", "E", "2026-01-05", None, None),
        ],
        rejected={3: "too few fields", 4: "too many fields"},
    )
    yield Case(
        "header_in_other_letters",
        '\ufeffＣＯＤＥ, name ,"FROM\n",lim\u200bit,CITY\n'.encode() + delimited(three("ZJ"), head=None).encode(),
        numbered(three("ZJ")),
    )
    yield Case(
        "comma_in_chinese_and_pipes",
        delimited(three("ZK"), "，").encode(),
        numbered(three("ZK")),
        spec={"delimiter": "，"},
    )
    yield Case(
        "control_characters_as_delimiters",
        delimited(three("ZL"), "\x01").encode(),
        numbered(three("ZL")),
        spec={"delimiter": "\x01", "quote": ""},
    )
    yield Case(
        "single_quotes",
        b"Code,Name,From,Limit,City\n'ZM1','A, B','2026-01-01','1','x'\n'ZM2','it''s','2026-01-02','2','y'\n",
        [(2, "ZM1", "A, B", "2026-01-01", "1", "x"), (3, "ZM2", "it's", "2026-01-02", "2", "y")],
        spec={"quote": "'"},
    )
