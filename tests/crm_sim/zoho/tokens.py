"""OAuth of Zoho: codes, refresh tokens, access tokens and the throttle on them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.crm_sim.clock import Clock
from tests.crm_sim.server import Call, Reply, json_reply
from tests.crm_sim.zoho.faults import Refused
from tests.crm_sim.zoho.switches import Limits, Switches

ALL_SCOPES = (
    "ZohoCRM.modules.ALL", "ZohoCRM.settings.ALL", "ZohoCRM.users.READ", "ZohoCRM.org.READ", "ZohoCRM.bulk.READ",
    "ZohoCRM.coql.READ", "ZohoSearch.securesearch.READ",
)  # fmt: skip
CODE_LIFE = timedelta(minutes=3)
WINDOW = timedelta(minutes=10)
TOO_OFTEN = {
    "error_description": "You have made too many requests continuously. Please try again after some time.",
    "error": "Access Denied",
    "status": "failure",
}


def _new() -> str:
    return f"1000.{secrets.token_hex(16)}.{secrets.token_hex(16)}"


@dataclass
class Refresh:
    """A refresh token: its scopes, when it was used of late, and its live access tokens with their ends."""

    scopes: frozenset[str]
    used: list[datetime] = field(default_factory=list)
    live: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Tokens:
    """What the accounts server knows."""

    clock: Clock
    switches: Switches
    limits: Limits
    client_id: str = field(default_factory=lambda: f"1000.{secrets.token_hex(15).upper()}")
    client_secret: str = field(default_factory=lambda: secrets.token_hex(21))
    refresh: dict[str, Refresh] = field(default_factory=dict)
    codes: dict[str, tuple[datetime, frozenset[str]]] = field(default_factory=dict)

    def grant(self, scopes: tuple[str, ...] = ALL_SCOPES) -> str:
        """A refresh token with these scopes, as if a user had consented."""
        token = _new()
        self.refresh[token] = Refresh(frozenset(scopes))
        return token

    def code(self, scopes: tuple[str, ...] = ALL_SCOPES) -> str:
        """A grant code: good once and for three minutes."""
        code = _new()
        self.codes[code] = (self.clock.now() + CODE_LIFE, frozenset(scopes))
        return code

    def answer(self, call: Call, api: str) -> Reply:
        """The token endpoint: parameters in form, query or JSON; errors with HTTP 200."""
        given = {**call.query, **self._body(call)}
        if given.get("client_id") != self.client_id:
            return json_reply({"error": "invalid_client"}, code="invalid_client")
        if given.get("client_secret") != self.client_secret:
            return json_reply({"error": "invalid_client_secret"}, code="invalid_client_secret")
        if given.get("grant_type") == "authorization_code":
            until, scopes = self.codes.pop(given.get("code", ""), (self.clock.now(), frozenset()))
            if until <= self.clock.now():
                return json_reply({"error": "invalid_code"}, code="invalid_code")
            token = self.grant(tuple(scopes))
            return self._issue(token, api, with_refresh=True)
        if given.get("grant_type") == "refresh_token":
            if given.get("refresh_token") not in self.refresh:
                return json_reply({"error": "invalid_code"}, code="invalid_code")
            return self._issue(given["refresh_token"], api)
        return json_reply({"error": "unsupported_grant_type"}, code="unsupported_grant_type")

    @staticmethod
    def _body(call: Call) -> dict[str, Any]:
        if "json" in call.headers.get("content-type", ""):
            try:
                return call.json() or {}
            except ValueError:
                return {}
        return call.form()

    def _issue(self, token: str, api: str, *, with_refresh: bool = False) -> Reply:
        now, held = self.clock.now(), self.refresh[token]
        held.used = [moment for moment in held.used if moment > now - WINDOW]
        if len(held.used) >= self.limits.refreshes:
            return json_reply(TOO_OFTEN, self.switches.throttle_status, "Access Denied")
        held.used.append(now)
        held.live = {access: end for access, end in held.live.items() if end > now}
        while len(held.live) >= self.switches.live_tokens:
            held.live.pop(next(iter(held.live)))  # the oldest one dies
        access = _new()
        held.live[access] = now + timedelta(seconds=self.limits.access_seconds)
        body = {
            "access_token": access,
            **({"refresh_token": token} if with_refresh else {}),
            "scope": " ".join(sorted(held.scopes)),
            "api_domain": api,
            "token_type": "Bearer",
            "expires_in": self.limits.access_seconds,
        }
        return json_reply(body)

    def revoke(self, call: Call) -> Reply:
        """The end of a refresh token and of its access tokens, or of an access token."""
        token = {**call.query, **call.form()}.get("token", "")
        if self.refresh.pop(token, None) is None:
            for held in self.refresh.values():
                held.live.pop(token, None)
        return json_reply({"status": "success"})

    def expire(self) -> None:
        """All access tokens end now."""
        for held in self.refresh.values():
            held.live.clear()

    def scopes(self, call: Call) -> frozenset[str]:
        """The scopes of a call's access token.

        Raises:
            Refused: It has none, or one that holds no longer.
        """
        prefix, _, token = call.headers.get("authorization", "").partition(" ")
        if not token or prefix not in ("Zoho-oauthtoken", *(("Bearer",) if self.switches.bearer else ())):
            raise Refused("AUTHENTICATION_FAILURE")
        for held in self.refresh.values():
            if held.live.get(token, self.clock.now()) > self.clock.now():
                return held.scopes
        raise Refused("INVALID_TOKEN")
