"""Bare calls for the tests of the simulators: no retries, no paging, nothing hidden."""

from __future__ import annotations

from typing import Any

import httpx
from tests.crm_sim import Fxiaoke, Zoho


class _Caller:
    def __init__(self, base: str) -> None:
        self.http = httpx.Client(base_url=base, timeout=10, trust_env=False)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()


class ZohoCaller(_Caller):
    """Calls of Zoho with a token that it fetches once."""

    def __init__(self, sim: Zoho) -> None:
        super().__init__(sim.base)
        self.sim = sim
        self._token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        if self._token is None:
            self._token = self.refresh().json()["access_token"]
        return {"Authorization": f"Zoho-oauthtoken {self._token}"}

    def refresh(self, **other: str) -> httpx.Response:
        """A refresh with a form, or with other values in it."""
        form = {
            "grant_type": "refresh_token", "client_id": self.sim.client_id, "client_secret": self.sim.client_secret,
            "refresh_token": self.sim.refresh_token, **other,
        }  # fmt: skip
        return self.http.post("/oauth/v2/token", data=form)

    def get(self, path: str, headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        return self.http.get(f"/crm/v8/{path}", params=params, headers={**self.headers, **(headers or {})})

    def coql(self, query: str, **more: Any) -> httpx.Response:
        return self.http.post("/crm/v8/coql", json={"select_query": query, **more}, headers=self.headers)

    def bulk(self, query: dict[str, Any], **more: Any) -> httpx.Response:
        return self.http.post("/crm/bulk/v8/read", json={"query": query, **more}, headers=self.headers)

    def job(self, job_id: str, result: str = "") -> httpx.Response:
        return self.http.get(f"/crm/bulk/v8/read/{job_id}{result}", headers=self.headers)


class FxiaokeCaller(_Caller):
    """Calls of Fxiaoke in the legacy style, or in the new one, with a token that it fetches once."""

    def __init__(self, sim: Fxiaoke) -> None:
        super().__init__(sim.base)
        self.sim = sim
        self.new = False
        self._token = ""

    def token(self, path: str = "/cgi/corpAccessToken/get/V2", **other: Any) -> dict[str, Any]:
        body = {
            "appId": self.sim.app_id, "appSecret": self.sim.app_secret, "permanentCode": self.sim.permanent_code, **other,
        }  # fmt: skip
        return self.http.post(path, json=body).json()

    def post(self, path: str, body: dict[str, Any], user: str | None = None) -> dict[str, Any]:
        """A call with credentials; its reply has HTTP 200, or the test fails."""
        if self.new:
            self._token = self._token or self.token("/oauth2.0/token", grantType="app_secret")["accessToken"]
            user = self.sim.employee if user is None else user
            headers = {"authorization": f"Bearer {self._token}", "x-fs-ea": self.sim.ea, "x-fs-userid": user}
            reply = self.http.post(path, json=body, headers=headers)
        else:
            self._token = self._token or self.token()["corpAccessToken"]
            user = self.sim.user if user is None else user
            held = {"corpAccessToken": self._token, "corpId": self.sim.corp_id, "currentOpenUserId": user}
            reply = self.http.post(path, json={**held, **body})
        assert reply.status_code == 200
        return reply.json()

    def query(
        self, name: str = "NewOpportunityObj", *filters: tuple[str, str, list[Any]], **more: Any
    ) -> dict[str, Any]:
        """The reply to a query; ``more`` goes into search_query_info, but for the flag of the total."""
        path = "/cgi/crm/custom/v2/data/query" if name.endswith("__c") else "/cgi/crm/v2/data/query"
        given = [{"field_name": f, "operator": operator, "field_values": values} for f, operator, values in filters]
        data: dict[str, Any] = {"dataObjectApiName": name}
        if "find_explicit_total_num" in more:
            data["find_explicit_total_num"] = more.pop("find_explicit_total_num")
        user = more.pop("user", None)
        data["search_query_info"] = {"limit": 100, "offset": 0, "filters": given, **more}
        return self.post(path, {"data": data}, user)

    def ids(self, name: str = "NewOpportunityObj", *filters: tuple[str, str, list[Any]], **more: Any) -> list[str]:
        """Ids of a page, in the order of the reply."""
        return [row["_id"] for row in self.query(name, *filters, **more)["data"]["dataList"]]
