"""Servers on this machine's loopback that take what alerts send: mail, and messages by HTTP."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as taking a mail needs (RFC 5321)."""

    def handle(self) -> None:
        self._say("220 loopback")
        while line := self.rfile.readline().decode("ascii").strip():
            verb = line.split()[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if verb != "DATA":
                self._say("250 ok")
                continue
            self._say("354 go on")
            lines = []
            while (read := self.rfile.readline()) != b".\r\n":
                lines.append(read.removeprefix(b"."))
            parsed = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            cast(Any, self.server).taken.append(parsed)
            self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """Port, and the mails taken so far."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        taken: list[EmailMessage] = []
        server.taken = taken  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], taken
        server.shutdown()


@contextmanager
def http_server(answer: str = '{"errcode": 0}', status: int = 200) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """Address, and path and JSON of the posts so far; everything is answered alike."""
    posts: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            posts.append((self.path, json.loads(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", posts
        server.shutdown()
