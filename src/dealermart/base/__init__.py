"""The ground floor: settings, errors, files, the lock, the run log and DuckDB. It imports nothing of ours.

Only ``settings`` reads the environment, only ``duck`` opens DuckDB, only ``files`` decides how a file becomes durable.
What stands here is used by every room: a change of it is a change of the whole house.
"""

from dealermart.base.content import content_hash
from dealermart.base.duck import FORMAT, Workspace, confine, connect, literal, quoted, sandbox, typed_sql, workspace
from dealermart.base.errors import (
    BalanceError,
    BuildError,
    CheckCrashed,
    ConfigError,
    DataError,
    DealermartError,
    FetchError,
    LockError,
    SuiteError,
    UsageError,
)
from dealermart.base.files import as_json, file_hash, read_only, sync, sync_all, write_json, write_text
from dealermart.base.lock import HeldLock, alone, lock_holder, lock_is_held, warehouse_lock
from dealermart.base.runlog import (
    WRONG_USAGE,
    Entry,
    close_to_others,
    code_version,
    query_runs,
    read_runs,
    record_run,
    utc_now,
)
from dealermart.base.settings import (
    REPO,
    Settings,
    alert_address,
    child_environment,
    crm_entry,
    load_settings,
    storage_options,
)
from dealermart.base.sheets import TEXT_STAYS_TEXT, inert

__all__ = [
    "FORMAT",
    "REPO",
    "TEXT_STAYS_TEXT",
    "WRONG_USAGE",
    "BalanceError",
    "BuildError",
    "CheckCrashed",
    "ConfigError",
    "DataError",
    "DealermartError",
    "Entry",
    "FetchError",
    "HeldLock",
    "LockError",
    "Settings",
    "SuiteError",
    "UsageError",
    "Workspace",
    "alert_address",
    "alone",
    "as_json",
    "child_environment",
    "close_to_others",
    "code_version",
    "confine",
    "connect",
    "content_hash",
    "crm_entry",
    "file_hash",
    "inert",
    "literal",
    "load_settings",
    "lock_holder",
    "lock_is_held",
    "query_runs",
    "quoted",
    "read_only",
    "read_runs",
    "record_run",
    "sandbox",
    "storage_options",
    "sync",
    "sync_all",
    "typed_sql",
    "utc_now",
    "warehouse_lock",
    "workspace",
    "write_json",
    "write_text",
]
