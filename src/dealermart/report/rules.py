"""Great Expectations' Data Docs of one suite and run, as a page that reads offline.

Great Expectations' own renderer makes the sections from the counts that the log kept; only the frame is ours, because
its own fetches style and scripts from seven addresses. No value of the data is known here.

Importing this module imports Great Expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

from dealermart.checks.gx import quiet

_TEMPLATES = Path(__file__).with_name("templates")


def check_page(feed: str, judged: Sequence[dict[str, Any]], commit: dict[str, Any]) -> str:
    """HTML of what the rules of ``feed`` found (``checks.kept``) in the run of ``commit``."""
    results = [_result(outcome) for outcome in judged]
    passed = sum(bool(result.success) for result in results)
    with quiet():
        document = ValidationResultsPageRenderer().render(
            ExpectationSuiteValidationResult(
                success=passed == len(results),
                results=results,
                suite_name=feed,
                suite_parameters={},
                statistics={
                    "evaluated_expectations": len(results),
                    "successful_expectations": passed,
                    "unsuccessful_expectations": len(results) - passed,
                    "success_percent": 100.0 * passed / len(results) if results else None,
                },
                meta={"run_id": {"run_name": commit["run_id"], "run_time": f"{commit['ingested_at'][:19]}+00:00"}},
            )
        )
        return _view().render(document, template="checks.j2", feed=feed, commit=commit, judged=judged, passed=passed)


@cache
def _view() -> Any:
    """One for all pages: each would compile Great Expectations' templates anew."""
    return DefaultJinjaPageView(custom_views_directory=str(_TEMPLATES))


def _result(outcome: dict[str, Any]) -> Any:
    if outcome["failed"] is None or outcome["type"] == "unexpected_rows_expectation":
        found = {"observed_value": outcome["failed"]} if outcome["failed"] is not None else {}
    else:
        share = 100.0 * outcome["failed"] / outcome["rows"] if outcome["rows"] else 0.0
        found = {"element_count": outcome["rows"], "unexpected_count": outcome["failed"], "unexpected_percent": share}
    return ExpectationValidationResult(
        success=outcome["success"],
        expectation_config=ExpectationConfiguration(
            type=outcome["type"],
            kwargs=outcome["kwargs"],
            meta={"rule": outcome["rule"]},
            severity=FailureSeverity(outcome["severity"]),
        ),
        result=found,
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
        meta={},
    )
