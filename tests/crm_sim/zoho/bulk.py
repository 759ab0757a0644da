"""Bulk read of Zoho: jobs that are made, looked at until they are done, and fetched as CSV in a zip."""

from __future__ import annotations

import csv
import io
import secrets
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.crm_sim.server import Call, Reply, json_reply
from tests.crm_sim.zoho import criteria
from tests.crm_sim.zoho.faults import Refused
from tests.crm_sim.zoho.records import matcher, ordered
from tests.crm_sim.zoho.schema import SINGLE_ONLY, Module

if TYPE_CHECKING:
    from tests.crm_sim.zoho import Zoho

UNSUPPORTED = {"Notes", "Attachments", "Emails"}
STATES = ("ADDED", "QUEUED", "IN PROGRESS")


@dataclass
class Job:
    """A job: its query, how often it was looked at, and what it found when it was done."""

    query: dict[str, Any]
    page: int
    after: int  # id of the last row of the page before; 0 for the first
    made: datetime
    looks: int = 0
    failing: bool = False
    result: dict[str, Any] | None = None
    zipped: bytes = b""


@dataclass
class Jobs:
    """All jobs, the tokens that lead to their next pages, and the downloads of late."""

    jobs: dict[str, Job] = field(default_factory=dict)
    tokens: dict[str, tuple[str, int, int, datetime]] = field(default_factory=dict)  # job, page, last id, end
    downloads: list[datetime] = field(default_factory=list)
    fail_next: bool = False  # the next job ends in FAILURE


def module_of(call: Call) -> str:
    """The module that a call to create a job names; empty: none."""
    try:
        return str(call.json()["query"]["module"]["api_name"])
    except (ValueError, KeyError, TypeError):
        return ""


def create(sim: Zoho, call: Call) -> Reply:
    """POST /crm/bulk/v8/read"""
    if not call.body.strip():
        raise Refused("REQUEST_BODY_IS_EMPTY")
    try:
        body = call.json()
        query = body["query"]
    except (ValueError, KeyError, TypeError):
        raise Refused("REQUEST_BODY_NOT_READABLE") from None
    if body.get("file_type", "csv") not in ("csv", "ics"):
        raise Refused("MEDIA_TYPE_NOT_SUPPORTED", {"api_name": "file_type"})
    if callback := body.get("callback"):
        if not str(callback.get("url", "")).startswith("https://"):
            raise Refused("INVALID_CALLBACK_URL", {"api_name": "url"})
        if str(callback.get("method", "")).lower() != "post":
            raise Refused("INVALID_CALLBACK_METHOD", {"api_name": "method"})
    page, after = 1, 0
    if text := query.get("page_token"):
        token = sim.bulk.tokens.get(text)
        if token is None:
            raise Refused("INVALID_DATA", {"api_name": "page_token"})
        if token[3] <= sim.clock.now():
            raise Refused("EXPIRED_VALUE", {"api_name": "page_token"})
        query, page, after = sim.bulk.jobs[token[0]].query, token[1], token[2]
    else:
        page = query.get("page", 1)
        if not isinstance(page, int) or not 1 <= page <= sim.switches.bulk_pages:
            raise Refused("PAGE_RANGE_EXCEEDED", {"max_limit": sim.switches.bulk_pages})
        _check(sim, query)
    job_id = sim.next_id()
    sim.bulk.jobs[job_id] = Job(query, page, after, sim.clock.now(), failing=sim.bulk.fail_next)
    sim.bulk.fail_next = False
    details = {
        "id": job_id, "operation": "read", "state": "ADDED", "created_by": sim.actor(),
        "created_time": sim.render.moment(sim.clock.now()),
    }  # fmt: skip
    reply = {"status": "success", "code": "ADDED_SUCCESSFULLY", "message": "Added successfully.", "details": details}
    return json_reply({"data": [reply], "info": {}}, 201, "ADDED_SUCCESSFULLY")


def _check(sim: Zoho, query: dict[str, Any]) -> Module:
    name = (query.get("module") or {}).get("api_name", "")
    if name in UNSUPPORTED:
        raise Refused("MODULE_NOT_SUPPORTED", {"api_name": "module"})
    try:
        kind = sim.module(name)
    except Refused:
        raise Refused("MODULE_NOT_AVAILABLE", {"api_name": "module"}) from None
    if "cvid" in query:
        raise Refused("CVID_NOT_SUPPORTED")
    for column in query.get("fields") or []:
        if column not in kind.fields:
            raise Refused("FIELD_NOT_AVAILABLE", {"api_name": column})
        if kind.fields[column].data_type in SINGLE_ONLY or not kind.fields[column].bulk:
            raise Refused("FIELD_NOT_SUPPORTED", {"api_name": column})
    if given := query.get("criteria"):
        try:
            matcher(kind, criteria.of_bulk(given, sim.limits))
        except Refused as fault:
            raise fault if fault.code != "INVALID_QUERY" else Refused("INVALID_CRITERIA", fault.details) from None
    return kind


def _run(sim: Zoho, job_id: str, job: Job) -> None:
    """Find the rows; what counts is how the module stands when the job is done."""
    kind = _check(sim, job.query)
    fits = matcher(kind, criteria.of_bulk(job.query["criteria"], sim.limits) if job.query.get("criteria") else None)
    names = [n for n in job.query.get("fields") or kind.fields if kind.fields[n].data_type not in SINGLE_ONLY]
    rows = [row for row in ordered(kind, "id")[1] if int(row.id) > job.after and fits(row)]
    size = sim.limits.bulk_rows
    start = 0 if job.after else (job.page - 1) * size
    shown, more = rows[start : start + size], len(rows) > start + size
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([sim.switches.csv_id if n == "id" else n for n in names])
    fields = [kind.fields[n] for n in names]
    for row in shown:
        writer.writerow([row.id if f.name == "id" else sim.render.csv(f, row.values.get(f.name)) for f in fields])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        file.writestr(f"{job_id}.csv", out.getvalue())
    job.zipped = packed.getvalue()
    token = None
    if more:
        token = secrets.token_hex(40)
        until = sim.clock.now() + timedelta(hours=sim.limits.token_hours)
        sim.bulk.tokens[token] = (job_id, job.page + 1, int(shown[-1].id), until)
    job.result = {
        "page": job.page, "count": len(shown), "download_url": f"/crm/bulk/v8/read/{job_id}/result", "per_page": size,
        "more_records": more, "next_page_token": token,
    }  # fmt: skip


def status(sim: Zoho, job_id: str) -> Reply:
    """GET /crm/bulk/v8/read/{id}"""
    job = sim.bulk.jobs.get(job_id)
    if job is None:
        raise Refused("RESOURCE_NOT_FOUND", {"id": job_id})
    job.looks += 1
    if job.looks <= sim.switches.bulk_polls:
        state = STATES[min(job.looks, len(STATES) - 1)]
    elif job.failing:
        state = "FAILURE"
    else:
        state = "COMPLETED"
        if job.result is None:
            _run(sim, job_id, job)
    body = {
        "id": job_id, "operation": "read", "state": state, "query": {**job.query, "page": job.page}, "file_type": "csv",
        "created_by": sim.actor(), "created_time": sim.render.moment(job.made),
        **({"result": job.result} if job.result else {}),
    }  # fmt: skip
    return json_reply({"data": [body]})


def download(sim: Zoho, job_id: str) -> Reply:
    """GET /crm/bulk/v8/read/{id}/result"""
    job = sim.bulk.jobs.get(job_id)
    if job is None or job.result is None:
        raise Refused("RESOURCE_NOT_FOUND", {"id": job_id})
    now = sim.clock.now()
    sim.bulk.downloads = [moment for moment in sim.bulk.downloads if moment > now - timedelta(minutes=1)]
    if len(sim.bulk.downloads) >= sim.switches.bulk_downloads:
        raise Refused("TOO_MANY_REQUESTS")
    sim.bulk.downloads.append(now)
    headers = {
        "Content-Type": "application/x-download",
        "Content-Disposition": f'attachment;filename="{job_id}.zip"',  # in quotes: the vendor's SDK looks for them
    }
    return Reply(200, job.zipped, headers)
