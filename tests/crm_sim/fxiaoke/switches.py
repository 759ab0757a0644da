"""What the reference leaves open about Fxiaoke, each with the side that the simulator takes until told otherwise."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Switches:
    """Open points of the reference; a number is an error code that is not established."""

    total: str = "zero"  # of a query that does not ask for it: "zero" or "exact"
    limit_over: str = "clamp"  # more than the page size asked for: "clamp" or "error"
    invalid_rows: str = "hidden"  # rows that are invalid in a query: "hidden" or "shown"
    deleted_rows: str = "hidden"
    between: str = "both"  # bounds that BETWEEN includes: "both", "lower" or "none"
    ties: str = "id"  # order of rows that are equal by what was asked: "id", or another one for each call: "shuffled"
    rights: str = "before"  # rows that the user may not see go before paging, or "after" it: short pages
    delete_modifies: bool = True  # making a record invalid or deleting it sets its last_modified_time
    restore_modifies: bool = False  # recovering a record sets its last_modified_time
    trace_required: bool = False  # thirdTraceId must be there
    custom_top_level: bool = False  # the custom path answers with dataList at the top, not in data
    burst_code: int = 14001  # more than 100 calls in 20 s; or 30004
    token_often_code: int = 14001  # more than ten token calls in a minute
    token_parallel_code: int = 30004  # two token calls at a time
    limit_code: int = 11001  # limit or offset that does not fit
    object_code: int = 32000  # object that does not exist, or stands on the other path
    field_code: int = 32000
    user_missing_code: int = 10005
    user_unknown_code: int = 20005
    query_missing_code: int = 10007
    record_code: int = 32000  # record that does not exist, or may not be seen


@dataclass
class Limits:
    """The vendor's limits; a test may lower them to reach them sooner."""

    page: int = 100
    page_default: int = 20
    offset: int = 10_000
    burst: int = 100  # calls per interface
    burst_seconds: float = 20.0
    daily: int = 100_000  # calls of one pack
    token_calls: int = 10  # a minute
    token_seconds: int = 7_200
    token_same: int = 6_600  # seconds in which the same token is given out
    employees: int = 1_000  # per page of the directory
