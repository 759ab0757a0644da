"""The sample company's CRM in the simulators: all that the truth counts, and nothing that was planted to be refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.sample import Version, load, moved, read, stages
from tests.crm_sim.story import Story

import sample_company


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sample")
    sample_company.make(1, "S", made)
    return made


@pytest.fixture(scope="module")
def versions(folder: Path) -> list[Version]:
    return read(folder)


@pytest.fixture(scope="module")
def truth(folder: Path) -> dict[str, Any]:
    """Feed and measure -> values by group."""
    feeds = json.loads((folder / "truth.json").read_text("utf-8"))["feeds"]
    return {
        (feed, m["measure"], m["by"]): m["values"]
        for feed, told in feeds.items()
        if feed.startswith("crm_")
        for m in told["measures"]
    } | {(feed, "current", ""): told["current"] for feed, told in feeds.items()}


@pytest.mark.parametrize("all_in", ["", "zoho", "fxiaoke"])
def test_the_vendors_hold_what_the_truth_counts(versions: list[Version], truth: dict[str, Any], all_in: str) -> None:
    zoho, fxiaoke = Zoho(), Fxiaoke()
    load(zoho, fxiaoke, moved(versions, all_in) if all_in else versions)
    stages(zoho, versions)
    deals, cn = zoho.records("Deals"), fxiaoke.records("NewOpportunityObj")
    assert len(deals) + len(cn) == truth["crm_opportunities", "current", ""] == 162
    assert not (all_in and deals and cn)
    sums: Counter[str] = Counter()
    for row in deals:
        sums[row["Currency"]] += Decimal(str(row["Amount"]))  # type: ignore[assignment]
    for row in cn:
        sums[row["mc_currency"]] += Decimal(row["amount"])  # type: ignore[assignment]
    assert sums == {code: Decimal(value) for code, value in truth["crm_opportunities", "sum", "currency_code"].items()}
    stage = Counter([row["Stage"] for row in deals] + [row["sales_stage__r"] for row in cn])
    assert {k: str(v) for k, v in stage.items()} == truth["crm_opportunities", "count", "stage"]
    forecast = {s.name: s.forecast for pipeline in zoho.pipelines.values() for s in pipeline}
    words = {
        "Open": "open",
        "Closed Won": "won",
        "Closed Lost": "lost",
        "进行中": "open",
        "赢单": "won",
        "输单": "lost",
    }
    status = Counter([words[forecast[r["Stage"]]] for r in deals] + [words[r["sales_status__r"]] for r in cn])
    assert {k: str(v) for k, v in status.items()} == truth["crm_opportunities", "count", "status"]
    for feed, module, kind in (
        ("crm_accounts", "Accounts", "AccountObj"),
        ("crm_stage_changes", "DealHistory", "object_stage_change__c"),
        ("crm_activities", "Calls", "ActiveRecordObj"),
    ):
        assert len(zoho.records(module)) + len(fxiaoke.records(kind)) == truth[feed, "current", ""]
    changed = [r["Stage"] for r in zoho.records("DealHistory")]
    changed += [r["to_stage__c"] for r in fxiaoke.records("object_stage_change__c")]
    assert {k: str(v) for k, v in Counter(changed).items()} == truth["crm_stage_changes", "count", "to_stage"]


def test_days_are_played_one_after_the_other_and_old_exports_change_nothing(versions: list[Version]) -> None:
    zoho, fxiaoke = Zoho(), Fxiaoke()
    by_day: dict[date, int] = {}
    for day in sorted({version.received for version in versions}):
        by_day[day] = load(zoho, fxiaoke, [v for v in versions if v.received == day])
    assert by_day[date(2026, 9, 18)] == 0  # an old export found later
    assert all(count for day, count in by_day.items() if day != date(2026, 9, 18))
    row = zoho.modules["Deals"].table.rows
    assert any(r.version > 1 for r in row.values())


def test_every_lookup_leads_somewhere(versions: list[Version]) -> None:
    zoho, fxiaoke = Zoho(), Fxiaoke()
    load(zoho, fxiaoke, versions)
    for deal in zoho.records("Deals"):
        assert deal["Account_Name"]["name"]
        assert deal["Owner"] is None or deal["Owner"]["name"]
    for deal in fxiaoke.records("NewOpportunityObj"):
        assert deal["account_id__r"]
        assert all(owner in fxiaoke.employee_of for owner in deal["owner"])


def test_the_story_ends_where_the_files_do(versions: list[Version], clock: Clock) -> None:
    zoho, fxiaoke = Zoho(clock=clock), Fxiaoke(clock=clock)
    story = Story(versions, zoho, fxiaoke, clock)
    counts = []
    for day in story.steps:
        before = clock.now()
        story.play()
        counts.append((day, len(zoho.records("Deals")), len(fxiaoke.records("NewOpportunityObj"))))
        late = [v for v in story.versions_of(day) if v.modified < before and day != story.steps[0]]
        assert all(v.received == date(2026, 9, 18) for v in late)  # old versions in an export found later
    assert story.steps == [date(2026, 6, 30), date(2026, 7, 5), date(2026, 8, 4), date(2026, 10, 3)]
    first = {v.id for v in versions if v.kind == "deal" and v.received == date(2026, 6, 30)}
    soon = {v.id for v in versions if v.kind == "deal" and v.modified < datetime(2026, 7, 6, tzinfo=UTC)}
    later = {v.id for v in versions if v.kind == "deal" and v.received <= date(2026, 8, 4)}
    whole = {v.id for v in versions if v.kind == "deal"}
    # Three trials of each vendor at first, then without them and without one real deal of each, which comes back.
    assert [a + b for _, a, b in counts] == [len(first) + 6, len(first | soon) - 2, len(later), len(whole)]
    plain = Zoho(), Fxiaoke()
    load(*plain, versions)
    for name in ("Accounts", "Deals", "DealHistory", "Calls"):
        assert zoho.records(name) == plain[0].records(name)
    for name in ("AccountObj", "NewOpportunityObj", "object_stage_change__c", "ActiveRecordObj"):
        seen, told = ({r["_id"]: r for r in sim.records(name)} for sim in (fxiaoke, plain[1]))
        for number in story.taken.values():  # two versions more: it went and came back
            for rows in (seen, told):
                rows.get(number, {}).pop("version", None)
        assert seen == told
