"""Zoho's error bodies: a bare object with a code on which clients branch."""

from __future__ import annotations

from typing import Any

from tests.crm_sim.server import Reply, json_reply

# Code -> HTTP status and message; 400 for those that do not stand here. The captured messages are verbatim.
KNOWN: dict[str, tuple[int, str]] = {
    "AUTHENTICATION_FAILURE": (401, "Authentication failed"),
    "INVALID_TOKEN": (401, "invalid oauth token"),
    "OAUTH_SCOPE_MISMATCH": (401, "invalid oauth scope to access this URL"),
    "NO_PERMISSION": (403, "permission denied"),
    "NOT_SUPPORTED": (403, "the module is not supported in api"),
    "INVALID_URL_PATTERN": (404, "Please check if the URL trying to access is a correct one"),
    "RESOURCE_NOT_FOUND": (404, "the requested resource doesn't exist"),
    "INVALID_REQUEST_METHOD": (405, "The http request method type is not a valid one"),
    "TOO_MANY_REQUESTS": (429, "Too many requests fired in concurrency or credits used up"),
    "INTERNAL_ERROR": (500, "Internal Server Error"),
    "BAD_GATEWAY": (502, "Bad Gateway"),
    "SERVICE_UNAVAILABLE": (503, "Service Unavailable"),
    "INVALID_MODULE": (400, "the module name given seems to be invalid"),
    "REQUIRED_PARAM_MISSING": (400, "One of the expected parameter is missing"),
    "DISCRETE_PAGINATION_LIMIT_EXCEEDED": (
        400,
        "You can only get the first 2000 records without using page_token param",
    ),
    "PAGINATION_LIMIT_EXCEEDED": (400, "You can only get up to first 100000 records using page_token param."),
    "EXPIRED_VALUE": (400, "the page_token given has expired"),
    "TOKEN_BOUND_DATA_MISMATCH": (400, "the request parameters do not match those of the page_token"),
    "LIMIT_REACHED": (400, "maximum response iteration limit reached"),
    "SYNTAX_ERROR": (400, "error occurred while parsing the query"),
    "INVALID_QUERY": (400, "invalid query formed"),
    "MANDATORY_NOT_FOUND": (400, "required field not found"),
}
BY_STATUS = {429: "TOO_MANY_REQUESTS", 500: "INTERNAL_ERROR", 502: "BAD_GATEWAY", 503: "SERVICE_UNAVAILABLE"}


class Refused(Exception):
    """A call that Zoho answers with an error; ``details`` stand in its body."""

    def __init__(self, code: str, details: dict[str, Any] | None = None, status: int | None = None) -> None:
        super().__init__(code)
        self.code, self.details, self.status = code, details or {}, status

    def reply(self) -> Reply:
        status, message = KNOWN.get(self.code, (400, self.code.replace("_", " ").lower()))
        status = self.status or status
        body = {"code": self.code, "details": self.details, "message": message, "status": "error"}
        return json_reply(body, status, self.code)
