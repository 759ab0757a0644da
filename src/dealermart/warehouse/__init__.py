"""The marts: their inputs, one dbt run, and the watermark of what was built.

A new config table is an entry in ``tables``; what makes months dirty is in ``inputs``. SQL of models stands in
``dbt_project``, not here.
"""

from dealermart.warehouse.build import BuildResult, finished, pending, run
from dealermart.warehouse.dbt import manifest
from dealermart.warehouse.file import relink

__all__ = [
    "BuildResult",
    "finished",
    "manifest",
    "pending",
    "relink",
    "run",
]
