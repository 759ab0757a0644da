"""What the KPIs of sales, of dealers who buy, of sell-through and of the market must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from sample_company import kpis_service
from sample_company.company import END, START, Member
from sample_company.feeds import Feeds
from sample_company.figures import EIGHT, Line, Planted, half_up, quarters

Subject = tuple[str, str]
ZERO, HUNDRED = Decimal(0), Decimal(100)
COMPANY: Subject = ("company", "company")


class Period:
    """A month or quarter, and the months that it has, counted from the first."""

    def __init__(self, name: str, start: date, end: date) -> None:
        self.name, self.start, self.end = name, start, end
        self.first = month_no(start)
        self.months = range(self.first, month_no(end))
        self.is_quarter = len(self.months) == 3


def month_no(day: date) -> int:
    """0 for the first month of the sample."""
    return 12 * (day.year - START.year) + day.month - START.month


def periods() -> list[Period]:
    """All quarters and months."""
    found = [Period(name, first, after) for name, first, after in quarters(START, END)]
    day = START
    while day < END:
        after = (day + timedelta(days=31)).replace(day=1)
        found.append(Period(f"{day.year}-M{day.month:02d}", day, after))
        day = after
    return found


def ratio(above: Decimal | int, below: Decimal | int) -> Decimal | None:
    """One by the other; None where it is a share of nothing or less."""
    return Decimal(above) / Decimal(below) if below > 0 else None


class Book:
    """The current sale lines by whom they count for, month by month."""

    def __init__(self, feeds: Feeds) -> None:
        self.feeds = feeds
        self.sums: dict[Subject, dict[int, dict[str, Decimal]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(Decimal))
        )
        self.net: dict[Subject, dict[int, dict[str, Decimal]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(Decimal))
        )
        self.days: dict[Subject, dict[int, dict[str, set[date]]]] = defaultdict(
            lambda: defaultdict(lambda: defaultdict(set))
        )
        self.invoiced: dict[Subject, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        # sell-in by dealer, region, category and month: net, units
        self.cells: dict[tuple[str, str, str, int], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        self._rows: dict[str, dict[date, Member]] = defaultdict(dict)
        for member in feeds.company.members + feeds.company.late_members:
            self._rows[member.member_id][member.valid_from] = member
        first: dict[str, tuple[date, int]] = {}
        for line in feeds.figures.current.values():
            if line.kind == "invoice":
                at = (line.day, line.line_no)
                first[line.transaction_id] = min(at, first.get(line.transaction_id, at))
        for line in feeds.figures.current.values():
            self._add(line, first.get(line.transaction_id) == (line.day, line.line_no))

    def _team(self, member_id: str, day: date) -> str | None:
        rows = [row for start, row in sorted(self._rows[member_id].items()) if start <= day]
        return rows[-1].team if rows and (rows[-1].valid_to is None or day < rows[-1].valid_to) else None

    def _add(self, line: Line, is_first: bool) -> None:
        figures = self.feeds.figures
        region, category = figures.region(line.dealer_id, line.day), figures.category(line.product_id)
        net, discount = (figures.convert(cents, line.currency, line.day) for cents in (line.net, line.discount))
        invoice, month = line.kind == "invoice", month_no(line.day)
        cell = self.cells[line.dealer_id, region, category, month]
        cell[0] += net
        cell[1] += line.quantity
        shares: dict[Subject, Decimal] = {
            COMPANY: Decimal(1),
            ("region", region): Decimal(1),
            ("dealer", line.dealer_id): Decimal(1),
            ("category", category): Decimal(1),
        }
        for member_id, _, percent in figures.credits(line):
            team = self._team(member_id, figures.credit_day(line))
            for subject in (("member", member_id), ("team", team)):
                if subject[1] is not None:
                    key = subject[0], subject[1]
                    shares[key] = shares.get(key, ZERO) + Decimal(percent).scaleb(-2)
        for subject, share in shares.items():
            sums = self.sums[subject][month]
            sums["lines"] += share
            sums["units"] += share * line.quantity
            sums["gross"] += share * (net + discount)
            if invoice:
                sums["invoices"] += share
                sums["invoiced"] += share * net
                sums["discount"] += share * discount
                sums["before"] += share * (net + discount)
                sums["documents"] += share if is_first else ZERO
                self.invoiced[subject][month].add(line.dealer_id)
                self.days[subject][month][line.dealer_id].add(line.day)
            else:
                sums["returned"] -= share * net
            self.net[subject][month][line.dealer_id] += share * net

    def total(self, subject: Subject, period: Period, name: str) -> Decimal:
        months = self.sums[subject]
        return sum((months[month][name] for month in period.months if month in months), ZERO)

    def dealers(self, subject: Subject, period: Period) -> dict[str, Decimal]:
        """Net revenue with each dealer."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for month in period.months:
            for dealer_id, net in self.net[subject].get(month, {}).items():
                found[dealer_id] += net
        return found

    def active(self, subject: Subject, period: Period) -> set[str]:
        return {dealer_id for dealer_id, net in self.dealers(subject, period).items() if net > 0}


def planted_sales(feeds: Feeds) -> Iterator[Planted]:
    """Sums of sale lines and shares of them, for whoever has any."""
    if not feeds.figures.keeps_lines:
        return
    book = Book(feeds)
    for period in periods():
        for subject in sorted(book.sums):
            if subject[0] in ("dealer", "member") and not period.is_quarter:
                continue
            if not book.total(subject, period, "lines"):
                continue

            def figure(kpi: str, value: Decimal | None, subject: Subject = subject, period: Period = period) -> Planted:
                return Planted(kpi, period.name, *subject, value)

            sums = {
                name: book.total(subject, period, name)
                for name in ("units", "gross", "discount", "before", "returned", "invoiced", "documents")
            }
            yield figure("units", sums["units"])
            yield figure("gross_sales_amount", sums["gross"])
            yield figure("discount_pct", ratio(sums["discount"], sums["before"]))
            yield figure("returns_pct", ratio(sums["returned"], sums["invoiced"]))
            if subject[0] != "category":
                yield figure("average_deal_amount", ratio(sums["invoiced"], sums["documents"]))
    yield from _complaints(feeds, book)
    yield from _dealers(feeds, book)
    yield from _sell_through(feeds, book)
    yield from _market(feeds, book)


def planted_revenue(feeds: Feeds) -> Iterator[Planted]:
    """Revenue, margin and growth of the company by quarter, and revenue by region, of the sums by day."""
    sums = feeds.figures.revenue_by_quarter()
    for name, each in sums.items():
        net, margin = each["net"], each["net"] - each["cost"]
        yield Planted("net_revenue", name, *COMPANY, net)
        yield Planted("gross_margin_amount", name, *COMPANY, margin)
        yield Planted("gross_margin_pct", name, *COMPANY, margin / net)
        year, number = int(name[:4]), int(name[-1])
        before = f"{year - (number == 1)}-Q{(number + 2) % 4 + 1}"
        for kpi, base in (("growth_previous_pct", before), ("growth_last_year_pct", f"{year - 1}-Q{number}")):
            yield Planted(kpi, name, *COMPANY, net / sums[base]["net"] - 1 if base in sums else None)
    for name, regions in feeds.figures.revenue_by_region().items():
        for region, net in regions.items():
            yield Planted("net_revenue", name, "region", region, net)


def _complaints(feeds: Feeds, book: Book) -> Iterator[Planted]:
    """Complaints of the service desk per hundred invoices; who was not invoiced has none."""
    raised = ((kpis_service.local_day(case.opened), case) for case in feeds.cases if case.category == "complaint")
    complaints = kpis_service.gathered(
        (day, {"dealer": case.dealer_id, "region": feeds.company.dealer_on(case.dealer_id, day).region}, 1)
        for day, case in raised
    )
    for period in periods():
        for subject in sorted(book.sums):
            invoices = book.total(subject, period, "documents")
            if subject[0] in ("dealer", "region", "company") and period.is_quarter and invoices:
                count = len(complaints.get((period.name, *subject), ()))
                yield Planted("complaint_rate", period.name, *subject, 100 * Decimal(count) / invoices)


def _starts(book: Book) -> dict[str, list[int]]:
    """Dealer -> months in which it began to buy, once the twelve months before are known."""
    found: dict[str, list[int]] = {}
    bought: dict[str, list[int]] = defaultdict(list)
    for month, dealers in sorted(book.invoiced[COMPANY].items()):
        for dealer_id in dealers:
            bought[dealer_id].append(month)
    for dealer_id, months in bought.items():
        found[dealer_id] = [
            month
            for place, month in enumerate(months)
            if month >= 12 and (place == 0 or month - months[place - 1] > 12)
        ]
    return found


def _in_force(feeds: Feeds, period: Period) -> dict[Subject, set[str]]:
    """Dealers whose status is active on a day of the period."""
    found: dict[Subject, set[str]] = defaultdict(set)
    for dealer_id, rows in feeds.company.by_dealer.items():
        ends = [row.valid_from for row in rows[1:]] + [None]
        for row, end in zip(rows, ends, strict=True):
            until = min(day for day in (row.valid_to, end, period.end) if day is not None)
            if row.status == "active" and max(row.valid_from, row.onboarded, period.start) < until:
                found[COMPANY].add(dealer_id)
                found["region", row.region].add(dealer_id)
    return found


def _dealers(feeds: Feeds, book: Book) -> Iterator[Planted]:
    starts = _starts(book)
    all_periods = periods()
    by_first = {(period.first, period.is_quarter): period for period in all_periods}
    for period in all_periods:
        in_force = _in_force(feeds, period)
        year_before = by_first.get((period.first - 12, period.is_quarter))
        for subject in sorted(book.net):
            if subject[0] == "dealer":
                continue
            net = book.dealers(subject, period)
            if not net:
                continue
            active = book.active(subject, period)
            name, kind = period.name, subject[0]
            yield Planted("active_dealers", name, *subject, Decimal(len(active)))
            if kind in ("region", "company"):
                force = in_force[subject]
                yield Planted("active_dealer_pct", name, *subject, ratio(len(active & force), len(force)))
                days: dict[str, int] = defaultdict(int)
                for month in period.months:
                    for dealer_id, found in book.days[subject].get(month, {}).items():
                        days[dealer_id] += len(found)
                again = sum(count >= 2 for count in days.values())
                yield Planted("repurchase_pct", name, *subject, ratio(again, len(days)))
            if kind != "category":
                begun = {
                    dealer_id
                    for month in period.months
                    for dealer_id in book.invoiced[subject].get(month, ())
                    if month in starts[dealer_id]
                }
                known = period.first >= 12
                yield Planted("new_dealers", name, *subject, Decimal(len(begun)) if known else None)
                new = sum(
                    (
                        amount
                        for month in period.months
                        for dealer_id, amount in book.net[subject].get(month, {}).items()
                        if any(start <= month < start + 12 for start in starts.get(dealer_id, ()))
                    ),
                    ZERO,
                )
                known = period.first >= 23
                share = ratio(new, sum(net.values(), ZERO)) if known else None
                yield Planted("new_dealer_revenue_pct", name, *subject, share)
            yield from _concentration(subject, name, sorted((net[dealer_id] for dealer_id in active), reverse=True))
            if year_before is not None:
                before = book.active(subject, year_before)
                yield Planted("retention_pct", name, *subject, ratio(len(before & active), len(before)))
            if period.is_quarter and period.first >= 9:
                each = [book.active(subject, by_first[period.first - 3 * back, True]) for back in range(4)]
                anyone = set.union(*each)
                yield Planted("loyal_dealer_pct", name, *subject, ratio(len(set.intersection(*each)), len(anyone)))


def _concentration(subject: Subject, name: str, amounts: list[Decimal]) -> Iterator[Planted]:
    total = sum(amounts, ZERO)
    top = sum(amounts[: max(1, len(amounts) // 10)], ZERO)
    yield Planted("dealer_concentration_pct", name, *subject, ratio(top, total))
    shares = [half_up(amount / total, EIGHT) for amount in amounts]
    squares = sum((half_up(share * share, EIGHT) for share in shares), ZERO)
    yield Planted("dealer_hhi", name, *subject, 10_000 * squares if amounts else None)


def _sell_through(feeds: Feeds, book: Book) -> Iterator[Planted]:
    figures = feeds.figures
    counts: dict[str, dict[date, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(Decimal)))
    for (dealer_id, product_id, _), row in feeds.rows("dealer_stock").items():
        counts[dealer_id][row["as_of_date"]][figures.category(product_id)] += Decimal(row["on_hand_quantity"])

    def counted(dealer_id: str, before: date) -> date | None:
        days = [day for day in counts.get(dealer_id, {}) if before - timedelta(days=45) <= day < before]
        return max(days, default=None)

    first = min(line.day for line in figures.sold_on)
    for period in periods():
        sums: dict[Subject, dict[str, list[Decimal]]] = defaultdict(lambda: defaultdict(lambda: [ZERO, ZERO]))

        def note(
            kpi: str,
            dealer_id: str,
            region: str,
            category: str,
            above: Decimal | int,
            below: Decimal | int,
            sums: dict[Subject, dict[str, list[Decimal]]] = sums,
        ) -> None:
            for subject in (COMPANY, ("dealer", dealer_id), ("region", region), ("category", category)):
                sums[subject][kpi][0] += above
                sums[subject][kpi][1] += below

        inside = [line for line in figures.sold_on if period.start <= line.day < period.end]
        reporting = {line.dealer_id for line in inside}
        opened = {dealer_id: day for dealer_id in reporting if (day := counted(dealer_id, period.start)) is not None}
        closed = {dealer_id: day for dealer_id in counts if (day := counted(dealer_id, period.end)) is not None}
        for line in inside:
            where = line.dealer_id, figures.region(line.dealer_id, line.day), figures.category(line.product_id)
            note("sell_through_pct", *where, line.quantity, 0)
            if line.dealer_id in opened:
                note("sell_through_stock_pct", *where, line.quantity, 0)
            if line.dealer_id in closed:
                note("sell_through_on_hand_pct", *where, line.quantity, line.quantity)
        for (dealer_id, region, category, month), (_, units) in book.cells.items():
            if month in period.months and dealer_id in reporting:
                note("sell_through_pct", dealer_id, region, category, 0, units)
                if dealer_id in opened:
                    note("sell_through_stock_pct", dealer_id, region, category, 0, units)
        for dealer_id, day in opened.items():
            for category, units in counts[dealer_id][day].items():
                note("sell_through_stock_pct", dealer_id, figures.region(dealer_id, day), category, 0, units)
        for dealer_id, day in closed.items():
            since = day - timedelta(days=90)
            lines = [line for line in figures.sold_on if line.dealer_id == dealer_id and since < line.day <= day]
            for category, units in counts[dealer_id][day].items():
                where = dealer_id, figures.region(dealer_id, day), category
                if dealer_id in reporting:
                    note("sell_through_on_hand_pct", *where, 0, units)
                if lines and first <= day - timedelta(days=89):
                    note("stock_days", *where, 90 * units, 0)
            if first <= day - timedelta(days=89):
                for line in lines:
                    where = dealer_id, figures.region(dealer_id, line.day), figures.category(line.product_id)
                    note("stock_days", *where, 0, line.quantity)
        for subject, by_kpi in sorted(sums.items()):
            for kpi, (above, below) in sorted(by_kpi.items()):
                yield Planted(kpi, period.name, *subject, ratio(above, below))


def _market(feeds: Feeds, book: Book) -> Iterator[Planted]:
    rows = feeds.rows("market")
    shares: dict[tuple[Subject, int], Decimal | None] = {}
    for period in (period for period in periods() if period.is_quarter):
        cells = {
            (region, category) for region, category, first, brand in rows if brand == "total" and first == period.start
        }
        subjects: dict[Subject, set[tuple[str, str]]] = defaultdict(set)
        for region, category in cells:
            for subject in (COMPANY, ("region", region), ("category", category)):
                subjects[subject].add((region, category))
        for subject, inside in sorted(subjects.items()):
            own = units = ZERO
            for (_, region, category, month), (net, quantity) in book.cells.items():
                if month in period.months and (region, category) in inside:
                    own += net
                    units += quantity
            amounts: dict[str, Decimal] = defaultdict(Decimal)
            sold = indexed = ZERO
            for (region, category, first, brand), row in rows.items():
                if first != period.start or (region, category) not in inside:
                    continue
                amounts[brand] += row["amount"]
                if brand == "total":
                    sold += row["quantity"]
                else:
                    indexed += row["amount"] * row["price_index"]
            others = {brand: amount for brand, amount in amounts.items() if brand != "total"}
            share = ratio(own, amounts["total"])
            shares[subject, period.first] = None if share is None else half_up(share, EIGHT)
            before = shares.get((subject, period.first - 3))
            after = shares[subject, period.first]
            change = None if before is None or after is None else HUNDRED * (after - before)
            name = period.name
            yield Planted("market_share_pct", name, *subject, share)
            yield Planted("market_share_units_pct", name, *subject, ratio(units, sold))
            yield Planted("relative_market_share", name, *subject, ratio(own, max(others.values())))
            yield Planted("price_index_own", name, *subject, ratio(10_000 * sum(others.values(), ZERO), indexed))
            yield Planted("market_share_change_pct", name, *subject, change)
