"""What HR and sales operations keep about the team: objectives, careers, absences, pay matters and reviews."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sample_company.company import FIRST_RECEIVED, between, pick
from sample_company.feeds import TOLD, Feeds, Skill, sent_on
from sample_company.ledger import (
    TOTALS,
    Cell,
    Fate,
    Sheet,
    bad_date,
    bad_number,
    missing,
    out_of_range,
    unknown_word,
    write_csv,
    write_json,
    write_xlsx,
)
from sample_company.reviews import write_reviews

_, AUGUST, OCTOBER = TOLD
OBJECTIVES = (
    (1, "电助力车销售额翻番 Double e-bike sales", 40),
    (2, "经销商满意度领先 Lead in dealer satisfaction", 35),
    (3, "团队能力提升 Grow the team's skills", 25),
)
ABSENCE_WORDS = {
    "vacation": "年假", "sick": "病假", "parental": "育儿假", "training": "外训", "unpaid": "事假", "other": "其他",
}  # fmt: skip
SKILLS = (
    ("E-bike technology", "product"),
    ("Market knowledge", "market"),
    ("Negotiation", "selling"),
    ("Complaints", "service"),
)
PLAN = "sales_commission"


def write_staff(feeds: Feeds) -> None:
    """Write the files of these feeds."""
    _write_objectives(feeds)
    _write_careers(feeds)
    _write_absences(feeds)
    _write_skills(feeds)
    _write_pay(feeds)
    _write_approvals(feeds)
    write_reviews(feeds, sellers_of(feeds))


def sellers_of(feeds: Feeds) -> list[str]:
    """Sellers who were there before the first file."""
    return [m for m in feeds.at_work(FIRST_RECEIVED, "sales") if feeds.members[m].hired < date(2026, 1, 1)]


def _write_objectives(feeds: Feeds) -> None:
    header = ("目标编号", "战略目标", "权重", "开始日期", "结束日期")
    rows: list[tuple[list[Cell], list[Fate]]] = []
    for year in (2023, 2024, 2025, 2026):
        first, after = date(year, 1, 1), date(year + 1, 1, 1)
        for number, text, weight in OBJECTIVES:
            fate = feeds.keep("objectives", year, number, weight_pct=weight, valid_from=first)
            rows.append(([f"OBJ-{year}-{number}", text, weight, first, after], [fate]))
    right = rows[0][0]
    rows += [
        (["OBJ-9", *right[1:2], 130, *right[3:]], [out_of_range("weight_pct_out_of_range")]),
        (["OBJ-10", *right[1:4], right[3]], [out_of_range("valid_to_not_after_valid_from")]),
        (["OBJ-11", *right[1:3], "年初", right[4]], [bad_date("valid_from")]),
        (["合计", None, 100], [TOTALS]),
    ]
    write_xlsx(
        feeds.ledger,
        FIRST_RECEIVED,
        "strategy/objectives_2026.xlsx",
        "objectives",
        "objectives",
        Sheet("战略目标", header, above=("公司战略目标",)),
        rows,
    )


def _write_careers(feeds: Feeds) -> None:
    """Promotions that the member list shows as well, and awards."""
    rng = feeds.rng("careers")
    head = feeds.at_work(FIRST_RECEIVED, "manager")[0]
    header = (
        "事件编号",
        "工号",
        "类型",
        "原职级",
        "新职级",
        "原岗位",
        "新岗位",
        "决定日期",
        "生效日期",
        "决定人",
        "原因",
    )
    rows: list[tuple[list[Cell], list[Fate]]] = []
    before: dict[str, Any] = {}
    for member in feeds.company.members:
        last = before.get(member.member_id)
        before[member.member_id] = member
        if last is None or last.grade == member.grade:
            continue
        number = f"CE-{len(rows) + 1:03d}"
        day = member.valid_from
        fate = feeds.keep("career_events", number, kind="promotion")
        feeds.promotions.append((member.member_id, day, member.grade))
        cells: list[Cell] = [number, member.member_id, "晋升", last.grade, member.grade, "销售", "销售"]
        rows.append(([*cells, day - timedelta(days=20), day, member.manager_id, "业绩突出"], [fate]))
    right = rows[0][0]
    for number, member_id in (("CE-101", sellers_of(feeds)[0]), ("CE-102", sellers_of(feeds)[1])):
        fate = feeds.keep("career_events", number, kind="transfer")
        cells = [number, member_id, "调动", None, None, "销售", "销售", None, date(2026, 5, 1), head, None]
        rows.append((cells, [fate]))
    rows += [
        (["CE-901", *right[1:2], "加薪", *right[3:]], [unknown_word("kind_unknown")]),
        (["CE-902", *right[1:4], None, *right[5:]], [missing("to_grade_missing")]),
        (["CE-903", *right[1:8], "下月", *right[9:]], [bad_date("effective_date")]),
    ]
    write_xlsx(
        feeds.ledger,
        FIRST_RECEIVED,
        "hr/career_2026-06.xlsx",
        "careers",
        "career_events",
        Sheet("职业发展", header),
        rows,
    )

    names = ["award_no", "employee", "award", "date", "given_by", "value", "currency", "reason"]
    files: dict[date, list[tuple[list[str], Fate]]] = {FIRST_RECEIVED: [], AUGUST: [], OCTOBER: []}
    days = (date(2025, 10, 20), date(2026, 1, 20), date(2026, 4, 20), date(2026, 7, 28), date(2026, 9, 29))
    for quarter, day in enumerate(days):
        received = sent_on(day)
        assert received is not None
        for place in range(3):
            member_id = pick(rng, sellers_of(feeds))
            number, value = f"AW-{quarter + 1}{place + 1}", 500 * between(rng, 0, 6)
            currency = feeds.members[member_id].currency
            fate = feeds.keep(
                "recognitions", number, value_amount=value or None, currency_code=currency if value else None
            )
            award = ("Star of the quarter", "Best newcomer", "Team player")[place]
            line = [
                number,
                member_id,
                award,
                f"{day}",
                head,
                f"{value:,}.00" if value else "-",
                currency if value else "",
            ]
            files[received].append(([*line, ""], fate))
    first = [*files[FIRST_RECEIVED][0][0][:5], "100.00", "CNY", ""]
    files[FIRST_RECEIVED] += [
        (["AW-91", *first[1:5], "-5.00", *first[6:]], out_of_range("value_amount_negative")),
        (["AW-92", "", *first[2:]], missing("member_id_missing")),
        (["AW-93", *first[1:5], "a bike", *first[6:]], bad_number("value_amount")),
        (["AW-94", *first[1:6], "", ""], missing("currency_code_missing")),
    ]
    for received, part in files.items():
        write_csv(feeds.ledger, received, f"hr/awards_{received}.csv", "awards", "recognitions", names, part)


def _write_absences(feeds: Feeds) -> None:
    """Leave of a year; the last day of absence is stated as such, so it is included."""
    rng = feeds.rng("absences")
    header = ("单据号", "工号", "假别", "开始日期", "最后一天", "比例", "带薪", "更新时间")
    files: dict[date, list[tuple[list[Cell], list[Fate]]]] = {FIRST_RECEIVED: [], AUGUST: [], OCTOBER: []}
    number = 0
    for member_id in sorted(feeds.members):
        for month in range(0, 12, 2):
            day = date(2025, 10, 1) + timedelta(days=30 * month + between(rng, 0, 28))
            kind, length = pick(rng, ("vacation", "vacation", "sick", "training", "unpaid")), between(rng, 1, 12)
            if rng.random() < 0.03:
                kind, length = "parental", 90
            half = rng.random() < 0.1
            last = day + timedelta(days=length - 1)
            if not (feeds.company.employed(member_id, day) and feeds.company.employed(member_id, last)):
                continue
            number += 1
            received = next((told for told in files if day <= told), OCTOBER)
            paid = "否" if kind == "unpaid" else "是"
            share, changed_at = 50 if half else None, f"{day} 09:00:00"
            cells: list[Cell] = [f"LV-{number:04d}", member_id, ABSENCE_WORDS[kind], day, last, share, paid, changed_at]
            files[received].append((cells, [feeds.keep("absences", number, kind=kind, valid_from=day)]))
    changed = files[FIRST_RECEIVED][0][0]  # came back a day earlier or later than asked for
    later = f"{FIRST_RECEIVED + timedelta(days=20)} 09:00:00"
    files[AUGUST].append(([*changed[:4], date(2026, 7, 31), *changed[5:7], later], [Fate("accepted")]))
    files[FIRST_RECEIVED] += [
        (["LV-9001", *changed[1:2], "罢工", *changed[3:]], [unknown_word("kind_unknown")]),
        (["LV-9002", None, *changed[2:]], [missing("member_id_missing")]),
        (["LV-9003", *changed[1:4], date(2020, 1, 1), *changed[5:]], [out_of_range("valid_to_not_after_valid_from")]),
        (["LV-9004", *changed[1:3], "待定", *changed[4:]], [bad_date("valid_from")]),
    ]
    for received, rows in files.items():
        write_xlsx(
            feeds.ledger,
            received,
            f"hr/leave_{received}.xlsx",
            "leave",
            "absences",
            Sheet("休假", header, above=("休假登记表", "单位：天")),
            rows,
        )


def _write_skills(feeds: Feeds) -> None:
    """Yearly assessments on a scale of five levels, from the learning system, which has codes of its own for people."""
    rng = feeds.rng("skills")
    files: dict[date, list[tuple[dict[str, Any], Fate]]] = {FIRST_RECEIVED: [], OCTOBER: []}
    for day, received in (
        (date(2025, 3, 15), FIRST_RECEIVED),
        (date(2026, 3, 15), FIRST_RECEIVED),
        (date(2026, 9, 15), OCTOBER),
    ):
        for member_id in feeds.at_work(day, "sales", "service", "support"):
            for skill, topic in SKILLS:
                level = min(5, between(rng, 1, 4) + (day.year - 2025))
                number = f"SK-{sum(map(len, files.values())) + 1:05d}"
                record = {
                    "id": number,
                    "user": f"U{1000 + int(member_id[1:])}",
                    "skill": skill,
                    "topic": topic,
                    "assessed": day.isoformat(),
                    "assessor": feeds.members[member_id].manager_id,
                    "level": level,
                    "scale": {"min": 1, "max": 5},
                }
                feeds.skills.append(Skill(member_id, skill, day, level))
                files[received].append((record, feeds.keep("skills", number, topic=topic, level=level)))
    right = files[FIRST_RECEIVED][0][0]
    files[FIRST_RECEIVED] += [
        ({**right, "id": "SK-99001", "level": 7}, out_of_range("level_outside_scale")),
        ({**right, "id": "SK-99002", "topic": "cooking"}, unknown_word("topic_unknown")),
        (
            {**right, "id": "SK-99003", "user": "U9999"},
            Fate("rejected", "unknown user of the learning system", "unknown lookup"),
        ),
        ({**right, "id": "SK-99004", "level": "high"}, bad_number("level")),
    ]
    for received, rows in files.items():
        write_json(feeds.ledger, received, f"lms/skills_{received}.json", "lms_skills", "skills", rows)


def _write_pay(feeds: Feeds) -> None:
    """Manual adjustments, acceptances of the plan and disputes about statements."""
    rng = feeds.rng("pay")
    sellers = sellers_of(feeds)
    managers = feeds.at_work(FIRST_RECEIVED, "manager")
    header = [
        "No",
        "Payee Type",
        "Payee",
        "Plan",
        "Effective",
        "Amount",
        "Currency",
        "Reason",
        "Requested By",
        "Approved By",
        "Approved",
    ]
    rows: list[tuple[list[str], Fate]] = []
    for number in range(1, 9):
        cents, day = 100_00 * between(rng, -20, 40) + 50_00, date(2026, 1, 15) + timedelta(days=18 * number)
        fate = feeds.keep("adjustments", number, amount=Decimal(cents).scaleb(-2), currency_code="CNY")
        amount, why = f"{cents / 100:.2f}", "Credit moved between colleagues"
        line = [f"ADJ-{number:03d}", "member", pick(rng, sellers), PLAN, f"{day}", amount, "CNY", why]
        approved = [managers[1], managers[0], f"{day - timedelta(days=2)}"] if number % 4 else [managers[1], "", ""]
        rows.append(([*line, *approved], fate))
        if number % 4:
            feeds.adjustments.append((line[2], day, Decimal(cents).scaleb(-2)))
    right = rows[0][0]
    rows += [
        (["ADJ-901", *right[1:9], right[2], right[10]], out_of_range("payee_approved_own_adjustment")),
        (["ADJ-902", *right[1:7], "", *right[8:]], missing("reason_missing")),
        (["ADJ-903", *right[1:9], "", right[10]], missing("approved_by_id_missing")),
        (["ADJ-904", *right[1:5], "a lot", *right[6:]], bad_number("amount")),
    ]
    write_csv(feeds.ledger, FIRST_RECEIVED, "hr/adjustments_2026-06.csv", "adjustments", "adjustments", header, rows)

    header = ["No", "Plan", "Version", "Payee", "Presented", "Due", "Decided", "Outcome", "Comment"]
    files: dict[date, list[tuple[list[str], Fate]]] = {FIRST_RECEIVED: [], AUGUST: []}
    for number, member_id in enumerate(sellers, start=1):
        open_yet, declined = number == 2, number == 3
        outcome = None if open_yet else "declined" if declined else "accepted"
        line = [f"PA-{number:03d}", PLAN, "1", member_id, "2026-01-05", "2026-01-31"]
        decided = ["", "", ""] if open_yet else ["2026-01-20", str(outcome), "请解释封顶" if declined else ""]
        files[FIRST_RECEIVED].append(([*line, *decided], feeds.keep("plan_acceptances", number, outcome=outcome)))
        if open_yet:  # answered late
            fate = feeds.keep("plan_acceptances", number, outcome="accepted")
            files[AUGUST].append(([*line, "2026-07-02", "accepted", ""], fate))
    right = files[FIRST_RECEIVED][0][0]
    files[FIRST_RECEIVED] += [
        (["PA-901", *right[1:7], "maybe", ""], unknown_word("outcome_unknown")),
        (["PA-902", *right[1:6], "2025-12-01", *right[7:]], out_of_range("decided_date_before_presented_date")),
        (["PA-903", *right[1:4], "early January", *right[5:]], bad_date("presented_date")),
    ]
    for received, part in files.items():
        write_csv(
            feeds.ledger,
            received,
            f"hr/plan_acceptances_{received}.csv",
            "acceptances",
            "plan_acceptances",
            header,
            part,
        )

    header = [
        "No",
        "Payee",
        "Plan",
        "Period",
        "Amount",
        "Currency",
        "Opened",
        "Due",
        "Decided",
        "By",
        "Outcome",
        "Reason",
    ]
    files = {FIRST_RECEIVED: [], AUGUST: []}
    for number, member_id in enumerate(sellers[:5], start=1):
        cents = 100_00 * between(rng, 1, 30)
        outcome = (None, "upheld", "rejected", "partly_upheld", None)[number - 1]
        line = [
            f"DP-{number:03d}",
            member_id,
            PLAN,
            "2026-Q1",
            f"{cents / 100:,.2f}",
            "CNY",
            "2026-04-22",
            "2026-05-22",
        ]
        values = {"disputed_amount": Decimal(cents).scaleb(-2), "currency_code": "CNY"}
        decided = ["2026-05-18", managers[0], outcome] if outcome else ["", "", ""]
        fate = feeds.keep("statement_disputes", number, outcome=outcome, **values)
        files[FIRST_RECEIVED].append(([*line, *decided, "少计一笔"], fate))
        if number == 1:
            fate = feeds.keep("statement_disputes", number, outcome="rejected", **values)
            files[AUGUST].append(([*line, "2026-07-15", managers[0], "rejected", "少计一笔"], fate))
    right = files[FIRST_RECEIVED][1][0]
    files[FIRST_RECEIVED] += [
        (
            ["DP-901", *right[1:3], "first quarter", *right[4:]],
            unknown_word("period_id_malformed"),
        ),
        (["DP-902", *right[1:10], "", right[11]], missing("decided_without_outcome")),
        (["DP-903", *right[1:4], "plenty", *right[5:]], bad_number("disputed_amount")),
    ]
    for received, part in files.items():
        write_csv(feeds.ledger, received, f"hr/disputes_{received}.csv", "disputes", "statement_disputes", header, part)


def _write_approvals(feeds: Feeds) -> None:
    """Decisions on the monthly targets of 2026's first quarter; targets carry the codes that the mapping gives them."""
    rng = feeds.rng("approvals")
    days = feeds.rng("days of approvals")
    header = [
        "approval",
        "target",
        "approver",
        "submitted",
        "decided",
        "outcome",
        "submitted_value",
        "approved_value",
        "comment",
    ]
    rows: list[tuple[list[str], Fate]] = []
    for member_id in sellers_of(feeds):
        if feeds.members[member_id].left is not None:
            continue
        for month in (1, 2, 3):
            number = f"TA-{len(rows) + 1:04d}"
            dice, value = rng.random(), 1_000 * between(rng, 100, 900)
            outcome = "approved" if dice < 0.75 else "changed" if dice < 0.9 else None
            approved = None if outcome is None else value if outcome == "approved" else value * 9 // 10
            line = [
                number,
                f"member-{member_id}-2026-{month:02d}",
                str(feeds.members[member_id].manager_id),
                "2025-12-05",
            ]
            decided = date(2025, 12, 8) + timedelta(days=between(days, 0, 40))
            line += [f"{decided}", outcome] if outcome else ["", ""]
            feeds.approvals.append((member_id, date(2025, 12, 5), decided if outcome else None))
            fate = feeds.keep("target_approvals", number, outcome=outcome, approved_value=approved)
            rows.append(([*line, f"{value}.00", f"{approved}.00" if approved else "", ""], fate))
    right = next(cells for cells, _ in rows if cells[5] == "approved")
    rows += [
        (["TA-9001", "", *right[2:]], missing("target_id_missing")),
        (["TA-9002", *right[1:5], "changed", right[6], "", ""], missing("approved_value_missing")),
        (["TA-9003", *right[1:4], "2025-11-01", *right[5:]], out_of_range("decided_date_before_submitted_date")),
        (["TA-9004", *right[1:6], "high", *right[7:]], bad_number("submitted_value")),
    ]
    write_csv(
        feeds.ledger,
        FIRST_RECEIVED,
        "targets/approvals_2026.csv",
        "target_approvals",
        "target_approvals",
        header,
        rows,
        delimiter="|",
    )
