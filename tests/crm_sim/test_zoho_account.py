"""Zoho's tokens, scopes, limits and metadata against the reference."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.crm_sim import Clock, Zoho
from tests.crm_sim.callers import ZohoCaller
from tests.crm_sim.conftest import START
from tests.crm_sim.zoho import ALL_SCOPES


def test_a_token_reply_looks_as_the_reference_shows_it(zoho: Zoho, call: ZohoCaller) -> None:
    body = call.refresh().json()
    assert set(body) == {"access_token", "scope", "api_domain", "token_type", "expires_in"}
    assert (body["api_domain"], body["token_type"], body["expires_in"]) == (zoho.base, "Bearer", 3600)
    code = {"grant_type": "authorization_code", "code": zoho.tokens.code(), "redirect_uri": "https://x"}
    assert "refresh_token" in call.refresh(**code).json()
    assert call.refresh(**code).json() == {"error": "invalid_code"}  # a code is good once


def test_parameters_may_stand_in_form_query_or_beside_a_json_type(zoho: Zoho, call: ZohoCaller) -> None:
    given = {
        "grant_type": "refresh_token", "client_id": zoho.client_id, "client_secret": zoho.client_secret,
        "refresh_token": zoho.refresh_token,
    }  # fmt: skip
    for more in (
        {"data": given},
        {"params": given},
        {"params": given, "headers": {"Content-Type": "application/json"}},
    ):
        assert "access_token" in call.http.post("/oauth/v2/token", **more).json()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"refresh_token": "1000.x"}, "invalid_code"),
        ({"client_id": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client_secret"),
    ],
)
def test_wrong_credentials_get_http_200(call: ZohoCaller, wrong: dict[str, str], error: str) -> None:
    reply = call.refresh(**wrong)
    assert (reply.status_code, reply.json()) == (200, {"error": error})


def test_the_eleventh_refresh_in_ten_minutes_is_refused(zoho: Zoho, call: ZohoCaller, clock: Clock) -> None:
    assert all("access_token" in call.refresh().json() for _ in range(10))
    late = call.refresh()
    assert (late.status_code, late.json()["error"], late.json()["status"]) == (400, "Access Denied", "failure")
    zoho.switches.throttle_status = 200
    assert call.refresh().status_code == 200
    clock.advance(601)
    assert "access_token" in call.refresh().json()


def test_the_sixteenth_live_token_ends_the_oldest(zoho: Zoho, call: ZohoCaller, clock: Clock) -> None:
    zoho.limits.refreshes = 100
    held = [call.refresh().json()["access_token"] for _ in range(16)]

    def status(token: str) -> int:
        return call.http.get("/crm/v8/org", headers={"Authorization": f"Zoho-oauthtoken {token}"}).status_code

    assert [status(held[0]), status(held[1]), status(held[15])] == [401, 200, 200]
    clock.advance(3600)
    assert status(held[15]) == 401


def test_who_may_not_is_told_why(zoho: Zoho, call: ZohoCaller) -> None:
    bare = call.http.get("/crm/v8/org")
    assert (bare.status_code, bare.json()) == (
        401,
        {"code": "AUTHENTICATION_FAILURE", "details": {}, "message": "Authentication failed", "status": "error"},
    )
    forged = call.http.get("/crm/v8/org", headers={"Authorization": "Zoho-oauthtoken x"})
    assert (forged.status_code, forged.json()["code"]) == (401, "INVALID_TOKEN")
    bearer = {"Authorization": call.headers["Authorization"].replace("Zoho-oauthtoken", "Bearer")}
    assert call.http.get("/crm/v8/org", headers=bearer).status_code == 200
    zoho.switches.bearer = False
    assert call.http.get("/crm/v8/org", headers=bearer).status_code == 401
    zoho.expire_tokens()
    assert call.get("org").json()["code"] == "INVALID_TOKEN"


@pytest.mark.parametrize(
    ("scopes", "path", "allowed"),
    [
        (("ZohoCRM.modules.deals.READ",), "Deals?fields=id", True),
        (("ZohoCRM.modules.deals.READ",), "Accounts?fields=id", False),
        (("ZohoCRM.modules.ALL",), "Deals/actions/count", False),
        (("ZohoCRM.modules.ALL", "ZohoSearch.securesearch.READ"), "Deals/actions/count", True),
        (("ZohoCRM.settings.fields.READ",), "settings/fields?module=Deals", True),
        (("ZohoCRM.settings.fields.READ",), "settings/modules", False),
        (("ZohoCRM.modules.ALL",), "users", False),
    ],
)
def test_scopes(zoho: Zoho, call: ZohoCaller, scopes: tuple[str, ...], path: str, allowed: bool) -> None:
    zoho.refresh_token = zoho.tokens.grant(scopes)
    reply = call.http.get(f"/crm/v8/{path}", headers=call.headers)
    if allowed:
        assert reply.status_code in (200, 204)
    else:
        assert (reply.status_code, reply.json()["code"]) == (401, "OAUTH_SCOPE_MISMATCH")
        assert reply.json()["message"] == "invalid oauth scope to access this URL"


def test_coql_and_bulk_need_two_scopes(zoho: Zoho, call: ZohoCaller) -> None:
    zoho.refresh_token = zoho.tokens.grant(tuple(s for s in ALL_SCOPES if "modules" not in s))
    assert call.coql("select id from Deals where id > 1").json()["code"] == "OAUTH_SCOPE_MISMATCH"
    assert call.bulk({"module": {"api_name": "Deals"}}).json()["code"] == "OAUTH_SCOPE_MISMATCH"


def test_credits_end_in_429_and_come_back_after_a_day(zoho: Zoho, call: ZohoCaller, clock: Clock) -> None:
    zoho.limits.credits = 10
    left = [call.get("org").headers.get("X-API-CREDITS-REMAINING") for _ in range(10)]
    assert left == [None] * 4 + ["5", "4", "3", "2", "1", "0"]
    over = call.get("org")
    assert (over.status_code, over.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    clock.advance(24 * 3600 + 1)
    call._token = None
    assert call.get("org").status_code == 200


def test_more_calls_at_a_time_than_the_edition_allows_get_429(zoho: Zoho, call: ZohoCaller) -> None:
    zoho.limits.concurrency = 2
    headers = call.headers
    zoho.faults.add("slow", "/org", times=2, seconds=2)
    slow = [threading.Thread(target=lambda: httpx.get(f"{zoho.base}/crm/v8/org", headers=headers)) for _ in range(2)]
    for thread in slow:
        thread.start()
    while zoho.in_flight[""] < 2 or zoho.counted("/org") < 2:
        pass
    assert call.get("org").status_code == 429
    for thread in slow:
        thread.join()
    assert call.get("org").status_code == 200


def test_metadata(zoho: Zoho, call: ZohoCaller) -> None:
    listed = {kind["api_name"]: kind for kind in call.get("settings/modules").json()["modules"]}
    assert {"Deals", "Accounts", "CTI_Entry"} <= set(listed)
    assert call.get("settings/modules/Deals").json()["modules"] == [listed["Deals"]]
    fields = {f["api_name"]: f for f in call.get("settings/fields", module="Deals").json()["fields"]}
    assert fields["id"]["data_type"] == "bigint"
    assert fields["Account_Name"]["lookup"]["module"]["api_name"] == "Accounts"
    assert fields["Stage"]["pick_list_values"][0]["actual_value"] == "Qualification"
    assert call.get("settings/fields", module="Notes").status_code == 204
    layout = call.get("settings/layouts", module="Deals").json()["layouts"][0]["id"]
    maps = call.get("settings/pipeline", layout_id=layout).json()["pipeline"][0]["maps"]
    forecast = {stage["actual_value"]: stage["forecast_type"] for stage in maps}
    assert (forecast["Negotiation/Review"], forecast["Closed Won"], forecast["Closed Lost"]) == (
        "Open",
        "Closed Won",
        "Closed Lost",
    )
    assert call.get("org").json()["org"][0]["license_details"]["paid_type"] == "enterprise"


def test_users_by_kind_and_page(zoho: Zoho, call: ZohoCaller) -> None:
    for number, status in enumerate(("active", "inactive", "deleted")):
        zoho.add_user(f"555{number}", f"User {number}", f"u{number}@example.com", status)

    def ids(**params: Any) -> list[str]:
        return [user["id"] for user in call.get("users", **params).json()["users"]]

    assert ids() == ["5545974000000386001", "5550", "5551", "5552"]
    assert ids(type="CurrentUser") == ["5545974000000386001"]
    assert ids(type="DeletedUsers") == ["5552"]
    assert ids(per_page=3, page=2) == ["5552"]
    assert call.get("users", page=2).status_code == 204


def test_the_clock_of_the_vendor_stands_in_the_date_header(zoho: Zoho, call: ZohoCaller, clock: Clock) -> None:
    clock.advance(-300)
    assert call.get("org").headers["date"] == f"{START - timedelta(seconds=300):%a, %d %b %Y %H:%M:%S} GMT"


@pytest.mark.parametrize(
    ("kind", "code"), [("429", "TOO_MANY_REQUESTS"), ("500", "INTERNAL_ERROR"), ("503", "SERVICE_UNAVAILABLE")]
)
def test_planned_faults_bear_the_vendors_body(zoho: Zoho, call: ZohoCaller, kind: str, code: str) -> None:
    zoho.faults.add(kind, "/org", skip=1, times=2)
    zoho.switches.retry_after = 7
    replies = [call.get("org") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, int(kind), int(kind), 200]
    assert replies[1].json()["code"] == code
    assert replies[1].headers.get("Retry-After") == ("7" if kind == "429" else None)
    assert [(done.status, done.fault) for done in zoho.calls[-3:]] == [
        (int(kind), kind),
        (int(kind), kind),
        (200, None),
    ]


def test_faults_of_the_wire(zoho: Zoho, call: ZohoCaller) -> None:
    zoho.faults.add("truncated", "/org")
    with pytest.raises(httpx.RemoteProtocolError):
        call.get("org")
    zoho.faults.add("reset", "/org")
    with pytest.raises(httpx.TransportError):
        call.get("org")
    zoho.faults.add("timeout", "/org", seconds=10)
    with pytest.raises(httpx.ReadTimeout):
        call.http.get("/crm/v8/org", headers=call.headers, timeout=0.1)
    zoho.faults.add("lost", "/bulk/v8/read")
    with pytest.raises(httpx.TransportError):
        call.bulk({"module": {"api_name": "Deals"}})
    assert len(zoho.bulk.jobs) == 1  # the job is there all the same
    zoho.faults.add("slow", "/org", seconds=0.2)
    assert call.get("org").status_code == 200
