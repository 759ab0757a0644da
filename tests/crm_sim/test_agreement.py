"""Every way to read the same records gives the same ones, after any edits."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from tests.crm_sim import Clock, Fxiaoke, Zoho
from tests.crm_sim.callers import FxiaokeCaller, ZohoCaller


def edit(sim: Any, name: str, field: str, clock: Clock, rng: random.Random) -> tuple[dict[str, int], set[str]]:
    """Make, change, delete and restore records; returns what must be alive, by id, and what is deleted."""
    alive: dict[str, int] = {}
    gone: dict[str, int] = {}
    for number in range(150):
        clock.advance(rng.choice([0, 0, 1, 30]))
        act = rng.choice(["add", "add", "add", "change", "change", "delete", "restore"])
        if act == "add":
            alive[sim.add(name, {field: number})] = number
        elif act == "change" and alive:
            record = rng.choice(sorted(alive))
            alive[record] = number
            sim.change(name, record, {field: number}, bump=rng.random() < 0.8)
        elif act == "delete" and alive:
            record = rng.choice(sorted(alive))
            gone[record] = alive.pop(record)
            sim.delete(name, record)
        elif act == "restore" and gone:
            record = rng.choice(sorted(gone))
            alive[record] = gone.pop(record)
            sim.restore(name, record)
    return alive, set(gone)


@pytest.mark.parametrize("seed", range(3))
def test_zoho(zoho: Zoho, call: ZohoCaller, clock: Clock, seed: int) -> None:
    alive, gone = edit(zoho, "Deals", "Amount", clock, random.Random(seed))
    for paging in ("offset", "keyset"):
        zoho.switches.paging = paging
        listed: dict[str, int] = {}
        given: dict[str, Any] = {"fields": "Amount", "per_page": 7, "sort_by": "Modified_Time"}
        while True:
            body = call.get("Deals", **given).json()
            assert not set(listed) & {row["id"] for row in body["data"]}
            listed |= {row["id"]: row["Amount"] for row in body["data"]}
            if not body["info"]["more_records"]:
                break
            given["page_token"] = body["info"]["next_page_token"]
        assert listed == alive
    queried: dict[str, int] = {}
    for order in ("id asc", "Modified_Time desc", "Amount asc, id desc"):
        query = f"select Amount from Deals where id is not null order by {order} limit 2000"
        queried = {row["id"]: row["Amount"] for row in call.coql(query).json()["data"]}
        assert queried == alive
    zoho.switches.bulk_polls = 0
    job = call.bulk({"module": {"api_name": "Deals"}, "fields": ["id", "Amount"]}).json()["data"][0]["details"]["id"]
    call.job(job)
    with zipfile.ZipFile(io.BytesIO(call.job(job, "/result").content)) as packed:
        rows = list(csv.reader(io.StringIO(packed.read(f"{job}.csv").decode())))[1:]
    assert {record: int(amount) for record, amount in rows} == alive
    assert call.get("Deals/actions/count").json()["count"] == len(alive)
    told = call.get("Deals/deleted", type="all")
    assert {row["id"] for row in (told.json()["data"] if told.status_code == 200 else [])} == gone


@pytest.mark.parametrize("seed", range(3))
def test_fxiaoke(fxiaoke: Fxiaoke, ask: FxiaokeCaller, clock: Clock, seed: int) -> None:
    alive, gone = edit(fxiaoke, "NewOpportunityObj", "amount", clock, random.Random(seed))
    for field, ascending in (
        ("_id", True),
        ("last_modified_time", True),
        ("last_modified_time", False),
        ("amount", True),
    ):
        seen: dict[str, int] = {}
        while True:
            orders = [{"fieldName": field, "isAsc": ascending}]
            page = ask.query(limit=10, offset=len(seen), orders=orders)["data"]["dataList"]
            seen |= {row["_id"]: int(row["amount"]) for row in page}
            if len(page) < 10:
                break
        assert seen == alive
        clock.advance(21)
    start = clock.milliseconds() - int(timedelta(hours=3).total_seconds() * 1000)
    windows: dict[str, int] = {}
    for first in range(start, clock.milliseconds() + 1, 600_000):
        conditions = (("last_modified_time", "GTE", [first]), ("last_modified_time", "LT", [first + 600_000]))
        rows = ask.query("NewOpportunityObj", *conditions)["data"]["dataList"]
        assert not set(windows) & {row["_id"] for row in rows}
        windows |= {row["_id"]: int(row["amount"]) for row in rows}
    assert windows == alive
    fxiaoke.switches.deleted_rows = fxiaoke.switches.invalid_rows = "shown"
    rows = ask.query(find_explicit_total_num=True)["data"]
    assert rows["total"] == len(alive) + len(gone)
