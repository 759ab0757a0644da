"""The public package fxiaoke-python against the simulator: token, query by offset, custom objects, get, describe, failures.

Its host is written into it, so an adapter of `requests` sends what goes to that host to the simulator.
"""

# unittest stands in the environment of its own; pytest does not.
# ruff: noqa: PT009, PT027

from __future__ import annotations

import logging
import unittest
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from fxiaoke.api import FxiaokeApi
from fxiaoke.baseObj import baseObj
from tests.crm_sim.clock import Clock
from tests.crm_sim.fxiaoke import Fxiaoke

START = datetime(2026, 8, 3, 11, 48, 37, tzinfo=UTC)
HOST = "https://open.fxiaoke.com"
OBJECT = "NewOpportunityObj"


class ToSimulator(requests.adapters.HTTPAdapter):
    """Sends a call to another address than it names."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def send(self, request: Any, *args: Any, **more: Any) -> Any:
        request.url = request.url.replace(HOST, self.base)
        return super().send(request, *args, **more)


class Client(unittest.TestCase):
    """Each test has a simulator of its own with 250 deals a second apart."""

    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.clock = Clock(START, ticking=False)
        self.sim = Fxiaoke(clock=self.clock)
        self.sim.start()
        self.addCleanup(self.sim.close)
        self.deals = [
            self.sim.add(OBJECT, {"name": f"D{n}", "amount": f"{n}.01", "sales_stage": "stage_1"}, at=START + timedelta(seconds=n))
            for n in range(250)
        ]  # fmt: skip
        self.api = self.login()

    def login(self, **other: str) -> Any:
        given = {
            "app_id": self.sim.app_id, "app_secret": self.sim.app_secret, "permanent_code": self.sim.permanent_code,
            "open_user_id": self.sim.user, **other,
        }  # fmt: skip
        api = FxiaokeApi.init(**given)
        api._session.requests.trust_env = False
        api._session.requests.mount(HOST, ToSimulator(self.sim.base))
        return api

    def query(self, name: str = OBJECT, **more: Any) -> Any:
        return baseObj(self.api).query(name, **more)

    # ---------------------------------------------------------------- what goes well
    def test_with_totals_it_reads_everything(self) -> None:
        self.sim.switches.total = "exact"
        rows = list(self.query(orders=[{"fieldName": "_id", "isAsc": True}]))
        self.assertEqual([row["_id"] for row in rows], self.deals)
        self.assertEqual(
            (rows[7]["amount"], rows[7]["owner"], rows[7]["sales_stage__r"]), ("7.01", [self.sim.user], "初步接洽")
        )
        self.assertEqual(rows[7]["last_modified_time"], 1_785_757_717_000 + 7_000)

    def test_without_totals_it_stops_after_a_page(self) -> None:
        """Known of this client against servers that answer total 0, as the current documents say they do."""
        self.assertEqual(len(list(self.query())), 100)

    def test_a_window_of_time(self) -> None:
        window = [1_785_757_717_000 + 10_000, 1_785_757_717_000 + 20_000]
        condition = {"field_name": "last_modified_time", "operator": "BETWEEN", "field_values": window}
        rows = list(self.query(filters=[condition], orders=[{"fieldName": "last_modified_time", "isAsc": True}]))
        self.assertEqual([row["name"] for row in rows], [f"D{n}" for n in range(10, 21)])

    def test_a_custom_object_has_its_own_path(self) -> None:
        change = self.sim.add("object_stage_change__c", {"opportunity_id__c": self.deals[0], "to_stage__c": "赢单"})
        rows = list(self.query("object_stage_change__c"))
        self.assertEqual([(row["_id"], row["opportunity_id__c__r"]) for row in rows], [(change, "D0")])
        self.assertEqual(self.sim.calls[-1].path, "/cgi/crm/custom/v2/data/query")

    def test_get_and_describe(self) -> None:
        row = baseObj(self.api).get(self.deals[3], OBJECT)
        self.assertEqual((row["_id"], row["name"]), (self.deals[3], "D3"))
        described = baseObj(self.api).describe(OBJECT)["describe"]
        self.assertEqual(described["api_name"], OBJECT)
        self.assertEqual(described["fields"]["sales_stage"]["options"][0]["label"], "初步接洽")

    def test_the_token_is_asked_for_once(self) -> None:
        for _ in range(3):
            self.query()
        self.assertEqual(self.sim.counted("corpAccessToken"), 1)

    # ---------------------------------------------------------------- what fails
    def failing(self, **more: Any) -> str:
        with self.assertRaises(RuntimeError) as caught:
            self.query(**more)
        return str(caught.exception)

    def test_a_token_that_ended_is_20016_and_the_client_gives_up(self) -> None:
        self.query()
        self.sim.expire_tokens()
        self.assertIn("'errorCode': 20016", self.failing())

    def test_a_wrong_secret_shows_as_20017_only_with_the_data(self) -> None:
        self.api = self.login(app_secret="x")
        self.assertIn("'errorCode': 20017", self.failing())

    def test_offsets_beyond_the_end(self) -> None:
        self.assertIn("offset out of range 10000", self.failing(offset=10_100))

    def test_the_burst_rule(self) -> None:
        for _ in range(100):
            self.query(limit=1)
        self.assertIn("'errorCode': 14001", self.failing())
        self.clock.advance(21)
        self.query()

    def test_errors_come_with_http_200_and_others_are_of_the_wire(self) -> None:
        self.query()
        self.sim.faults.add(50009, "/data/query")
        self.assertIn("'errorCode': 50009", self.failing())
        self.sim.faults.add("502", "/data/query")
        self.assertIn("status code", self.failing())
        self.sim.faults.add("truncated", "/data/query")
        with self.assertRaises(requests.exceptions.RequestException):
            self.query()
