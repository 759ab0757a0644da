"""Two CRM systems, who worked on deals, and which codes stand for whom.

Zoho serves the international team (JSON, times with offsets), Fxiaoke the Chinese ones (exports of its pages in
Chinese, and records of its API).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sample_company.company import END, FIRST_RECEIVED, START, between, pick
from sample_company.feeds import TOLD, Feeds, in_shanghai, moment, sent_on, states, with_offset
from sample_company.ledger import (
    BLANK,
    REPEAT,
    Cell,
    Fate,
    Sheet,
    bad_date,
    bad_number,
    missing,
    missing_key,
    out_of_range,
    quarantined,
    unknown_word,
    write_csv,
    write_json,
    write_jsonl,
    write_xlsx,
)
from sample_company.masters import CHANGES
from sample_company.people import OLD_VERSIONS
from sample_company.sales import customer_number, money, money_grouped

BEGIN = date(2025, 9, 1)  # of both CRM systems' opportunities
EUROPE_SUMMER = 2  # hours of the offset that Zoho's user has chosen; it stays the same all year in exports
STAGES = {
    "zoho": (("Qualification", 10), ("Needs Analysis", 20), ("Proposal/Price Quote", 75), ("Negotiation/Review", 90)),
    "fxiaoke": (("初步接洽", 10), ("需求确认", 30), ("方案报价", 60), ("商务谈判", 80)),
}
ENDS = {"zoho": {"won": "Closed Won", "lost": "Closed Lost"}, "fxiaoke": {"won": "赢单", "lost": "输单"}}
STATUS_CN = {"open": "进行中", "won": "赢单", "lost": "输单"}
REASONS = {"zoho": ("Price", "Competitor", "No budget"), "fxiaoke": ("价格", "竞品", "预算取消")}
CALLS = {"call": "电话", "visit": "拜访", "meeting": "会议", "chat": "微信"}
ROLES = ("lead", "technical", "service", None)
ACCOUNT_CN = (
    "客户ID",
    "客户名称",
    "客户类型",
    "经销商编码",
    "负责人ID",
    "电话",
    "网址",
    "国家",
    "城市",
    "创建时间",
    "最后修改时间",
    "最后跟进时间",
)
OPPORTUNITY_CN = (
    "商机ID",
    "商机名称",
    "客户ID",
    "负责人ID",
    "销售流程",
    "销售阶段",
    "销售状态",
    "产品品类",
    "商机金额",
    "币种",
    "赢率",
    "创建时间",
    "预计成交日期",
    "实际成交日期",
    "最后跟进时间",
    "最后修改时间",
    "输单原因",
    "关联单据号",
)
CHANGE_CN = (
    "变更ID",
    "商机ID",
    "操作人ID",
    "变更前阶段",
    "变更后阶段",
    "变更时间",
    "登记时间",
    "商机金额",
    "币种",
    "赢率",
    "预计成交日期",
)


@dataclass(frozen=True)
class Step:
    """A stage and the moments at which it began and was entered."""

    stage: str
    probability: int
    at: datetime
    logged: datetime


@dataclass(frozen=True)
class Opportunity:
    system: str
    opportunity_id: str
    account_id: str
    dealer_id: str
    member_id: str | None
    user_id: str | None
    category: str
    amount: int  # cents
    currency: str
    created: datetime
    expected: date
    steps: tuple[Step, ...]
    end: str | None  # won or lost
    reason: str | None
    transaction_id: str | None

    @property
    def name(self) -> str:
        return f"{self.category} {self.opportunity_id[-4:]}"

    @property
    def is_taken_over(self) -> bool:
        """It came from an older list: nobody says when it was entered, and its first change comes from a stage."""
        return self.system == "zoho" and int(self.opportunity_id[-5:]) % 18 == 13


def system_of(feeds: Feeds, dealer_id: str) -> str:
    """The CRM in which a dealer is looked after."""
    return "fxiaoke" if feeds.company.market_of[dealer_id].currency == "CNY" else "zoho"


def account_of(feeds: Feeds, dealer_id: str) -> str:
    """The CRM's id of a dealer."""
    number = int(dealer_id[1:])
    return f"64f1c0{number:018x}" if system_of(feeds, dealer_id) == "fxiaoke" else f"55459740000003{number:05d}"


def second_account_of(feeds: Feeds, dealer_id: str) -> str:
    """The id of an account that somebody entered although there was one."""
    return account_of(feeds, dealer_id)[:-3] + "999"


def _dealers_entered_twice(feeds: Feeds) -> list[str]:
    return [next(d for d in sorted(feeds.company.by_dealer) if system_of(feeds, d) == system) for system in STAGES]


def user_of(system: str, member_id: str) -> str:
    """The CRM's id of a member."""
    number = int(member_id[1:])
    return f"FSUID_{number:08X}" if system == "fxiaoke" else f"55459740000386{number:05d}"


def write_crm(feeds: Feeds) -> None:
    """Write the files of these feeds."""
    opportunities = _opportunities(feeds)
    feeds.crm.opportunities = opportunities
    _write_links(feeds)
    _write_accounts(feeds, opportunities)
    _write_opportunities(feeds, opportunities)
    _write_changes(feeds, opportunities)
    _write_activities(feeds, opportunities)
    _write_participants(feeds, opportunities)


def _list(received: date, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Zoho's answer to a request for a list."""
    return {"data": records, "info": {"per_page": 200, "count": len(records), "page": 1, "more_records": False}}


def _opportunities(feeds: Feeds) -> list[Opportunity]:
    """Three a dealer over a year and more. What is won late names the invoice that came of it."""
    rng = feeds.rng("crm")
    invoices: dict[str, list[tuple[date, str]]] = {}
    for transaction_id, document in sorted(feeds.figures.documents.items()):
        invoices.setdefault(document.dealer_id, []).append((document.day, transaction_id))
    made: list[Opportunity] = []
    for dealer_id in sorted(feeds.company.by_dealer):
        system = system_of(feeds, dealer_id)
        for _ in range(3):
            day = BEGIN + timedelta(days=between(rng, 0, 370))
            category = pick(rng, ("E-Bikes", "Bikes", "Components"))
            amount, dice, days = 1_000_00 * between(rng, 20, 400), rng.random(), between(rng, 30, 150)
            length = 4 if dice < 0.62 else between(rng, 1, 4)
            gaps = [between(rng, 5, 35) for _ in range(4)]
            late = [between(rng, 1, 4) * 1440 if rng.random() < 0.3 else between(rng, 0, 90) for _ in range(5)]
            minutes, reason = between(rng, 0, 540), pick(rng, REASONS[system])
            if dealer_id not in feeds.dealers(day):
                continue
            created = moment(day, minutes)
            steps: list[Step] = []
            at = created
            for place, (stage, probability) in enumerate(STAGES[system][:length]):
                steps.append(Step(stage, probability, at, at + timedelta(minutes=late[place])))
                at += timedelta(days=gaps[place])
            end = "won" if dice < 0.35 else "lost" if dice < 0.62 else None
            if end:
                probability = 100 if end == "won" else 0
                steps.append(Step(ENDS[system][end], probability, at, at + timedelta(minutes=late[4])))
            member_id = feeds.owner(dealer_id, day)
            sold = next((number for when, number in invoices.get(dealer_id, ()) if when >= at.date()), None)
            number = len(made) + 1
            made.append(
                Opportunity(
                    system,
                    f"66a0b1{number:018x}" if system == "fxiaoke" else f"55459740000007{number:05d}",
                    account_of(feeds, dealer_id),
                    dealer_id,
                    member_id,
                    user_of(system, member_id) if member_id else None,
                    category,
                    amount,
                    feeds.company.market_of[dealer_id].currency,
                    created,
                    day + timedelta(days=days),
                    tuple(step for step in steps if step.at.date() < END),
                    end if at.date() < END else None,
                    reason if end == "lost" else None,
                    sold if end == "won" and at.date() >= date(2026, 7, 1) else None,
                )
            )
    return made


# ------------------------------------------------------------------------------------------------ accounts
def _write_accounts(feeds: Feeds, opportunities: Sequence[Opportunity]) -> None:
    """Every dealer, and a second account of one of them in each system."""
    told: dict[date, list[dict[str, Any]]] = {FIRST_RECEIVED: [], CHANGES: []}
    double = _dealers_entered_twice(feeds)
    for dealer_id, rows in sorted(feeds.company.by_dealer.items()):
        known = rows[0].onboarded <= FIRST_RECEIVED
        number = int(dealer_id[1:])
        created = moment(max(START, rows[0].onboarded), number % 540)
        member_id = feeds.owner(dealer_id, FIRST_RECEIVED if known else CHANGES)
        system = system_of(feeds, dealer_id)
        active = [
            s.at for o in opportunities if o.dealer_id == dealer_id for s in o.steps if s.at.date() < FIRST_RECEIVED
        ]
        account = {
            "system": system,
            "id": account_of(feeds, dealer_id),
            "dealer_id": dealer_id,
            "member_id": member_id,
            "dealer": dealer_id if number % 2 else None,  # the CRM carries our code for some only
            "name": rows[0].name,
            "user": user_of(system, member_id) if member_id else None,
            "phone": f"+{number:02d} 555 0{number:04d}" if number % 4 else None,
            "website": f"shop{number}.example" if number % 3 else None,
            "country": rows[0].country,
            "city": rows[0].city,
            "created": created,
            "changed": max([created, *active]),
            "active": max(active, default=None),
        }
        told[FIRST_RECEIVED if known else CHANGES].append(account)
        if dealer_id in double:
            told[FIRST_RECEIVED].append({**account, "id": second_account_of(feeds, dealer_id), "active": None})
        if known and number % 12 == 5:  # filled in later
            later = moment(date(2026, 7, 6), number)
            told[CHANGES].append({**account, "phone": f"+{number} 555 1", "changed": later, "active": later})
    feeds.crm.accounts = [account for accounts in told.values() for account in accounts]
    for received, accounts in told.items():
        zoho: list[tuple[dict[str, Any], Fate]] = []
        fxiaoke: list[tuple[list[Cell], list[Fate]]] = []
        for account in accounts:
            fate = feeds.keep(
                "crm_accounts",
                account["system"],
                account["id"],
                crm_system=account["system"],
                created_at=account["created"],
            )
            if account["system"] == "zoho":
                zoho.append((_zoho_account(account), fate))
            else:
                fxiaoke.append((_fxiaoke_account(account), [fate]))
        if received == FIRST_RECEIVED:
            right = next(record for record, _ in zoho)
            zoho += [
                ({**right, "id": None}, missing_key("account_id_missing")),
                ({**right, "id": "1", "Modified_Time": "yesterday"}, bad_date("updated_at", "timestamp")),
                (
                    {**right, "id": "2", "Modified_Time": "2001-01-01T00:00:00+02:00"},
                    out_of_range("updated_at_before_created_at"),
                ),
            ]
            cells = fxiaoke[0][0]
            fxiaoke.append((["1", None, *cells[2:]], [missing("account_name_missing")]))
            fxiaoke.append(([" "], [BLANK]))
        write_json(
            feeds.ledger, received, f"zoho/Accounts_{received}.json", "zoho_accounts", "crm_accounts", zoho, _list
        )
        write_xlsx(
            feeds.ledger,
            received,
            f"fxiaoke/客户_{received}.xlsx",
            "fxiaoke_accounts",
            "crm_accounts",
            Sheet("客户", ACCOUNT_CN),
            fxiaoke,
        )


def _zoho_account(account: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": account["id"],
        "Account_Name": account["name"],
        "Account_Type": "Reseller",
        "Dealer_Code": account["dealer"],
        "Owner": {"id": account["user"]},
        "Phone": account["phone"],
        "Website": account["website"],
        "Billing_Country": account["country"],
        "Billing_City": account["city"],
        "Created_Time": with_offset(account["created"], EUROPE_SUMMER),
        "Modified_Time": with_offset(account["changed"], EUROPE_SUMMER),
        "Last_Activity_Time": with_offset(account["active"], EUROPE_SUMMER),
    }


def _fxiaoke_account(account: dict[str, Any]) -> list[Cell]:
    return [
        account["id"],
        account["name"],
        "经销商",
        account["dealer"],
        account["user"],
        account["phone"],
        account["website"],
        "中国",
        account["city"],
        in_shanghai(account["created"]),
        in_shanghai(account["changed"]),
        in_shanghai(account["active"]),
    ]


# ------------------------------------------------------------------------------------------------ opportunities
@dataclass(frozen=True)
class State:
    """What a CRM shows of an opportunity on a day."""

    step: Step
    status: str
    changed: datetime


def _state(deal: Opportunity, day: date) -> State | None:
    steps = [step for step in deal.steps if step.logged.date() <= day]
    if not steps:
        return None
    status = deal.end if deal.end and len(steps) == len(deal.steps) else "open"
    return State(steps[-1], status, max(step.logged for step in steps))


def _write_opportunities(feeds: Feeds, opportunities: Sequence[Opportunity]) -> None:
    zoho: dict[date, list[tuple[dict[str, Any], Fate]]] = {day: [] for day in TOLD}
    fxiaoke: dict[date, list[tuple[list[str], Fate]]] = {day: [] for day in TOLD}
    firsts: list[list[str]] = []
    for deal in opportunities:
        seen: list[State] = []
        for received, state in states(lambda day, deal=deal: _state(deal, day)):  # type: ignore[misc]
            fate = feeds.keep(
                "crm_opportunities", deal.system, deal.opportunity_id,
                amount=money(deal.amount), currency_code=deal.currency, stage=state.step.stage, status=state.status,
            )  # fmt: skip
            seen.append(state)
            if deal.system == "zoho":
                zoho[received].append((_zoho_deal(deal, state), fate))
            else:
                fxiaoke[received].append((_fxiaoke_deal(deal, state), fate))
        if deal.system == "fxiaoke" and len(seen) > 1 and len(firsts) < 5:
            firsts.append(_fxiaoke_deal(deal, seen[0]))
    right, row = zoho[FIRST_RECEIVED][0][0], fxiaoke[FIRST_RECEIVED][0][0]
    zoho[FIRST_RECEIVED] += [
        ({**right, "id": "1", "Stage": None}, missing("stage_missing")),
        ({**right, "id": "2", "Probability": 140}, out_of_range("probability_pct_out_of_range")),
        ({**right, "id": "3", "Amount": "tbd"}, bad_number("amount")),
        ({**right, "id": "4", "Currency": None}, missing("currency_code_missing")),
    ]
    fxiaoke[FIRST_RECEIVED] += [
        (["1", *row[1:6], "作废", *row[7:]], unknown_word("status_unknown")),
        (["2", *row[1:8], "-5.00", *row[9:]], out_of_range("amount_negative")),
        (["3", *row[1:11], "去年", *row[12:]], bad_date("created_at", "timestamp")),
        (row, REPEAT),
    ]
    for received in TOLD:
        write_json(
            feeds.ledger,
            received,
            f"zoho/Deals_{received}.json",
            "zoho_deals",
            "crm_opportunities",
            zoho[received],
            _list,
        )
        write_csv(
            feeds.ledger,
            received,
            f"fxiaoke/商机_{received}.csv",
            "fxiaoke_opportunities",
            "crm_opportunities",
            OPPORTUNITY_CN,
            fxiaoke[received],
            encoding="utf-8-sig",
        )
    # An old export found later: its change times are earlier, so nothing of it may win. Each row was taken before.
    write_csv(
        feeds.ledger,
        OLD_VERSIONS,
        "fxiaoke/商机_旧导出.csv",
        "fxiaoke_opportunities",
        "crm_opportunities",
        OPPORTUNITY_CN,
        [(cells, REPEAT) for cells in firsts],
        encoding="utf-8-sig",
    )


def _zoho_deal(deal: Opportunity, state: State) -> dict[str, Any]:
    return {
        "id": deal.opportunity_id,
        "Deal_Name": deal.name,
        "Account_Name": {"id": deal.account_id},
        "Owner": {"id": deal.user_id},
        "Pipeline": "Standard",
        "Stage": state.step.stage,
        "Product_Line": deal.category,
        "Amount": deal.amount / 100,
        "Currency": deal.currency,
        "Probability": state.step.probability,
        "Closing_Date": (deal.expected if state.status == "open" else state.step.at.date()).isoformat(),
        "Reason_For_Loss__s": deal.reason if state.status == "lost" else None,
        "Invoice_No": deal.transaction_id if state.status == "won" else None,
        "Created_Time": None if int(deal.opportunity_id[-5:]) % 9 == 4 else with_offset(deal.created, EUROPE_SUMMER),
        "Modified_Time": with_offset(state.changed, EUROPE_SUMMER),
        "Last_Activity_Time": with_offset(state.step.at, EUROPE_SUMMER),
    }


def _fxiaoke_deal(deal: Opportunity, state: State) -> list[str]:
    closed = state.status != "open"
    return [
        deal.opportunity_id,
        deal.name,
        deal.account_id,
        deal.user_id or "",
        "标准销售流程",
        state.step.stage,
        STATUS_CN[state.status],
        deal.category,
        money_grouped(deal.amount),
        "CNY",
        f"{state.step.probability}",
        in_shanghai(deal.created),
        f"{deal.expected}",
        f"{state.step.at.date()}" if closed else "",
        in_shanghai(state.step.at),
        in_shanghai(state.changed),
        (deal.reason or "") if state.status == "lost" else "",
        (deal.transaction_id or "") if state.status == "won" else "",
    ]


# ------------------------------------------------------------------------------------------------ stage changes
def _write_changes(feeds: Feeds, opportunities: Sequence[Opportunity]) -> None:
    zoho: dict[date, list[tuple[dict[str, Any], Fate]]] = {day: [] for day in TOLD}
    fxiaoke: dict[date, list[tuple[list[str], Fate]]] = {day: [] for day in TOLD}
    for deal in opportunities:
        for place, step in enumerate(deal.steps):
            received = sent_on(step.logged.date())
            if received is None:
                continue
            before = deal.steps[place - 1].stage if place else "Enquiry" if deal.is_taken_over else None
            change_id = f"{deal.opportunity_id}{place}"
            fate = feeds.keep(
                "crm_stage_changes", deal.system, change_id,
                crm_system=deal.system, to_stage=step.stage, changed_at=step.at,
            )  # fmt: skip
            if deal.system == "zoho":
                record = {
                    "id": change_id,
                    "Deal": {"id": deal.opportunity_id},
                    "From_Stage": before,
                    "Stage": step.stage,
                    "Amount": deal.amount / 100,
                    "Currency": deal.currency,
                    "Probability": step.probability,
                    "Close_Date": deal.expected.isoformat(),
                    "Changed_Time": with_offset(step.at, EUROPE_SUMMER),
                    "Modified_Time": with_offset(step.logged, EUROPE_SUMMER),
                    "Modified_By": {"id": deal.user_id},
                }
                zoho[received].append((record, fate))
            else:
                cells = [
                    change_id,
                    deal.opportunity_id,
                    deal.user_id or "",
                    before or "",
                    step.stage,
                    in_shanghai(step.at),
                    in_shanghai(step.logged),
                    money_grouped(deal.amount),
                    "CNY",
                    f"{step.probability}",
                    f"{deal.expected}",
                ]
                fxiaoke[received].append((cells, fate))
    right, row = zoho[FIRST_RECEIVED][0][0], fxiaoke[FIRST_RECEIVED][0][0]
    zoho[FIRST_RECEIVED] += [
        ({**right, "id": "1", "Deal": {"id": None}}, missing("opportunity_id_missing")),
        (
            {**right, "id": "2", "Modified_Time": "2025-01-01T00:00:00+02:00"},
            out_of_range("logged_at_before_changed_at"),
        ),
    ]
    fxiaoke[FIRST_RECEIVED] += [
        (["1", *row[1:4], "", *row[5:]], missing("to_stage_missing")),
        (["2", *row[1:5], "昨天", *row[6:]], bad_date("changed_at", "timestamp")),
    ]
    for received in TOLD:
        write_json(
            feeds.ledger,
            received,
            f"zoho/DealHistory_{received}.json",
            "zoho_stage_changes",
            "crm_stage_changes",
            zoho[received],
            _list,
        )
        write_csv(
            feeds.ledger,
            received,
            f"fxiaoke/商机阶段变更_{received}.csv",
            "fxiaoke_stage_changes",
            "crm_stage_changes",
            CHANGE_CN,
            fxiaoke[received],
            encoding="gb18030",
        )


# ------------------------------------------------------------------------------------------------ activities
def _write_activities(feeds: Feeds, opportunities: Sequence[Opportunity]) -> None:
    """One or two a stage, and some that are planned; Fxiaoke's come from its API, in milliseconds since 1970."""
    rng = feeds.rng("activities")
    zoho: dict[date, list[tuple[dict[str, Any], Fate]]] = {day: [] for day in TOLD}
    fxiaoke: dict[date, list[tuple[dict[str, Any] | str, Fate]]] = {day: [] for day in TOLD}

    def add(
        received: date, deal: Opportunity, number: str, kind: str, at: datetime, entered: datetime, length: int
    ) -> None:
        fate = feeds.keep("crm_activities", deal.system, number, kind=kind, crm_system=deal.system, occurred_at=at)
        feeds.crm.activities.append((deal, at, entered))
        if deal.system == "zoho":
            record: dict[str, Any] = {
                "id": number,
                "Subject": f"Call about {deal.category}",
                "Call_Type": "Outbound",
                "Call_Start_Time": with_offset(at, EUROPE_SUMMER),
                "Call_Duration_in_seconds": 60 * length,
                "What_Id": {"id": deal.opportunity_id},
                "Account": {"id": deal.account_id},
                "Owner": {"id": deal.user_id},
                "Modified_Time": with_offset(entered, EUROPE_SUMMER),
            }
            zoho[received].append((record, fate))
        else:
            record = {
                "_id": number,
                "object_describe_api_name": "ActiveRecordObj",
                "interactive_types": CALLS[kind],
                "active_record_content": f"{deal.category}沟通",
                "account_id": deal.account_id,
                "opportunity_id": deal.opportunity_id,
                "owner": [deal.user_id] if deal.user_id else [],
                "interactive_time": _milliseconds(at),
                "last_modified_time": _milliseconds(entered),
            }
            fxiaoke[received].append((record, fate))

    for deal in opportunities:
        for place, step in enumerate(deal.steps):
            at = step.at - timedelta(minutes=between(rng, 10, 4000))
            kind = pick(rng, tuple(CALLS)) if deal.system == "fxiaoke" else "call"
            length, silent = between(rng, 3, 60), rng.random() < 0.4
            received = sent_on(at.date())
            if silent or received is None or place == 0:
                continue
            entered = at + timedelta(minutes=length)
            add(received, deal, f"{deal.opportunity_id}9{place}", kind, at, entered, length)
    plans = feeds.rng("planned activities")
    for deal in opportunities:
        step, days, planned = deal.steps[-1], between(plans, 15, 75), plans.random() < 0.4
        entered = step.logged + timedelta(hours=1)
        received = sent_on(entered.date())
        if planned and received is not None and deal.end is None:
            add(received, deal, f"{deal.opportunity_id}8", "call", entered + timedelta(days=days), entered, 30)
    right, other = zoho[FIRST_RECEIVED][0][0], fxiaoke[FIRST_RECEIVED][0][0]
    assert isinstance(other, dict)
    zoho[FIRST_RECEIVED] += [
        ({**right, "id": "1", "Call_Duration_in_seconds": -60}, out_of_range("duration_minutes_negative")),
        ({**right, "id": "2", "Call_Start_Time": None}, missing("occurred_at_missing")),
    ]
    fxiaoke[FIRST_RECEIVED] += [
        ({**other, "_id": "1", "interactive_types": "聚餐"}, unknown_word("kind_unknown")),
        ({**other, "_id": "2", "interactive_time": "今天"}, bad_date("occurred_at", "timestamp")),
        ('{"_id": "3", "interactive_types": "电', Fate("rejected", "not JSON", "cut line", while_reading=True)),
    ]
    for received in TOLD:
        write_json(
            feeds.ledger, received, f"zoho/Calls_{received}.json", "zoho_calls", "crm_activities", zoho[received], _list
        )
        write_jsonl(
            feeds.ledger,
            received,
            f"fxiaoke/ActiveRecordObj_{received}.jsonl",
            "fxiaoke_activities",
            "crm_activities",
            fxiaoke[received],
        )


def _milliseconds(value: datetime) -> int:
    return int((value - datetime(1970, 1, 1)).total_seconds()) * 1000


# ------------------------------------------------------------------------------------------------ deals and codes
def _write_participants(feeds: Feeds, opportunities: Sequence[Opportunity]) -> None:
    """Who worked on opportunities and on sales together; the role is not always named."""
    header = ["Deal Type", "System", "Deal", "Member", "Role", "Contribution %", "Since"]
    rows: list[tuple[list[str], Fate]] = []

    def add(kind: str, system: str, deal: str, member: str, role: str | None, share: int, since: date) -> None:
        fate = feeds.keep("deal_participants", kind, deal, member, deal_type=kind, contribution_pct=share)
        feeds.crm.participants.append((kind, deal, member, role, share))
        rows.append(([kind.title(), system, deal, member, role or "", f"{share}", f"{since}"], fate))

    for number, deal in enumerate(opportunities):
        day = deal.created.date()
        if deal.member_id is None or number % 3 or day > FIRST_RECEIVED:
            continue
        helpers = [m for m in feeds.at_work(day, "sales", "service", "support") if m != deal.member_id]
        helper = helpers[number % len(helpers)]
        add("opportunity", deal.system, deal.opportunity_id, deal.member_id, "lead", 70, day)
        add("opportunity", deal.system, deal.opportunity_id, helper, ROLES[number % len(ROLES)], 30, day)
    for number, (transaction_id, document) in enumerate(sorted(feeds.figures.documents.items())):
        owner = feeds.owner(document.dealer_id, document.day)
        if owner and number % 20 == 0 and document.day < date(2026, 8, 1):
            helper = next(m for m in feeds.at_work(document.day, "service", "support"))
            add("sale", "", transaction_id, owner, "lead", 80, document.day)
            add("sale", "", transaction_id, helper, "service", 20, document.day)
    right = rows[0][0]
    shared = {row[2] for row, _ in rows if row[3] == right[3]}
    other = next(row for row, _ in rows if row[2] not in shared)  # a deal in which that member has no part
    wrong: list[tuple[list[str], Fate]] = [
        (["Opportunity", "", "1", *right[3:]], missing("crm_system_missing")),
        (["Project", *right[1:2], "2", *right[3:]], unknown_word("deal_type_unknown")),
        ([*other[:3], *right[3:5], "170", right[6]], out_of_range("contribution_pct_out_of_range")),
        ([*right[:2], "4", *right[3:5], "most", right[6]], bad_number("contribution_pct")),
    ]
    split = [row for row in rows if row[0][0] == "Opportunity"], [row for row in rows if row[0][0] == "Sale"]
    for received, part in ((FIRST_RECEIVED, [*split[0], *wrong]), (date(2026, 8, 4), split[1])):
        write_csv(
            feeds.ledger, received, f"crm/deal_team_{received}.csv", "deal_team", "deal_participants", header, part
        )


def _write_links(feeds: Feeds) -> None:
    """Codes of the European distributor, of both CRM systems and of the learning system."""
    header = ["System", "Kind", "External ID", "Our ID"]
    company = feeds.company
    late = {dealer_id for dealer_id, rows in company.by_dealer.items() if rows[0].onboarded > FIRST_RECEIVED}
    late |= {member_id for member_id, member in feeds.members.items() if member.hired > FIRST_RECEIVED}
    rows: dict[date, list[tuple[list[str], Fate]]] = {FIRST_RECEIVED: [], CHANGES: []}

    def add(system: str, kind: str, external: str, ours: str) -> None:
        fate = feeds.keep("id_links", system, kind, external, system=system, subject_type=kind)
        rows[CHANGES if ours in late else FIRST_RECEIVED].append(([system, kind.title(), external, ours], fate))

    for dealer_id in sorted(company.by_dealer):
        add(system_of(feeds, dealer_id), "dealer", account_of(feeds, dealer_id), dealer_id)
        if dealer_id in _dealers_entered_twice(feeds):
            add(system_of(feeds, dealer_id), "dealer", second_account_of(feeds, dealer_id), dealer_id)
        if company.market_of[dealer_id].source == "distributor_eu":
            add("distributor_eu", "dealer", customer_number(dealer_id), dealer_id)
    for member_id, member in sorted(feeds.members.items()):
        system = "fxiaoke" if member.currency == "CNY" else "zoho"
        add(system, "member", user_of(system, member_id), member_id)
        add("lms", "member", f"U{1000 + int(member_id[1:])}", member_id)
    rows[FIRST_RECEIVED] += [
        (["lms", "Shop", "U1", "D0001"], unknown_word("subject_type_unknown")),
        (["lms", "Member", "U2", ""], missing("subject_id_missing")),
        (["lms", "Member", "U3", "M001"], quarantined("conflicting_key", "conflicting rows")),
        (["lms", "Member", "U3", "M002"], quarantined("conflicting_key", "conflicting rows")),
    ]
    for received, part in rows.items():
        write_csv(feeds.ledger, received, f"master/id_links_{received:%Y-%m}.csv", "id_links", "id_links", header, part)
