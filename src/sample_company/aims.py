"""Targets beside the monthly ones on sales: of the company, and on other KPIs, tied to objectives that they serve."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from sample_company.company import between
from sample_company.feeds import Aim, Feeds
from sample_company.figures import quarters
from sample_company.ledger import Fate, missing, unknown_word, write_csv

RECEIVED = date(2026, 7, 17)
HEADER = ("指标编号", "考核对象", "编号", "指标", "品类", "开始日期", "结束日期", "目标值", "单位", "战略目标", "权重")
WORDS = {"company": "公司", "team": "团队", "member": "个人"}
UNITS = {"net_revenue": "CNY", "training_hours": "count", "target_approval_days": "count"}  # all others: percent


def write_aims(feeds: Feeds) -> None:
    """One file of them; the aims join those of the workbooks."""
    aims = list(_aims(feeds))
    feeds.aims += aims
    rows: list[tuple[list[str], Fate]] = []
    for number, aim in enumerate(aims, start=1):
        weight = "" if aim.weight is None else str(aim.weight)
        line = [f"KT-{number:04d}", WORDS[aim.subject_type], "" if aim.subject_type == "company" else aim.subject]
        line += [aim.metric, aim.category, f"{aim.first}", f"{aim.after}", f"{aim.value}"]
        rows.append(([*line, UNITS.get(aim.metric, "percent"), aim.objective or "", weight], Fate("accepted")))
    right = rows[0][0]
    rows += [
        (["KT-9001", "品牌", "X1", *right[3:]], unknown_word("subject_type_unknown")),
        (["KT-9002", *right[1:3], "", *right[4:]], missing("metric_missing")),
    ]
    write_csv(feeds.ledger, RECEIVED, "targets/指标分解_2026.csv", "aims", "targets", HEADER, rows)


def _aims(feeds: Feeds) -> Iterator[Aim]:
    rng = feeds.rng("aims")
    sold = feeds.figures.revenue_by_quarter()
    for quarter, first, after in quarters(date(2025, 1, 1), date(2026, 10, 1)):
        value = sold[quarter]["net"] * Decimal(between(rng, 90, 115)) // 100_000 * 1000
        yield Aim("company", "company", "net_revenue", "", first, after, value, f"OBJ-{first.year}-1", None)
    # The days that approvals take: less is better. In force a year too late, the second serves nothing.
    first, after = date(2025, 10, 1), date(2026, 1, 1)
    yield Aim("company", "company", "target_approval_days", "", first, after, Decimal(12), None, None)
    first, after = after, date(2026, 4, 1)
    yield Aim("company", "company", "csat_pct", "", first, after, Decimal(75), "OBJ-2025-2", None)
    teams = sorted({member.team for member in feeds.members.values()})
    service = feeds.at_work(first, "service", "support")
    for _, first, after in quarters(date(2026, 1, 1), date(2026, 10, 1)):
        for team in teams:
            value = Decimal(between(rng, 70, 95))
            yield Aim("team", team, "training_completion_pct", "", first, after, value, None, None)
        for member in service:
            value = Decimal(between(rng, 60, 90))
            yield Aim("member", member, "csat_pct", "", first, after, value, f"OBJ-{first.year}-2", 60)
            # Their hours of training serve the third objective from the second quarter on.
            objective = f"OBJ-{first.year}-3" if first.month > 1 else None
            yield Aim("member", member, "training_hours", "", first, after, Decimal(between(rng, 2, 8)), objective, 40)
    for member in service:  # half a year is no fiscal period
        first, after = date(2026, 1, 1), date(2026, 7, 1)
        yield Aim("member", member, "training_hours", "", first, after, Decimal(10), None, 20)
