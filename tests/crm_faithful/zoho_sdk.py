"""Zoho's official Python SDK for API v8 against the simulator: list, page, query, bulk, metadata, and every way to fail."""

# unittest stands in the environment of its own; pytest does not.
# ruff: noqa: PT009, PT027

from __future__ import annotations

import csv
import io
import logging
import tempfile
import unittest
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.crm_sim.clock import Clock
from tests.crm_sim.zoho import Zoho
from zohocrmsdk.src.com.zoho.api.authenticator.oauth_token import OAuthToken
from zohocrmsdk.src.com.zoho.api.authenticator.store.file_store import FileStore
from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, Initializer, ParameterMap
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import BodyWrapper as BulkBody
from zohocrmsdk.src.com.zoho.crm.api.bulk_read import BulkReadOperations, Criteria, FileBodyWrapper, Query
from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper as CoqlBody
from zohocrmsdk.src.com.zoho.crm.api.coql import CoqlOperations
from zohocrmsdk.src.com.zoho.crm.api.dc.data_center import DataCenter
from zohocrmsdk.src.com.zoho.crm.api.exception.sdk_exception import SDKException
from zohocrmsdk.src.com.zoho.crm.api.fields import FieldsOperations, GetFieldsParam, MinifiedField
from zohocrmsdk.src.com.zoho.crm.api.layouts import GetLayoutsParam, LayoutsOperations
from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule, ModulesOperations
from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
from zohocrmsdk.src.com.zoho.crm.api.pipeline import PipelineOperations
from zohocrmsdk.src.com.zoho.crm.api.record import (
    GetDeletedRecordsHeader,
    GetDeletedRecordsParam,
    GetRecordsHeader,
    GetRecordsParam,
    RecordCountParam,
    RecordOperations,
    SearchRecordsParam,
)
from zohocrmsdk.src.com.zoho.crm.api.sdk_config import SDKConfig
from zohocrmsdk.src.com.zoho.crm.api.users import GetUsersParam, UsersOperations
from zohocrmsdk.src.com.zoho.crm.api.util import Choice

START = datetime(2026, 8, 3, 11, 48, 37, tzinfo=UTC)
FIELDS = "Deal_Name,Stage,Amount,Owner,Account_Name,Modified_Time,Closing_Date,Locked__s"


def params(*pairs: tuple[Any, Any]) -> ParameterMap:
    made = ParameterMap()
    for param, value in pairs:
        made.add(param, value)
    return made


def headers(header: Any, value: Any) -> HeaderMap:
    made = HeaderMap()
    made.add(header, value)
    return made


class Sdk(unittest.TestCase):
    """Each test has a simulator of its own with 450 deals a second apart, and an SDK made for it."""

    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.scratch = tempfile.TemporaryDirectory()
        self.addCleanup(self.scratch.cleanup)
        self.clock = Clock(START, ticking=False)
        self.sim = Zoho(zone=timezone(timedelta(hours=3)), clock=self.clock)
        self.sim.start()
        self.addCleanup(self.sim.close)
        account = self.sim.add("Accounts", {"Account_Name": "Morlong"})
        self.deals = [
            self.sim.add(
                "Deals",
                {"Deal_Name": f"Deal {n}", "Stage": "Qualification", "Amount": 100.5, "Account_Name": account,
                 "Closing_Date": "2026-09-30", "Locked__s": n % 2 == 0},
                at=START + timedelta(seconds=n),
            )
            for n in range(450)
        ]  # fmt: skip
        self.login()

    def login(self, **other: str) -> None:
        given = {
            "client_id": self.sim.client_id,
            "client_secret": self.sim.client_secret,
            "refresh_token": self.sim.refresh_token,
        }
        folder = Path(self.scratch.name)
        (folder / "tokens").unlink(missing_ok=True)
        Initializer.initialize(
            DataCenter.Environment(self.sim.base, self.sim.base + "/oauth/v2/token", self.sim.base),
            OAuthToken(**{**given, **other}),
            store=FileStore(str(folder / "tokens")),
            sdk_config=SDKConfig(update_api_domain=False, auto_refresh_fields=False, pick_list_validation=False),
            resource_path=str(folder),
        )

    def list(self, *pairs: tuple[Any, Any], header: HeaderMap | None = None) -> Any:
        given = params((GetRecordsParam.fields, FIELDS), *pairs)
        return RecordOperations("Deals").get_records(given, header or HeaderMap())

    def coql(self, query: str) -> Any:
        body = CoqlBody()
        body.set_select_query(query)
        return CoqlOperations().get_records(body)

    def fault(self, reply: Any) -> tuple[int, str]:
        """Status and code of a reply that the SDK takes for an error of the API."""
        self.assertEqual(type(reply.get_object()).__name__, "APIException")
        return reply.get_status_code(), reply.get_object().get_code().get_value()

    # ---------------------------------------------------------------- what goes well
    def test_list_and_page_by_number(self) -> None:
        seen = []
        for page in (1, 2, 3):
            reply = self.list((GetRecordsParam.page, page), (GetRecordsParam.per_page, 200))
            self.assertEqual(reply.get_status_code(), 200)
            seen += [str(record.get_id()) for record in reply.get_object().get_data()]
        self.assertEqual(seen, self.deals[::-1])
        self.assertFalse(reply.get_object().get_info().get_more_records())
        record = reply.get_object().get_data()[-1]  # the oldest
        self.assertEqual(record.get_key_value("Deal_Name"), "Deal 0")
        self.assertEqual(record.get_key_value("Amount"), 100.5)
        self.assertEqual(record.get_key_value("Account_Name").get_key_value("name"), "Morlong")
        self.assertEqual(record.get_key_value("Owner").get_email(), "integration@example.com")
        self.assertEqual(record.get_modified_time(), START)
        self.assertIs(record.get_key_value("Locked__s"), True)

    def test_page_by_token(self) -> None:
        order = ((GetRecordsParam.sort_by, "Modified_Time"), (GetRecordsParam.sort_order, "asc"))
        reply = self.list(*order)
        seen = reply.get_object().get_data()
        while token := reply.get_object().get_info().get_next_page_token():
            reply = self.list(*order, (GetRecordsParam.page_token, token))
            seen += reply.get_object().get_data()
        self.assertEqual([str(record.get_id()) for record in seen], self.deals)

    def test_single_record_and_count_and_search(self) -> None:
        record = RecordOperations("Deals").get_record(int(self.deals[7]), ParameterMap(), HeaderMap())
        self.assertEqual(record.get_object().get_data()[0].get_key_value("Deal_Name"), "Deal 7")
        criteria = "(Deal_Name:equals:Deal 7)"
        count = RecordOperations("Deals").record_count(params((RecordCountParam.criteria, criteria)))
        self.assertEqual(count.get_object().get_count(), 1)
        self.clock.advance(600)
        found = RecordOperations("Deals").search_records(params((SearchRecordsParam.criteria, criteria)), HeaderMap())
        self.assertEqual([str(r.get_id()) for r in found.get_object().get_data()], [self.deals[7]])

    def test_modified_since(self) -> None:
        since = headers(GetRecordsHeader.if_modified_since, START + timedelta(seconds=448))
        self.assertEqual(len(self.list(header=since).get_object().get_data()), 2)
        later = headers(GetRecordsHeader.if_modified_since, START + timedelta(seconds=450))
        reply = self.list(header=later)
        self.assertEqual((reply.get_status_code(), reply.get_object()), (304, None))

    def test_an_empty_module_is_204(self) -> None:
        reply = RecordOperations("Tasks").get_records(params((GetRecordsParam.fields, "Subject")), HeaderMap())
        self.assertEqual((reply.get_status_code(), reply.get_object()), (204, None))

    def test_deleted_records(self) -> None:
        self.sim.delete("Deals", self.deals[0])
        self.clock.advance(60)
        self.sim.delete("Deals", self.deals[1], "permanent")
        kinds = params((GetDeletedRecordsParam.type, "all"))
        told = RecordOperations("Deals").get_deleted_records(kinds, HeaderMap()).get_object().get_data()
        self.assertEqual(
            [(str(r.get_id()), r.get_type(), r.get_display_name(), r.get_deleted_time()) for r in told],
            [
                (self.deals[1], "permanent", None, START + timedelta(seconds=60)),
                (self.deals[0], "recycle", "Deal 0", START),
            ],
        )
        since = headers(GetDeletedRecordsHeader.if_modified_since, START + timedelta(seconds=61))
        reply = RecordOperations("Deals").get_deleted_records(kinds, since)
        self.assertEqual(reply.get_status_code(), 304)

    def test_coql(self) -> None:
        query = (
            "select id, Deal_Name, Account_Name, Modified_Time from Deals where Modified_Time >= "
            "'2026-08-03T11:55:00+00:00' order by Modified_Time asc, id asc limit 60 offset 0"
        )
        reply = self.coql(query)
        rows = reply.get_object().get_data()
        self.assertEqual([str(row.get_id()) for row in rows], self.deals[383:443])
        self.assertEqual(rows[0].get_key_value("Deal_Name"), "Deal 383")
        self.assertEqual(rows[0].get_modified_time(), START + timedelta(seconds=383))
        self.assertTrue(reply.get_object().get_info().get_more_records())
        self.assertEqual(self.coql("select id from Deals where Amount > 1000").get_status_code(), 204)

    def bulk(self, page: int = 1, module: str = "Deals", field: str = "Modified_Time") -> Any:
        module_, of, query, body = MinifiedModule(), MinifiedField(), Query(), BulkBody()
        module_.set_api_name(module)
        of.set_api_name(field)
        criteria = Criteria()
        criteria.set_field(of)
        criteria.set_comparator(Choice("greater_equal"))
        criteria.set_value("2026-08-03T11:55:00Z")
        query.set_module(module_)
        query.set_fields(["id", "Deal_Name", "Owner", "Locked__s"])
        query.set_criteria(criteria)
        query.set_page(page)
        body.set_query(query)
        body.set_file_type("csv")
        return BulkReadOperations().create_bulk_read_job(body)

    def test_bulk_read_from_job_to_rows(self) -> None:
        made = self.bulk()
        self.assertEqual(made.get_status_code(), 201)
        told = made.get_object().get_data()[0]
        self.assertEqual(told.get_code().get_value(), "ADDED_SUCCESSFULLY")
        job_id, states = int(told.get_details()["id"]), []
        while "COMPLETED" not in states:
            detail = BulkReadOperations().get_bulk_read_job_details(job_id).get_object().get_data()[0]
            states.append(detail.get_state().get_value())
        self.assertEqual(states, ["QUEUED", "IN PROGRESS", "COMPLETED"])
        self.assertEqual((detail.get_result().get_count(), detail.get_result().get_more_records()), (67, False))
        result = BulkReadOperations().download_result(job_id)
        self.assertIsInstance(result.get_object(), FileBodyWrapper)
        stream = result.get_object().get_file()
        self.assertEqual(stream.get_name(), f"{job_id}.zip")
        with zipfile.ZipFile(io.BytesIO(b"".join(stream.get_stream()))) as packed:
            rows = list(csv.reader(io.StringIO(packed.read(f"{job_id}.csv").decode())))
        self.assertEqual(rows[0], ["Id", "Deal_Name", "Owner", "Locked__s"])
        self.assertEqual(rows[1], [self.deals[383], "Deal 383", "5545974000000386001", "false"])
        self.assertEqual(len(rows), 68)

    def test_metadata(self) -> None:
        modules = ModulesOperations().get_modules(ParameterMap(), HeaderMap()).get_object().get_modules()
        self.assertIn("Deals", [module.get_api_name() for module in modules])
        fields = FieldsOperations().get_fields(params((GetFieldsParam.module, "Deals"))).get_object().get_fields()
        by_name = {field.get_api_name(): field for field in fields}
        self.assertEqual(by_name["Account_Name"].get_lookup().get_module().get_api_name(), "Accounts")
        self.assertEqual(by_name["Amount"].get_data_type(), "currency")
        layouts = LayoutsOperations().get_layouts(params((GetLayoutsParam.module, "Deals"))).get_object().get_layouts()
        pipelines = PipelineOperations(layouts[0].get_id()).get_pipelines().get_object().get_pipeline()
        forecast = {stage.get_actual_value(): stage.get_forecast_type() for stage in pipelines[0].get_maps()}
        self.assertEqual(
            (forecast["Qualification"], forecast["Closed Won"], forecast["Closed Lost"]),
            ("Open", "Closed Won", "Closed Lost"),
        )
        self.sim.add_user("5545974000000386002", "Patricia B", "p@example.com", "inactive")
        users = UsersOperations().get_users(params((GetUsersParam.type, "AllUsers")), HeaderMap()).get_object()
        self.assertEqual([user.get_email() for user in users.get_users()], ["integration@example.com", "p@example.com"])
        self.assertFalse(users.get_info().get_more_records())
        self.assertEqual(OrgOperations().get_organization().get_object().get_org()[0].get_iso_code(), "EUR")

    # ---------------------------------------------------------------- what fails
    def test_errors_of_lists(self) -> None:
        given = params((GetRecordsParam.page, 1))
        self.assertEqual(
            self.fault(RecordOperations("Deals").get_records(given, HeaderMap())), (400, "REQUIRED_PARAM_MISSING")
        )
        self.assertEqual(self.fault(self.list((GetRecordsParam.page, 11))), (400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED"))
        token = self.list().get_object().get_info().get_next_page_token()
        other = self.list((GetRecordsParam.page_token, token), (GetRecordsParam.sort_by, "Modified_Time"))
        self.assertEqual(self.fault(other), (400, "TOKEN_BOUND_DATA_MISMATCH"))
        self.assertEqual(self.fault(self.list((GetRecordsParam.page_token, "x"))), (400, "INVALID_DATA"))

    def test_errors_of_queries_and_jobs(self) -> None:
        self.assertEqual(self.fault(self.coql("select id from Deals")), (400, "SYNTAX_ERROR"))
        self.assertEqual(
            self.fault(self.coql("select Nothing from Deals where id is not null")), (400, "INVALID_QUERY")
        )
        self.assertEqual(self.fault(self.bulk(page=51)), (400, "PAGE_RANGE_EXCEEDED"))
        self.assertEqual(self.fault(BulkReadOperations().get_bulk_read_job_details(1)), (404, "RESOURCE_NOT_FOUND"))

    def test_limits_and_faults_of_the_server(self) -> None:
        self.list()
        for kind, code in (("429", "TOO_MANY_REQUESTS"), ("500", "INTERNAL_ERROR")):
            self.sim.faults.add(kind, "/Deals$")
            self.assertEqual(self.fault(self.list()), (int(kind), code))
        self.sim.limits.credits = self.sim.used_credits()
        self.assertEqual(self.fault(self.list()), (429, "TOO_MANY_REQUESTS"))
        self.sim.faults.add("truncated", "/Deals$")
        self.sim.limits.credits = 10**6
        with self.assertRaises((SDKException, OSError)):
            self.list()

    def test_tokens(self) -> None:
        self.list()
        self.sim.expire_tokens()
        self.assertEqual(
            self.fault(self.list()), (401, "INVALID_TOKEN")
        )  # the SDK does not look for a new one by itself
        self.sim.refresh_token = self.sim.tokens.grant(
            ("ZohoCRM.org.READ", "ZohoCRM.users.READ", "ZohoCRM.settings.ALL")
        )
        self.login()
        self.assertEqual(self.fault(self.list()), (401, "OAUTH_SCOPE_MISMATCH"))
        with self.assertRaises(SDKException) as caught:
            self.login(refresh_token="1000.x")
        self.assertIn("invalid_code", str(caught.exception))
