"""The figures that must come out, in exact arithmetic and without the pipeline.

Amounts are summed as integers of a cent (times percent where credit is split) per day and currency, and converted once,
with Decimal, at the end. Nothing is rounded before that.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from sample_company.company import Company

CENT = Decimal("0.01")
EIGHT = Decimal("0.00000001")
BANDS = (
    (Decimal(0), Decimal("0.8"), Decimal("0.010")),
    (Decimal("0.8"), Decimal(1), Decimal("0.015")),
    (Decimal(1), None, Decimal("0.025")),
)
BONUS = Decimal("5000.00")
COUNTED = ("E-Bikes", "Bikes")  # categories that the market panel counts
DOCUMENTS_SINCE = date(2026, 7, 1)


class Planted(NamedTuple):
    """A KPI's value of a subject in a period; None where there is none."""

    kpi: str
    period: str
    subject_type: str
    subject: str
    value: Decimal | None


class Line(NamedTuple):
    """A sale line. Amounts in cents; quantity in whole units."""

    transaction_id: str
    line_no: int
    kind: str  # invoice, return, credit_note
    dealer_id: str
    product_id: str
    seller_id: str | None
    quantity: int
    unit_price: int
    discount: int
    net: int
    cost: int
    currency: str
    day: date
    original_id: str | None
    original_line: int | None


class Document(NamedTuple):
    """An invoice: the sum of its lines in cents."""

    dealer_id: str
    currency: str
    day: date
    net: int


def quarter_of(day: date) -> str:
    """The calendar quarter of a day, such as 2026-Q1."""
    return f"{day.year}-Q{(day.month + 2) // 3}"


def quarters(start: date, end: date) -> list[tuple[str, date, date]]:
    """Quarters from start to end (exclusive): id, first day, first day after."""
    found = []
    day = start
    while day < end:
        after = date(day.year + (day.month + 2) // 12, (day.month + 2) % 12 + 1, 1)
        found.append((quarter_of(day), day, after))
        day = after
    return found


def half_up(value: Decimal, to: Decimal = CENT) -> Decimal:
    """Rounded half up, to the cent unless told otherwise."""
    return value.quantize(to, ROUND_HALF_UP)


class Figures:
    """Sums over the current sale lines; a correction takes the old line out and puts the new one in."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.lines = 0
        self.net: dict[str, int] = defaultdict(int)
        self.by_day: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0])  # net, cost
        self.by_region: dict[tuple[date, str, str], int] = defaultdict(int)
        self.ebikes: dict[tuple[date, str, str], int] = defaultdict(int)  # as by_region, of one category
        # as by_region and by_member (cents x percent), of the categories that a panel counts; members' by region
        self.counted_by_region: dict[tuple[date, str, str], int] = defaultdict(int)
        self.counted_by_member: dict[tuple[date, str, str, str], int] = defaultdict(int)
        self.by_member: dict[tuple[date, str, str], int] = defaultdict(int)  # cents x percent
        self.margin_by_member: dict[tuple[date, str, str], int] = defaultdict(int)
        self.buyers: set[str] = set()
        self.watched: list[Line] = []  # current lines of the dealer whose transfer is explained
        self.documents: dict[str, Document] = {}  # current invoices of the last quarter, by number
        self.lines_since: dict[tuple[str, int], Line] = {}  # current lines of the last quarter, of all kinds
        # Current lines, and what dealers sold on; not of the largest sample, whose figures are planted nowhere.
        self.keeps_lines = company.size.lines < 1_000_000
        self.current: dict[tuple[str, int], Line] = {}
        self.sold_on: list[Line] = []
        self.resent: dict[str, date] = {}  # those among them that came right on this day only
        # of invoiced lines: day, dealer, seller
        self._sold: dict[tuple[str, int | None], tuple[date, str, str | None]] = {}
        self._shares = {d: ([s.start for s in segments], segments) for d, segments in company.segments.items()}
        self._categories = {product.product_id: product.category for product in company.products}
        self._regions = {d: ([r.valid_from for r in rows], rows) for d, rows in company.by_dealer.items()}

    def credits(self, line: Line) -> list[tuple[str, str, int]]:
        """(member, role, percent) of a line, 100 in all: the stated seller has it, else owners as assigned on that day.

        A return goes as the sale went. Nobody who has left is credited with a sale; what nobody gets is unassigned.
        """
        day, dealer_id, seller = line.day, line.dealer_id, line.seller_id
        sold = None if line.original_id is None else self._sold.get((line.original_id, line.original_line))
        if sold is not None:
            day, dealer_id = sold[:2]
            seller = seller or sold[2]
        is_sale = line.kind == "invoice" or sold is not None
        if seller is not None and not (is_sale and self._has_left(seller, day)):
            return [(seller, "seller", 100)]
        starts, segments = self._shares[dealer_id]
        found = bisect_right(starts, day) - 1
        shares = [s for s in (segments[found].shares if found >= 0 else ()) if not self._has_left(s[0], day)]
        rest = 100 - sum(percent for _, _, percent in shares)
        return [*shares, ("unassigned", "unassigned", rest)] if rest else shares

    def credit_day(self, line: Line) -> date:
        """The day by which a line is credited: of a return that of the sale, where that is known."""
        sold = None if line.original_id is None else self._sold.get((line.original_id, line.original_line))
        return line.day if sold is None else sold[0]

    def _has_left(self, member_id: str, day: date) -> bool:
        left = self.company.employment[member_id][1]
        return left is not None and left <= day

    def region(self, dealer_id: str, day: date) -> str:
        starts, rows = self._regions[dealer_id]
        return rows[max(0, bisect_right(starts, day) - 1)].region

    def add_sold_on(self, line: Line) -> None:
        """A line by which a dealer sold on what it had bought: no revenue of the brand."""
        self.lines += 1
        self.net[line.currency] += line.net
        self.sold_on.append(line)

    def category(self, product_id: str) -> str:
        return self._categories[product_id]

    def add(self, line: Line, sign: int = 1) -> None:
        self.lines += sign
        if line.kind == "invoice":
            self._sold[line.transaction_id, line.line_no] = line.day, line.dealer_id, line.seller_id
        if self.keeps_lines and sign > 0:
            self.current[line.transaction_id, line.line_no] = line
        elif self.keeps_lines:
            del self.current[line.transaction_id, line.line_no]
        self.buyers.add(line.dealer_id)
        if line.dealer_id == self.company.transfer.get("dealer_id"):
            self.watched.append(line) if sign > 0 else self.watched.remove(line)
        self.net[line.currency] += sign * line.net
        if line.day >= DOCUMENTS_SINCE:
            if sign > 0:
                self.lines_since[line.transaction_id, line.line_no] = line
            else:
                del self.lines_since[line.transaction_id, line.line_no]
        if line.kind == "invoice" and line.day >= DOCUMENTS_SINCE:
            before = self.documents.get(line.transaction_id)
            net = sign * line.net + (before.net if before else 0)
            self.documents[line.transaction_id] = Document(line.dealer_id, line.currency, line.day, net)
        sums = self.by_day[line.day, line.currency]
        sums[0] += sign * line.net
        sums[1] += sign * line.cost
        region = line.day, line.currency, self.region(line.dealer_id, line.day)
        self.by_region[region] += sign * line.net
        if self._categories[line.product_id] == "E-Bikes":
            self.ebikes[region] += sign * line.net
        counted = self._categories[line.product_id] in COUNTED
        if counted:
            self.counted_by_region[region] += sign * line.net
        for member, _, percent in self.credits(line):
            self.by_member[line.day, line.currency, member] += sign * line.net * percent
            self.margin_by_member[line.day, line.currency, member] += sign * (line.net - line.cost) * percent
            if counted:
                self.counted_by_member[*region, member] += sign * line.net * percent

    def replace(self, old: Line, new: Line) -> None:
        self.add(old, -1)
        self.add(new)

    def convert(self, cents: int, currency: str, day: date, rate_type: str = "market") -> Decimal:
        """Cents of a currency in CNY at the latest rate on or before the day, unrounded."""
        return Decimal(cents).scaleb(-2) * self.company.rates.rate(rate_type, currency, day)

    def revenue_by_quarter(self) -> dict[str, dict[str, Decimal]]:
        """Quarter -> net revenue, cost and gross margin in CNY at market rate, unrounded."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"net": Decimal(0), "cost": Decimal(0)})
        for (day, currency), (net, cost) in self.by_day.items():
            entry = sums[quarter_of(day)]
            entry["net"] += self.convert(net, currency, day)
            entry["cost"] += self.convert(cost, currency, day)
        return dict(sorted(sums.items()))

    def revenue_by_region(self) -> dict[str, dict[str, Decimal]]:
        """Quarter -> region (of the dealer on the day of the sale) -> net revenue in CNY, unrounded."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for (day, currency, region), net in self.by_region.items():
            sums[quarter_of(day)][region] += self.convert(net, currency, day)
        return {quarter: dict(sorted(regions.items())) for quarter, regions in sorted(sums.items())}

    def ebikes_by_region_and_month(self) -> dict[str, dict[str, Decimal]]:
        """Month such as 2026-05 -> region -> net revenue of E-Bikes in CNY at the plan rate, unrounded."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for (day, currency, region), net in self.ebikes.items():
            sums[f"{day:%Y-%m}"][region] += self.convert(net, currency, day, "plan")
        return {month: dict(sorted(regions.items())) for month, regions in sorted(sums.items())}

    def revenue_by_member(
        self, rate_type: str = "market", counts: Callable[[str, date], bool] = lambda member, day: True
    ) -> dict[str, dict[str, Decimal]]:
        """Quarter -> member -> credited net revenue in CNY, unrounded; only of the days that count for the member."""
        sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for (day, currency, member), percent_cents in self.by_member.items():
            if not counts(member, day):
                continue
            sums[quarter_of(day)][member] += self.convert(percent_cents, currency, day, rate_type).scaleb(-2)
        return {quarter: dict(sorted(members.items())) for quarter, members in sorted(sums.items())}

    def margin_pct_by_member(self) -> dict[tuple[str, str], Decimal]:
        """(quarter, member) -> margin of what was credited by net revenue; none where that is 0."""
        margins: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for (day, currency, member), percent_cents in self.margin_by_member.items():
            margins[quarter_of(day), member] += self.convert(percent_cents, currency, day, "market").scaleb(-2)
        revenue = self.revenue_by_member()
        return {
            (quarter, member): margin / revenue[quarter][member]
            for (quarter, member), margin in margins.items()
            if revenue[quarter][member]
        }


def top_two(scores: Iterable[int]) -> tuple[int, int]:
    """Answers of 4 or 5 on a five-point scale, and all answers."""
    scores = list(scores)
    return sum(score >= 4 for score in scores), len(scores)
