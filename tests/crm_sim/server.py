"""What both simulators share: HTTP on loopback, the log of calls, faults, and edits between two calls."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.crm_sim.clock import Clock
from tests.crm_sim.faults import Fault, Faults

PIECES = 20  # of a slow answer
Action = Callable[[], object]


@dataclass(frozen=True)
class Call:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """The body; None if it is empty.

        Raises:
            ValueError: It is no JSON.
        """
        return json.loads(self.body) if self.body.strip() else None

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer; without a body it has no content type either."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    code: str | int | None = None  # the vendor's word for it, for the log


@dataclass(frozen=True)
class Answered:
    """A line of the log of calls. ``fault`` is what was played on it; then status and code are those of the fault."""

    method: str
    path: str
    query: dict[str, str]
    status: int
    code: str | int | None
    fault: str | int | None = None


def json_reply(value: Any, status: int = 200, code: str | int | None = None, **headers: str) -> Reply:
    """An answer in JSON, in UTF-8 as both vendors send it."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Reply(status, body, {"Content-Type": "application/json;charset=utf-8", **headers}, code)


class Simulator:
    """A vendor's API on a free port of this machine; a context manager.

    A subclass answers calls. State is edited under ``lock``, so that a test may edit from any thread.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.faults = Faults()
        self.lock = threading.RLock()
        self.calls: list[Answered] = []
        self._hooks: list[tuple[str, bool, int, Action]] = []  # pattern, before, nth, action
        self._seen: Counter[tuple[str, bool]] = Counter()
        self._closing = threading.Event()
        self._server: _Server | None = None
        self.in_flight: Counter[str] = Counter()
        self._counting = threading.Lock()

    # -------------------------------------------------------------------------------- what a subclass says
    def answer(self, call: Call) -> Reply:
        """The answer to a call; runs under the lock."""
        raise NotImplementedError

    def fault_reply(self, kind: str | int) -> Reply:
        """The vendor's body of an HTTP status or of an error code."""
        raise NotImplementedError

    def kind_of(self, call: Call) -> str:
        """The class of calls whose concurrency is counted together too; empty: none."""
        return ""

    # -------------------------------------------------------------------------------- life
    @property
    def base(self) -> str:
        """http://127.0.0.1:port"""
        assert self._server is not None, "the simulator is not started"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self, port: int = 0) -> None:
        """Listen; port 0 takes a free one."""
        self._closing.clear()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop; calls that hang are let go."""
        self._closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -------------------------------------------------------------------------------- edits between calls
    def before(self, path: str, nth: int, action: Action) -> None:
        """Run an action before the nth call (1 is the first from now) whose path holds the pattern is answered."""
        self._hooks.append((path, True, nth + self._seen[path, True], action))

    def after(self, path: str, nth: int, action: Action) -> None:
        """Run an action after the nth call on the pattern, before its answer leaves."""
        self._hooks.append((path, False, nth + self._seen[path, False], action))

    def _run_hooks(self, path: str, before: bool) -> None:
        for pattern in {p for p, b, _, _ in self._hooks if b is before and re.search(p, path)}:
            self._seen[pattern, before] += 1
            for p, b, nth, action in self._hooks:
                if (p, b, nth) == (pattern, before, self._seen[pattern, before]):
                    action()

    def counted(self, path: str = "") -> int:
        """Calls on a path (a pattern) so far, those with faults included."""
        return sum(1 for call in self.calls if re.search(path, call.path))

    # -------------------------------------------------------------------------------- one call
    def serve(self, call: Call) -> tuple[Reply | None, Fault | None]:
        """Answer a call, or play a fault on it. No reply: the connection ends without one."""
        fault = self.faults.strike(call.path)
        kind = fault.kind if fault else None
        if fault and kind in ("timeout", "reset"):
            if kind == "timeout":
                self._closing.wait(fault.seconds)
            self._log(call, 0, None, kind)
            return None, fault
        if kind is not None and (isinstance(kind, int) or kind.isdigit()):
            reply = self.fault_reply(kind)
            self._log(call, reply.status, reply.code, kind)
            return reply, fault
        with self.lock:
            self._run_hooks(call.path, True)
            reply = self.answer(call)
            self._run_hooks(call.path, False)
        self._log(call, reply.status, reply.code, kind)
        return (None if kind == "lost" else reply), fault

    def _log(self, call: Call, status: int, code: str | int | None, kind: str | int | None) -> None:
        self.calls.append(Answered(call.method, call.path, call.query, status, code, kind))

    def count(self, kind: str, by: int) -> None:
        """Keep the number of calls under way by class, and in all under an empty name."""
        with self._counting:
            self.in_flight[kind] += by
            if kind:
                self.in_flight[""] += by

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the simulator's end."""
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


def _handler(simulator: Simulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            url = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            call = Call(
                self.command,
                url.path,
                dict(parse_qsl(url.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length) if length else b"",
            )
            kind = simulator.kind_of(call)
            simulator.count(kind, 1)
            try:
                reply, fault = simulator.serve(call)
                if reply is None:
                    self._break(hard=fault is not None and fault.kind == "reset")
                else:
                    self._send(reply, fault)
            finally:
                simulator.count(kind, -1)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_any

        def _send(self, reply: Reply, fault: Fault | None) -> None:
            phrase = HTTPStatus(reply.status).phrase
            lines = [
                f"HTTP/1.1 {reply.status} {phrase}",
                f"Date: {format_datetime(simulator.clock.now(), usegmt=True)}",
            ]
            lines += [f"{name}: {value}" for name, value in reply.headers.items()]
            if reply.status not in (204, 304):
                lines.append(f"Content-Length: {len(reply.body)}")
            head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
            if fault and fault.kind == "truncated" and reply.body:
                self.wfile.write(head + reply.body[: len(reply.body) // 2])
                self._break(hard=False)
            elif fault and fault.kind == "slow" and reply.body:
                self.wfile.write(head)
                step = max(1, -(-len(reply.body) // PIECES))
                for start in range(0, len(reply.body), step):
                    simulator.pause(fault.seconds / PIECES)
                    self.wfile.write(reply.body[start : start + step])
            else:
                self.wfile.write(head + reply.body)

        def _break(self, *, hard: bool) -> None:
            self.close_connection = True
            if hard:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
