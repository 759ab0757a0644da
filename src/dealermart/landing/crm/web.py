"""Asking a vendor's API: known hosts only, over verified TLS, with patience for what passes by itself.

No text of an answer and no header of a request goes into a message: they hold data of persons and secrets. What an
answer means is for the vendor's client; what it raises as ``Again`` is asked once more, up to ``ATTEMPTS`` times.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import tenacity

from dealermart.base import ConfigError, FetchError

T = TypeVar("T")

ATTEMPTS = 7
PASSING = frozenset({429, 500, 502, 503, 504})

_ANSWER_SECONDS = 300.0  # a body that drips is given up, though every drop comes in time
_LARGEST = 256 << 20
_LARGEST_FILE = 8 << 30


class Again(FetchError):
    """The call went wrong in a way that passes; ``after`` are the seconds that the server asks for."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", after: float | None = None) -> None:
        super().__init__(what, where=where, mend=mend)
        self.after = after


@dataclass(frozen=True)
class Request:
    """What is asked. ``name`` is what it is counted and named as in messages."""

    method: str
    url: str
    name: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    into: Path | None = None


@dataclass(frozen=True)
class Answer:
    """What came: status, headers and text; of a download the text is empty."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)


@dataclass
class Clock:
    """Time as the clients see it; tests put their own in its place."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class Web:
    """Calls to the hosts of one vendor, counted by name in ``calls``.

    Args:
        hosts: Domains that belong to the vendor, with their subdomains.
        test_host: Whether this machine itself may be asked, over plain HTTP too.
        pace: How many calls of one name in how many seconds; None for no limit of ours.
    """

    def __init__(
        self,
        hosts: tuple[str, ...],
        test_host: bool = False,
        pace: tuple[int, float] | None = None,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.hosts, self.test_host, self.pace, self.clock = hosts, test_host, pace, clock or Clock()
        self.calls: Counter[str] = Counter()
        self.date: dt.datetime | None = None  # of the server, from its last answer
        self._paced: dict[str, deque[float]] = {}
        self._client = httpx.Client(
            timeout=httpx.Timeout(60, connect=10),
            follow_redirects=False,
            trust_env=not test_host,  # a proxy does not know this machine's own ports
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, request: Request, meaning: Callable[[Answer], T]) -> T:
        """Send a request, again where that can help, and say what ``meaning`` makes of the answer.

        Raises:
            ConfigError: the host is none of the vendor's. FetchError: it did not answer as it should to the last.
        """
        check_host(request.url, self.hosts, self.test_host)
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(Again),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=_wait,
            sleep=self.clock.sleep,
            reraise=True,
        ):
            with attempt:
                return meaning(self._send(request))
        raise AssertionError  # the last attempt raised

    def _send(self, request: Request) -> Answer:
        self._wait_for_turn(request.name)
        self.calls[request.name] += 1
        try:
            with self._client.stream(
                request.method,
                request.url,
                params=dict(request.params) or None,
                headers=dict(request.headers),
                json=request.json,
                data=dict(request.form) if request.form is not None else None,
            ) as response:
                answer = self._read(request, response)
        except httpx.TransportError as error:
            # The text of the error can quote a header; its type says what happened.
            raise Again(f"{request.name}: {type(error).__name__}", where=_host(request.url), mend=_MEND) from None
        self.date = _date(answer.headers) or self.date
        if answer.status in PASSING:
            raise Again(
                f"{request.name}: HTTP {answer.status}",
                where=_host(request.url),
                mend=_MEND,
                after=_seconds(answer.headers.get("retry-after")),
            )
        if 300 <= answer.status < 400 and answer.status != 304:
            raise ConfigError(
                f"{request.name}: the host sends us elsewhere (HTTP {answer.status})",
                where=_host(request.url),
                mend="correct the base URL to the API's own host",
            )
        return answer

    def _read(self, request: Request, response: httpx.Response) -> Answer:
        """The body of an answer, within a time and a size."""
        until = time.monotonic() + _ANSWER_SECONDS
        pieces, size, goes_into_file = [], 0, request.into is not None and response.status_code == 200
        out = request.into.open("wb") if request.into is not None and goes_into_file else None
        try:
            for piece in response.iter_bytes():
                size += len(piece)
                if time.monotonic() > until or size > (_LARGEST_FILE if out else _LARGEST):
                    raise Again(f"{request.name}: the answer does not end", where=_host(request.url), mend=_MEND)
                if out:
                    out.write(piece)
                else:
                    pieces.append(piece)
        finally:
            if out:
                out.close()
        text = b"".join(pieces).decode("utf-8", "replace")
        return Answer(response.status_code, {name.lower(): said for name, said in response.headers.items()}, text)

    def _wait_for_turn(self, name: str) -> None:
        if self.pace is None:
            return
        calls, seconds = self.pace
        sent = self._paced.setdefault(name, deque())
        now = self.clock.now()
        while sent and sent[0] <= now - seconds:
            sent.popleft()
        if len(sent) >= calls:
            self.clock.sleep(max(0.0, sent[0] + seconds - now))
            sent.popleft()
            now = self.clock.now()
        sent.append(now)


_MEND = "see whether the vendor has a fault, and run it again; it goes on where it was"


def check_host(url: str, hosts: tuple[str, ...], test_host: bool) -> None:
    """Refuse what is none of the vendor's hosts, and plain HTTP.

    Raises:
        ConfigError: it is neither a host of the vendor over https, nor, where that is allowed, this machine.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if test_host and _is_loopback(host) and parts.username is None:
        return
    known = any(host == name or host.endswith(f".{name}") for name in hosts)
    if parts.scheme != "https" or not known or parts.username is not None or parts.port not in (None, 443):
        raise ConfigError(
            "this is none of the vendor's hosts over https",
            where=f"{parts.scheme}://{host}",
            mend=f"write an address below {', '.join(hosts)}; one on this machine needs DEALERMART_CRM_TEST_HOST=1",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def _wait(state: tenacity.RetryCallState) -> float:
    """What the server asks for, else two seconds, twice as long each time, up to a minute."""
    failed = state.outcome.exception() if state.outcome else None
    if isinstance(failed, Again) and failed.after is not None:
        return min(failed.after, 120.0)
    return float(_BACK_OFF(state))


_BACK_OFF = tenacity.wait_random_exponential(multiplier=2, max=60) + tenacity.wait_fixed(1)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _date(headers: Mapping[str, str]) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)
