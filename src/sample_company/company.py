"""The sample company: regions, members, dealers, products, rates and who looks after whom.

Everything here follows from a seed and a size. Validity is half-open: `valid_to` is the first day on which a row no
longer holds. Amounts are integers of a cent, rates are Decimal.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

START = date(2023, 10, 1)
END = date(2026, 10, 1)
FIRST_RECEIVED = date(2026, 6, 30)


@dataclass(frozen=True)
class Size:
    """How large a sample is; `lines` is the number of sale lines aimed at."""

    name: str
    lines: int
    dealers: int
    teams: int
    members: int
    products: int
    overlap: int  # lines that an overlapping file repeats


SIZES = {
    "S": Size("S", 15_000, 60, 3, 14, 40, 40),
    "M": Size("M", 150_000, 300, 6, 40, 120, 400),
    "L": Size("L", 1_500_000, 1_500, 21, 140, 300, 4_000),
}


@dataclass(frozen=True)
class Market:
    """A part of the world that one source system sells to."""

    source: str
    currency: str
    regions: tuple[str, ...]
    share: float  # of dealers and lines
    team_word: str


MARKETS = (
    Market("erp_east", "CNY", ("East China", "North China"), 0.42, "华东华北"),
    Market("erp_south", "CNY", ("South China", "Southwest China"), 0.28, "华南西南"),
    Market("distributor_eu", "EUR", ("Europe",), 0.16, "International"),
    Market("distributor_us", "USD", ("North America", "Southeast Asia"), 0.14, "International"),
)
TEAM_MARKETS = (("erp_east",), ("erp_south",), ("distributor_eu", "distributor_us"))
TEAM_NAMES = ("East and North China", "South China", "International")

# region -> (name in the dealer master, country, cities)
PLACES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "East China": (
        "华东",
        (("China", "上海"), ("China", "杭州"), ("China", "南京"), ("China", "苏州"), ("China", "宁波")),
    ),
    "North China": ("华北", (("China", "北京"), ("China", "天津"), ("China", "石家庄"), ("China", "太原"))),
    "South China": ("华南", (("China", "广州"), ("China", "深圳"), ("China", "佛山"), ("China", "厦门"))),
    "Southwest China": ("西南", (("China", "成都"), ("China", "重庆"), ("China", "昆明"))),
    "Europe": (
        "Europe",
        (("Germany", "München"), ("Germany", "Köln"), ("France", "Lyon"), ("Italy", "Torino"), ("Spain", "Málaga")),
    ),
    "North America": (
        "North America",
        (("United States", "Denver"), ("United States", "Portland"), ("Canada", "Toronto")),
    ),
    "Southeast Asia": ("Southeast Asia", (("Singapore", "Singapore"), ("Malaysia", "Penang"), ("Thailand", "Bangkok"))),
}
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = (
    "伟",
    "芳",
    "娜",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "秀兰",
    "子涵",
    "欣怡",
    "宇轩",
    "梓萱",
    "浩然",
    "思远",
)
FOREIGN_FIRST = (
    "Anna",
    "Lukas",
    "Marie",
    "Carlos",
    "Giulia",
    "Emma",
    "Noah",
    "Olivia",
    "Liam",
    "Wei Ling",
    "Somchai",
    "Aisyah",
)
FOREIGN_LAST = ("Schneider", "Moreau", "García", "Rossi", "O'Brien", "Smith", "Nguyen", "Tan", "Müller", "Lefèvre")
CN_SHOP = ("骑行天地", "远山户外", "单车生活馆", "山地公社", "绿道运动", "极限风骑行", "行者户外", "飞驰车业")
CN_FORM = ("贸易有限公司", "体育用品有限公司", "商贸有限公司", "户外用品店")
EU_FORM = ("Radsport GmbH", "Zweirad & Co. KG", "Cycles SARL", "Biciclette S.r.l.", "Ciclos S.L.")
US_FORM = ("Cycle Supply, Inc.", "Outdoor LLC", 'Bike "Works"', "Trading Pte. Ltd.", "Adventure Gear")
MODELS = ("Aurora", "Bamboo", "Cloud", "Delta", "Everest", "Falcon")
TIERS = ("A", "B", "C")
DEALER_TYPES = ("distributor", "specialist", "chain", "online")
CATEGORIES = (
    ("E-Bikes", ("City", "Trekking", "Cargo"), 6_800_00, 18_500_00),
    ("Bikes", ("Road", "Mountain", "Kids"), 1_500_00, 9_800_00),
    ("Components", ("Wheels", "Drivetrain", "Brakes"), 80_00, 1_900_00),
    ("Apparel", ("Jerseys", "Helmets", "Gloves"), 60_00, 890_00),
    ("Camping", ("Tents", "Packs"), 150_00, 2_600_00),
)
# one unit of a foreign currency in CNY, used only to set foreign list prices
PRICE_LEVEL = {"CNY": Decimal(1), "EUR": Decimal("7.4"), "USD": Decimal("6.9")}


@dataclass(frozen=True)
class Member:
    """One member and window of validity; a change of grade or team is a second row."""

    member_id: str
    valid_from: date
    valid_to: date | None
    name: str
    role: str
    grade: str
    team: str
    manager_id: str | None
    region: str
    hired: date
    left: date | None
    employment_pct: int
    currency: str
    base_pay: int  # whole units per year
    gender: str
    birth_year: int


@dataclass(frozen=True)
class Dealer:
    """One dealer and window of validity."""

    dealer_id: str
    valid_from: date
    valid_to: date | None
    name: str
    dealer_type: str
    tier: str
    parent_id: str | None
    region: str
    country: str
    city: str
    currency: str
    onboarded: date
    status: str
    credit_limit: int  # whole units


@dataclass(frozen=True)
class Product:
    product_id: str
    name: str
    category: str
    subcategory: str
    unit: str
    list_price: dict[str, int]  # cents by currency
    cost: dict[str, int]


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which the same members share one dealer: (member, role, split in percent)."""

    start: date
    shares: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class AssignmentRow:
    dealer_id: str
    member_id: str
    role: str
    valid_from: date
    valid_to: date | None
    split_pct: int | None


@dataclass
class Rates:
    """Rates into CNY: type -> currency -> sorted list of (first day, rate). The latest on or before a day holds."""

    table: dict[str, dict[str, list[tuple[date, Decimal]]]]

    def rate(self, rate_type: str, currency: str, day: date) -> Decimal:
        if currency == "CNY":
            return Decimal(1)
        rows = self.table[rate_type][currency]
        return rows[bisect_right(rows, day, key=lambda row: row[0]) - 1][1]


@dataclass
class Company:
    size: Size
    members: list[Member]
    late_members: list[Member]  # rows first sent after the first load
    dealers: list[Dealer]
    late_dealers: list[Dealer]
    products: list[Product]
    segments: dict[str, list[Segment]]  # final, by dealer
    first_assignments: list[AssignmentRow]
    late_assignments: list[AssignmentRow]
    rates: Rates
    first_rate_sent: dict[tuple[str, str, date], Decimal]  # rates sent wrong at first, corrected later
    transfer: dict[str, str | date]  # the transfer that the truth explains
    market_of: dict[str, Market] = field(default_factory=dict)  # by dealer
    by_dealer: dict[str, list[Dealer]] = field(default_factory=dict)
    teams: list[list[str]] = field(default_factory=list)  # sales people by team
    team_of: dict[str, int] = field(default_factory=dict)
    employment: dict[str, tuple[date, date | None]] = field(default_factory=dict)

    def shares(self, dealer_id: str, day: date) -> tuple[tuple[str, str, int], ...]:
        """Members who share a sale to the dealer on that day, by the assignments in force."""
        found: tuple[tuple[str, str, int], ...] = ()
        for segment in self.segments[dealer_id]:
            if segment.start > day:
                break
            found = segment.shares
        return found

    def dealer_on(self, dealer_id: str, day: date) -> Dealer:
        rows = self.by_dealer[dealer_id]
        found = rows[0]
        for row in rows:
            if row.valid_from <= day:
                found = row
        return found

    def employed(self, member_id: str, day: date) -> bool:
        hired, left = self.employment[member_id]
        return hired <= day and (left is None or day < left)


def pick(rng: random.Random, items: Sequence[T]) -> T:
    """An item at random, by `random()` alone, so that every Python gives the same one."""
    return items[int(rng.random() * len(items))]


def between(rng: random.Random, low: int, high: int) -> int:
    """An integer from low to high, both included."""
    return low + int(rng.random() * (high - low + 1))


def make_company(seed: int, size: Size) -> Company:
    """The company of a seed and a size: the same ones give the same company."""
    rng = random.Random(f"company {seed} {size.name}")
    members, late_members, sales_by_team = _members(rng, size)
    dealers, late_dealers, market_of = _dealers(rng, size)
    first, final, transfer = _segments(rng, dealers, late_dealers, members + late_members, sales_by_team, market_of)
    helpers = [m.member_id for m in members if m.role in ("service", "support")]
    first_rows, final_rows = _rows(first, helpers), _rows(final, helpers)
    known = set(first_rows)
    late_rows = [row for row in final_rows if row not in known]
    gone = {_key(row) for row in first_rows} - {_key(row) for row in final_rows}
    if gone:
        raise AssertionError(f"a later assignment file cannot take rows back: {sorted(gone)[:3]}")
    rates, wrong = _rates(rng)
    company = Company(
        size=size,
        members=members,
        late_members=late_members,
        dealers=dealers,
        late_dealers=late_dealers,
        products=_products(rng, size),
        segments=final,
        first_assignments=first_rows,
        late_assignments=late_rows,
        rates=rates,
        first_rate_sent=wrong,
        transfer=transfer,
        market_of=market_of,
        teams=sales_by_team,
        team_of={member: no for no, team in enumerate(sales_by_team) for member in team},
        employment={m.member_id: (m.hired, m.left) for m in members + late_members},
    )
    for dealer in sorted(dealers + late_dealers, key=lambda d: (d.dealer_id, d.valid_from)):
        company.by_dealer.setdefault(dealer.dealer_id, []).append(dealer)
    return company


def _key(row: AssignmentRow) -> tuple[str, str, str, date]:
    return row.dealer_id, row.member_id, row.role, row.valid_from


def _person(rng: random.Random, foreign: bool) -> str:
    if foreign:
        return f"{pick(rng, FOREIGN_FIRST)} {pick(rng, FOREIGN_LAST)}"
    return pick(rng, SURNAMES) + pick(rng, GIVEN)


def _members(rng: random.Random, size: Size) -> tuple[list[Member], list[Member], list[list[str]]]:
    """Teams of a manager and sales people, of whom some leave and some join. Two more give service and support."""
    members: list[Member] = []
    late: list[Member] = []
    sales_by_team: list[list[str]] = []
    number = 0
    sales_count = size.members - size.teams - 2
    head: str | None = None
    for team_no in range(size.teams):
        group = team_no % len(TEAM_NAMES)
        foreign = group == 2
        market = next(m for m in MARKETS if m.source == TEAM_MARKETS[group][0])
        team = TEAM_NAMES[group] + ("" if team_no < len(TEAM_NAMES) else f" {team_no // len(TEAM_NAMES) + 1}")
        in_team = sales_count // size.teams + (1 if team_no < sales_count % size.teams else 0)
        manager = f"M{number + 1:03d}"
        sales: list[str] = []
        roles = ["manager"] + ["sales"] * in_team
        if team_no == 0:
            roles += ["service"]
        if team_no == 1 % size.teams:
            roles += ["support"]
        for place, role in enumerate(roles):
            number += 1
            member_id = f"M{number:03d}"
            hired = date(2018 + between(rng, 0, 4), between(rng, 1, 12), between(rng, 1, 28))
            left: date | None = None
            grade = "G7" if role == "manager" else pick(rng, ("G3", "G4", "G5"))
            joins_late = False
            if role == "sales" and place == 2:
                left = (date(2026, 2, 16), None, date(2026, 8, 10))[group]
            if role == "sales" and place == in_team:
                hired = (date(2025, 4, 14), date(2026, 7, 13), date(2024, 9, 1))[group]
                joins_late = hired > FIRST_RECEIVED
            currency = market.currency
            row = Member(
                member_id=member_id,
                valid_from=max(hired, date(2023, 1, 1)),
                valid_to=left,
                name=_person(rng, foreign),
                role=role,
                grade=grade,
                team=team,
                manager_id=head if role == "manager" else manager,
                region=market.regions[0],
                hired=hired,
                left=left,
                employment_pct=80 if role == "support" else 100,
                currency=currency,
                base_pay=(240_000 if role == "manager" else 150_000) // (1 if currency == "CNY" else 4)
                + 1_000 * between(rng, 0, 30),
                gender=pick(rng, ("F", "M", "")),
                birth_year=between(rng, 1970, 2001),
            )
            if left is not None and left > FIRST_RECEIVED:  # the leave is told after the first load
                members.append(replace(row, left=None, valid_to=None))
                late.append(row)
            elif joins_late:
                late.append(row)
            else:
                members.append(row)
            if role == "sales":
                sales.append(member_id)
                if place == 1:  # a promotion: a second row of the same person
                    members.append(
                        replace(row, valid_from=date(2025, 1, 1), grade="G6", base_pay=row.base_pay + 12_000)
                    )
        if head is None:
            head = manager
        sales_by_team.append(sales)
    return members, late, sales_by_team


def _dealer_name(rng: random.Random, market: Market, city: str) -> str:
    if market.currency == "CNY":
        return f"{city}{pick(rng, CN_SHOP)}{pick(rng, CN_FORM)}"
    last = pick(rng, FOREIGN_LAST)
    return f"{last} {pick(rng, EU_FORM if market.currency == 'EUR' else US_FORM)}"


def _dealers(rng: random.Random, size: Size) -> tuple[list[Dealer], list[Dealer], dict[str, Market]]:
    dealers: list[Dealer] = []
    late: list[Dealer] = []
    market_of: dict[str, Market] = {}
    number = 0
    for market_no, market in enumerate(MARKETS):
        count = round(size.dealers * market.share) if market_no < len(MARKETS) - 1 else size.dealers - number
        parent: str | None = None
        for place in range(count):
            number += 1
            dealer_id = f"D{number:04d}"
            region = market.regions[place % len(market.regions)]
            country, city = pick(rng, PLACES[region][1])
            onboarded = date(2015 + between(rng, 0, 7), between(rng, 1, 12), between(rng, 1, 28))
            if place % 7 == 5:  # onboarded during the three years
                onboarded = date(2024, 1, 1) + timedelta(days=between(rng, 0, 600))
            newcomer = place == count - 1  # onboarded after the first load
            if newcomer:
                onboarded = date(2026, 7, 20)
            row = Dealer(
                dealer_id=dealer_id,
                valid_from=onboarded,
                valid_to=None,
                name=_dealer_name(rng, market, city),
                dealer_type=pick(rng, DEALER_TYPES),
                tier=pick(rng, TIERS),
                parent_id=parent if place % 5 == 3 else None,
                region=region,
                country=country,
                city=city,
                currency=market.currency,
                onboarded=onboarded,
                status="active",
                credit_limit=100_000 * between(rng, 1, 20),
            )
            if place == 0:
                parent = dealer_id
            market_of[dealer_id] = market
            if newcomer:
                late.append(row)
                continue
            dealers.append(row)
            if place % 6 == 2 and onboarded < date(2024, 1, 1):  # its tier changes inside a quarter
                dealers.append(replace(row, valid_from=date(2025, 2, 15), tier=TIERS[(TIERS.index(row.tier) + 1) % 3]))
            if place == 4 and len(market.regions) > 1:  # moved to the market's other region; told after the first load
                other = market.regions[(place + 1) % 2]
                late.append(replace(row, valid_from=date(2026, 5, 16), region=other))
            if place == 8:  # terminated: sells nothing from then on
                dealers.append(replace(row, valid_from=date(2025, 10, 1), status="terminated"))
    dealers.append(  # a prospect without any sale must still appear
        Dealer(
            f"D{number + 1:04d}",
            date(2026, 6, 1),
            None,
            "上海新拓骑行有限公司",
            "specialist",
            "C",
            None,
            "East China",
            "China",
            "上海",
            "CNY",
            date(2026, 6, 1),
            "prospect",
            0,
        ),
    )
    market_of[f"D{number + 1:04d}"] = MARKETS[0]
    return dealers, late, market_of


def _products(rng: random.Random, size: Size) -> list[Product]:
    products = []
    for number in range(size.products):
        category, subcategories, low, high = CATEGORIES[number % len(CATEGORIES)]
        price = between(rng, low // 1000, high // 1000) * 1000 + 900
        cost = price * between(rng, 52, 74) // 100
        subcategory = subcategories[number // len(CATEGORIES) % len(subcategories)]
        products.append(
            Product(
                product_id=f"P{number + 1:04d}",
                name=f"{subcategory} {pick(rng, MODELS)} {100 + number}",
                category=category,
                subcategory=subcategory,
                unit="piece",
                list_price={code: int(price / level) for code, level in PRICE_LEVEL.items()},
                cost={code: int(cost / level) for code, level in PRICE_LEVEL.items()},
            )
        )
    return products


def _segments(
    rng: random.Random,
    dealers: list[Dealer],
    late_dealers: list[Dealer],
    members: list[Member],
    sales_by_team: list[list[str]],
    market_of: dict[str, Market],
) -> tuple[dict[str, list[Segment]], dict[str, list[Segment]], dict[str, str | date]]:
    """Who looks after whom, as first told and as finally known, and the transfer that the truth explains."""
    hired = {m.member_id: m.hired for m in members}
    left = {m.member_id: m.left for m in members}  # the last row of a member holds the leave
    teams_of = {
        market.source: [
            team for no, team in enumerate(sales_by_team) if market.source in TEAM_MARKETS[no % len(TEAM_MARKETS)]
        ]
        for market in MARKETS
    }
    onboarded = {d.dealer_id: d.onboarded for d in dealers + late_dealers}
    late_ids = {d.dealer_id for d in late_dealers} - {d.dealer_id for d in dealers}
    status = {d.dealer_id: d.status for d in dealers}
    first: dict[str, list[Segment]] = {}
    final: dict[str, list[Segment]] = {}
    transfer: dict[str, str | date] = {}
    place_of: dict[str, int] = {}
    late_ids = {d.dealer_id for d in late_dealers} - {d.dealer_id for d in dealers}
    for dealer_id in sorted(onboarded):
        source = market_of[dealer_id].source
        place = place_of[source] = place_of.get(source, -1) + 1
        start = max(START, onboarded[dealer_id])
        team = teams_of[source][place // 3 % len(teams_of[source])]
        if status.get(dealer_id) == "prospect" or place == 10:
            # Nobody looks after it: its sales are credited to nobody.
            first[dealer_id], final[dealer_id] = [], []
            continue

        def mate(day: date, other_than: str, team: list[str] = team) -> str | None:
            """Someone of the team who works on that day and stays."""
            return next((m for m in team if m != other_than and hired[m] <= day and left[m] is None), None)

        here = [m for m in team if hired[m] <= start]
        owner = here[place % len(here)]
        leave = left[owner]
        if leave is not None and leave <= start:
            owner, leave = mate(start, owner) or owner, None
        segments = [Segment(start, ((owner, "owner", 100),))]
        joiner = next((m for m in team if hired[m] > start and left[m] is None), None)
        begin = {
            1: date(2025, 5, 10),
            2: date(2025, 4, 20),
            4: date(2025, 5, 16) + timedelta(days=between(rng, 0, 60)),
        }.get(place % 6)
        second = mate(begin, owner) if begin else None
        if leave is not None:
            segments.append(Segment(leave, ((mate(leave, owner) or owner, "owner", 100),)))
        elif begin and second and start < date(2025, 1, 1):
            if place % 6 == 1:
                # Two members share it for a year and more; what ends the sharing is told after the first load.
                split = (60, 70, 75)[place // 6 % 3]
                segments.append(Segment(begin, ((owner, "owner", split), (second, "co_owner", 100 - split))))
                segments.append(Segment(date(2026, 8, 1), ((owner, "owner", 100),)))
            elif place % 6 == 2:  # the two share 90 %; the rest is nobody's
                segments.append(Segment(begin, ((owner, "owner", 70), (second, "co_owner", 20))))
            else:  # a transfer in the middle of a month
                segments.append(Segment(begin, ((second, "owner", 100),)))
        elif place % 6 == 5 and joiner:  # a joiner takes it over on the first day of work
            segments.append(Segment(hired[joiner], ((joiner, "owner", 100),)))
        known = [s for s in segments if s.start <= FIRST_RECEIVED]
        if place == 0:  # told late, and reaching back into a quarter that was loaded
            day = date(2026, 5, 16)
            now = segments[-1].shares[0][0]
            other = mate(day, now)
            if other is not None:
                segments.append(Segment(day, ((other, "owner", 100),)))
                if source == "erp_south" or not transfer:
                    transfer = {"dealer_id": dealer_id, "from_member": now, "to_member": other, "on": day}
        first[dealer_id] = [] if dealer_id in late_ids else known
        final[dealer_id] = sorted(segments, key=lambda s: s.start)
    return first, final, transfer


def _rows(segments: dict[str, list[Segment]], helpers: list[str]) -> list[AssignmentRow]:
    """Assignment rows. People of service and support look after some dealers too, without a share of the sales."""
    rows = []
    for dealer_id, stretch in segments.items():
        for no, segment in enumerate(stretch):
            until = stretch[no + 1].start if no + 1 < len(stretch) else None
            rows += [
                AssignmentRow(dealer_id, member, role, segment.start, until, split)
                for member, role, split in segment.shares
            ]
        if stretch and int(dealer_id[1:]) % 9 == 3:
            rows.append(AssignmentRow(dealer_id, helpers[0], "service", stretch[0].start, None, None))
        if stretch and int(dealer_id[1:]) % 9 == 6:
            rows.append(AssignmentRow(dealer_id, helpers[1], "overlay", stretch[0].start, None, 100))
    return rows


def _rates(rng: random.Random) -> tuple[Rates, dict[tuple[str, str, date], Decimal]]:
    """Market rates on the first day of each month and once in the middle of one; plan rates once a year."""
    table: dict[str, dict[str, list[tuple[date, Decimal]]]] = {"market": {}, "plan": {}}
    for currency, level in (("EUR", 77_500), ("USD", 71_800)):
        rows: list[tuple[date, Decimal]] = []
        day = START
        while day < END:
            level += between(rng, -450, 450)
            rows.append((day, Decimal(level).scaleb(-4)))
            if day == date(2026, 8, 1):
                rows.append((date(2026, 8, 15), Decimal(level - 1_200).scaleb(-4)))
            day = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        table["market"][currency] = rows
        base = 77_000 if currency == "EUR" else 71_000
        table["plan"][currency] = [
            (date(year, 1, 1), Decimal(base + 500 * step).scaleb(-4))
            for step, year in enumerate((2023, 2024, 2025, 2026))
        ]
    rates = Rates(table)
    wrong = {("market", "USD", date(2026, 6, 1)): rates.rate("market", "USD", date(2026, 6, 1)) + Decimal("0.1")}
    return rates, wrong
