"""Sale lines of three years, written as four source systems would send them."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from sample_company.company import END, FIRST_RECEIVED, MARKETS, START, Company, Market, Product, between, pick
from sample_company.figures import Figures, Line
from sample_company.ledger import ACCEPTED, REPEAT, TOTALS, CsvFile, Dialect, Fate, Ledger, quarantined, rejected

SEASON = (0.8, 0.6, 1.0, 1.1, 1.25, 1.3, 1.1, 1.0, 1.1, 1.0, 1.2, 0.9)
QUANTITY = {"E-Bikes": 4, "Bikes": 8, "Components": 30, "Apparel": 40, "Camping": 20}
LAST_HISTORY = date(2026, 5, 31)
MONTH_RECEIVED = {
    (2026, 6): date(2026, 7, 3),
    (2026, 7): date(2026, 8, 4),
    (2026, 8): date(2026, 9, 3),
    (2026, 9): date(2026, 10, 3),
}
SOLD_ON_SINCE = date(2025, 10, 1)
PAYMENT_DAYS = {"CNY": 30, "EUR": 45, "USD": 30}  # after the invoice
CORRECTIONS_EAST = date(2026, 7, 10)
DUPLICATE = date(2026, 7, 17)
LATE = date(2026, 8, 14)
BROKEN = date(2026, 8, 21)
CORRECTIONS_US = date(2026, 9, 11)

TYPE_WORDS = {
    "erp_east": {"invoice": "销售发票", "return": "退货单", "credit_note": "红字贷项"},
    "erp_south": {"invoice": "出库", "return": "退货", "credit_note": "折让"},
    "distributor_eu": {"invoice": "Rechnung", "return": "Retoure", "credit_note": "Gutschrift"},
    "distributor_us": {"invoice": "INV", "return": "RET", "credit_note": "CRN"},
}
_COLUMNS = {
    "erp_east": (
        "单据号 行号 单据类型 业务类型 客户编码 客户名称 物料编码 业务员 数量 "
        "单价 折扣额 不含税金额 成本金额 币种 单据日期 原单据号 原行号 备注 到期日"
    ),
    "erp_south": (
        "发货单号 序号 单据类型 经销商代码 产品代码 数量 标准单价 折扣金额 净额 成本 日期 退货原单号 退货原行号"
    ),
    "distributor_eu": (
        "Belegnummer Position Belegart Kundennr Artikelnr Menge Einzelpreis Rabatt Nettobetrag Einstand Währung "
        "Belegdatum Ursprungsbeleg Ursprungsposition Fälligkeit"
    ),
    "distributor_us": (
        "invoice_no line doc_type sold_to sku sales_rep qty unit_price discount net cost currency invoice_date "
        "orig_invoice orig_line due_date"
    ),
}
HEADERS = {source: columns.split() for source, columns in _COLUMNS.items()}
# the same columns under the names of a newer release of the system
HEADERS_SINCE_2026: dict[str, dict[str, str]] = {
    "erp_east": {"客户编码": "经销商编码", "不含税金额": "净额(不含税)", "单据日期": "开票日期"},
    "distributor_us": {"sold_to": "Sold-To", "net": "Net Amount", "invoice_date": "Invoice Date"},
}
PREFIX = {"erp_east": "HD", "erp_south": "HN", "distributor_eu": "RE", "distributor_us": "INV"}
FILE = {
    "erp_east": "erp_east/sales_{}.csv",
    "erp_south": "erp_south/华南销售_{}.csv",
    "distributor_eu": "distributor_eu/umsatz_{}.csv",
    "distributor_us": "distributor_us/invoices_{}.txt",
}
DIALECT: dict[str, dict[str, str]] = {
    "erp_east": {"encoding": "utf-8-sig", "delimiter": ","},
    "erp_south": {"encoding": "gb18030", "delimiter": ","},
    "distributor_eu": {"encoding": "cp1252", "delimiter": ";"},
    "distributor_us": {"encoding": "utf-8", "delimiter": "|", "line_end": "\n"},
}


def money(cents: int) -> str:
    """1234.50"""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def money_grouped(cents: int) -> str:
    """1,234.50"""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def money_comma(cents: int) -> str:
    """1.234,50"""
    return money_grouped(cents).translate(str.maketrans(",.", ".,"))


def due_day(line: Line) -> date | None:
    """The last day on which an invoice is paid in time."""
    return line.day + timedelta(days=PAYMENT_DAYS[line.currency]) if line.kind == "invoice" else None


def customer_number(dealer_id: str) -> str:
    """The European distributor's own number of a dealer."""
    return f"7{int(dealer_id[1:]):05d}"


def _east(company: Company, line: Line, remark: str = "") -> list[str]:
    d, due = line.day, due_day(line)
    return [
        line.transaction_id,
        str(line.line_no),
        TYPE_WORDS["erp_east"][line.kind],
        "经销",
        line.dealer_id,
        company.by_dealer[line.dealer_id][0].name,
        line.product_id,
        line.seller_id or "",
        str(line.quantity),
        money_grouped(line.unit_price),
        money_grouped(line.discount),
        money_grouped(line.net),
        money_grouped(line.cost),
        "人民币",
        f"{d.year}/{d.month}/{d.day}",
        line.original_id or "",
        str(line.original_line or ""),
        remark,
        f"{due.year}/{due.month}/{due.day}" if due else "",
    ]


def _south(company: Company, line: Line, remark: str = "") -> list[str]:
    d = line.day
    return [
        line.transaction_id,
        str(line.line_no),
        TYPE_WORDS["erp_south"][line.kind],
        line.dealer_id,
        line.product_id,
        str(line.quantity),
        money(line.unit_price),
        money(line.discount),
        money(line.net),
        money(line.cost),
        f"{d.year}年{d.month}月{d.day}日",
        line.original_id or "无",
        str(line.original_line or "无"),
    ]


def _europe(company: Company, line: Line, remark: str = "") -> list[str]:
    due = due_day(line)
    return [
        line.transaction_id,
        str(line.line_no),
        TYPE_WORDS["distributor_eu"][line.kind],
        customer_number(line.dealer_id),
        line.product_id,
        f"{line.quantity},00",
        money_comma(line.unit_price),
        money_comma(line.discount),
        money_comma(line.net),
        money_comma(line.cost),
        line.currency,
        f"{line.day:%d.%m.%Y}",
        line.original_id or "",
        str(line.original_line or ""),
        f"{due:%d.%m.%Y}" if due else "",
    ]


def _america(company: Company, line: Line, remark: str = "") -> list[str]:
    due = due_day(line)
    return [
        line.transaction_id,
        str(line.line_no),
        TYPE_WORDS["distributor_us"][line.kind],
        line.dealer_id,
        line.product_id,
        line.seller_id or "",
        str(line.quantity),
        money(line.unit_price),
        money(line.discount),
        money(line.net),
        money(line.cost),
        line.currency,
        f"{line.day:%m/%d/%Y}",
        line.original_id or "NULL",
        str(line.original_line or "NULL"),
        f"{due:%m/%d/%Y}" if due else "NULL",
    ]


FORMAT: dict[str, Callable[..., list[str]]] = {
    "erp_east": _east,
    "erp_south": _south,
    "distributor_eu": _europe,
    "distributor_us": _america,
}


@dataclass
class Source:
    """One source system while its three years are written."""

    market: Market
    company: Company
    ledger: Ledger
    figures: Figures
    rng: random.Random
    files: dict[str, CsvFile] = field(default_factory=dict)
    returnable: list[Line] = field(default_factory=list)
    correctable: list[Line] = field(default_factory=list)
    recent: deque[list[str]] = field(default_factory=deque)
    extra: int = 0
    planted_repeat: bool = False

    @property
    def name(self) -> str:
        return self.market.source

    def file(self, received: date, part: str) -> CsvFile:
        """The open file of that name; a new one starts with its header."""
        if part not in self.files:
            header = HEADERS[self.name]
            if part >= "2026":
                newer = HEADERS_SINCE_2026.get(self.name, {})
                header = [newer.get(text, text) for text in header]
            self.files[part] = CsvFile(
                self.ledger,
                received,
                FILE[self.name].format(part),
                f"{self.name}_sales",
                "sales",
                header,
                Dialect(**DIALECT[self.name]),
            )
        return self.files[part]

    def write(self, out: CsvFile, line: Line, fate: Fate = ACCEPTED, remark: str = "") -> list[str]:
        row = FORMAT[self.name](self.company, line, remark)
        out.row(row, fate)
        if fate is ACCEPTED:
            self.figures.add(line)
        return row

    def spare(self, day: date) -> Line:
        """A line of its own, to carry a planted error: counted nowhere unless it is sent again correctly."""
        self.extra += 1
        dealer = next(d for d in self.company.dealers if self.company.market_of[d.dealer_id] is self.market)
        product = self.company.products[self.extra % len(self.company.products)]
        price = product.list_price[self.market.currency]
        return Line(
            f"{PREFIX[self.name]}-{day:%Y%m}-9{self.extra:04d}",
            1,
            "invoice",
            dealer.dealer_id,
            product.product_id,
            None,
            2,
            price,
            0,
            2 * price,
            2 * product.cost[self.market.currency],
            self.market.currency,
            day,
            None,
            None,
        )

    def plant(self, out: CsvFile, day: date, column: str, text: str, fate: Fate) -> Line:
        """A line that is right but for one column (named as in `HEADERS`)."""
        line = self.spare(day)
        row = FORMAT[self.name](self.company, line)
        row[HEADERS[self.name].index(column)] = text
        out.row(row, fate)
        return line


def write_sales(ledger: Ledger, company: Company, figures: Figures, seed: int) -> dict[str, list[dict[str, str]]]:
    """Write all sales files and add what holds in the end to `figures`.

    Returns:
        What was done on purpose, for the truth: corrections and resent lines.
    """
    events: dict[str, list[dict[str, str]]] = {"corrections": [], "resent": []}
    for market in MARKETS:
        source = Source(
            market, company, ledger, figures, random.Random(f"sales {seed} {company.size.name} {market.source}")
        )
        for month in _months():
            _write_month(source, month, events)
        if market.source == "erp_east":
            _correct(source, CORRECTIONS_EAST, "corr_2026-07-10", events)
        if market.source == "distributor_us":
            _correct(source, CORRECTIONS_US, "corr_2026-09-11", events)
        _finish(source)
        if market.source == "erp_east":
            _sell_on(source, random.Random(f"retail {seed} {company.size.name}"))
        for out in source.files.values():
            out.__exit__()
        if market.source == "erp_south":
            ledger.copy(DUPLICATE, FILE["erp_south"].format("2026-06_副本"), source.files["2026-06"].truth)
    return events


def _months() -> Iterator[date]:
    day = START
    while day < END:
        yield day
        day = (day + timedelta(days=31)).replace(day=1)


def _weight(month: date) -> float:
    return float(SEASON[month.month - 1] * (1 + 0.12 * ((month - START).days / 365)))


def _write_month(source: Source, month: date, events: dict[str, list[dict[str, str]]]) -> None:
    rng, company, name = source.rng, source.company, source.name
    after = (month + timedelta(days=31)).replace(day=1)
    days = (after - month).days
    wanted = company.size.lines * source.market.share * _weight(month) / sum(_weight(m) for m in _months())
    dealers, weights = _active(source, month, after)
    if month <= LAST_HISTORY:
        out = source.file(FIRST_RECEIVED, str(month.year))
    else:
        out = source.file(MONTH_RECEIVED[month.year, month.month], f"{month:%Y-%m}")
    first_out = out
    if name == "erp_east" and month == date(2026, 8, 1):
        first_out = source.file(BROKEN, "2026-08a")
    if (name == "erp_east" and month == date(2026, 7, 1)) or (name == "distributor_us" and month == date(2026, 9, 1)):
        for row in source.recent:  # the file reaches back into days that were sent before
            out.row(row, REPEAT)
    source.recent = deque(maxlen=company.size.overlap)
    written = document = 0
    documents = max(1, round(wanted / 2))
    while document < documents:
        day = month + timedelta(days=document * days // documents)
        document += 1
        target = first_out if day.day <= 15 else out
        number = f"{PREFIX[name]}-{month:%Y%m}-{document:05d}"
        dice = rng.random()
        if dice < 0.04 and source.returnable and (line := _take_back(source, number, day)) is not None:
            source.recent.append(source.write(target, line))
            written += 1
            continue
        dealer_id = dealers[bisect_left(weights, rng.random() * weights[-1])]
        tier_rate = {"A": 12, "B": 8, "C": 4}[company.dealer_on(dealer_id, day).tier]
        if dice < 0.05:
            amount = -100 * between(rng, 50, 900)
            line = Line(
                number,
                1,
                "credit_note",
                dealer_id,
                pick(rng, company.products).product_id,
                None,
                0,
                0,
                0,
                amount,
                0,
                source.market.currency,
                day,
                None,
                None,
            )
            source.recent.append(source.write(target, line))
            written += 1
            continue
        seller = _seller(source, dealer_id, day)
        late = name == "distributor_eu" and month == date(2026, 2, 1) and document % 12 == 0
        if late:
            target = source.file(LATE, "Nachtrag_2026-02")
        steady = late or (month >= date(2026, 4, 1) and day.day <= 10 and rng.random() < 0.5)
        for line_no in range(1, between(rng, 1, 3) + 1):
            line = _line(
                rng,
                pick(rng, company.products),
                (number, line_no),
                dealer_id,
                seller,
                tier_rate,
                source.market.currency,
                day,
            )
            remark = ""
            if name == "erp_east" and document % 97 == 0:
                remark = '加急,"样品"' if document % 2 else "第一行\n第二行"
            source.recent.append(source.write(target, line, remark=remark))
            written += 1
            if steady:
                if not late and month <= date(2026, 6, 1):
                    source.correctable.append(line)
            elif rng.random() < 0.1:
                source.returnable.append(line)
                if len(source.returnable) > 300:
                    source.returnable.pop(0)
    _plant(source, month, out, events)


def _active(source: Source, month: date, after: date) -> tuple[list[str], list[float]]:
    """Dealers who buy in the month, with cumulated weights."""
    dealers: list[str] = []
    weights: list[float] = []
    total = 0.0
    place = -1
    for dealer_id, rows in source.company.by_dealer.items():
        if source.company.market_of[dealer_id] is not source.market:
            continue
        place += 1
        last = [row for row in rows if row.valid_from < after]
        if not last or rows[0].onboarded > month or last[-1].status != "active" or place == 12:  # the 13th never buys
            continue
        total += 0.3 + 2 * random.Random(dealer_id).random() ** 2
        dealers.append(dealer_id)
        weights.append(total)
    return dealers, weights


def _seller(source: Source, dealer_id: str, day: date) -> str | None:
    """The seller as the document states it: often nobody, mostly the owner, sometimes a colleague."""
    rng = source.rng
    stated = {"erp_east": 0.5, "distributor_us": 0.6}.get(source.name, 0.0)
    if rng.random() >= stated:
        return None
    shares = source.company.shares(dealer_id, day)
    if not shares:
        return None
    owner = shares[0][0]
    if rng.random() < 0.1:
        team = source.company.teams[source.company.team_of[owner]]
        return pick(rng, [m for m in team if source.company.employed(m, day)] or [owner])
    return owner


def _line(
    rng: random.Random,
    product: Product,
    key: tuple[str, int],
    dealer_id: str,
    seller: str | None,
    tier_rate: int,
    currency: str,
    day: date,
) -> Line:
    quantity = between(rng, 1, QUANTITY[product.category])
    price = product.list_price[currency]
    discount = quantity * price * (tier_rate + between(rng, -3, 3)) // 100
    return Line(
        *key,
        "invoice",
        dealer_id,
        product.product_id,
        seller,
        quantity,
        price,
        discount,
        quantity * price - discount,
        quantity * product.cost[currency],
        currency,
        day,
        None,
        None,
    )


def _take_back(source: Source, number: str, day: date) -> Line | None:
    """A return of all or part of an earlier line, which is not returned a second time."""
    place = int(source.rng.random() * len(source.returnable))
    old = source.returnable[place]
    if old.day >= day:
        return None
    source.returnable.pop(place)
    back = old.quantity if source.rng.random() < 0.5 else between(source.rng, 1, old.quantity)
    net = old.net if back == old.quantity else old.net * back // old.quantity
    discount = back * old.unit_price - net
    return Line(
        number,
        1,
        "return",
        old.dealer_id,
        old.product_id,
        old.seller_id,
        -back,
        old.unit_price,
        -discount,
        -net,
        -(old.cost // old.quantity * back),
        old.currency,
        day,
        old.transaction_id,
        old.line_no,
    )


def _correct(source: Source, received: date, part: str, events: dict[str, list[dict[str, str]]]) -> None:
    """Send some lines again: other amounts, and two with the sale moved to another month, one even another quarter."""
    out = source.file(received, part)
    wanted = max(6, source.company.size.lines // 2_500)
    moves = {"2026-04": date(2026, 3, 30), "2026-06": date(2026, 5, 28)}
    chosen: list[tuple[Line, Line]] = []
    by_month = {
        month: [line for line in source.correctable if f"{line.day:%Y-%m}" == month]
        for month in ("2026-04", "2026-05", "2026-06")
    }
    for month, day in moves.items():
        old = by_month[month].pop(0)
        chosen.append((old, old._replace(day=day)))
    rest = [line for lines in by_month.values() for line in lines]
    step = max(1, len(rest) // max(1, wanted - 2))
    for old in rest[::step][: wanted - 2]:
        more = old.net // 10
        chosen.append((old, old._replace(discount=old.discount + more, net=old.net - more)))
    for old, new in chosen:
        out.row(FORMAT[source.name](source.company, new))
        source.figures.replace(old, new)
        events["corrections"].append(
            {
                "transaction_id": new.transaction_id,
                "line_no": str(new.line_no),
                "received": received.isoformat(),
                "currency": new.currency,
                "net_amount_before": money(old.net),
                "net_amount": money(new.net),
                "sale_date_before": old.day.isoformat(),
                "sale_date": new.day.isoformat(),
            },
        )


def _plant(source: Source, month: date, out: CsvFile, events: dict[str, list[dict[str, str]]]) -> None:
    """Errors as such files have them, each with what must become of it."""
    name = source.name
    day = month + timedelta(days=3)
    if name == "erp_east" and month == date(2026, 8, 1):
        broken = source.files["2026-08a"]
        bad_date = source.plant(broken, day, "单据日期", "2026/13/45", rejected("sale_date", "date", "bad date"))
        source.plant(broken, day, "不含税金额", "1,2a4.00", rejected("net_amount", "decimal", "bad number"))
        source.plant(broken, day, "行号", "一", rejected("line_no", "integer", "bad number"))
        source.plant(
            broken, day, "单据类型", "调拨单", Fate("rejected", "unknown transaction type", "unknown enumeration")
        )
        source.plant(broken, day, "币种", "比特币", quarantined("currency_code_malformed", "unknown enumeration"))
        source.plant(broken, day, "单据号", "", quarantined("transaction_id_missing", "missing key"))
        source.plant(broken, day, "客户编码", "", quarantined("dealer_id_missing", "missing required value"))
        row = FORMAT[name](source.company, source.spare(day))
        broken.row([*row, "多", "余"], Fate("rejected", "too many fields", "too many fields", while_reading=True))
        broken.row(row[:9], Fate("rejected", "too few fields", "too few fields", while_reading=True))
        broken.header_again()
        broken.row(FORMAT[name](source.company, line := source.spare(day)))
        source.figures.add(line)
        _totals(broken, ["合计", *[""] * 10, "123,456.00"])
        broken.blank(bare=False)
        broken.blank(bare=False)
        broken.blank(bare=True)
        again = source.file(CORRECTIONS_US, "resend_2026-09-11")  # the row with the bad date comes again, correctly
        source.write(again, bad_date)
        source.figures.resent[bad_date.transaction_id] = CORRECTIONS_US
        events["resent"].append(
            {"transaction_id": bad_date.transaction_id, "line_no": "1", "received": CORRECTIONS_US.isoformat()}
        )
    if name == "erp_south" and month == date(2026, 7, 1):
        line = source.spare(day)
        row = source.write(out, line)
        out.row(row, REPEAT)  # twice in one file
        source.plant(out, day, "日期", "2026年2月30日", rejected("sale_date", "date", "bad date"))
        out.header_again()
        _totals(out, ["总计"])
        out.blank(bare=False)
    if name == "distributor_eu" and month == date(2025, 3, 1):
        source.plant(out, day, "Kundennr", "799999", Fate("rejected", "unknown customer number", "unknown lookup"))
        source.plant(out, day, "Nettobetrag", "zwölf", rejected("net_amount", "decimal", "bad number"))
        source.plant(out, day, "Belegdatum", "31.11.2025", rejected("sale_date", "date", "bad date"))
    if name == "distributor_us" and month == date(2026, 6, 1):
        source.plant(out, day, "doc_type", "XFER", quarantined("transaction_type_unknown", "unknown enumeration"))
        source.plant(out, day, "currency", "US$", quarantined("currency_code_malformed", "unknown enumeration"))
        source.plant(out, day, "qty", "two", rejected("quantity", "decimal", "bad number"))
        source.plant(out, day, "sku", "", quarantined("product_id_missing", "missing required value"))


def _totals(out: CsvFile, texts: list[str]) -> None:
    out.row(texts + [""] * (len(out.header) - len(texts)), TOTALS)


def _sell_on(source: Source, rng: random.Random) -> None:
    """What two of three dealers report to have sold on in the last year, in files of their own."""
    company = source.company
    number = 0
    for month in _months():
        if month < SOLD_ON_SINCE:
            continue
        after = (month + timedelta(days=31)).replace(day=1)
        if month <= LAST_HISTORY:
            out = source.file(FIRST_RECEIVED, "retail_2026-05")
        else:
            out = source.file(MONTH_RECEIVED[month.year, month.month], f"retail_{month:%Y-%m}")
        for dealer_id in _active(source, month, after)[0]:
            if int(dealer_id[1:]) % 3 == 2:
                continue
            for _ in range(between(rng, 2, 5)):
                number += 1
                product = pick(rng, company.products)
                quantity, price = between(rng, 1, 2 * QUANTITY[product.category]), product.list_price["CNY"]
                line = Line(
                    f"LS-{month:%Y%m}-{number:05d}",
                    1,
                    "invoice",
                    dealer_id,
                    product.product_id,
                    None,
                    quantity,
                    price,
                    0,
                    quantity * price,
                    quantity * product.cost["CNY"],
                    "CNY",
                    month + timedelta(days=between(rng, 0, (after - month).days - 1)),
                    None,
                    None,
                )
                row = FORMAT["erp_east"](company, line)
                row[HEADERS["erp_east"].index("业务类型")] = "零售"
                out.row(row)
                source.figures.add_sold_on(line)


def _finish(source: Source) -> None:
    """What files end with."""
    for part in ("2024", "2025"):
        if source.name == "erp_east" and part in source.files:
            _totals(source.files[part], ["合计"])
            source.files[part].blank(bare=True)
