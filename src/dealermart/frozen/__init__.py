"""What is closed and never changes: the kinds of frozen sets, and the chain of closed folders, to be read and verified.

``closing`` writes them, one floor of many above; whoever reads what was paid comes through here.
"""

from dealermart.frozen.chain import (
    CONFIG,
    FORM,
    MANIFEST,
    TABLES,
    Flaw,
    Frozen,
    chain,
    closed_tables,
    folder_name,
    manifest_hash,
    verify,
)
from dealermart.frozen.kinds import Kind, kind_names, kind_of

__all__ = [
    "CONFIG",
    "FORM",
    "MANIFEST",
    "TABLES",
    "Flaw",
    "Frozen",
    "Kind",
    "chain",
    "closed_tables",
    "folder_name",
    "kind_names",
    "kind_of",
    "manifest_hash",
    "verify",
]
