"""The marts: their inputs, one dbt run, and the watermark of what was built.

A new config table is an entry in ``tables``; what makes months dirty is in ``inputs``. SQL of models stands in
``dbt_project``, not here.
"""

from dealermart.warehouse.build import BuildResult, changed_since, finished, pending, run
from dealermart.warehouse.case_compare import Difference, Outcome, check_cases, plain
from dealermart.warehouse.dbt import manifest
from dealermart.warehouse.explained import Asked, explain
from dealermart.warehouse.file import relink
from dealermart.warehouse.plan_cover import Payee, Uncovered, payees_of, read_payees, uncovered
from dealermart.warehouse.state import code_hash

__all__ = [
    "Asked",
    "BuildResult",
    "Difference",
    "Outcome",
    "Payee",
    "Uncovered",
    "changed_since",
    "check_cases",
    "code_hash",
    "explain",
    "finished",
    "manifest",
    "payees_of",
    "pending",
    "plain",
    "read_payees",
    "relink",
    "run",
    "uncovered",
]
