"""Plans pay what publishers, our own handbook and edges reckoned by hand say: all cases in one dbt run.

``public`` holds what the trade publishes, with its sources; ``edges.yml`` what no publisher prints; ``docs/plans.md`` the
examples of the language. To add a case, add it to a file there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dealermart.base import REPO, Settings
from dealermart.config import TestCase, load_cases, load_contracts, load_registry
from dealermart.warehouse import Outcome, check_cases

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
PAGE = REPO / "docs" / "plans.md"


def examples(folder: Path) -> Path:
    """The page's YAML blocks as one file of cases, each on its line of the page."""
    lines, is_yaml, has_begun = [], False, False
    for line in PAGE.read_text("utf-8").splitlines():
        is_yaml = line == "```yaml" or (is_yaml and line != "```")
        is_head = line == "cases:" and has_begun
        lines.append(line if is_yaml and line != "```yaml" and not is_head else "")
        has_begun = has_begun or lines[-1] == "cases:"
    path = folder / "plans.yml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def cases(folder: Path) -> dict[str, TestCase]:
    """File and name -> case."""
    settings = Settings(home=folder)
    contracts, registry = load_contracts(settings), load_registry(settings)
    paths = [*sorted((HERE / "public").glob("*.yml")), HERE / "edges.yml", examples(folder)]
    return {f"{path.stem}: {test.case.case}": test for path in paths for test in load_cases(path, contracts, registry)}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    folder = tmp_path_factory.mktemp("home")
    tests = cases(folder)
    return dict(zip(tests, check_cases(Settings(home=folder), list(tests.values())), strict=True))


def names() -> list[str]:
    """Of all cases, by reading no more than their first lines: the files are checked when they are run."""
    found = []
    for path in [*sorted((HERE / "public").glob("*.yml")), HERE / "edges.yml", PAGE]:
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("  - case: "):
                name = line.removeprefix("  - case: ").strip('"')
                found.append(f"{path.stem}: {name}")
    return found


@pytest.mark.parametrize("name", names())
def test_a_plan_pays_what_its_case_expects(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    told = [f"{it.what}: expected {it.expected}, actual {it.actual}" for it in outcome.differences]
    lines = [f"{payee}: {line}" for payee, found in outcome.working.items() for line in found]
    assert not told, "\n".join([*told, *lines])


def test_every_case_is_looked_at(outcomes: dict[str, Outcome]) -> None:
    assert set(outcomes) == set(names())
