"""The service desk, messages, events, actions, and the surveys that hang on cases and teams."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sample_company.company import FIRST_RECEIVED, between, pick
from sample_company.feeds import TOLD, Attendance, Feeds, in_shanghai, moment, sent_on, states, until, with_offset
from sample_company.figures import quarters
from sample_company.ledger import (
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
    write_csv,
    write_json,
    write_jsonl,
    write_xlsx,
)

BEGIN = date(2025, 10, 1)
LAST = date(2026, 9, 25)
CATEGORIES = ("question", "question", "complaint", "dispute", "warranty")
CHANNEL_WORDS = {
    "phone": "电话", "email": "邮件", "video": "视频会议", "meeting": "面谈", "chat": "企业微信", "portal": "门户",
}  # fmt: skip
URGENCY_WORDS = {"low": "低", "normal": "普通", "high": "紧急", "urgent": "特急"}
KIND_WORDS = {"notice": "通知", "instruction": "指令", "market_info": "市场信息", "feedback": "反馈"}
AUDIENCE_WORDS = {"dealer": "经销商", "team": "团队", "region": "大区", "company": "全公司"}
EVENT_WORDS = {"exchange": "经验交流", "training": "培训", "team_building": "团建", "dealer_visit": "走访"}
EVENT_AUDIENCE = {"team": "本团队", "cross_team": "跨团队", "dealers": "经销商", "company": "全员"}
MESSAGE_HEADER = (
    "消息编号",
    "发送人",
    "对象类型",
    "对象",
    "类别",
    "渠道",
    "紧急程度",
    "应发时间",
    "发送时间",
    "确认时间",
    "更正时间",
    "更新时间",
    "需确认",
)
EVENT_HEADER = (
    "活动编号",
    "活动名称",
    "活动类型",
    "范围",
    "组织人",
    "活动日期",
    "邀请日期",
    "参加者类型",
    "参加者",
    "是否到场",
    "评分",
)
ACTION_HEADER = (
    "Action ID", "Kind", "Proposed By Type", "Proposed By", "Owner", "About Type", "About", "Text", "Agreed", "Due",
    "Answered", "Done", "Outcome", "Updated",
)  # fmt: skip
TEXTS = ("Share the stock list weekly 每周共享库存", "Second demo bike 增加一台试骑车", "Shorter claim form 简化索赔单")


def write_care(feeds: Feeds) -> None:
    """Write the files of these feeds."""
    cases = feeds.cases = _write_cases(feeds)
    feeds.requests = _write_requests(feeds)
    _write_messages(feeds)
    _write_events(feeds)
    _write_actions(feeds)
    _write_surveys(feeds, cases)


@dataclass(frozen=True)
class Case:
    case_id: str
    dealer_id: str
    member_id: str
    helper_id: str | None
    category: str
    channel: str
    priority: str
    transaction_id: str | None
    product_id: str | None
    opened: datetime
    due: datetime
    responded: datetime
    resolved: datetime | None
    reopened: int
    contacts: int
    quality: int | None

    def known(self, day: date) -> dict[str, Any] | None:
        """The case as the desk shows it on a day."""
        if self.opened.date() > day:
            return None
        responded, resolved = until(day, self.responded), until(day, self.resolved)
        return {
            "caseNo": self.case_id,
            "updated": with_offset(max(filter(None, (self.opened, responded, resolved))), 8),
            "dealer": self.dealer_id,
            "handler": self.member_id,
            "helper": self.helper_id,
            "category": self.category,
            "channel": self.channel,
            "priority": self.priority,
            "invoice": self.transaction_id,
            "sku": self.product_id,
            "opened": with_offset(self.opened, 8),
            "due": with_offset(self.due, 8),
            "firstReply": with_offset(responded, 8),
            "resolved": with_offset(resolved, 8),
            "reopened": self.reopened if resolved else 0,
            "contacts": self.contacts if resolved else None,
            "quality": self.quality if resolved else None,
        }


def _write_cases(feeds: Feeds) -> list[Case]:
    """Three a dealer in a year, each sent as known on the day of a file and again when more is known."""
    rng = feeds.rng("cases")
    documents = sorted(feeds.figures.documents.items())
    products = feeds.company.products
    cases: list[Case] = []
    for dealer_id in sorted(feeds.company.by_dealer):
        for _ in range(3):
            day = BEGIN + timedelta(days=between(rng, 0, (LAST - BEGIN).days))
            category, channel, priority = (
                pick(rng, CATEGORIES),
                pick(rng, tuple(CHANNEL_WORDS)),
                pick(rng, tuple(URGENCY_WORDS)),
            )
            opened = moment(day, between(rng, 0, 520))
            responded = opened + timedelta(minutes=between(rng, 3, 1_200))
            resolved = responded + timedelta(minutes=between(rng, 20, 14_000)) if rng.random() < 0.9 else None
            dice, contacts, quality = rng.random(), between(rng, 1, 4), between(rng, 55, 100)
            if dealer_id not in feeds.dealers(day):
                continue
            helpers = feeds.at_work(day, "service", "support")
            handler = helpers[len(cases) % len(helpers)]
            owner = feeds.owner(dealer_id, day)
            invoice = next((t for t, d in documents if d.dealer_id == dealer_id and d.day <= day), None)
            cases.append(
                Case(
                    f"CS-{len(cases) + 1:05d}",
                    dealer_id,
                    handler,
                    owner if dice < 0.3 and owner != handler else None,
                    category,
                    channel,
                    priority,
                    invoice if category == "dispute" else None,
                    products[len(cases) % len(products)].product_id if category == "warranty" else None,
                    opened,
                    opened + timedelta(days={"urgent": 1, "high": 2, "normal": 5, "low": 10}[priority]),
                    responded,
                    resolved,
                    1 if dice > 0.88 else 0,
                    contacts,
                    quality if dice < 0.8 else None,
                )
            )  # fmt: skip
    files: dict[date, list[tuple[dict[str, Any] | str, Fate]]] = {day: [] for day in TOLD}
    for case in cases:
        for received, state in states(case.known):
            fate = feeds.keep(
                "service_cases", case.case_id,
                category=case.category, opened_at=case.opened, resolved_at=until(received, case.resolved),
            )  # fmt: skip
            files[received].append((state, fate))
    right = next(row for row, _ in files[FIRST_RECEIVED])
    assert isinstance(right, dict)
    bad = {**right, "firstReply": None, "resolved": None, "reopened": 0, "contacts": None, "quality": None}
    files[FIRST_RECEIVED] += [
        ({**bad, "caseNo": "CS-990001", "category": "praise"}, unknown_word("category_unknown")),
        ({**bad, "caseNo": "CS-990002", "dealer": None}, missing("dealer_id_missing")),
        ({**bad, "caseNo": "CS-990003", "contacts": -1}, out_of_range("contact_count_negative")),
        ({**bad, "caseNo": "CS-990004", "opened": "soon"}, bad_date("opened_at", "timestamp")),
        (
            {**bad, "caseNo": "CS-990005", "resolved": "2025-01-01T00:00:00+08:00"},
            out_of_range("resolved_at_before_opened_at"),
        ),
        ({**bad, "caseNo": "CS-990006", "contacts": "two"}, bad_number("contact_count", "integer")),
        ('{"caseNo": "CS-990007", "dealer"', Fate("rejected", "not JSON", "cut line", while_reading=True)),
    ]
    for received, rows in files.items():
        write_jsonl(feeds.ledger, received, f"desk/cases_{received}.jsonl", "cases", "service_cases", rows)
    return cases


@dataclass(frozen=True)
class Request:
    kind: str
    dealer: str | None
    assignee: str
    opened: datetime
    responded: datetime
    closed: datetime | None
    rating: int | None


def _write_requests(feeds: Feeds) -> list[Request]:
    """What members and dealers ask the support desk; its moments are UTC, with a Z."""
    rng = feeds.rng("requests")
    files: dict[date, list[tuple[dict[str, Any], Fate]]] = {day: [] for day in TOLD}
    requests: list[Request] = []

    def tell(number: int) -> None:
        day = BEGIN + timedelta(days=between(rng, 0, (LAST - BEGIN).days))
        kind = pick(rng, ("technical", "technical", "resource", "wellbeing"))
        opened = moment(day, between(rng, 0, 520))
        responded = opened + timedelta(minutes=between(rng, 2, 900))
        closed = responded + timedelta(minutes=between(rng, 30, 9_000)) if rng.random() < 0.9 else None
        rating, rated = between(rng, 2, 5), rng.random() < 0.6
        members, dealers = feeds.at_work(day), feeds.dealers(day)
        asker = pick(rng, members)
        dealer = pick(rng, dealers) if kind == "technical" and number % 2 else None
        helpers = [m for m in feeds.at_work(day, "support", "service", "manager") if m != asker]
        assignee = pick(rng, helpers)
        request_id = f"RQ-{number:05d}"
        requests.append(Request(kind, dealer, assignee, opened, responded, closed, rating if rated else None))

        def known(day: date) -> dict[str, Any] | None:
            if opened.date() > day:
                return None
            done = until(day, closed)
            return {
                "id": request_id,
                "updatedAt": f"{max(filter(None, (opened, until(day, responded), done))).isoformat()}Z",
                "askedBy": {"member": None if dealer else asker, "dealer": dealer},
                "kind": kind,
                "assignee": assignee,
                "openedAt": f"{opened.isoformat()}Z",
                "firstResponseAt": f"{responded.isoformat()}Z" if until(day, responded) else None,
                "closedAt": f"{done.isoformat()}Z" if done else None,
                "satisfaction": {"min": 1, "max": 5, "value": rating} if done and rated else None,
            }

        for received, state in states(known):
            files[received].append((state, feeds.keep("support_requests", request_id, kind=kind, opened_at=opened)))

    for number in range(1, 4 * len(feeds.members) + 1):
        tell(number)
    right = next(row for row, _ in files[FIRST_RECEIVED] if row["satisfaction"])
    files[FIRST_RECEIVED] += [
        ({**right, "id": "RQ-99001", "kind": "holiday"}, unknown_word("kind_unknown")),
        ({**right, "id": "RQ-99002", "askedBy": {"member": None, "dealer": None}}, missing("asker_missing")),
        (
            {**right, "id": "RQ-99003", "satisfaction": {"min": 1, "max": 5, "value": 9}},
            out_of_range("rating_outside_scale"),
        ),
        ({**right, "id": "RQ-99004", "openedAt": "2026-02-30T00:00:00Z"}, bad_date("opened_at", "timestamp")),
    ]
    for received, rows in files.items():
        write_json(feeds.ledger, received, f"desk/requests_{received}.json", "requests", "support_requests", rows)
    return requests


@dataclass(frozen=True)
class Message:
    sender_id: str
    dealer: str | None
    kind: str
    channel: str
    urgency: str
    due: datetime
    sent: datetime
    asked: bool | None  # whether it says that it is to be confirmed
    acknowledged: datetime | None
    corrected: datetime | None


def _write_messages(feeds: Feeds) -> None:
    """What members tell dealers, teams and regions, as the company's messenger exports it in Shanghai's time."""
    rng, later = feeds.rng("messages"), feeds.rng("messages asked and mended")
    files: dict[date, list[tuple[list[str], Fate]]] = {day: [] for day in TOLD}
    regions = {"East China": "华东", "North China": "华北", "South China": "华南", "Southwest China": "西南"}

    def tell(number: int) -> None:
        day = BEGIN + timedelta(days=between(rng, 0, (LAST - BEGIN).days))
        sender_id = pick(rng, feeds.at_work(day))
        sender = feeds.members[sender_id]
        audience = pick(rng, ("dealer", "dealer", "dealer", "team", "region", "company"))
        dealer = pick(rng, feeds.dealers(day))
        kind, channel, urgency = (
            pick(rng, tuple(KIND_WORDS)),
            pick(rng, tuple(CHANNEL_WORDS)),
            pick(rng, tuple(URGENCY_WORDS)),
        )
        due = moment(day, between(rng, 0, 540))
        sent = due + timedelta(minutes=between(rng, -600, 120))
        if day.day == 31 and number % 2:  # forgotten at the month's end: sent on the first day of the next
            sent = due + timedelta(hours=20)
        acknowledged = sent + timedelta(minutes=between(rng, 1, 3_000)) if rng.random() < 0.75 else None
        corrected = sent + timedelta(days=between(rng, 1, 9)) if rng.random() < 0.06 else None
        asked = pick(later, (True, False, None, None))
        if later.random() < 0.04:  # too late to count against it, or on the last day that does
            corrected = sent + timedelta(days=between(later, 30, 45))
        to_dealer = dealer if audience == "dealer" else None
        feeds.messages.append(
            Message(sender_id, to_dealer, kind, channel, urgency, due, sent, asked, acknowledged, corrected)
        )
        whom = {
            "dealer": dealer,
            "team": sender.team,
            "region": regions.get(sender.region, sender.region),
            "company": "",
        }[audience]

        def known(day: date) -> list[str] | None:
            if sent.date() > day:
                return None
            seen, mended = until(day, acknowledged), until(day, corrected)
            return [
                f"MSG-{number:05d}",
                sender_id,
                AUDIENCE_WORDS[audience],
                whom,
                KIND_WORDS[kind],
                CHANNEL_WORDS[channel],
                URGENCY_WORDS[urgency],
                in_shanghai(due),
                in_shanghai(sent),
                in_shanghai(seen),
                in_shanghai(mended),
                in_shanghai(max(filter(None, (sent, seen, mended)))),
                {True: "是", False: "否", None: ""}[asked],
            ]

        for received, cells in states(known):
            files[received].append((cells, feeds.keep("messages", number, channel=channel, sent_at=sent)))

    for number in range(1, 15 * len(feeds.members) + 1):
        tell(number)
    right = files[FIRST_RECEIVED][0][0]
    files[FIRST_RECEIVED] += [
        (["MSG-99001", *right[1:5], "传真", *right[6:]], unknown_word("channel_unknown")),
        (["MSG-99002", "", *right[2:]], missing("sender_id_missing")),
        (["MSG-99003", right[1], "经销商", "", *right[4:]], missing("audience_id_missing")),
        (["MSG-99004", *right[1:8], "明天", *right[9:]], bad_date("sent_at", "timestamp")),
        (["MSG-99005", *right[1:9], "2024/1/1 9:00", *right[10:]], out_of_range("acknowledged_at_before_sent_at")),
    ]
    for received, rows in files.items():
        write_csv(
            feeds.ledger,
            received,
            f"portal/messages_{received}.csv",
            "messages",
            "messages",
            MESSAGE_HEADER,
            rows,
            encoding="utf-8-sig",
        )


def _write_events(feeds: Feeds) -> None:
    """Attendance lists: one workbook per half year."""
    rng = feeds.rng("events")
    plan = (
        (date(2025, 11, 14), "exchange", "cross_team", "跨区经验交流会"),
        (date(2026, 1, 23), "team_building", "company", "年会"),
        (date(2026, 3, 19), "training", "team", "电助力车产品培训"),
        (date(2026, 4, 22), "dealer_visit", "dealers", "春季经销商走访"),
        (date(2026, 6, 11), "exchange", "dealers", "经销商座谈会"),
        (date(2026, 7, 30), "team_building", "team", "夏季团建"),
        (date(2026, 9, 10), "exchange", "cross_team", "最佳实践分享"),
    )
    rows: dict[date, list[tuple[list[Cell], list[Fate]]]] = {}
    for number, (day, kind, audience, name) in enumerate(plan, start=1):
        received = sent_on(day)
        assert received is not None
        people = [("member", m) for m in feeds.at_work(day)]
        if audience == "dealers":
            people = [("member", m) for m in feeds.at_work(day, "sales")] + [
                ("dealer", d) for d in feeds.dealers(day) if int(d[1:]) % 6 == number % 6
            ]
        managers = feeds.at_work(day, "manager")
        organiser = managers[number % len(managers)]
        for attendee_type, attendee in people:
            dice, rating = rng.random(), between(rng, 2, 5)
            came = dice < 0.8
            invited = day - timedelta(days=14) if dice < 0.95 else None
            event_id = f"EV-{day:%y%m}"
            cells: list[Cell] = [
                event_id,
                name,
                EVENT_WORDS[kind],
                EVENT_AUDIENCE[audience],
                organiser,
                day,
                invited,
                "成员" if attendee_type == "member" else "经销商",
                attendee,
                "是" if came else "否",
                rating if came and dice < 0.7 else None,
            ]
            fate = feeds.keep(
                "events", event_id, attendee_type, attendee,
                kind=kind, attendee_type=attendee_type, rating=rating if came and dice < 0.7 else None,
            )  # fmt: skip
            rows.setdefault(received, []).append((cells, [fate]))
            rated = rating if came and dice < 0.7 else None
            feeds.attendances.append(
                Attendance(event_id, kind, day, organiser, attendee_type, attendee, invited is not None, came, rated)
            )
    right = rows[FIRST_RECEIVED][0][0]
    rows[FIRST_RECEIVED] += [
        (["EV-9901", right[1], "聚餐", *right[3:]], [unknown_word("kind_unknown")]),
        ([*right[:8], None, *right[9:]], [missing_key("attendee_id_missing")]),
        (["EV-9902", *right[1:9], "是", 9], [out_of_range("rating_outside_scale")]),
        ([*right[:5], "周五", None, *right[7:]], [bad_date("event_date")]),
        (["合计", *[None] * 10], [TOTALS]),
    ]
    for received, part in rows.items():
        write_xlsx(
            feeds.ledger,
            received,
            f"hr/events_{received}.xlsx",
            "events",
            "events",
            Sheet("签到表", EVENT_HEADER, above=("活动签到汇总",)),
            part,
        )


@dataclass(frozen=True)
class Action:
    kind: str
    owner_id: str
    dealer: str | None
    member: str | None  # whose career a conversation is about
    agreed: date
    due: date
    answered: date | None
    done: date | None
    declined: bool  # what is done with on that day was never agreed


def _write_actions(feeds: Feeds) -> None:
    """Improvements, suggestions, joint plans with dealers and career conversations, from a shared list."""
    rng = feeds.rng("actions")
    files: dict[date, list[tuple[list[str], Fate]]] = {day: [] for day in TOLD}

    def tell(number: int) -> None:
        agreed = BEGIN + timedelta(days=between(rng, 0, (LAST - BEGIN).days))
        kind = pick(rng, ("improvement", "suggestion", "joint_plan", "career_conversation"))
        sellers, managers = feeds.at_work(agreed, "sales"), feeds.at_work(agreed, "manager")
        dealer, member, manager = pick(rng, feeds.dealers(agreed)), pick(rng, sellers), pick(rng, managers)
        due = agreed + timedelta(days=between(rng, 14, 60))
        done = agreed + timedelta(days=between(rng, 5, 80)) if rng.random() < 0.7 else None
        answered = agreed + timedelta(days=between(rng, 0, 20)) if rng.random() < 0.8 else None
        by, about = {
            "improvement": (("member", member), ("team", feeds.members[member].team)),
            "suggestion": (("dealer", dealer), ("company", "")),
            "joint_plan": (("dealer", dealer), ("dealer", dealer)),
            "career_conversation": (("member", manager), ("member", member)),
        }[kind]
        owner = manager if kind in ("suggestion", "career_conversation") else member
        declined = kind == "joint_plan" and done is not None and number % 5 == 0
        feeds.actions.append(
            Action(
                kind,
                owner,
                dealer if kind in ("suggestion", "joint_plan") else None,
                member if kind == "career_conversation" else None,
                agreed,
                due,
                answered,
                done,
                declined,
            )
        )

        def known(day: date) -> list[str] | None:
            if agreed > day:
                return None
            told = [moment if moment is not None and moment <= day else None for moment in (answered, done)]
            last = max(filter(None, (agreed, *told)))
            return [
                f"AC-{number:04d}",
                kind.replace("_", " ").capitalize(),
                *by,
                owner,
                *about,
                TEXTS[number % len(TEXTS)],
                f"{agreed}",
                f"{due}",
                f"{told[0] or ''}",
                f"{told[1] or ''}" if not declined else "",
                ("declined" if declined else "done") if told[1] else "",
                f"{last} 10:00:00",
            ]

        for received, cells in states(known):
            outcome = cells[12] or None
            files[received].append((cells, feeds.keep("actions", number, kind=kind, outcome=outcome)))

    for number in range(1, 5 * len(feeds.members) + 1):
        tell(number)
    right = files[FIRST_RECEIVED][0][0]
    files[FIRST_RECEIVED] += [
        (["AC-9001", "Idea", *right[2:]], unknown_word("kind_unknown")),
        (["AC-9002", *right[1:4], "", *right[5:]], missing("owner_id_missing")),
        (["AC-9003", *right[1:9], "2020-01-01", *right[10:]], out_of_range("due_date_before_agreed_date")),
        (["AC-9004", *right[1:8], "next week", *right[9:]], bad_date("agreed_date")),
        (["AC-9005", *right[1:11], "", "done", right[13]], missing("done_without_done_date")),
    ]
    for received, rows in files.items():
        write_csv(
            feeds.ledger,
            received,
            f"crm/actions_{received}.txt",
            "actions",
            "actions",
            ACTION_HEADER,
            rows,
            encoding="utf-16",
            delimiter="\t",
        )


def _write_surveys(feeds: Feeds, cases: list[Case]) -> None:
    """Effort after a resolved case, the mood in the teams, and what dealers need; each is sent once."""
    rng = feeds.rng("pulse")
    files: dict[date, list[tuple[dict[str, Any], Fate]]] = {}

    def add(survey: str, high: int, sent: date, dealer: str | None, member: str | None, case: str | None) -> None:
        low = 1
        score, answered = between(rng, low, high), sent + timedelta(days=between(rng, 0, 9))
        is_in, received = rng.random() < 0.7, sent_on(answered)
        if received is None:
            return
        number = f"SP-{sum(map(len, files.values())) + 1:05d}"
        record = {
            "responseId": number,
            "survey": survey,
            "scaleMin": low,
            "scaleMax": high,
            "respondent": f"{dealer}-contact" if dealer else member,
            "dealerId": dealer,
            "memberId": None if survey == "team_pulse" else member,
            "caseId": case,
            "sentOn": sent.isoformat(),
            "answeredOn": answered.isoformat() if is_in else None,
            "score": score if is_in else None,
            "comment": None,
        }
        feeds.surveys.append(record)
        files.setdefault(received, []).append((record, feeds.keep("survey_responses", number, survey=survey)))

    for case in cases:
        if case.resolved is not None and int(case.case_id[3:]) % 2:
            high = 5 if case.channel == "portal" else 7  # the portal asks with five stars
            add("ces", high, case.resolved.date(), case.dealer_id, case.member_id, case.case_id)
    for _, first, _ in quarters(BEGIN, date(2026, 10, 1)):
        for member_id in feeds.at_work(first):
            add("team_pulse", 5, first + timedelta(days=40), None, member_id, None)
        for dealer_id in feeds.dealers(first):
            if int(dealer_id[1:]) % 5 == 0:
                add("dealer_needs", 5, first + timedelta(days=20), dealer_id, None, None)
    for received, rows in files.items():
        write_json(
            feeds.ledger, received, f"survey/responses_{received}_pulse.json", "surveys", "survey_responses", rows
        )
