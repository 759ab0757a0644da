"""What the profiles make of a CRM: rows of the feeds, worked out by hand; and a rebuild makes them again without any network."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from tests import small
from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.zoho import User

from dealermart import ingest, lake, upkeep
from dealermart.base import Settings
from dealermart.config import load_contracts, load_profile

from .conftest import START, Source, entry_of, small_config

pytestmark = pytest.mark.integration

FEEDS = (
    "dealers",
    "team_members",
    "id_links",
    "crm_accounts",
    "crm_opportunities",
    "crm_stage_changes",
    "crm_activities",
    "service_cases",
)
DAY = dt.date(2026, 8, 3)


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "RULES", dict.fromkeys(FEEDS, ("key_mostly_missing",)))
        return small.project(tmp_path_factory.mktemp("profiles") / "project", ("fct_opportunity",), judged=False)


@pytest.fixture
def settings(tmp_path: Path, suites: Path) -> Settings:
    config = small_config(tmp_path / "config", FEEDS)
    return Settings(home=tmp_path / "home", config=config, project=suites, threads=1, user="tester")


def at(hours: float) -> dt.datetime:
    return START + dt.timedelta(hours=hours)


def rows(settings: Settings, feed: str, columns: str) -> list[tuple[Any, ...]]:
    """What holds of a feed."""
    log, contract = lake.read(settings), load_contracts(settings)[feed]
    sql = lake.current_sql(contract, log.paths(settings, feed), log.told(settings, feed))
    with duckdb.connect() as con:
        return con.execute(f"select {columns} from ({sql}) order by all").fetchall()


def link(settings: Settings, tmp_path: Path, system: str, dealer: str, member: str) -> None:
    """Say which dealer and which member the CRM means."""
    drop = tmp_path / f"links{system}" / "master"
    drop.mkdir(parents=True)
    text = f"System,Kind,External ID,Our ID\n{system},dealer,{dealer},D1\n{system},member,{member},M1\n"
    (drop / "id_links_1.csv").write_text(text, "utf-8")
    ingest.run(settings, "sample", DAY, drop.parent)


def derived(settings: Settings, system: str, name: str, history: str, **stage: str) -> None:
    """Let the tenant keep no history of stages: they are derived."""
    path = settings.sources / system / "source.yml"
    said = yaml.safe_load(path.read_text("utf-8"))
    said["crm"]["objects"] = [
        {**item, **(stage if item["name"] == name else {})}
        for item in said["crm"]["objects"]
        if item["name"] != history
    ]
    path.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")


def take(one: Source) -> ingest.partition.IngestResult:  # type: ignore[name-defined]
    one.pull(DAY, land=False)
    result = ingest.run(one.settings, one.profile.source, DAY)
    result.raise_for_refused()
    return result


def test_zoho(settings: Settings, tmp_path: Path) -> None:
    derived(settings, "zoho", "Deals", "DealHistory", stage="Stage")
    clock = Clock(START, ticking=False)
    with Zoho(zone=dt.timezone(dt.timedelta(hours=8)), clock=clock) as sim:
        owner = next(iter(sim.users))
        sim.users["U2"] = User("U2", "Anna Berg", "a@example.com")
        one = Source(settings, sim, load_profile(settings, "zoho", load_contracts(settings)), entry_of(sim), "id")
        account = sim.add("Accounts", {"Account_Name": "Radhaus", "Billing_Country": "Germany"}, at=at(-30))
        link(settings, tmp_path, "zoho", account, owner)
        deal = {"Account_Name": account, "Pipeline": "Standard", "Currency": "EUR", "Closing_Date": "2026-09-01"}
        open_id = sim.add(
            "Deals", {**deal, "Deal_Name": "A", "Stage": "Qualification", "Amount": 10.5, "Probability": 10}, at=at(-20)
        )
        won_id = sim.add("Deals", {**deal, "Deal_Name": "B", "Stage": "Closed Won", "Amount": 7}, at=at(-20))
        sim.add(
            "Calls",
            {"Subject": "c", "Call_Start_Time": at(-2), "Call_Duration_in_seconds": 89, "What_Id": open_id},
            at=at(-1),
        )
        sim.add(
            "Events",
            {"Event_Title": "e", "Start_DateTime": at(-9), "End_DateTime": at(-8), "What_Id": account},
            at=at(-7),
        )
        sim.add("Tasks", {"Subject": "t", "Due_Date": "2026-08-20", "What_Id": open_id}, at=at(-6))
        sim.add(
            "Cases",
            {
                "Case_Number": "1",
                "Status": "New",
                "Priority": "High",
                "Type": "Problem",
                "Case_Origin": "Web",
                "Account_Name": account,
            },
            at=at(-5),
        )
        sim.add("Cases", {"Case_Number": "2", "Status": "New", "Account_Name": None}, at=at(-5))
        result = take(one)
        assert rows(settings, "crm_accounts", "crm_system, account_id, account_name, country, updated_at") == [
            ("zoho", account, "Radhaus", "Germany", at(-30).replace(tzinfo=None))
        ]
        facts = "opportunity_id, stage, status, amount, currency_code, closed_date, expected_close_date"
        assert rows(settings, "crm_opportunities", facts) == [
            (open_id, "Qualification", "open", Decimal("10.5000"), "EUR", None, dt.date(2026, 9, 1)),
            (won_id, "Closed Won", "won", Decimal("7.0000"), "EUR", dt.date(2026, 9, 1), dt.date(2026, 9, 1)),
        ]
        assert rows(
            settings,
            "crm_activities",
            "kind, account_id, opportunity_id, user_id, duration_minutes, occurred_at::date, completed_at is not null",
        ) == [
            ("call", None, open_id, owner, 1, dt.date(2026, 8, 3), True),
            ("meeting", account, None, owner, 60, dt.date(2026, 8, 3), True),
            ("task", None, open_id, owner, None, dt.date(2026, 8, 20), False),
        ]
        assert rows(
            settings, "service_cases", "dealer_id, member_id, category, channel, priority, opened_at, resolved_at"
        ) == [("D1", "M1", "complaint", "portal", "high", at(-5).replace(tzinfo=None), None)]
        assert rows(settings, "team_members", "member_id, member_name, role, valid_from") == []
        assert rows(settings, "crm_stage_changes", "*") == [], "nobody knows since when"
        (cases,) = [file for file in result.files if file.feed == "service_cases"]
        assert [(fault["reason"], fault["rows"]) for fault in cases.faults] == [("unknown dealer", 1)]
        clock.advance(3600)
        sim.change("Deals", open_id, {"Stage": "Closed Lost", "Reason_For_Loss__s": "Price"})
        sim.delete("Deals", won_id)
        new = sim.add("Deals", {**deal, "Deal_Name": "C", "Stage": "Qualification", "Amount": 1})
        clock.advance(60)
        take(one)
        changed = (START + dt.timedelta(seconds=3601)).replace(tzinfo=None)
        assert rows(settings, "crm_stage_changes", "opportunity_id, from_stage, to_stage, changed_at, amount") == [
            (open_id, "Qualification", "Closed Lost", changed, Decimal("10.5000")),
            (new, None, "Qualification", changed, Decimal("1.0000")),
        ]
        assert rows(settings, "crm_opportunities", "opportunity_id, status, loss_reason") == [
            (open_id, "lost", "Price"),
            (new, "open", None),
        ]
    before = {feed: rows(settings, feed, "*") for feed in FEEDS}
    upkeep.rebuild(settings)  # the CRM is gone
    assert {feed: rows(settings, feed, "*") for feed in FEEDS} == before


def test_fxiaoke(settings: Settings, tmp_path: Path) -> None:
    derived(
        settings,
        "fxiaoke",
        "NewOpportunityObj",
        "object_stage_change__c",
        stage="sales_stage",
        stage_since="stg_changed_time",
    )
    clock = Clock(START, ticking=False)
    with Fxiaoke(clock=clock) as sim:
        sim.add_person("1001", "FSUID_1", "李雷")
        one = Source(settings, sim, load_profile(settings, "fxiaoke", load_contracts(settings)), entry_of(sim), "_id")
        values = {
            "name": "客户",
            "account_type": "distributor",
            "country": "248",
            "owner": ["1001"],
            "last_followed_time": at(-1),
        }
        account = sim.add("AccountObj", values, at=at(-30))
        link(settings, tmp_path, "fxiaoke", account, "FSUID_1")
        deal = {
            "name": "商机",
            "account_id": account,
            "owner": ["1001"],
            "sales_process_id": "process_1",
            "mc_currency": "CNY",
            "close_date": dt.date(2026, 9, 1),
        }
        first = sim.add(
            "NewOpportunityObj",
            {**deal, "sales_stage": "stage_1", "sales_status": "1", "amount": "100.10", "stg_changed_time": at(-25)},
            at=at(-20),
        )
        won = {
            "sales_stage": "stage_won",
            "sales_status": "2",
            "amount": "5",
            "actual_close_date__c": dt.date(2026, 8, 1),
            "stg_changed_time": at(-24),
        }
        second = sim.add("NewOpportunityObj", {**deal, **won}, at=at(-20))
        sim.add(
            "ActiveRecordObj",
            {
                "interactive_types": "拜访",
                "active_record_content": "谈",
                "interactive_time": at(-3),
                "opportunity_id": first,
                "account_id": account,
                "owner": ["1001"],
            },
            at=at(-2),
        )
        sim.add("CasesObj", {"name": "工单", "account_id": account, "case_status": "1", "owner": ["1001"]}, at=at(-2))
        take(one)
        assert rows(settings, "crm_accounts", "account_id, account_type, country, owner_user_id, last_activity_at") == [
            (account, "经销商", "China", "FSUID_1", at(-1).replace(tzinfo=None))
        ]
        facts = "opportunity_id, pipeline, stage, status, amount, expected_close_date, closed_date, owner_user_id"
        assert rows(settings, "crm_opportunities", facts) == [
            (first, "标准销售流程", "初步接洽", "open", Decimal("100.1000"), dt.date(2026, 9, 1), None, "FSUID_1"),
            (
                second,
                "标准销售流程",
                "赢单",
                "won",
                Decimal("5.0000"),
                dt.date(2026, 9, 1),
                dt.date(2026, 8, 1),
                "FSUID_1",
            ),
        ]
        assert rows(settings, "crm_activities", "kind, subject, user_id, occurred_at") == [
            ("visit", "谈", "FSUID_1", at(-3).replace(tzinfo=None))
        ]
        assert rows(settings, "service_cases", "dealer_id, member_id, category, opened_at") == [
            ("D1", "M1", "question", at(-2).replace(tzinfo=None))
        ]
        told = [
            (first, None, "初步接洽", at(-25).replace(tzinfo=None)),
            (second, None, "赢单", at(-24).replace(tzinfo=None)),
        ]
        assert rows(settings, "crm_stage_changes", "opportunity_id, from_stage, to_stage, changed_at") == told
        clock.advance(3600)
        sim.change("NewOpportunityObj", first, {"sales_stage": "stage_2", "stg_changed_time": at(0.5)})
        sim.invalidate("NewOpportunityObj", second)
        one.profile = one.profile.model_copy(update={"crm": one.profile.crm.model_copy(update={"sweep_hours": 0})})  # type: ignore[union-attr]
        take(one)
        told.insert(0, (first, "初步接洽", "需求确认", at(0.5).replace(tzinfo=None)))
        assert rows(settings, "crm_stage_changes", "opportunity_id, from_stage, to_stage, changed_at") == told
        assert rows(settings, "crm_opportunities", "opportunity_id, stage") == [(first, "需求确认")]
