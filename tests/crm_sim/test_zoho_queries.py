"""COQL and bulk read of Zoho against the reference."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from tests.crm_sim import Clock, Zoho
from tests.crm_sim.callers import ZohoCaller
from tests.crm_sim.conftest import START


@pytest.fixture
def deals(zoho: Zoho) -> list[str]:
    """Five deals; the second and third were changed in the same second."""
    account = zoho.add("Accounts", {"Account_Name": "Morlong", "Account_Type": "Reseller"})
    seconds = (0, 1, 1, 2, 3)
    return [
        zoho.add("Deals", {"Deal_Name": f"D{n}", "Amount": 100 * n, "Stage": "Qualification" if n % 2 else "Closed Won",
                           "Account_Name": account if n else None}, at=START + timedelta(seconds=second))
        for n, second in enumerate(seconds)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("id is not null", [0, 1, 2, 3, 4]),
        ("Amount > 100", [2, 3, 4]),
        ("Amount between 100 and 300", [1, 2, 3]),
        ("Amount not between 100 and 300", [0, 4]),
        ("Stage = 'Qualification'", [1, 3]),
        ("Stage != 'Qualification'", [0, 2, 4]),
        ("Deal_Name in ('D1', 'D4')", [1, 4]),
        ("Deal_Name not in ('D1', 'D4')", [0, 2, 3]),
        ("Deal_Name like 'd%'", [0, 1, 2, 3, 4]),
        ("Deal_Name not like '%3'", [0, 1, 2, 4]),
        ("Account_Name is null", [0]),
        ("Account_Name.Account_Name = 'Morlong'", [1, 2, 3, 4]),
        ("((Amount >= 100 and Amount < 400) and Stage = 'Qualification')", [1, 3]),
        ("Amount >= 100 AND Amount < 400 AND (Stage = 'Qualification' OR Deal_Name = 'D2')", [1, 2, 3]),
        ("Modified_Time >= '2026-08-03T11:48:38+00:00'", [1, 2, 3, 4]),
        ("Modified_Time > '2026-08-03T14:48:38+03:00' and Modified_Time < '2026-08-03T11:48:40Z'", [3]),
    ],
)
def test_conditions(call: ZohoCaller, deals: list[str], where: str, found: list[int]) -> None:
    reply = call.coql(f"select id, Deal_Name from Deals where {where} order by id asc")
    assert [row["id"] for row in reply.json()["data"]] == [deals[n] for n in found]


def test_a_query_looks_as_the_reference_shows_it(call: ZohoCaller, deals: list[str]) -> None:
    query = (
        "select id, Deal_Name, Account_Name from Deals where Amount > 100 order by Modified_Time asc limit 2 offset 0"
    )
    reply = call.coql(query, include_meta=["fields"])
    account = {"id": str(int(deals[0]) - 7)}
    assert reply.json()["data"] == [
        {"id": deals[2], "Deal_Name": "D2", "Account_Name": account},
        {"id": deals[3], "Deal_Name": "D3", "Account_Name": account},
    ]
    assert reply.json()["info"] == {"count": 2, "more_records": True}
    assert reply.json()["fields"]["Account_Name"]["data_type"] == "lookup"
    assert call.coql("select id from Deals where Amount > 1000").status_code == 204


def test_the_production_pattern_reads_every_row_once(call: ZohoCaller, deals: list[str]) -> None:
    """Windows on Modified_Time with the id as a tie-break, two rows at a time."""
    seen: list[str] = []
    cursor, last = "2026-08-03T11:48:37+00:00", "0"
    while True:
        query = (
            f"SELECT id, Modified_Time FROM Deals WHERE Modified_Time >= '{cursor}' AND Modified_Time < '2026-08-03T11:48:41Z' "
            f"AND (Modified_Time > '{cursor}' OR id > {last}) ORDER BY Modified_Time ASC, id ASC LIMIT 2"
        )
        reply = call.coql(query)
        if reply.status_code == 204:
            break
        rows = reply.json()["data"]
        seen += [row["id"] for row in rows]
        cursor, last = rows[-1]["Modified_Time"], rows[-1]["id"]
    assert seen == deals


@pytest.mark.parametrize(
    ("query", "code", "details"),
    [
        ("select id from Deals", "SYNTAX_ERROR", {"clause": "where"}),
        ("select id Deals where id is not null", "SYNTAX_ERROR", {"clause": "from"}),
        ("selec id from Deals", "SYNTAX_ERROR", {"clause": "select"}),
        ("select id from Deals where Amount ! 5", "SYNTAX_ERROR", None),
        ("select Nothing from Deals where id is not null", "INVALID_QUERY", {"column_name": "Nothing"}),
        ("select Deal_Team from Deals where id is not null", "INVALID_QUERY", {"column_name": "Deal_Team"}),
        ("select CTI_Entry from Calls where id is not null", "INVALID_QUERY", {"column_name": "CTI_Entry"}),
        ("select id from Dealz where id is not null", "INVALID_MODULE", None),
        ("select id from Email_Sentiment where id is not null", "INVALID_QUERY", None),
        ("select id from Deals where id is not null limit 2001", "INVALID_QUERY", {"limit": 2000}),
        ("select id from Deals where id is not null limit 2000 offset 99000", "LIMIT_EXCEEDED", None),
        ("select id from Deals where Modified_Time > 'yesterday'", "INVALID_QUERY", None),
        (f"select id from Deals where id in ({', '.join(map(str, range(101)))})", "LIMIT_EXCEEDED", None),
        (f"select id from Deals where {' and '.join(['id > 1'] * 26)}", "LIMIT_EXCEEDED", None),
        (f"select {', '.join(['id'] * 501)} from Deals where id > 1", "LIMIT_EXCEEDED", None),
    ],
)
def test_a_wrong_query_gets_its_code(call: ZohoCaller, query: str, code: str, details: dict[str, Any] | None) -> None:
    reply = call.coql(query)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert details is None or reply.json()["details"] == details


def test_pairs_and_where_are_switches(zoho: Zoho, call: ZohoCaller, deals: list[str]) -> None:
    zoho.switches.coql_where_required, zoho.switches.coql_pairs = False, True
    assert call.coql("select id from Deals").json()["info"]["count"] == 5
    assert call.coql("select id from Deals where Amount > 1 and Amount > 2 and Amount > 3").status_code == 400
    assert call.coql("select id from Deals where ((Amount > 1 and Amount > 2) and Amount > 3)").status_code == 200


def test_the_body_needs_no_content_type(call: ZohoCaller, deals: list[str]) -> None:
    body = json.dumps({"select_query": "select count(id) from Deals where id is not null"}).encode()
    reply = call.http.post("/crm/v8/coql", content=body, headers=call.headers)
    assert reply.json()["data"] == [{"COUNT(id)": 5}]
    empty = call.http.post("/crm/v8/coql", content=b"{}", headers=call.headers)
    assert (empty.json()["code"], empty.json()["details"]) == ("MANDATORY_NOT_FOUND", {"api_name": "select_query"})


@pytest.mark.parametrize(("limit", "cost"), [(200, 1), (201, 2), (1000, 2), (1001, 3), (2000, 3)])
def test_a_query_costs_credits_by_its_limit(zoho: Zoho, call: ZohoCaller, limit: int, cost: int) -> None:
    call.coql(f"select id from Deals where id > 1 limit {limit}")
    assert zoho.used_credits() == cost


# ------------------------------------------------------------------------------------------------ bulk read
def run_job(call: ZohoCaller, job_id: str) -> dict[str, Any]:
    states = []
    while True:
        body = call.job(job_id).json()["data"][0]
        states.append(body["state"])
        if body["state"] in ("COMPLETED", "FAILURE"):
            return {**body, "states": states}


def rows_of(reply: Any) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(reply.content)) as file:
        name = file.namelist()[0]
        assert reply.headers["content-disposition"] == f'attachment;filename="{name.removesuffix(".csv")}.zip"'
        return list(csv.reader(io.StringIO(file.read(name).decode())))


def test_a_job_goes_its_way_and_gives_a_zip(zoho: Zoho, call: ZohoCaller, deals: list[str]) -> None:
    zoho.change("Deals", deals[4], {"Locked__s": True, "Competitors": ["A", "B"]}, bump=False)
    criteria = {
        "group_operator": "and",
        "group": [
            {"field": {"api_name": "Modified_Time"}, "comparator": "greater_equal", "value": "2026-08-03T11:48:39Z"},
            {"field": {"api_name": "Modified_Time"}, "comparator": "less_than", "value": "2026-09-01T00:00:00Z"},
        ],
    }
    names = ["id", "Deal_Name", "Amount", "Account_Name", "Owner", "Locked__s", "Competitors", "Modified_Time"]
    made = call.bulk(
        {"module": {"api_name": "Deals"}, "fields": names, "criteria": criteria, "page": 1}, file_type="csv"
    )
    assert made.status_code == 201
    told = made.json()["data"][0]
    assert (told["code"], told["details"]["state"], made.json()["info"]) == ("ADDED_SUCCESSFULLY", "ADDED", {})
    job_id = told["details"]["id"]
    assert call.job(job_id, "/result").json()["code"] == "RESOURCE_NOT_FOUND"
    done = run_job(call, job_id)
    assert done["states"] == ["QUEUED", "IN PROGRESS", "COMPLETED"]
    assert done["result"] == {
        "page": 1, "count": 2, "download_url": f"/crm/bulk/v8/read/{job_id}/result", "per_page": 200_000,
        "more_records": False, "next_page_token": None,
    }  # fmt: skip
    account, owner = str(int(deals[0]) - 7), "5545974000000386001"
    assert rows_of(call.job(job_id, "/result")) == [
        ["Id", *names[1:]],
        [deals[3], "D3", "300", account, owner, "", "", "2026-08-03T14:48:39+03:00"],
        [deals[4], "D4", "400", account, owner, "true", "A,B", "2026-08-03T14:48:40+03:00"],
    ]


def test_more_rows_than_a_job_holds_come_by_page_and_by_token(zoho: Zoho, call: ZohoCaller, deals: list[str]) -> None:
    zoho.limits.bulk_rows, zoho.switches.bulk_polls = 2, 0
    query: dict[str, Any] = {"module": {"api_name": "Deals"}, "fields": ["id"]}
    found, more = [], True
    while more:
        job_id = call.bulk(query).json()["data"][0]["details"]["id"]
        result = run_job(call, job_id)["result"]
        found += [row[0] for row in rows_of(call.job(job_id, "/result"))[1:]]
        more, query = result["more_records"], {"page_token": result["next_page_token"]}
    assert found == deals
    third = call.bulk({"module": {"api_name": "Deals"}, "fields": ["id"], "page": 3}).json()["data"][0]["details"]["id"]
    assert run_job(call, third)["result"]["count"] == 1


@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        ({"module": {"api_name": "Notes"}}, {}, "MODULE_NOT_SUPPORTED"),
        ({"module": {"api_name": "Dealz"}}, {}, "MODULE_NOT_AVAILABLE"),
        ({"module": {"api_name": "Deals"}, "fields": ["Nothing"]}, {}, "FIELD_NOT_AVAILABLE"),
        ({"module": {"api_name": "Deals"}, "fields": ["Deal_Team"]}, {}, "FIELD_NOT_SUPPORTED"),
        ({"module": {"api_name": "Deals"}, "page": 51}, {}, "PAGE_RANGE_EXCEEDED"),
        ({"module": {"api_name": "Deals"}, "cvid": "1"}, {}, "CVID_NOT_SUPPORTED"),
        ({"module": {"api_name": "Deals"}, "criteria": {"group": []}}, {}, "INVALID_CRITERIA"),
        (
            {"module": {"api_name": "Deals"}},
            {"callback": {"url": "http://x", "method": "post"}},
            "INVALID_CALLBACK_URL",
        ),
        (
            {"module": {"api_name": "Deals"}},
            {"callback": {"url": "https://x", "method": "get"}},
            "INVALID_CALLBACK_METHOD",
        ),
    ],
)
def test_a_wrong_job_gets_its_code(call: ZohoCaller, query: dict[str, Any], more: dict[str, Any], code: str) -> None:
    reply = call.bulk(query, **more)
    assert (reply.status_code, reply.json()["code"]) == (400, code)


def test_downloads_are_ten_a_minute(zoho: Zoho, call: ZohoCaller, clock: Clock, deals: list[str]) -> None:
    zoho.switches.bulk_polls = 0
    job_id = call.bulk({"module": {"api_name": "Deals"}}).json()["data"][0]["details"]["id"]
    run_job(call, job_id)
    assert [call.job(job_id, "/result").status_code for _ in range(11)] == [200] * 10 + [429]
    clock.advance(61)
    assert call.job(job_id, "/result").status_code == 200
    assert (call.job("1").status_code, call.job("1").json()["code"]) == (404, "RESOURCE_NOT_FOUND")


def test_a_job_may_fail(zoho: Zoho, call: ZohoCaller, deals: list[str]) -> None:
    zoho.bulk.fail_next = True
    job_id = call.bulk({"module": {"api_name": "Deals"}}).json()["data"][0]["details"]["id"]
    assert run_job(call, job_id)["state"] == "FAILURE"
