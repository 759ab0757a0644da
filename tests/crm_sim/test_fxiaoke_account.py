"""Fxiaoke's tokens, envelopes, limits, metadata and people against the reference."""

from __future__ import annotations

import threading

import httpx
import pytest
from tests.crm_sim import Clock, Fxiaoke
from tests.crm_sim.callers import FxiaokeCaller

NEW = "/oauth2.0/token"


def test_both_styles_get_a_token_at_the_top_level(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    legacy = ask.token()
    assert {k: legacy[k] for k in ("errorCode", "errorMessage", "corpId", "expiresIn")} == {
        "errorCode": 0, "errorMessage": "success", "corpId": fxiaoke.corp_id, "expiresIn": 7200,
    }  # fmt: skip
    new = ask.token(NEW, grantType="app_secret")
    assert new["openUserId"] == fxiaoke.corp_id  # the company's id
    assert (new["ea"], new["appId"], new["expiresIn"]) == ("sample", fxiaoke.app_id, 7200)
    assert ask.query("AccountObj")["errorCode"] == 0
    ask.new, ask._token = True, ""
    assert ask.query("AccountObj")["errorCode"] == 0


def test_the_same_token_shrinks_and_an_old_one_stays_good_for_a_while(
    fxiaoke: Fxiaoke, ask: FxiaokeCaller, clock: Clock
) -> None:
    first = ask.token()
    ask._token = first["corpAccessToken"]
    clock.advance(6599)
    assert (ask.token()["corpAccessToken"], ask.token()["expiresIn"]) == (first["corpAccessToken"], 601)
    clock.advance(1)
    second = ask.token()
    assert second["corpAccessToken"] != first["corpAccessToken"] and second["expiresIn"] == 7200
    assert ask.query("AccountObj")["errorCode"] == 0
    clock.advance(600)
    assert ask.query("AccountObj")["errorCode"] == 20016
    ask._token = second["corpAccessToken"]
    assert ask.query("AccountObj")["errorCode"] == 0


def test_token_calls_are_ten_a_minute_and_one_at_a_time(fxiaoke: Fxiaoke, ask: FxiaokeCaller, clock: Clock) -> None:
    assert [ask.token()["errorCode"] for _ in range(11)] == [0] * 10 + [fxiaoke.switches.token_often_code]
    clock.advance(61)
    fxiaoke.faults.add("slow", "corpAccessToken", seconds=2)
    slow = threading.Thread(target=ask.token)
    slow.start()
    while fxiaoke.counted("corpAccessToken") < 12:
        pass
    with FxiaokeCaller(fxiaoke) as other:
        assert other.token()["errorCode"] == fxiaoke.switches.token_parallel_code
    slow.join()
    assert ask.token()["errorCode"] == 0


def test_the_probes_of_the_reference(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    def bare(path: str, body: object) -> tuple[int, int, str]:
        reply = ask.http.post(path, json=body)
        return reply.status_code, reply.json()["errorCode"], reply.json()["errorMessage"]

    wrong = ask.token(appSecret="x")
    assert (wrong["errorCode"], wrong["errorMessage"]) == (10006, "the parameter appSecret is missing or illegal")
    assert {"error", "error_description"} <= set(wrong)
    assert bare("/cgi/crm/v2/data/query", {}) == (200, 20017, "corpAccessToken为必填项，不能为空")
    forged = {"corpAccessToken": "x", "corpId": fxiaoke.corp_id, "currentOpenUserId": fxiaoke.user}
    assert bare("/cgi/crm/v2/data/query", forged) == (
        200,
        20016,
        "the cropId,cropAccessToken or authorization is error",
    )
    headers = {"authorization": "Bearer x", "x-fs-ea": "sample", "x-fs-userid": "1000"}
    assert ask.http.post("/cgi/crm/v2/data/query", json={}, headers=headers).json()["errorCode"] == 20016
    assert bare("/cgi/nothing", {}) == (200, 10006, "the request uri=[/cgi/nothing],apiName=[null] is not exists")
    outside = ask.http.post("/nothing", json={})
    assert (outside.status_code, "Tengine" in outside.text) == (404, True)
    assert ask.http.post("/cgi/crm/v2/data/query", content=b"{").status_code == 500


def test_a_hundred_calls_in_twenty_seconds_for_each_interface(
    fxiaoke: Fxiaoke, ask: FxiaokeCaller, clock: Clock
) -> None:
    assert [ask.query("AccountObj")["errorCode"] for _ in range(101)] == [0] * 100 + [14001]
    assert ask.query("object_stage_change__c")["errorCode"] == 0  # the custom path is another interface
    fxiaoke.switches.burst_code = 30004
    assert ask.query("AccountObj")["errorCode"] == 30004
    clock.advance(21)
    assert ask.query("AccountObj")["errorCode"] == 0


def test_the_daily_quota_starts_anew_at_midnight_in_shanghai(
    fxiaoke: Fxiaoke, ask: FxiaokeCaller, clock: Clock
) -> None:
    fxiaoke.limits.daily = 3
    assert [ask.query("AccountObj")["errorCode"] for _ in range(4)] == [0, 0, 0, 30002]
    clock.advance(4 * 3600)  # it was 19:48 there
    assert ask.query("AccountObj")["errorCode"] == 30002
    clock.advance(12 * 60)
    ask._token = ""
    assert ask.query("AccountObj")["errorCode"] == 0


def test_metadata_in_both_styles(ask: FxiaokeCaller) -> None:
    listed = ask.post("/cgi/crm/v2/object/list", {})["data"]["objects"]
    kinds = {entry["describeApiName"]: entry["defineType"] for entry in listed}
    assert (kinds["AccountObj"], kinds["object_stage_change__c"]) == ("package", "custom")
    given = {"apiName": "NewOpportunityObj", "includeDetail": True}
    described = ask.post("/cgi/crm/v2/object/describe", given)["data"]["describe"]
    assert described["fields"]["sales_status"]["options"][0] == {"label": "进行中", "value": "1", "child_options": []}
    assert described["fields"]["amount"]["type"] == "currency"
    ask.new, ask._token = True, ""
    assert ask.post("/cgi/crm/v2/object/describe", given)["errorCode"] == 10006
    assert ask.post("/cgi/crm/v2/object/describe", {"data": given})["data"]["describe"] == described


def test_people_and_departments(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    fxiaoke.add_person("1001", "FSUID_ABC", "王芳", mobile="13800000000", department=1001)
    everybody = ask.post("/cgi/user/list", {"departmentId": 999999, "fetchChild": True})["userList"]
    assert [(user["openUserId"], user["name"]) for user in everybody] == [
        ("FSUID_INTEGRATION", "集成用户"),
        ("FSUID_ABC", "王芳"),
    ]
    short = ask.post("/cgi/user/simpleList", {"departmentId": 1001})["userList"]
    assert short == [{"openUserId": "FSUID_ABC", "name": "王芳", "nickName": "王芳", "isStop": False}]
    found = ask.post("/cgi/user/getByMobile", {"mobile": "13800000000"})["empList"]
    assert (found[0]["fullName"], found[0]["status"]) == ("王芳", "NORMAL")
    changed = ask.post("/cgi/user/get/batchByUpdTime", {"startTime": 0, "pageNumber": 2, "pageSize": 1})
    assert (changed["employees"][0]["name"], changed["pageCount"], changed["totalCount"]) == ("王芳", 2, 2)
    assert ask.post("/cgi/department/list", {})["departments"][1]["name"] == "销售部"


@pytest.mark.parametrize("code", [-1, 50009, 30004, 20016, 20021])
def test_planned_error_codes_come_with_http_200(fxiaoke: Fxiaoke, ask: FxiaokeCaller, code: int) -> None:
    fxiaoke.faults.add(code, "/data/query")
    assert [ask.query("AccountObj")["errorCode"] for _ in range(2)] == [code, 0]


def test_faults_of_the_wire(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    ask.query("AccountObj")
    for kind in ("truncated", "reset", "lost"):
        fxiaoke.faults.add(kind, "/data/query")
        with pytest.raises(httpx.TransportError):
            ask.query("AccountObj")
    fxiaoke.faults.add("502", "/data/query")
    with pytest.raises(AssertionError):
        ask.query("AccountObj")


def test_random_faults_follow_from_a_seed(fxiaoke: Fxiaoke, ask: FxiaokeCaller) -> None:
    def codes() -> list[int]:
        fxiaoke.faults.random(7, 0.3, [50009, -1], path="/data/")
        return [ask.query("AccountObj")["errorCode"] for _ in range(20)]

    first = codes()
    assert first == codes() and 2 <= sum(code != 0 for code in first) <= 12
    fxiaoke.faults.clear()
    assert ask.query("AccountObj")["errorCode"] == 0
