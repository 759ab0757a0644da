"""Payments, stock at dealers, the market and the territories."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pyarrow as pa

from sample_company.company import END, FIRST_RECEIVED, MARKETS, PLACES, START, Dealer, between
from sample_company.feeds import Feeds
from sample_company.figures import half_up, quarters
from sample_company.ledger import (
    ACCEPTED,
    BLANK,
    REPEAT,
    TOTALS,
    Cell,
    Fate,
    Sheet,
    bad_date,
    bad_number,
    missing,
    missing_key,
    out_of_range,
    unknown_word,
    waiting,
    write_csv,
    write_parquet,
    write_xlsx,
)
from sample_company.masters import CHANGES
from sample_company.receivables import Receipt
from sample_company.sales import PAYMENT_DAYS, money_comma, money_grouped

PAID_IN = {date(2026, 8, 4): date(2026, 7, 1), date(2026, 9, 3): date(2026, 8, 1), date(2026, 10, 3): date(2026, 9, 1)}
STOCK_COUNTED = {
    FIRST_RECEIVED: (date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)),
    date(2026, 8, 4): (date(2026, 6, 30), date(2026, 7, 31)),
    date(2026, 10, 3): (date(2026, 8, 31), date(2026, 9, 30)),
}
METHODS = ("电汇", "承兑汇票", "支票")
PROVIDER = "Outdoor Market Panel 户外市场监测"
BRANDS = ("total", "Northwind", "Velocita")
PAYMENT_HEADER_CN = (
    "收款单号",
    "客户编码",
    "核销单据号",
    "收款日期",
    "收款类型",
    "收款金额",
    "币种",
    "结算方式",
    "原收款单号",
)
PAYMENT_HEADER_INTL = ("Buchungsnr", "Belegnr", "Buchungsdatum", "Art", "Betrag", "Währung")
TERRITORY_HEADER = ("区域编号", "区域名称", "大区", "类型", "编号", "占比", "生效日期", "失效日期")


def write_trade(feeds: Feeds) -> None:
    """Write the files of these feeds."""
    _write_payments(feeds)
    _write_stock(feeds)
    _write_market(feeds)
    _write_territories(feeds)


def _write_payments(feeds: Feeds) -> None:
    """Payments on the invoices of the last quarter: most in one sum, some in two, some bounced, some not at all.

    Who pays in CNY may also pay on account, in round sums; a refund may name the payment that it gives back and no
    document.
    """
    rng, account = feeds.rng("payments"), feeds.rng("payments on account")
    paid: dict[tuple[date, bool], list[Receipt]] = {
        (received, cny): [] for received in PAID_IN for cny in (True, False)
    }
    for transaction_id, document in sorted(feeds.figures.documents.items()):
        dice, other = rng.random(), account.random()
        due = document.day + timedelta(days=PAYMENT_DAYS[document.currency])
        first = due - timedelta(days=between(rng, 0, 25))
        rest = due + timedelta(days=between(rng, -2, 12))
        parts = [(first, document.net)]
        if dice < 0.15:  # in two sums
            parts = [(first, document.net * 6 // 10), (rest, document.net - document.net * 6 // 10)]
        elif dice < 0.30:  # late
            parts = [(rest, document.net)]
        elif dice < 0.45 or document.net <= 0:
            parts = []
        elif dice < 0.47:  # bounced, and not yet paid again
            parts = [(first, document.net), (first + timedelta(days=3), -document.net)]
        on_account = bool(parts) and document.currency == "CNY" and dice >= 0.47 and other < 0.2
        if on_account:  # a round sum, sometimes given back in part
            parts = [(first, (document.net // 1_000_00 + 1) * 1_000_00)]
            if other < 0.03:
                parts.append((first + timedelta(days=9), -parts[0][1] // 2))
        bounced = len(parts) == 2 and parts[1][1] < 0
        names_payment = bounced and document.currency == "CNY" and (on_account or other < 0.5)
        original = ""
        for day, cents in parts:
            if day >= END:
                continue
            received = next(
                sent for sent, month in PAID_IN.items() if day < (month + timedelta(days=31)).replace(day=1)
            )
            number = f"SK-{len(feeds.receipts) + 1:06d}"
            refers = original if cents < 0 and names_payment else ""
            names = "" if on_account or refers else transaction_id
            receipt = Receipt(number, names or None, document.dealer_id, document.currency, day, cents)
            feeds.receipts[number] = receipt, refers
            original = number
            paid[received, document.currency == "CNY"].append(receipt)
            feeds.keep(
                "payments",
                number,
                amount=Decimal(cents).scaleb(-2),
                currency_code=document.currency,
                payment_type="payment" if cents > 0 else "refund",
            )
    for (received, cny), rows in paid.items():
        early = {number for number, day in feeds.figures.resent.items() if day > received}
        if cny:
            before = paid.get((date(2026, 8, 4), True), [])[:3] if received == date(2026, 9, 3) else []
            write_csv(
                feeds.ledger,
                received,
                f"finance/收款_{received:%Y-%m}.csv",
                "payments_cn",
                "payments",
                PAYMENT_HEADER_CN,
                _chinese(feeds, rows, before, early, planted=received == date(2026, 8, 4)),
                encoding="gb18030",
            )
        else:
            write_csv(
                feeds.ledger,
                received,
                f"finance/zahlungen_{received:%Y-%m}.csv",
                "payments_intl",
                "payments",
                PAYMENT_HEADER_INTL,
                _international(rows, planted=received == date(2026, 8, 4)),
                encoding="cp1252",
                delimiter=";",
            )


def _chinese(
    feeds: Feeds, rows: list[Receipt], before: list[Receipt], early: set[str], planted: bool
) -> Iterator[tuple[list[str], Fate]]:
    def cells(row: Receipt) -> list[str]:
        return [
            row.number,
            row.dealer or "",
            row.document or "",
            f"{row.day.year}年{row.day.month}月{row.day.day}日",
            "收款" if row.amount > 0 else "退票",
            money_grouped(row.amount),
            "人民币",
            METHODS[abs(row.amount) % 3],
            feeds.receipts[row.number][1] if row.number in feeds.receipts else "",
        ]

    yield from ((cells(row), REPEAT) for row in before)  # the export reaches back into the month before
    paid_first = waiting("transaction_unknown", "paid before its invoice came")
    yield from ((cells(row), paid_first if row.document in early else ACCEPTED) for row in rows)
    if planted:
        named = next(row for row in rows if row.document)
        right = cells(named._replace(number="", amount=100_00))
        for number, place, text, fate in (
            ("SK-990001", 5, "壹佰元整", bad_number("amount")),
            ("SK-990002", 3, "2026年7月32日", bad_date("payment_date")),
            ("SK-990003", 4, "调账", unknown_word("payment_type_unknown")),
            ("SK-990005", 5, "-100.00", out_of_range("payment_amount_not_positive")),
            ("", 0, "", missing_key("payment_id_missing")),
        ):
            yield [number, *right[1:place], text, *right[place + 1 :]] if place else right, fate
        yield ["SK-990004", "", "", *right[3:]], missing("payer_missing")
    total = money_grouped(sum(row.amount for row in (*before, *rows)))
    yield ["合计", "", "", "", "", total, "", "", ""], TOTALS
    yield [""] * 9, BLANK


def _international(rows: list[Receipt], planted: bool) -> Iterator[tuple[list[str], Fate]]:
    def cells(row: Receipt) -> list[str]:
        kind = "Zahlung" if row.amount > 0 else "Rücklastschrift"
        return [row.number, row.document or "", f"{row.day:%d.%m.%Y}", kind, money_comma(row.amount), row.currency]

    yield from ((cells(row), ACCEPTED) for row in rows)
    if planted:
        right = cells(rows[0]._replace(number="SK-990011", amount=100_00, currency="EUR"))
        yield [*right[:5], "EURO"], unknown_word("currency_code_malformed")
        yield [*right[:2], "31.06.2026", *right[3:]], bad_date("payment_date")


def _write_stock(feeds: Feeds) -> None:
    """The dealer portal's counts at the end of each month: four products of every third dealer."""
    rng = feeds.rng("stock")
    products = feeds.company.products
    shape = {"dealer": pa.string(), "sku": pa.string(), "as_of": pa.date32(), "on_hand": pa.int64()}
    last: list[tuple[str, str, date, int]] = []
    for received, days in STOCK_COUNTED.items():
        rows: list[tuple[str, str, date, int]] = []
        for day in days:
            for dealer_id in feeds.dealers(day):
                if int(dealer_id[1:]) % 3 == 0:
                    for step in range(4):
                        product = products[(int(dealer_id[1:]) + 7 * step) % len(products)]
                        rows.append((dealer_id, product.product_id, day, max(0, between(rng, -4, 60))))
        written = list(rows)
        if received == date(2026, 8, 4):  # three counts of March were wrong
            written += [(dealer_id, sku, day, count + 5) for dealer_id, sku, day, count in last[:3]]
        fated: list[tuple[tuple[object, ...], Fate]] = [
            (row, feeds.keep("dealer_stock", *row[:3], on_hand_quantity=row[3], as_of_date=row[2])) for row in written
        ]
        if received == FIRST_RECEIVED:
            dealer_id, sku, day, _ = rows[0]
            fated += [
                ((dealer_id, "P0001", date(2026, 2, 28), -3), out_of_range("on_hand_quantity_negative")),
                ((None, sku, day, 4), missing_key("dealer_id_missing")),
                ((dealer_id, sku, date(2026, 1, 31), None), missing("on_hand_quantity_missing")),
            ]
        write_parquet(
            feeds.ledger,
            received,
            f"portal/stock_{received:%Y-%m}.parquet",
            "dealer_stock",
            "dealer_stock",
            shape,
            fated,
        )
        last = rows


def _write_market(feeds: Feeds) -> None:
    """A panel's estimate per region and quarter: the whole market and two competitors, in CNY."""
    rng = feeds.rng("market")
    header = ["Region", "Category", "Quarter", "Brand", "Value CNY", "Units", "Price Index", "Panel"]
    revenue = feeds.figures.revenue_by_region()
    told: dict[date, list[tuple[list[str], Fate]]] = {FIRST_RECEIVED: [], date(2026, 8, 4): []}
    for quarter, first, after in quarters(date(2025, 1, 1), date(2026, 7, 1)):
        received = FIRST_RECEIVED if after <= date(2026, 4, 1) else date(2026, 8, 4)
        for region in PLACES:
            own = revenue[quarter].get(region)
            if own is None:
                continue
            for category, times in (("E-Bikes", 5), ("Bikes", 3)):
                whole = int(half_up(own * times * between(rng, 90, 120) / 100, Decimal(1)))
                feeds.market[region, quarter] = feeds.market.get((region, quarter), 0) + whole
                for place, brand in enumerate(BRANDS):
                    value = whole if place == 0 else whole * (30 - 10 * place) // 100
                    units = value // (9_000 if category == "E-Bikes" else 3_500)
                    index = Decimal(100 if place == 0 else between(rng, 820, 1180)) / (1 if place == 0 else 10)
                    row = [
                        region,
                        category,
                        quarter.replace("-", ""),
                        brand,
                        f"{value:,}",
                        f"{units}",
                        f"{index}",
                        PROVIDER,
                    ]
                    fate = feeds.keep(
                        "market", region, category, first, brand,
                        amount=value, quantity=units, price_index=index,
                        product_category=category, period_start=first,
                    )  # fmt: skip
                    told[received].append((row, fate))
                    if quarter == "2026-Q1" and brand == "Velocita":  # the panel corrects itself a quarter later
                        more = value + 1_000
                        feeds.keep(
                            "market", region, category, first, brand,
                            amount=more, quantity=units, price_index=index,
                            product_category=category, period_start=first,
                        )  # fmt: skip
                        told[date(2026, 8, 4)].append(([*row[:4], f"{more:,}", *row[5:]], ACCEPTED))
    right = told[FIRST_RECEIVED][0][0]
    told[FIRST_RECEIVED] += [
        ([*right[:3], "", *right[4:]], missing_key("competitor_missing")),
        ([*right[:3], "Kestrel", *right[4:6], "0", right[7]], out_of_range("price_index_not_positive")),
        ([*right[:3], "Kestrel", "about 2m", *right[5:]], bad_number("amount")),
        ([*right[:2], "H1 2025", *right[3:]], Fate("rejected", "unknown quarter", "unknown enumeration")),
    ]
    for received, rows in told.items():
        write_csv(
            feeds.ledger,
            received,
            f"market/panel_{received:%Y-%m}.csv",
            "market",
            "market",
            header,
            rows,
            line_end="\n",
        )


def _write_territories(feeds: Feeds) -> None:
    """Territories as sales planning draws them, three to a region; sellers work in those of their team."""
    company = feeds.company
    words = {name: PLACES[name][0] for name in PLACES}
    codes = {region: f"T{number:02d}" for number, region in enumerate(PLACES, start=1)}

    def cells(region: str, kind: str, subject: str, share: int | None, start: date, end: date | None) -> list[Cell]:
        code = f"{codes[region]}-{int(subject[1:]) % 3 + 1}"
        return [code, f"{words[region]}{code[-1]}区", words[region], kind, subject, share, start, end]

    def row(
        region: str, kind: str, subject: str, share: int | None, start: date, end: date | None
    ) -> tuple[list[Cell], list[Fate]]:
        line = cells(region, kind, subject, share, start, end)
        word = {"经销商": "dealer", "成员": "member"}[kind]
        return line, [feeds.keep("territories", line[0], subject, start, subject_type=word, region=region)]

    def first() -> Iterator[tuple[list[Cell], list[Fate]]]:
        for dealer in _first_rows(company.dealers):
            yield row(dealer.region, "经销商", dealer.dealer_id, 100, max(START, dealer.onboarded), None)
        for member in feeds.members.values():
            if member.role == "sales" and member.hired <= FIRST_RECEIVED:
                regions = next(m.regions for m in MARKETS if m.regions[0] == member.region)
                for region in regions:
                    start = max(START, member.hired)
                    yield row(region, "成员", member.member_id, 100 // len(regions), start, None)
        right = cells("East China", "经销商", "D0001", 100, START, None)
        yield [*right[:3], "门店", *right[4:]], [unknown_word("subject_type_unknown")]
        yield [*right[:5], 120, date(2024, 1, 1), None], [out_of_range("share_pct_out_of_range")]
        yield [*right[:6], "长期", None], [bad_date("valid_from")]
        yield ["合计", *[None] * 7], [TOTALS]

    def later() -> Iterator[tuple[list[Cell], list[Fate]]]:
        for dealer in company.late_dealers:
            if dealer.valid_from == dealer.onboarded:
                yield row(dealer.region, "经销商", dealer.dealer_id, 100, dealer.onboarded, None)
            else:  # moved to another region: the old row ends, a new one begins
                old = company.by_dealer[dealer.dealer_id][0]
                start = max(START, old.onboarded)
                yield row(old.region, "经销商", dealer.dealer_id, 100, start, dealer.valid_from)
                yield row(dealer.region, "经销商", dealer.dealer_id, 100, dealer.valid_from, None)

    for received, rows in ((FIRST_RECEIVED, first()), (CHANGES, later())):
        write_xlsx(
            feeds.ledger,
            received,
            f"master/territories_{received:%Y-%m}.xlsx",
            "territories",
            "territories",
            Sheet("区域划分", TERRITORY_HEADER, above=("销售区域划分表",)),
            rows,
        )


def _first_rows(dealers: list[Dealer]) -> list[Dealer]:
    return list({dealer.dealer_id: dealer for dealer in reversed(dealers)}.values())[::-1]
