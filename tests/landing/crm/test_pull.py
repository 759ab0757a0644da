"""A pull brings what there is, then what changed, then what is gone: exactly the source's state, each version once."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from tests.crm_sim import Fxiaoke, Zoho

from .conftest import DAY, START, Make, Source

FIELDS = ("id", "Modified_Time", "Deal_Name", "Stage", "Amount", "Owner", "Account_Name", "Closing_Date")


def plain(record: dict, key: str) -> dict:
    """What a record says whichever way it came: a lookup is its id."""
    names = (
        FIELDS if key == "id" else ("_id", "last_modified_time", "name", "amount", "sales_stage", "owner", "close_date")
    )
    values = {name: record.get(name) for name in names}
    values = {name: value["id"] if isinstance(value, dict) else value for name, value in values.items()}
    if key == "id" and values["Amount"] is not None:
        values["Amount"] = float(values["Amount"])
    return values


def same(source: Source) -> None:
    """What was pulled is what the simulator holds."""
    name = source.profile.crm.objects[0].name  # type: ignore[union-attr]
    wanted = {record[source.key]: plain(record, source.key) for record in source.sim.records(name)}
    assert {key: plain(record, source.key) for key, record in source.state().items()} == wanted


@pytest.fixture(params=["zoho", "fxiaoke", "legacy"])
def any_source(request: pytest.FixtureRequest, source: Make, zoho: Zoho, fxiaoke: Fxiaoke) -> Source:
    if request.param == "zoho":
        return source(zoho, sweep_hours=0)
    return source(fxiaoke, sweep_hours=0, style="legacy" if request.param == "legacy" else "new")


def add(source: Source, number: int) -> str:
    if isinstance(source.sim, Zoho):
        values = {
            "Deal_Name": f"Deal {number}",
            "Stage": "Qualification",
            "Amount": number + 0.5,
            "Closing_Date": "2026-09-01",
        }
        return source.sim.add("Deals", values)
    return source.sim.add(
        "NewOpportunityObj", {"name": f"商机 {number}", "amount": number + 0.5, "sales_stage": "stage_1"}
    )


def change(source: Source, item: str, number: int) -> None:
    name, values = (
        ("Deals", {"Amount": number}) if isinstance(source.sim, Zoho) else ("NewOpportunityObj", {"amount": number})
    )
    source.sim.change(name, item, values)


def gone(source: Source, item: str) -> None:
    source.sim.delete("Deals" if isinstance(source.sim, Zoho) else "NewOpportunityObj", item)


def test_all_then_changes_then_deletions_then_what_came_back(any_source: Source) -> None:
    source = any_source
    ids = [add(source, number) for number in range(450)]
    source.pull()
    same(source)
    assert len(source.lines(source.profile.crm.objects[0].name)) == 450
    source.sim.clock.advance(3600)
    change(source, ids[3], 7)
    new = add(source, 1000)
    gone(source, ids[10])
    source.pull()
    same(source)
    assert len(source.lines(source.profile.crm.objects[0].name)) == 453
    source.sim.clock.advance(3600)
    source.sim.restore("Deals" if isinstance(source.sim, Zoho) else "NewOpportunityObj", ids[10])
    gone(source, new)
    source.pull()
    same(source)
    assert source.pull() == [], "nothing is new"
    assert len(source.lines(source.profile.crm.objects[0].name)) == 455


def test_the_manifest_says_what_came(any_source: Source) -> None:
    for number in range(5):
        add(any_source, number)
    files = any_source.pull()
    (line,) = any_source.lines("pull")
    name = any_source.profile.crm.objects[0].name
    assert files[-1].startswith("pull_")
    assert {key: line[key] for key in ("object", "records", "gone", "read", "from")} == {
        "object": name, "records": 5, "gone": 0, "read": 5, "from": None,
    }  # fmt: skip
    assert line["to"] == f"{START + dt.timedelta(seconds=1):%Y-%m-%d %H:%M:%S}.000000"
    assert f"{line['file']}.gz" == files[0]
    assert DAY.isoformat() == any_source.files(name)[0].parent.name


def test_a_line_is_the_text_that_came(source: Make, fxiaoke: Fxiaoke) -> None:
    one = source(fxiaoke)
    fxiaoke.add("NewOpportunityObj", {"name": '商机\n"二"', "amount": "1.50"})
    one.pull()
    (record,) = one.lines("NewOpportunityObj")
    assert (record["name"], record["amount"]) == ('商机\n"二"', "1.50")
    assert json.dumps(record["_pull"]) == '{"changed_at": "2026-08-03 11:48:37.000000", "gone": false}'


def test_a_death_between_file_and_mark_costs_a_repetition_and_nothing_else(
    any_source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dealermart.landing.crm.state import State

    for number in range(5):
        add(any_source, number)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(State, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            any_source.pull()
    name = any_source.profile.crm.objects[0].name  # type: ignore[union-attr]
    assert len(any_source.lines(name)) == 5
    any_source.pull()
    same(any_source)
    texts = [json.dumps(record) for record in any_source.lines(name)]
    assert (len(texts), len(set(texts))) == (10, 5), "the very same lines, which an ingest counts as duplicates"


def test_a_window_is_read_once_more_on_demand(any_source: Source) -> None:
    ids = [add(any_source, number) for number in range(5)]
    any_source.pull()
    at = any_source.sim.clock.now()
    any_source.sim.clock.advance(3600)
    change(any_source, ids[0], 1)
    any_source.pull(since=at, until=any_source.sim.clock.now() + dt.timedelta(seconds=1))
    same(any_source)
    assert any_source.pull() == [], "what it brought is known, and the mark was not moved"
