"""What the reference leaves open about Zoho, each with the side that the simulator takes until told otherwise.

Where one side is harder on a client, that one is taken: what passes here passes the other side too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Switches:
    """Open points of the reference."""

    bearer: bool = True  # the prefix Bearer is taken beside Zoho-oauthtoken
    throttle_status: int = 400  # of the answer to too many refreshes; 200 according to others
    live_tokens: int = 15  # per refresh token; 30 on other pages of the vendor
    retry_after: int | None = None  # seconds in a header Retry-After of 429
    coql_where_required: bool = True
    coql_pairs: bool = False  # three conditions or more must be bracketed in pairs
    coql_lookup_names: bool = False  # lookups come with a name, not with the id alone
    coql_joins: int = 2
    csv_id: str = "Id"  # header of the id in bulk files
    bulk_credits: int = 50  # of creating a bulk job
    bulk_polls: int = 2  # looks at a job before it is done
    bulk_downloads: int = 10  # a minute
    bulk_pages: int = 50
    record_errors_in_data: bool = False  # errors of record lists come inside of data[]
    deleted_days: int | None = None  # after which a deleted record is no longer told of
    restore_modifies: bool = False  # bringing a record back sets its Modified_Time
    paging: str = "offset"  # a page token stands for a row number, or for the last row's key: "keyset"
    per_page_over: str = "clamp"  # more than 200 rows asked for: "clamp" or "error"
    search_lag: float = 30.0  # seconds until a change can be searched


@dataclass
class Limits:
    """The vendor's limits; a test may lower them to reach them sooner."""

    per_page: int = 200
    fields: int = 50
    page_rows: int = 2_000  # through page numbers
    token_rows: int = 100_000  # through page tokens
    token_hours: float = 24.0  # life of a page token
    search_rows: int = 2_000
    coql_rows: int = 2_000
    coql_default: int = 200
    coql_offset: int = 100_000
    coql_fields: int = 500
    coql_in: int = 100
    coql_criteria: int = 25
    coql_order: int = 10
    bulk_rows: int = 200_000
    bulk_criteria: int = 25
    bulk_values: int = 200
    access_seconds: int = 3_600
    refreshes: int = 10  # in ten minutes
    credits: int = 5_000_000  # in 24 hours
    concurrency: int = 20
    heavy: int = 10  # of them COQL and bulk
