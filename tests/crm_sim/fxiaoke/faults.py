"""Fxiaoke's error bodies: HTTP 200 with an errorCode."""

from __future__ import annotations

import secrets
from typing import Any

from tests.crm_sim.server import Reply, json_reply

# Code -> message, as captured or published; the vendor says that messages change.
KNOWN = {
    -1: "system busy", 10006: "the parameter appSecret is missing or illegal", 10013: "offset out of range 10000",
    14001: "the call count exceeds the limit", 20016: "the cropId,cropAccessToken or authorization is error",
    20017: "corpAccessToken为必填项，不能为空", 30002: "the daily quota is used up", 30004: "too many calls per second",
    50009: "timeout",
}  # fmt: skip


class Refused(Exception):
    """A call that Fxiaoke answers with an error code."""

    def __init__(self, code: int, message: str = "", description: str = "", **more: Any) -> None:
        super().__init__(code)
        self.code, self.more = code, more
        self.message = message or KNOWN.get(code, "error")
        self.description = description or self.message


def trace(ea: str, user: str, moment: int) -> str:
    """An id of a call, as the vendor writes it."""
    return f"E-O.{ea}.{user}-{moment}-{secrets.token_hex(2)}"


def refused(fault: Refused, trace_id: str) -> Reply:
    """The body of an error."""
    body = {
        "traceId": trace_id, "errorCode": fault.code, "errorMessage": fault.message, "errorDescription": fault.description,
        **fault.more,
    }  # fmt: skip
    return json_reply(body, code=fault.code)


NOT_ROUTED = Reply(
    404,
    b"<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n"
    b"<hr><center>Tengine</center>\r\n</body>\r\n</html>\r\n",
    {"Content-Type": "text/html"},
    404,
)
