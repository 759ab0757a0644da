"""Who enters a CRM: hosts, tokens, refusals; and that no secret and no record stands where it has no business."""

from __future__ import annotations

import datetime as dt
import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.crm_sim import Fxiaoke, Zoho
from tests.crm_sim.zoho import ALL_SCOPES

from dealermart import landing
from dealermart.base import ConfigError, DealermartError, FetchError, UsageError, record_run
from dealermart.cli import main
from dealermart.landing.crm import doors
from dealermart.landing.crm import fxiaoke as our_fxiaoke
from dealermart.landing.crm import zoho as our_zoho
from dealermart.landing.crm.tokens import Token, Tokens
from dealermart.landing.crm.web import Again, Clock, Request, Web, check_host

from .conftest import CHANCES, DEALS, START, Make, Source, entry_of
from .test_pull import add

HOSTS = {
    "its own": ("https://www.zohoapis.eu/crm", True),
    "without www": ("https://zohoapis.com", True),
    "sandbox": ("https://sandbox.zohoapis.in", True),
    "accounts": ("https://accounts.zoho.com.cn", True),
    "plain http": ("http://www.zohoapis.eu", False),
    "another port": ("https://www.zohoapis.eu:8443", False),
    "a foreign host": ("https://zohoapis.eu.evil.example", False),
    "ours as its end only": ("https://evilzohoapis.eu", False),
    "ours as a user": ("https://www.zohoapis.eu@evil.example", False),
    "a file": ("file:///etc/passwd", False),
    "the metadata of a cloud": ("http://169.254.169.254/latest", False),
    "this machine": ("http://127.0.0.1:8080", False),
}


@pytest.mark.parametrize("case", HOSTS)
def test_only_hosts_of_the_vendor_are_asked(case: str) -> None:
    url, taken = HOSTS[case]
    if taken:
        check_host(url, our_zoho.HOSTS, False)
    else:
        with pytest.raises(ConfigError, match="none of the vendor's hosts"):
            check_host(url, our_zoho.HOSTS, False)
    asked: list[str] = []
    transport = httpx.MockTransport(lambda request: asked.append(str(request.url)) or httpx.Response(200, text="{}"))
    web = Web(our_zoho.HOSTS, transport=transport)
    try:
        web.ask(Request("GET", url, "test"), lambda answer: answer)
    except ConfigError:
        assert not taken
    assert bool(asked) == taken


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("http://127.0.0.1:9", True),
        ("http://localhost:9", True),
        ("http://[::1]:9", True),
        ("http://10.0.0.1", False),
        ("http://127.0.0.1.evil.example", False),
    ],
)
def test_a_test_host_is_this_machine_alone(url: str, taken: bool) -> None:
    if taken:
        check_host(url, our_fxiaoke.HOSTS, True)
    else:
        with pytest.raises(ConfigError):
            check_host(url, our_fxiaoke.HOSTS, True)


def test_every_data_centre_knows_where_its_tokens_are() -> None:
    entry = {"client_id": "a", "client_secret": "b", "refresh_token": "c"}
    for domain, accounts in our_zoho.ACCOUNTS.items():
        for base in (f"https://www.{domain}", f"https://sandbox.{domain}", f"https://{domain}/"):
            assert our_zoho.login({**entry, "base_url": base}, "here").accounts_url == f"https://{accounts}"


def test_a_redirect_is_not_followed() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(302, headers={"location": "https://evil.example"}))
    with pytest.raises(ConfigError, match="sends us elsewhere"):
        Web(our_zoho.HOSTS, transport=transport).ask(Request("GET", "https://www.zohoapis.eu/x", "test"), lambda a: a)


def test_what_passes_is_asked_again_and_not_for_ever() -> None:
    slept: list[float] = []
    clock = Clock(sleep=slept.append)
    answers = iter(
        [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(503), httpx.Response(200, text="ok")]
    )
    web = Web(our_zoho.HOSTS, clock=clock, transport=httpx.MockTransport(lambda request: next(answers)))
    assert web.ask(Request("GET", "https://www.zohoapis.eu/x", "test"), lambda answer: answer.text) == "ok"
    assert slept[0] == 7.0
    assert web.calls == {"test": 3}
    web = Web(our_zoho.HOSTS, clock=clock, transport=httpx.MockTransport(lambda request: httpx.Response(500)))
    with pytest.raises(Again, match="HTTP 500"):
        web.ask(Request("GET", "https://www.zohoapis.eu/x", "test"), lambda answer: answer)
    assert web.calls == {"test": 7}
    assert max(slept) <= 120


def test_no_interface_of_fxiaoke_is_called_more_often_than_it_allows(source: Make, fxiaoke: Fxiaoke) -> None:
    one = source(fxiaoke)
    for number in range(30_0):
        add(one, number)
    fxiaoke.limits.burst, fxiaoke.limits.page = 3, 10
    one = source(fxiaoke, calls_per_20_seconds=3)
    one.pull()
    assert fxiaoke.counted("data/query") == 31
    assert {call.code for call in fxiaoke.calls} == {0}


# ------------------------------------------------------------------------------------------------ tokens
def test_a_token_is_shared_and_asked_for_no_more_often_than_allowed(tmp_path: Path) -> None:
    now, asked = [1000.0], [0]
    clock = Clock(lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))

    def ask() -> Token:
        asked[0] += 1
        return Token(f"token {asked[0]}", now[0] + 3600)

    def tokens(secret: str = "s") -> Tokens:
        return Tokens(tmp_path / "t.token", ("id", secret), (3, 600.0), 60.0, clock)

    assert {tokens().get(ask).text for _ in range(5)} == {"token 1"}, "by many processes"
    assert tokens().get(ask, "token 1").text == "token 2", "one that was refused"
    now[0] += 3550
    assert tokens().get(ask).text == "token 3", "one that is about to end"
    for _ in range(2):
        tokens().get(ask, tokens().get(ask).text)
    with pytest.raises(FetchError, match="3 tokens were asked for in 600 seconds"):
        tokens().get(ask, tokens().get(ask).text)
    now[0] += 540
    tokens().get(ask, "token 5")
    assert now[0] == 1000 + 3550 + 600, "a short while is waited"
    content = (tmp_path / "t.token").read_bytes()
    assert b"token" not in content
    assert (tmp_path / "t.token").stat().st_mode & 0o077 == 0
    assert tokens("another secret").get(ask).text == "token 7"


def test_a_token_that_has_little_time_left_is_used_up(source: Make, fxiaoke: Fxiaoke) -> None:
    one = source(fxiaoke, sweep_hours=0)
    add(one, 1)
    one.pull()
    fxiaoke.clock.advance(6590)  # the same token comes for 6,600 seconds
    for _ in range(3):
        one.pull()
    assert fxiaoke.counted("oauth2.0/token") <= 2


def test_an_expired_token_is_renewed_once(source: Make, zoho: Zoho) -> None:
    one = source(zoho)
    add(one, 1)
    one.pull()
    zoho.expire_tokens()
    one.pull()
    assert zoho.counted("oauth") == 2


REFUSED: dict[str, tuple[str, Callable[[Source], Any], str]] = {
    "Zoho: a wrong secret": (
        "zoho",
        lambda one: one.entry.update(client_secret="wrong"),
        "gives no token: invalid_client",
    ),
    "Zoho: a revoked token": (
        "zoho",
        lambda one: one.entry.update(refresh_token="gone"),
        "gives no token: invalid_code",
    ),
    "Zoho: nothing given": ("zoho", lambda one: one.entry.pop("refresh_token"), "refresh_token is not given"),
    "Zoho: no such module": ("zoho", lambda one: one.sim.modules.pop("Deals"), r"INVALID_MODULE"),  # type: ignore[union-attr]
    "Zoho: too few credits": ("zoho", lambda one: setattr(one.sim.limits, "credits", 4), "credits are left"),
    "Fxiaoke: a wrong secret": ("fxiaoke", lambda one: one.entry.update(client_secret="wrong"), "gives no token"),
    "Fxiaoke: no such user": ("fxiaoke", lambda one: one.entry.update(user_id="9"), "Fxiaoke (says|takes no token)"),
    "Fxiaoke: the day's calls": (
        "fxiaoke",
        lambda one: setattr(one.sim.limits, "daily", 0),
        "calls of this day are used up",
    ),
    "Fxiaoke: no such object": (
        "fxiaoke",
        lambda one: one.sim.kinds.pop("NewOpportunityObj"),
        "Fxiaoke says 32000, trace",
    ),  # type: ignore[union-attr]
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_where_and_how_to_mend_it(source: Make, zoho: Zoho, fxiaoke: Fxiaoke, case: str) -> None:
    system, spoil, words = REFUSED[case]
    one = source(zoho if system == "zoho" else fxiaoke, leave_credits=50)
    add(one, 1)
    spoil(one)
    with pytest.raises(DealermartError, match=words) as raised:
        one.pull()
    assert raised.value.mend
    assert not isinstance(raised.value, FetchError), "the same would happen again"


def test_an_object_that_may_not_be_read_keeps_no_other_from_it(source: Make, zoho: Zoho) -> None:
    one = source(zoho, {"name": "Leads", "fields": ["Last_Name"]}, DEALS)
    add(one, 1)
    with pytest.raises(ConfigError, match="INVALID_MODULE"):
        one.pull()
    assert len(one.lines("Deals")) == 1


def test_without_the_scope_of_coql_and_bulk_the_list_is_read(source: Make, zoho: Zoho) -> None:
    kept = tuple(scope for scope in ALL_SCOPES if "coql" not in scope and "bulk" not in scope)
    zoho.refresh_token = zoho.tokens.grant(kept)
    one = source(zoho)
    ids = [add(one, number) for number in range(430)]
    one.pull()
    assert zoho.counted("/v8/Deals$") == 3
    zoho.delete("Deals", ids[5])
    one.pull()
    assert set(one.state()) == set(ids) - {ids[5]}


def test_lost_rights_delete_nothing(source: Make, fxiaoke: Fxiaoke) -> None:
    one = source(fxiaoke, sweep_hours=0)
    ids = [add(one, number) for number in range(60)]
    one.pull()
    for item in ids[:40]:
        fxiaoke.delete("NewOpportunityObj", item, purge=True)
    with pytest.raises(DealermartError, match="40 of 60 known records of NewOpportunityObj are not among the ids"):
        one.pull()
    assert len(one.state()) == 60
    one.profile = one.profile.model_copy(update={"crm": one.profile.crm.model_copy(update={"sweep_stop": 1.0})})  # type: ignore[union-attr]
    one.pull()
    assert set(one.state()) == set(ids[40:])


# ------------------------------------------------------------------------------------------------ secrets
def test_no_secret_stands_in_a_file_a_log_or_an_error(
    source: Make, zoho: Zoho, fxiaoke: Fxiaoke, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Secrets and tokens are looked for in every byte that was written or said, on good ways and on bad ones."""
    caplog.set_level("DEBUG")
    said: list[str] = []
    secrets: set[str] = set()
    for sim, style in ((zoho, "new"), (fxiaoke, "new"), (fxiaoke, "legacy")):
        one = source(sim, style=style)
        secrets |= {
            one.entry[name] for name in ("client_secret", "refresh_token", "permanent_code") if name in one.entry
        }
        add(one, 1)
        with record_run(one.settings, "fetch"):
            one.pull()
        with one.client() as client:
            token = client._tokens.get(client._new_token)
            secrets.add(token.text)
            said += [repr(client.login), repr(token), repr(client.web), str(vars(client).get("crm"))]
        said += one.said
        for kind in ("500", "truncated", "reset", "403", "404", "400"):
            sim.faults.add(kind, "coql|query|deleted", times=50)
            one.sim.clock.advance(3600)
            try:
                with record_run(one.settings, "fetch"):
                    one.pull()
            except DealermartError as error:
                said += [str(error), repr(error), "".join(traceback.format_exception(error))]
            sim.faults.clear()
        for name in ("client_secret", "refresh_token", "permanent_code"):
            if name in one.entry:
                secrets.add(f"wrong-{name}")
                wrong = source(sim, style=style)
                wrong.entry[name] = f"wrong-{name}"
                try:
                    with record_run(one.settings, "fetch"):
                        wrong.pull()
                except DealermartError as error:
                    said += [str(error), "".join(traceback.format_exception(error))]
        for path in one.settings.home.rglob("*"):
            if path.is_file():
                said.append(path.read_bytes().decode("latin-1"))
    said += [caplog.text, *capsys.readouterr()]
    assert len(secrets) >= 8
    assert min(map(len, secrets)) > 8
    for text in said:
        assert not [secret for secret in secrets if secret in text]


def test_no_value_of_a_record_stands_in_a_message(source: Make, zoho: Zoho) -> None:
    one = source(zoho)
    zoho.add("Deals", {"Deal_Name": "Frau Geheim", "Stage": "Qualification"})
    zoho.faults.add("truncated", "coql", times=50)
    with pytest.raises(FetchError) as raised:
        one.pull()
    assert "Geheim" not in "".join([*one.said, *traceback.format_exception(raised.value)])
    zoho.faults.clear()
    one.pull()
    assert not re.search("Geheim", "".join(one.said))


def test_the_environment_and_a_connection_say_who_enters(monkeypatch: pytest.MonkeyPatch) -> None:
    from dealermart.base import crm_entry

    monkeypatch.setenv("DEALERMART_CRM_ZOHO_CLIENT_ID", "id")
    monkeypatch.setenv("DEALERMART_CRM_ZOHO_REFRESH_TOKEN", "")
    monkeypatch.setenv("DEALERMART_CRM_TEST_HOST", "1")
    assert crm_entry("zoho") == {"client_id": "id", "test_host": "1"}
    assert crm_entry("fxiaoke") == {"test_host": "1"}
    assert landing.crm_entry_of("https://x", "id", None, {"user_id": 1000}) == {
        "base_url": "https://x", "client_id": "id", "user_id": "1000",
    }  # fmt: skip
    with pytest.raises(UsageError, match="since is no moment"):
        doors.asked_of({"since": "yesterday"})
    assert doors.asked_of({"since": "2026-03-01T00:00:00"}).since == dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


# ------------------------------------------------------------------------------------------------ check
def test_check_says_in_words_what_can_be_read(source: Make, zoho: Zoho, fxiaoke: Fxiaoke) -> None:
    from dealermart.landing.crm import checking

    one = source(zoho, DEALS, {"name": "Calls", "fields": ["Subject", "No_Such_Field"]}, lists={"users": ["full_name"]})
    with one.client() as client:
        looked = checking.look(one.profile, client)
    assert not looked.is_well
    assert [text for well, text in looked.found if not well] == ["Calls: there are no fields No_Such_Field"]
    texts = "\n".join(text for _, text in looked.found)
    for words in (
        "takes the credentials",
        "clocks of this machine and of the server agree",
        "users: 1 can be read",
        "Deals: 8 fields can be read by COQL; deletions too",
        "credits are left",
    ):
        assert words in texts
    two = source(fxiaoke, CHANCES, {"name": "Nothing__c"})
    fxiaoke.clock.advance(0)
    with two.client() as client:
        client.clock.now = lambda: START.timestamp() + 900
        looked = checking.look(two.profile, client)
    assert [text.partition(":")[0] for well, text in looked.found if not well] == ["Nothing__c"]
    assert "differ by 900 seconds" in json.dumps(looked.found)


def test_the_commands(
    zoho: Zoho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    zoho.clock.set(dt.datetime.now(dt.UTC))
    zoho.add("Accounts", {"Account_Name": "Radhaus"}, at=START)
    monkeypatch.setenv("DEALERMART_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEALERMART_CRM_TEST_HOST", "1")
    for name in ("base_url", "client_id", "client_secret", "refresh_token"):
        monkeypatch.setenv(f"DEALERMART_CRM_ZOHO_{name.upper()}", entry_of(zoho)[name])
    assert main(["crm", "check", "--source", "zoho"]) == 0
    told = capsys.readouterr().out
    assert "ok     Deals: 16 fields can be read by COQL; deletions too" in told
    assert "FAULT" not in told
    assert main(["fetch", "--source", "zoho", "--sweep"]) == 0
    assert "now: dealermart ingest --source zoho --received" in capsys.readouterr().out
    assert main(["crm", "check", "--source", "sample"]) == 1
    assert "sample reads no CRM\n  mend: sources that do: fxiaoke, zoho" in capsys.readouterr().err
    monkeypatch.delenv("DEALERMART_CRM_TEST_HOST")
    assert main(["fetch", "--source", "zoho"]) == 1
    assert "none of the vendor's hosts over https" in capsys.readouterr().err
