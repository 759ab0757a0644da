"""Every fault of a plan file is refused with file, line, field and mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dealermart.base import ConfigError, Settings
from dealermart.config import load_config

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("broken_plans.yml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_fault_is_named_by_file_line_field_and_mend(settings: Settings, case: dict[str, Any]) -> None:
    text = "plan: p\n" + ("" if "period:" in case["plan"] else "period: quarter\n") + case["plan"]
    file = settings.config / "plans" / "commission.yml"
    file.write_text(text, "utf-8")
    line = next(number for number, words in enumerate(text.splitlines(), start=1) if "# here" in words)
    with pytest.raises(ConfigError) as caught:
        load_config(settings)
    error = caught.value
    assert error.where == f"{file}:{line}", error
    assert error.what.startswith(f"field {case['field']}: "), error
    assert case["what"] in error.what
    assert case["mend"] in error.mend


HEAD = "plan: p\nversion: {version}\nperiod: quarter\n{window}components:\n  - {{id: a, measure: {{of: net_revenue}}, rate: {{basis: none, value: 1}}}}\n"


@pytest.mark.parametrize(
    ("first", "second", "line", "words"),
    [
        pytest.param((1, ""), (1, ""), 2, "field version: version 1 of p is plans/a.yml", id="number twice"),
        pytest.param((1, ""), (2, ""), 1, "holds at the same time as version 1 of p, plans/a.yml", id="both open"),
        pytest.param(
            (1, "valid_to: 2026-04-02\n"),
            (2, "valid_from: 2026-04-01\n"),
            4,
            r"field valid_from: version 2 holds .*plans/a.yml \(the beginning to 2026-04-02\)",
            id="a day in common",
        ),
        pytest.param((1, "valid_to: 2026-04-01\n"), (2, "valid_from: 2026-04-01\n"), 0, "", id="one after the other"),
        pytest.param((2, "valid_from: 2026-04-01\n"), (1, "valid_to: 2026-04-01\n"), 0, "", id="the other way round"),
    ],
)
def test_versions_of_a_plan_hold_one_after_the_other(
    settings: Settings, first: tuple[int, str], second: tuple[int, str], line: int, words: str
) -> None:
    plans = settings.config / "plans"
    (plans / "commission.yml").unlink()
    for name, (version, window) in {"a.yml": first, "b.yml": second}.items():
        (plans / name).write_text(HEAD.format(version=version, window=window), "utf-8")
    if not line:
        assert {plan.version for _, plan in load_config(settings).plans} == {1, 2}
        return
    with pytest.raises(ConfigError, match=words) as caught:
        load_config(settings)
    assert caught.value.where == f"{plans / 'b.yml'}:{line}"
