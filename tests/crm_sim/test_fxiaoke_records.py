"""Queries of Fxiaoke against the reference: envelope, filters, paging, rights, values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.crm_sim import Clock, Fxiaoke
from tests.crm_sim.callers import FxiaokeCaller
from tests.crm_sim.conftest import START
from tests.crm_sim.fxiaoke import Field

MS = 1_785_757_717_000  # START: 2026-08-03T11:48:37Z


@pytest.fixture
def deals(fxiaoke: Fxiaoke) -> list[str]:
    """Five deals a second apart; the second and third were changed at the same moment."""
    return [
        fxiaoke.add("NewOpportunityObj", {"name": f"D{n}", "amount": 100 * n, "sales_stage": "stage_1" if n else None},
                    at=START + timedelta(seconds=second))
        for n, second in enumerate((0, 1, 1, 2, 3))
    ]  # fmt: skip


def test_a_row_has_numbers_as_text_moments_in_ms_people_as_lists_and_labels(
    fxiaoke: Fxiaoke, ask: FxiaokeCaller
) -> None:
    fxiaoke.add_person("1001", "FSUID_ABC", "王芳")
    account = fxiaoke.add("AccountObj", {"name": "上海骑行天地"})
    values = {
        "name": "E-Bikes", "account_id": account, "owner": ["FSUID_ABC"], "amount": 100.01, "close_date": date(2026, 9, 1),
        "sales_stage": "stage_2", "sales_status": "1", "sales_process_id": "process_1", "probability": 30,
    }  # fmt: skip
    deal = fxiaoke.add("NewOpportunityObj", values)
    reply = ask.query()
    assert (reply["errorCode"], reply["errorMessage"], reply["errorDescription"]) == (0, "OK", "success")
    assert reply["traceId"].startswith(f"E-O.sample.1000-{MS}-")
    assert {k: v for k, v in reply["data"].items() if k != "dataList"} == {"offset": 0, "limit": 100, "total": 0}
    assert reply["data"]["dataList"] == [
        {
            "_id": deal, "name": "E-Bikes", "owner": ["FSUID_ABC"], "created_by": ["FSUID_INTEGRATION"], "create_time": MS,
            "last_modified_by": ["FSUID_INTEGRATION"], "last_modified_time": MS, "record_type": "default__c",
            "record_type__r": "预设业务类型", "life_status": "normal", "life_status__r": "正常", "lock_status": "0",
            "lock_status__r": "未锁定", "is_deleted": False, "version": "1", "object_describe_api_name": "NewOpportunityObj",
            "tenant_id": "1", "package": "CRM", "account_id": account, "account_id__r": "上海骑行天地", "amount": "100.01",
            "close_date": 1_788_192_000_000,  # 2026-08-31T16:00Z, midnight of 1 September in Shanghai
            "sales_process_id": "process_1", "sales_process_id__r": "标准销售流程", "sales_stage": "stage_2",
            "sales_stage__r": "需求确认", "sales_status": "1", "sales_status__r": "进行中", "probability": "30",
        }
    ]  # fmt: skip
    ask.new, ask._token = True, ""
    assert ask.query()["data"]["dataList"][0]["owner"] == ["1001"]  # the same row by the other style


def test_a_projection_leaves_out_and_nulls_come_when_asked_for(ask: FxiaokeCaller, deals: list[str]) -> None:
    row = ask.query(filters=[], fieldProjection=["_id", "name", "sales_stage"])["data"]["dataList"][-1]
    assert row == {"_id": deals[0], "name": "D0"}
    data = {
        "dataObjectApiName": "NewOpportunityObj",
        "search_query_info": {"limit": 100, "fieldProjection": ["sales_stage"]},
    }
    reply = ask.post("/cgi/crm/v2/data/query", {"includeNull": True, "data": data})
    assert reply["data"]["dataList"][-1] == {"_id": deals[0], "sales_stage": None}


@pytest.mark.parametrize(
    ("field", "operator", "values", "found"),
    [
        ("amount", "EQ", ["100"], [1]),
        ("amount", "EQ", [100], [1]),
        ("amount", "N", [100], [0, 2, 3, 4]),
        ("amount", "GT", ["200"], [3, 4]),
        ("amount", "LTE", ["100"], [0, 1]),
        ("name", "LIKE", ["D"], [0, 1, 2, 3, 4]),
        ("name", "NLIKE", ["3"], [0, 1, 2, 4]),
        ("name", "STARTWITH", ["D4"], [4]),
        ("name", "ENDWITH", ["2"], [2]),
        ("name", "IN", ["D1", "D2"], [1, 2]),
        ("name", "NIN", ["D1", "D2"], [0, 3, 4]),
        ("sales_stage", "IS", [], [0]),
        ("sales_stage", "ISN", [], [1, 2, 3, 4]),
        ("owner", "HASANYOF", ["FSUID_INTEGRATION"], [0, 1, 2, 3, 4]),
        ("owner", "NHASANYOF", ["1000"], []),
        ("last_modified_time", "BETWEEN", [MS + 1000, MS + 2000], [1, 2, 3]),
        ("last_modified_time", "BETWEEN", [str(MS + 1000), str(MS + 2000)], [1, 2, 3]),
        ("last_modified_time", "NBETWEEN", [MS + 1000, MS + 2000], [0, 4]),
        ("last_modified_time", "GTE", [MS + 2000], [3, 4]),
    ],
)  # fmt: skip
def test_filters(
    ask: FxiaokeCaller, deals: list[str], field: str, operator: str, values: list[Any], found: list[int]
) -> None:
    for orders in ([], [{"fieldName": "_id", "isAsc": True}], [{"fieldName": field, "isAsc": True}]):
        got = ask.ids("NewOpportunityObj", (field, operator, values), orders=orders)
        assert sorted(got) == [deals[n] for n in found]


@pytest.mark.parametrize(("switch", "found"), [("both", [1, 2, 3]), ("lower", [1, 2]), ("none", [])])
def test_what_between_includes_is_a_switch(
    fxiaoke: Fxiaoke, ask: FxiaokeCaller, deals: list[str], switch: str, found: list[int]
) -> None:
    fxiaoke.switches.between = switch
    condition = ("last_modified_time", "BETWEEN", [MS + 1000, MS + 2000])
    orders = [{"fieldName": "last_modified_time", "isAsc": True}]
    assert ask.ids("NewOpportunityObj", condition, orders=orders) == [deals[n] for n in found]


def test_the_total_is_zero_unless_asked_for(fxiaoke: Fxiaoke, ask: FxiaokeCaller, deals: list[str]) -> None:
    assert ask.query()["data"]["total"] == 0
    assert ask.query(find_explicit_total_num=True, limit=2)["data"]["total"] == 5
    fxiaoke.switches.total = "exact"
    assert ask.query()["data"]["total"] == 5


def test_offsets_end_at_ten_thousand_and_keys_go_on(fxiaoke: Fxiaoke, ask: FxiaokeCaller, deals: list[str]) -> None:
    assert ask.query(offset=10_000)["errorCode"] == 0
    over = ask.query(offset=10_100)
    assert {k: v for k, v in over.items() if k != "traceId"} == {
        "errorCode": 10013, "errorMessage": "offset out of range 10000", "errorDescription": "offset 不能超过10000",
    }  # fmt: skip
    assert ask.query(offset=50)["errorCode"] == fxiaoke.switches.limit_code  # no multiple of the limit
    seen: list[str] = []
    while page := ask.ids(
        "NewOpportunityObj", ("_id", "GT", seen[-1:] or [""]), limit=2, orders=[{"fieldName": "_id", "isAsc": True}]
    ):
        seen += page
    assert seen == deals


def test_the_page_size_is_clamped_or_refused(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    for _ in range(150):
        fxiaoke.add("AccountObj", {"name": "x"})
    assert len(ask.ids("AccountObj", limit=1000)) == 100
    fxiaoke.switches.limit_over = "error"
    assert ask.query("AccountObj", limit=1000)["errorCode"] == fxiaoke.switches.limit_code
    short = ask.post("/cgi/crm/v2/data/query", {"data": {"dataObjectApiName": "AccountObj", "search_query_info": {}}})
    assert len(short["data"]["dataList"]) == 20


def test_ties_may_come_in_another_order_with_each_call(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    for _ in range(50):
        fxiaoke.add("AccountObj", {"name": "x"}, at=START)
    orders = [{"fieldName": "last_modified_time", "isAsc": True}]
    assert ask.ids("AccountObj", orders=orders) == ask.ids("AccountObj", orders=orders)
    fxiaoke.switches.ties = "shuffled"
    assert ask.ids("AccountObj", orders=orders) != ask.ids("AccountObj", orders=orders)


def test_rows_leave_when_invalid_or_deleted_unless_switched(
    fxiaoke: Fxiaoke, ask: FxiaokeCaller, deals: list[str]
) -> None:
    fxiaoke.invalidate("NewOpportunityObj", deals[0])
    fxiaoke.delete("NewOpportunityObj", deals[1])
    by_id = [{"fieldName": "_id", "isAsc": True}]
    assert ask.ids(orders=by_id) == deals[2:] == [row["_id"] for row in fxiaoke.records("NewOpportunityObj")]
    fxiaoke.switches.invalid_rows = fxiaoke.switches.deleted_rows = "shown"
    rows = ask.query(orders=by_id)["data"]["dataList"]
    assert [(row["life_status"], row["is_deleted"]) for row in rows[:3]] == [
        ("invalid", False), ("invalid", True), ("normal", False),
    ]  # fmt: skip
    fxiaoke.restore("NewOpportunityObj", deals[1])
    restored = ask.query(orders=by_id)["data"]["dataList"][1]
    assert (restored["life_status"], restored["is_deleted"]) == ("normal", False)


def test_a_user_sees_own_rows_and_pages_may_get_short(fxiaoke: Fxiaoke, ask: FxiaokeCaller, deals: list[str]) -> None:
    fxiaoke.add_person("1001", "FSUID_ABC", "王芳")
    fxiaoke.change("NewOpportunityObj", deals[4], {"owner": ["1001"]})
    orders = [{"fieldName": "_id", "isAsc": True}]
    assert ask.ids(user="FSUID_ABC", orders=orders) == [deals[4]]
    fxiaoke.switches.rights = "after"
    assert ask.ids(user="FSUID_ABC", orders=orders, limit=2) == []
    assert ask.ids(user="FSUID_ABC", orders=orders, limit=2, offset=4) == [deals[4]]
    assert ask.query(user="")["errorMessage"] == "currentOpenUserId 不能为空"


def test_single_records_and_the_other_path(fxiaoke: Fxiaoke, ask: FxiaokeCaller, deals: list[str]) -> None:
    given = {"dataObjectApiName": "NewOpportunityObj", "objectDataId": deals[3]}
    assert ask.post("/cgi/crm/v2/data/get", {"data": given})["data"]["name"] == "D3"
    assert ask.post("/cgi/crm/v2/data/get", {"data": {**given, "objectDataId": "x"}})["errorCode"] != 0
    change = fxiaoke.add("object_stage_change__c", {"opportunity_id__c": deals[3], "to_stage__c": "赢单"})
    assert ask.ids("object_stage_change__c") == [change]
    wrong = {"data": {"dataObjectApiName": "object_stage_change__c", "search_query_info": {"limit": 100}}}
    assert ask.post("/cgi/crm/v2/data/query", wrong)["errorCode"] == fxiaoke.switches.object_code
    wrong["data"]["dataObjectApiName"] = "NewOpportunityObj"
    assert ask.post("/cgi/crm/custom/v2/data/query", wrong)["errorCode"] == fxiaoke.switches.object_code
    fxiaoke.switches.custom_top_level = True
    assert ask.query("object_stage_change__c")["dataList"][0]["opportunity_id__c__r"] == "D3"


def test_a_query_without_its_parts_is_refused(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    empty = ask.post("/cgi/crm/v2/data/query", {"data": {"dataObjectApiName": "AccountObj"}})
    assert empty["errorMessage"] == "searchQueryInfo is empty"
    assert ask.post("/cgi/crm/v2/data/query", {"dataObjectApiName": "AccountObj"})["errorCode"] == 10006
    assert ask.query("AccountObj", ("nothing", "EQ", ["x"]))["errorCode"] == fxiaoke.switches.field_code
    assert ask.query("AccountObj", ("name", "SAME", ["x"]))["errorCode"] == fxiaoke.switches.limit_code


def test_records_are_written_by_the_api_too(ask: FxiaokeCaller, deals: list[str]) -> None:
    one = {"dataObjectApiName": "NewOpportunityObj", "object_data_id": deals[0]}
    for word, left in (("invalid", deals[1:]), ("recover", deals), ("delete", deals[1:]), ("recover", deals)):
        given = {**one, "idList": [deals[0]]}
        assert ask.post(f"/cgi/crm/v2/data/{word}", {"data": given})["errorCode"] == 0
        assert sorted(ask.ids()) == left


def test_moments_go_in_as_they_come_out(fxiaoke: Fxiaoke, clock: Clock) -> None:
    record = fxiaoke.add("AccountObj", {"name": "x", "last_followed_time": datetime(2026, 8, 1, tzinfo=UTC)})
    clock.advance(5)
    fxiaoke.change("AccountObj", record, {"tel": "1"})
    row = fxiaoke.records("AccountObj")[0]
    assert (row["last_followed_time"], row["create_time"], row["last_modified_time"]) == (
        1_785_542_400_000,
        MS,
        MS + 5000,
    )
    assert row["version"] == "2"
    assert Field("x__c").define_type == "custom"
