"""Each kind of address against a server on loopback: what it takes, what it refuses, what it says twice."""

from __future__ import annotations

import html
import importlib
import json

import pytest
from tests.alerts.servers import http_server, mail_server

from dealermart import alerts
from dealermart.alerts.send import deliver, message
from dealermart.base import DealermartError
from dealermart.config import Alerts

FAILED = alerts.Alert("run_failed", "run 1", "build failed: no room", "build 失败：磁盘已满", "http://127.0.0.1:8080/x")
LATE = alerts.Alert("feed_late", "late a", "a is late", "a 迟到")
TOKEN = "0" * 32

# kind: class of apprise, its address of the outside, the channel's address, and how the message stands in the post
MESSENGERS = {
    "DingTalk": ("dingtalk.NotifyDingTalk", "notify_url", f"dingtalk://{TOKEN}", lambda post: post["text"]["content"]),
    "WeCom": ("wecombot.NotifyWeComBot", "notify_url", f"wecombot://{TOKEN}", lambda post: post["text"]["content"]),
    "Feishu": ("feishu.NotifyFeishu", "notify_url", f"feishu://{TOKEN}", lambda post: post["content"]["text"]),
    "Slack": ("slack.NotifySlack", "webhook_url", f"slack://{'T' * 9}/{'B' * 9}/{'c' * 24}/#ops", json.dumps),
}


def _point(monkeypatch: pytest.MonkeyPatch, kind: str, url: str) -> str:
    """Let the messenger's plugin talk to the server at ``url``; gives the channel's address."""
    name, attribute, address, _ = MESSENGERS[kind]
    module, plugin = name.split(".")
    found = getattr(importlib.import_module(f"apprise.plugins.{module}"), plugin)
    monkeypatch.setattr(found, attribute, f"{url}/{kind}")
    return address


@pytest.mark.parametrize("kind", MESSENGERS)
def test_messengers_take_title_words_and_link(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with http_server("ok" if kind == "Slack" else '{"errcode": 0, "code": 0}') as (url, posts):
        address = _point(monkeypatch, kind, url)
        assert deliver(address, *message([FAILED], "en"))
    (path, post), read = posts[0], MESSENGERS[kind][3]
    assert path.startswith(f"/{kind}")
    text = read(post)
    for words in ("dealermart: run failed", "build failed: no room", "127.0.0.1:8080/x"):
        assert words in text


@pytest.mark.parametrize("kind", ["DingTalk", "WeCom", "Feishu"])
def test_a_refusal_inside_an_answer_of_200_is_none_the_less_one(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What these three answer to a wrong token."""
    for answer in ('{"errcode": 310000, "errmsg": "keywords not in content"}', '{"code": 19001, "msg": "invalid"}'):
        with http_server(answer) as (url, posts):
            assert not deliver(_point(monkeypatch, kind, url), "title", "text")
            assert len(posts) == 1


def test_a_server_that_is_at_fault_or_not_there_has_not_taken_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_server("no", 500) as (url, _):
        address = _point(monkeypatch, "Slack", url)
        assert not deliver(address, "title", "text")
    assert not deliver(address, "title", "text")  # nobody listens there now
    assert not deliver("mailto://127.0.0.1:1?from=a@example.com&to=b@example.com&mode=insecure", "title", "text")


def test_a_mail_has_both_alphabets() -> None:
    with mail_server() as (port, mails):
        address = f"mailto://127.0.0.1:{port}?from=mart@example.com&to=ops@example.com&mode=insecure"
        assert deliver(address, *message([FAILED, LATE], "zh"))
    assert mails[0]["To"] == "ops@example.com"
    assert mails[0]["Subject"] == "dealermart (2): 运行失败、文件迟到"
    body = mails[0].get_body()
    assert body is not None
    text = " ".join(html.unescape(body.get_content().replace("<br/>", " ")).split())
    assert text == "build 失败：磁盘已满 http://127.0.0.1:8080/x a 迟到"


def test_what_is_long_is_cut_for_robots_that_refuse_it() -> None:
    title, text = message([alerts.Alert("run_failed", "k", "x" * 5000, "字" * 5000)], "zh")
    assert len((title + text).encode()) < 2048


def test_an_address_that_is_none_is_said_without_it() -> None:
    with pytest.raises(DealermartError, match="none that apprise knows") as raised:
        deliver("nonsense://secret-token", "title", "text")
    assert "secret-token" not in str(raised.value)


def test_addresses_come_from_airflow_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Alerts.model_validate({"channels": {"ops": {}, "boss": {}, "nobody": {}}})
    monkeypatch.setenv("DEALERMART_ALERT_OPS", "slack://environment")
    monkeypatch.setenv("DEALERMART_ALERT_BOSS", "slack://environment")
    found = alerts.addresses_of(rules, {"ops": "slack://airflow"})
    assert found == {"ops": "slack://airflow", "boss": "slack://environment"}


def test_a_test_message_says_what_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Alerts.model_validate({"channels": {"ops": {"language": "zh"}}})
    with pytest.raises(DealermartError, match="there is no channel 'boss'\n  mend: there are: ops"):
        alerts.send_test(rules, "boss", {})
    with pytest.raises(DealermartError, match="DEALERMART_ALERT_OPS"):
        alerts.send_test(rules, "ops", {})
    with http_server() as (url, posts):
        assert alerts.send_test(rules, "ops", {"ops": _point(monkeypatch, "DingTalk", url)})
    assert "测试消息" in posts[0][1]["text"]["content"]
