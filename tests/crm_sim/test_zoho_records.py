"""Lists of Zoho against the reference: envelopes, paging, errors, deleted records, search."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.crm_sim import Clock, Zoho
from tests.crm_sim.callers import ZohoCaller
from tests.crm_sim.conftest import START

FIELDS = "Deal_Name,Stage,Amount"


def many(sim: Zoho, count: int) -> list[str]:
    """Deals made one second after the other; ids ascending."""
    return [sim.add("Deals", {"Deal_Name": f"Deal {n}"}, at=START + timedelta(seconds=n)) for n in range(count)]


def ids(reply: Any) -> list[str]:
    return [row["id"] for row in reply.json()["data"]]


def test_a_list_looks_as_the_reference_shows_it(zoho: Zoho, call: ZohoCaller) -> None:
    zoho.add_user("5545974000000386002", "Patricia B", "p@example.com")
    account = zoho.add("Accounts", {"Account_Name": "Morlong"}, id="5545974000000335095")
    values = {
        "Deal_Name": "Morlong Associates", "Stage": "Qualification", "Amount": 35000, "Closing_Date": "2026-08-04",
        "Owner": "5545974000000386002", "Account_Name": account,
    }  # fmt: skip
    zoho.add("Deals", values, id="5545974000000335273")
    names = "Deal_Name,Stage,Amount,Closing_Date,Owner,Account_Name,Modified_Time,Tag"
    reply = call.get("Deals", fields=names)
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("application/json")
    assert reply.json() == {
        "data": [
            {
                "id": "5545974000000335273", "Deal_Name": "Morlong Associates", "Stage": "Qualification", "Amount": 35000,
                "Closing_Date": "2026-08-04",
                "Owner": {"name": "Patricia B", "id": "5545974000000386002", "email": "p@example.com"},
                "Account_Name": {"name": "Morlong", "id": "5545974000000335095"},
                "Modified_Time": "2026-08-03T14:48:37+03:00", "Tag": [],
            }
        ],
        "info": {
            "call": False, "per_page": 200, "next_page_token": None, "count": 1, "sort_by": "id", "page": 1,
            "previous_page_token": None, "page_token_expiry": None, "sort_order": "desc", "email": False, "more_records": False,
        },
    }  # fmt: skip


def test_pages_by_number_and_by_token_give_every_row_once(zoho: Zoho, call: ZohoCaller) -> None:
    made = many(zoho, 450)
    by_number = [row for page in (1, 2, 3) for row in ids(call.get("Deals", fields=FIELDS, page=page))]
    assert by_number == made[::-1]
    assert call.get("Deals", fields=FIELDS, page=4).status_code == 204
    first = call.get("Deals", fields=FIELDS, sort_by="Modified_Time", sort_order="asc")
    by_token, info = ids(first), first.json()["info"]
    assert info["page_token_expiry"] == "2026-08-04T14:48:37+03:00"
    while info["more_records"]:
        more = call.get(
            "Deals", fields=FIELDS, sort_by="Modified_Time", sort_order="asc", page_token=info["next_page_token"]
        )
        by_token, info = by_token + ids(more), more.json()["info"]
    assert by_token == made
    assert (info["page"], info["count"], info["next_page_token"]) == (3, 50, None)


def test_numbers_end_at_two_thousand_rows_and_tokens_later(zoho: Zoho, call: ZohoCaller) -> None:
    many(zoho, 30)
    zoho.limits.per_page, zoho.limits.page_rows, zoho.limits.token_rows = 5, 10, 20
    assert call.get("Deals", fields=FIELDS, page=2).status_code == 200
    zoho.limits.page_rows = 2000
    beyond = call.get("Deals", fields=FIELDS, page=401)
    assert (beyond.status_code, beyond.json()) == (
        400,
        {
            "code": "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "details": {"limit": 2000},
            "message": "You can only get the first 2000 records without using page_token param", "status": "error",
        },
    )  # fmt: skip
    info = call.get("Deals", fields=FIELDS).json()["info"]
    for _ in range(3):
        info = call.get("Deals", fields=FIELDS, page_token=info["next_page_token"]).json()["info"]
    last = call.get("Deals", fields=FIELDS, page_token=info["next_page_token"])
    assert (last.status_code, last.json()["code"]) == (400, "PAGINATION_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("path", "params", "status", "code", "details"),
    [
        ("Deals", {}, 400, "REQUIRED_PARAM_MISSING", {"param_name": "fields"}),
        ("Deals", {"fields": ",".join(f"F{n}" for n in range(51))}, 400, "LIMIT_EXCEEDED", None),
        ("Dealz", {"fields": "id"}, 400, "INVALID_MODULE", {"resource_path_index": 0}),
        ("Deals", {"fields": "id", "page": "1", "page_token": "x"}, 400, "AMBIGUITY_DURING_PROCESSING", None),
        ("Deals", {"fields": "id", "cvid": "1", "sort_by": "id"}, 400, "AMBIGUITY_DURING_PROCESSING", None),
        ("Deals", {"fields": "id", "cvid": "1"}, 400, "INVALID_DATA", None),
        ("Deals", {"fields": "id", "page_token": "foreign"}, 400, "INVALID_DATA", None),
        ("Deals", {"fields": "id", "sort_by": "Amount"}, 400, "INVALID_DATA", None),
        ("Notes", {"fields": "id"}, 403, "NOT_SUPPORTED", None),
        ("CTI_Entry", {"fields": "id"}, 400, "INVALID_MODULE", None),
        ("settings/nothing", {}, 404, "INVALID_URL_PATTERN", None),
        ("Deals/search", {}, 400, "EXPECTED_PARAM_MISSING", {"param_names": ["criteria", "email", "phone", "word"]}),
        ("Deals/search", {"criteria": "(Stage:equals:x)", "page": "11"}, 400, "LIMIT_REACHED", {"limit": "2000"}),
        ("Deals/search", {"criteria": "Stage=x"}, 400, "INVALID_QUERY", None),
    ],
)
def test_a_wrong_call_gets_its_code(
    call: ZohoCaller, path: str, params: dict[str, str], status: int, code: str, details: dict[str, Any] | None
) -> None:
    reply = call.get(path, **params)
    body = reply.json()
    assert (reply.status_code, body["code"], body["status"]) == (status, code, "error")
    assert set(body) == {"code", "details", "message", "status"}
    assert details is None or body["details"] == details


def test_a_page_token_is_bound_to_its_parameters_and_ends_after_a_day(
    zoho: Zoho, call: ZohoCaller, clock: Clock
) -> None:
    many(zoho, 201)
    token = call.get("Deals", fields=FIELDS).json()["info"]["next_page_token"]
    other = call.get("Deals", fields="Deal_Name", page_token=token)
    assert (other.status_code, other.json()["code"]) == (400, "TOKEN_BOUND_DATA_MISMATCH")
    clock.advance(24 * 3600)
    call._token = None  # the access token has ended too
    late = call.get("Deals", fields=FIELDS, page_token=token)
    assert (late.status_code, late.json()["code"]) == (400, "EXPIRED_VALUE")


def test_modified_since_is_inclusive_and_knows_no_news_from_no_rows(zoho: Zoho, call: ZohoCaller) -> None:
    many(zoho, 3)
    at = {"If-Modified-Since": "2026-08-03T14:48:39+03:00"}  # START and two seconds
    assert call.get("Deals", headers=at, fields=FIELDS).json()["info"]["count"] == 1
    none = call.get("Deals", headers={"If-Modified-Since": "2026-08-03T14:48:40+03:00"}, fields=FIELDS)
    assert (none.status_code, none.content) == (304, b"")
    empty = call.get("Accounts", fields="Account_Name")
    assert (empty.status_code, empty.content) == (204, b"")


@pytest.mark.parametrize("paging", ["offset", "keyset"])
def test_a_record_made_between_pages_moves_rows_only_where_tokens_count(
    zoho: Zoho, call: ZohoCaller, paging: str
) -> None:
    """Newest first: what is added while paging pushes the rest down, and a row of the page before comes again."""
    zoho.switches.paging = paging
    made = many(zoho, 4)
    zoho.after("/Deals$", 1, lambda: zoho.add("Deals", {"Deal_Name": "new"}))
    first = call.get("Deals", fields=FIELDS, per_page=2)
    second = call.get("Deals", fields=FIELDS, per_page=2, page_token=first.json()["info"]["next_page_token"])
    assert ids(first) == [made[3], made[2]]
    assert ids(second) == ([made[2], made[1]] if paging == "offset" else [made[1], made[0]])


def test_subforms_come_with_the_single_record_only_and_rich_text_is_cut(zoho: Zoho, call: ZohoCaller) -> None:
    deal = zoho.add("Deals", {"Deal_Name": "x", "Deal_Team": [{"Role": "lead"}]})
    assert "Deal_Team" not in call.get("Deals", fields="Deal_Name,Deal_Team").json()["data"][0]
    assert call.get(f"Deals/{deal}").json()["data"][0]["Deal_Team"] == [{"Role": "lead"}]
    account = zoho.add("Accounts", {"Account_Name": "x", "Description": "d" * 1000})
    assert len(call.get("Accounts", fields="Description").json()["data"][0]["Description"]) == 500
    for path in (f"Accounts/{account}", f"Accounts/{account}/actions/fetch_full_data"):
        assert len(call.get(path).json()["data"][0]["Description"]) == 1000


def test_deleted_records_are_told_by_kind_and_leave_when_restored(zoho: Zoho, call: ZohoCaller, clock: Clock) -> None:
    kept, binned, purged = many(zoho, 3)
    clock.advance(60)
    zoho.delete("Deals", binned)
    clock.advance(60)
    zoho.delete("Deals", purged, "permanent")
    assert ids(call.get("Deals", fields=FIELDS)) == [kept]
    told = call.get("Deals/deleted", type="all").json()
    assert told["info"] == {"per_page": 200, "count": 2, "page": 1, "more_records": False}
    who = {"name": "Integration User", "id": "5545974000000386001"}
    assert told["data"] == [
        {"deleted_by": None, "id": purged, "display_name": None, "type": "permanent", "created_by": None,
         "deleted_time": "2026-08-03T14:50:37+03:00"},
        {"deleted_by": who, "id": binned, "display_name": "Deal 1", "type": "recycle", "created_by": who,
         "deleted_time": "2026-08-03T14:49:37+03:00"},
    ]  # fmt: skip
    since = {"If-Modified-Since": "2026-08-03T14:50:37+03:00"}
    assert ids(call.get("Deals/deleted", headers=since, type="all")) == [purged]
    zoho.restore("Deals", binned)
    assert ids(call.get("Deals/deleted", type="all")) == [purged]
    assert call.get("Deals/deleted", type="recycle").status_code == 204
    assert ids(call.get("Deals", fields=FIELDS)) == [binned, kept]


def test_search_lags_behind_and_count_does_not(zoho: Zoho, call: ZohoCaller, clock: Clock) -> None:
    zoho.add("Deals", {"Deal_Name": "A", "Stage": "Qualification", "Amount": 5})
    criteria = "((Stage:equals:Qualification)and((Amount:greater_than:4)or(Amount:less_than:1)))"
    assert call.get("Deals/search", criteria=criteria).status_code == 204
    assert call.get("Deals/actions/count").json() == {"count": 1}
    clock.advance(30)
    assert call.get("Deals/search", criteria=criteria).json()["info"]["count"] == 1
    assert call.get("Deals/search", criteria="(Amount:in:1,2)").status_code == 204


def test_old_versions_need_no_fields(zoho: Zoho, call: ZohoCaller) -> None:
    zoho.add("Deals", {"Deal_Name": "x"})
    reply = call.http.get("/crm/v2/Deals", headers=call.headers)
    assert reply.json()["data"][0]["Deal_Name"] == "x"


def test_the_stage_history_is_a_related_list_and_a_module(zoho: Zoho, call: ZohoCaller) -> None:
    first, second = many(zoho, 2)
    for deal in (first, second):
        zoho.add("DealHistory", {"Deal": deal, "Stage": "Qualification", "Changed_Time": START})
    related = call.get(f"Deals/{first}/Stage_History", fields="Deal,Stage").json()["data"]
    assert [row["Deal"] for row in related] == [{"name": "Deal 0", "id": first}]
    assert call.get("DealHistory", fields="Stage").json()["info"]["count"] == 2
