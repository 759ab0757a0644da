"""Files about dealers, people, products, rates, assignments, targets and plans."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sample_company.company import (
    END,
    FIRST_RECEIVED,
    PLACES,
    START,
    AssignmentRow,
    Company,
    Dealer,
    Member,
    between,
)
from sample_company.feeds import Aim
from sample_company.figures import Figures, quarters
from sample_company.ledger import (
    ACCEPTED,
    BLANK,
    REPEAT,
    TOTALS,
    Cell,
    CsvFile,
    Dialect,
    Fate,
    Ledger,
    Sheet,
    quarantined,
    rejected,
    waiting,
    write_json,
    write_xlsx,
)
from sample_company.sales import customer_number

CHANGES = date(2026, 7, 24)
RATE_CORRECTED = date(2026, 7, 10)
TARGET_REVISED = date(2026, 7, 17)
MID_AUGUST = date(2026, 8, 18)

TYPE_WORDS = {"distributor": "代理商", "specialist": "专卖店", "chain": "连锁", "online": "电商"}
STATUS_WORDS = {"active": "正常", "prospect": "潜在", "suspended": "暂停", "terminated": "终止"}
ROLE_WORDS = {"sales": "销售", "service": "客服", "support": "支持", "manager": "经理"}
GENDER_WORDS = {"M": "男", "F": "女", "": ""}
DEALER_HEADER = (
    "经销商编码",
    "经销商名称",
    "类型",
    "级别",
    "上级经销商",
    "大区",
    "国家",
    "城市",
    "结算币种",
    "开户日期",
    "状态",
    "信用额度",
    "生效日期",
    "失效日期",
)
MEMBER_HEADER = (
    "工号",
    "姓名",
    "岗位",
    "职级",
    "团队",
    "直属上级",
    "区域",
    "入职日期",
    "离职日期",
    "用工比例",
    "币种",
    "年薪",
    "性别",
    "出生年份",
    "生效日期",
    "失效日期",
)
TARGET_HEADER = ("考核对象", "编号", "指标", "品类", "年度", "单位", *(f"{month}月" for month in range(1, 13)))
SUBJECT_WORDS = {"member": "个人", "team": "团队", "region": "大区"}
COURSES = (
    ("C01", "E-Bike Product Basics 电助力车产品基础", "product", True, "4"),
    ("C02", "Battery Safety 电池安全", "product", True, "2"),
    ("C03", "Components Deep Dive 零部件进阶", "product", False, "6"),
    ("C04", "Competitor Landscape 竞品分析", "market", False, "3"),
    ("C05", "European Market Rules 欧洲市场法规", "market", False, "2.5"),
    ("C06", "Consultative Selling 顾问式销售", "selling", True, "8"),
    ("C07", "Key Account Planning 大客户规划", "selling", False, "8"),
    ("C08", "Store Display 门店陈列", "selling", False, "1.5"),
    ("C09", "Complaint Handling 投诉处理", "service", True, "4"),
    ("C10", "Warranty Process 保修流程", "service", False, "2"),
)


def write_masters(ledger: Ledger, company: Company) -> None:
    """Everything but targets, sales, training and surveys."""
    _write_dealers(ledger, FIRST_RECEIVED, "master/dealers_2026-06.xlsx", company.dealers, planted=True)
    _write_dealers(ledger, CHANGES, "master/dealers_2026-07.xlsx", company.late_dealers, planted=False)
    _write_customers(ledger, FIRST_RECEIVED, company, company.dealers)
    _write_customers(ledger, CHANGES, company, company.late_dealers)
    _write_members(ledger, FIRST_RECEIVED, "hr/team_2026-06.xlsx", company.members)
    _write_members(ledger, CHANGES, "hr/team_2026-07.xlsx", company.late_members)
    _write_products(ledger, company)
    _write_assignments(ledger, FIRST_RECEIVED, company.first_assignments, planted=True)
    _write_assignments(ledger, CHANGES, company.late_assignments, planted=False)
    _write_rates(ledger, company)
    _write_plan_assignments(ledger, company)
    courses = [
        ({"courseId": code, "title": name, "topic": topic, "mandatory": mandatory, "hours": float(hours)}, ACCEPTED)
        for code, name, topic, mandatory, hours in COURSES
    ]
    wrong: tuple[dict[str, object], Fate] = (
        {"courseId": "C99", "title": "Yoga", "topic": "leisure", "mandatory": False, "hours": 1.0},
        quarantined("topic_unknown", "unknown enumeration"),
    )
    write_json(ledger, FIRST_RECEIVED, "lms/courses_2026-06.json", "courses", "training_courses", [*courses, wrong])


def _write_dealers(ledger: Ledger, received: date, file: str, dealers: Sequence[Dealer], planted: bool) -> None:
    def cells(d: Dealer) -> list[Cell]:
        return [
            d.dealer_id,
            d.name,
            TYPE_WORDS[d.dealer_type],
            d.tier,
            d.parent_id,
            PLACES[d.region][0],
            d.country,
            d.city,
            d.currency,
            d.onboarded,
            STATUS_WORDS[d.status],
            d.credit_limit,
            d.valid_from,
            d.valid_to,
        ]

    def rows() -> Iterator[tuple[list[Cell], list[Fate]]]:
        for number, dealer in enumerate(dealers):
            yield cells(dealer), [ACCEPTED]
            if planted and number == 9:
                yield [], [BLANK]
        if planted:
            row = cells(dealers[0])
            row[0], row[10] = "D9001", "冻结"
            yield row, [quarantined("status_unknown", "unknown enumeration")]
            row = cells(dealers[0])
            row[0] = None
            yield row, [quarantined("dealer_id_missing", "missing key")]
            row = cells(dealers[0])
            row[0], row[9] = "D9002", "去年"
            yield row, [rejected("onboarded_date", "date", "bad date")]
            yield ["合计", *[None] * 10, sum(d.credit_limit for d in dealers)], [TOTALS]
            yield [" "], [BLANK]
            yield [" "], [BLANK]

    write_xlsx(ledger, received, file, "dealers", "dealers", Sheet("经销商", DEALER_HEADER), rows())


def _write_customers(ledger: Ledger, received: date, company: Company, dealers: Sequence[Dealer]) -> None:
    """The European distributor's own customer numbers: a reference for lookups, no feed."""
    file = f"distributor_eu/kunden_{received:%Y-%m}.csv"
    with CsvFile(
        ledger, received, file, "eu_customers", None, ["Kundennr", "Name", "Dealer"], Dialect("cp1252", ";")
    ) as out:
        listed = set[tuple[str, ...]]()
        for dealer in dealers:
            if dealer.currency == "EUR":  # a dealer with a history stands once for each state, in the same words
                line = (customer_number(dealer.dealer_id), dealer.name, dealer.dealer_id)
                out.row(line, REPEAT if line in listed else ACCEPTED)
                listed.add(line)


def _write_members(ledger: Ledger, received: date, file: str, members: Sequence[Member]) -> None:
    def rows() -> Iterator[tuple[list[Cell], list[Fate]]]:
        for m in members:
            yield (
                [
                    m.member_id,
                    m.name,
                    ROLE_WORDS[m.role],
                    m.grade,
                    m.team,
                    m.manager_id,
                    PLACES[m.region][0],
                    m.hired,
                    m.left,
                    m.employment_pct,
                    m.currency,
                    m.base_pay,
                    GENDER_WORDS[m.gender],
                    m.birth_year,
                    m.valid_from,
                    m.valid_to,
                ],
                [ACCEPTED],
            )

    write_xlsx(
        ledger,
        received,
        file,
        "team",
        "team_members",
        Sheet("团队", MEMBER_HEADER, above=("经销商管理部人员名单", f"制表日期 {received}")),
        rows(),
    )


def _write_products(ledger: Ledger, company: Company) -> None:
    header = [
        "SKU",
        "Product Name",
        "Category",
        "Subcategory",
        "Brand",
        "Unit",
        "Currency",
        "List Price",
        "Standard Cost",
        "Valid From",
        "Valid To",
    ]
    with CsvFile(
        ledger, FIRST_RECEIVED, "master/products_2026-06.txt", "products", "products", header, Dialect("utf-16", "\t")
    ) as out:
        for number, p in enumerate(company.products):
            price, cost = p.list_price["CNY"], p.cost["CNY"]
            row = [
                p.product_id,
                p.name,
                p.category,
                p.subcategory,
                "Lanchuan 澜川",
                p.unit,
                "CNY",
                f"{price / 100:.2f}",
                f"{cost / 100:.2f}",
                "2023-01-01",
                "",
            ]
            out.row(row)
            if number % 10 == 3:  # a new list price
                out.row([*row[:7], f"{price * 105 // 100 / 100:.2f}", row[8], "2026-01-01", ""])


def _write_assignments(ledger: Ledger, received: date, rows: Iterable[AssignmentRow], planted: bool) -> None:
    file = f"crm/assignments_{received:%Y-%m}.csv"
    header = ["Dealer ID", "Member ID", "Role", "Start Date", "End Date", "Split %"]
    with CsvFile(ledger, received, file, "assignments", "assignments", header, Dialect(line_end="\n")) as out:
        rows = list(rows)
        for r in rows:
            out.row(
                [
                    r.dealer_id,
                    r.member_id,
                    r.role,
                    f"{r.valid_from}",
                    f"{r.valid_to or ''}",
                    "" if r.split_pct is None else f"{r.split_pct}",
                ]
            )
        if planted:
            first = rows[0]
            out.row(
                [first.dealer_id, "M002", "friend", "2024-01-01", "", "100"],
                quarantined("role_unknown", "unknown enumeration"),
            )
            out.row(
                [first.dealer_id, "M002", "owner", "2024-01-01", "", "130"],
                quarantined("split_pct_out_of_range", "value out of range"),
            )
            out.row(
                [first.dealer_id, "M002", "owner", "2024-01-01", "", "half"],
                rejected("split_pct", "decimal", "bad number"),
            )


def _write_rates(ledger: Ledger, company: Company) -> None:
    table = company.rates.table
    words = {"market": "市场", "plan": "计划"}
    files: dict[date, list[tuple[date, str, str, Decimal]]] = {}
    for rate_type, currencies in table.items():
        for currency, rates in currencies.items():
            for day, rate in rates:
                if day < date(2026, 7, 1):
                    received = FIRST_RECEIVED
                    wrong = company.first_rate_sent.get((rate_type, currency, day))
                    if wrong is not None:
                        files.setdefault(RATE_CORRECTED, []).append((day, currency, rate_type, rate))
                        rate = wrong
                else:
                    received = {7: date(2026, 7, 3), 8: date(2026, 8, 4), 9: date(2026, 9, 3)}[day.month]
                    if day.day == 15:
                        received = MID_AUGUST
                files.setdefault(received, []).append((day, currency, rate_type, rate))
    header = ["日期", "源币种", "目标币种", "类型", "汇率"]
    for received, rows in sorted(files.items()):
        with CsvFile(
            ledger, received, f"finance/fx_{received}.csv", "fx", "fx_rates", header, Dialect("utf-8-sig")
        ) as out:
            for day, currency, rate_type, rate in sorted(rows):
                out.row([f"{day:%Y%m%d}", currency, "CNY", words[rate_type], f"{rate}"])
            if received == FIRST_RECEIVED:
                out.row(
                    ["20250101", "USD", "CNY", "远期", "7.1000"],
                    quarantined("rate_type_unknown", "unknown enumeration"),
                )
                out.row(
                    ["20250102", "USD", "CNY", "市场", "-7.1000"],
                    quarantined("rate_not_positive", "value out of range"),
                )
                out.row(["20250103", "USD", "CNY", "市场", "七"], rejected("rate", "decimal", "bad number"))


def _write_plan_assignments(ledger: Ledger, company: Company) -> None:
    header = ["row_id", "payee_type", "payee", "plan", "target_pay", "currency", "from", "to"]
    known = {m.member_id: m for m in company.members if m.role == "sales"}
    final = {m.member_id: m for m in company.members + company.late_members if m.role == "sales"}

    def row(m: Member) -> list[str]:
        return [
            f"PA-{m.member_id}",
            "member",
            m.member_id,
            "sales_commission",
            "60000.00",
            "CNY",
            f"{max(START, m.hired)}",
            f"{m.left or ''}",
        ]

    with CsvFile(
        ledger, FIRST_RECEIVED, "hr/plan_assignments_2026-06.csv", "plan_assignments", "plan_assignments", header
    ) as out:
        for member in known.values():
            out.row(row(member))
    with CsvFile(
        ledger, CHANGES, "hr/plan_assignments_2026-07.csv", "plan_assignments", "plan_assignments", header
    ) as out:
        for member_id, member in final.items():
            if member_id not in known or member.left != known[member_id].left:
                out.row(row(member))


def write_targets(
    ledger: Ledger, company: Company, figures: Figures, seed: int
) -> tuple[dict[tuple[str, date], Decimal], dict[str, Any], list[Aim]]:
    """Write a workbook of monthly targets for each year, set from what was sold, and one that revises a quarter.

    Returns:
        Target in CNY by member and first day of the month, as finally in force; then the members of the planted edges,
        and all targets of these workbooks.
    """
    rng = random.Random(f"targets {seed} {company.size.name}")
    revenue = figures.revenue_by_member()
    by_region = figures.revenue_by_region()
    sales = [m for m in {m.member_id: m for m in company.members + company.late_members}.values() if m.role == "sales"]
    edges: dict[str, Any] = {"exactly_reached": "", "zero_target": ""}
    targets: dict[tuple[str, date], Decimal] = {}
    team_targets: dict[tuple[str, date], Decimal] = {}
    region_targets: dict[tuple[str, date], Decimal] = {}
    for member in sales:
        china = member.currency == "CNY"
        for quarter, first, after in quarters(START, END):
            months = [
                m for m in _months(first, after) if _next(m) > member.hired and (member.left is None or m < member.left)
            ]
            if not months:
                continue
            sold = revenue.get(quarter, {}).get(member.member_id, Decimal(0))
            factor = Decimal(between(rng, 78, 128)).scaleb(-2)
            each = max(Decimal(20_000), (sold * factor / len(months)).quantize(Decimal(1)) // 1000 * 1000)
            values = [each] * len(months)
            if quarter == "2026-Q1" and china and member.left is None and not edges["exactly_reached"]:
                edges["exactly_reached"] = member.member_id
                values[-1] = sold - sum(values[:-1])
                if values[-1] <= 0:
                    values = [sold - 2000, Decimal(1000), Decimal(1000)]
            if quarter == "2025-Q3" and not china and member.left is None and not edges["zero_target"]:
                edges["zero_target"] = member.member_id
                values = [Decimal(0)] * len(months)
            for month, value in zip(months, values, strict=True):
                targets[member.member_id, month] = value
                key = (member.team, month)
                team_targets[key] = team_targets.get(key, Decimal(0)) + value
    for quarter, first, after in quarters(START, END):
        for region, sold in by_region[quarter].items():
            for month in _months(first, after):
                region_targets[region, month] = max(
                    Decimal(20_000), (sold * Decimal(between(rng, 85, 120)) / 300) // 1000 * 1000
                )

    revised_member = next(m.member_id for m in sales if m.currency == "USD" or m.currency == "EUR")
    before = {month: targets[revised_member, month] for month in _months(date(2026, 7, 1), END)}
    # Their targets are set before the list of members that names them is delivered.
    joining = {m.member_id for m in company.late_members} - {m.member_id for m in company.members}
    for year in (2023, 2024, 2025, 2026):
        wide = [
            ("member", m.member_id, "", {n: targets.get((m.member_id, date(year, n, 1))) for n in range(1, 13)})
            for m in sales
        ]
        for team in sorted({team for team, _ in team_targets}):
            wide.append(("team", team, "", {n: team_targets.get((team, date(year, n, 1))) for n in range(1, 13)}))
        for region in sorted({region for region, _ in region_targets}):
            wide.append(
                ("region", region, "", {n: region_targets.get((region, date(year, n, 1))) for n in range(1, 13)})
            )
            ebikes = {
                n: whole * 4 // 10 if (whole := region_targets.get((region, date(year, n, 1)))) is not None else None
                for n in range(1, 13)
            }
            wide.append(("region", region, "E-Bikes", ebikes))
        file = f"targets/销售目标_{year}.xlsx"
        _write_target_year(ledger, FIRST_RECEIVED, file, year, wide, planted=year == 2025, joining=joining)
    for month, was in before.items():
        targets[revised_member, month] = was * 9 // 10
    revision = {n: targets[revised_member, date(2026, n, 1)] if n in (7, 8, 9) else None for n in range(1, 13)}
    _write_target_year(
        ledger,
        TARGET_REVISED,
        "targets/销售目标_2026_Q3调整.xlsx",
        2026,
        [("member", revised_member, "", revision)],
        planted=False,
    )
    edges["revised_member"] = revised_member
    aims = [
        Aim(kind, subject, "net_revenue", "", month, _next(month), value, None, None)
        for kind, of in (("member", targets), ("team", team_targets), ("region", region_targets))
        for (subject, month), value in of.items()
    ]
    aims += [  # sales planning sets those for e-bikes to serve the first objective of the year
        Aim("region", region, "net_revenue", "E-Bikes", month, _next(month), of * 4 // 10, f"OBJ-{month.year}-1", None)
        for (region, month), of in region_targets.items()
    ]
    return targets, edges, aims


def _write_target_year(
    ledger: Ledger,
    received: date,
    file: str,
    year: int,
    wide: Sequence[tuple[str, str, str, dict[int, Decimal | None]]],
    planted: bool,
    joining: Collection[str] = (),
) -> None:
    empty, early = Fate("structural", "empty month"), waiting("member_unknown", "member not known yet")

    def rows() -> Iterator[tuple[list[Cell], list[Fate]]]:
        for kind, subject, category, months in wide:
            if all(value is None for value in months.values()):
                continue
            cells: list[Cell] = [
                SUBJECT_WORDS[kind],
                PLACES[subject][0] if kind == "region" else subject,
                "net_revenue",
                category,
                year,
                "CNY",
            ]
            cells += [None if value is None else float(value) for value in months.values()]
            fate = early if subject in joining else ACCEPTED
            yield cells, [empty if value is None else fate for value in months.values()]
        if planted:
            cells = ["个人", "M001", "net_revenue", "", year, "CNY", *[None] * 12]
            fates = [empty] * 12
            cells[8], fates[2] = "待定", rejected("target_value", "decimal", "bad number")
            yield cells, fates
            yield (
                ["部门", "X1", "net_revenue", "", year, "CNY", *[1000] * 12],
                [quarantined("subject_type_unknown", "unknown enumeration")] * 12,
            )
            yield ["合计", *[None] * 5, *[1] * 12], [TOTALS]

    write_xlsx(
        ledger,
        received,
        file,
        "targets",
        "targets",
        Sheet("目标", TARGET_HEADER, above=(f"{year}年度销售目标", "单位：元"), unpivot=12),
        rows(),
    )


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _months(first: date, after: date) -> Iterator[date]:
    while first < after:
        yield first
        first = _next(first)
