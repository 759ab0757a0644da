"""The commands that README and docs/operations.md show work on the sample: their dates, people, files and rules are in it."""

from __future__ import annotations

import argparse
import re
import shlex

import pytest
from tests.sample_company.ingested import Ingested

from dealermart import ingest, lake
from dealermart.base import REPO
from dealermart.cli import _parser
from dealermart.config import load_contracts
from dealermart.upkeep import Wanted
from dealermart.upkeep.erasure.person import Person

pytestmark = pytest.mark.slow

PAGES = ("README.md", "docs/operations.md")
SAID = [
    words
    for page in PAGES
    for text in re.findall(r"^dealermart [^#\n]+|(?<=`)(?:\.venv/bin/)?dealermart [^`#]+", (REPO / page).read_text("utf-8"), re.MULTILINE)
    if (words := shlex.split(text)[1:])
]  # fmt: skip


def examples(command: str) -> list[argparse.Namespace]:
    """The commands of this name that name something of the sample."""
    named = ("--received", "--person", "--file", "--entry", "--rule", "--feed")
    return [_parser().parse_args(words) for words in SAID if words[0] == command and {*named} & {*words}]


def test_received_dates_are_dates_of_the_sample(home: Ingested) -> None:
    days = {example.received.isoformat() for example in examples("ingest") if example.source == "sample"}
    assert days
    assert days <= set(home.truth["received_dates"])


def test_who_is_erased_is_known(home: Ingested) -> None:
    log, known = lake.read(home.settings), load_contracts(home.settings)
    people = [Wanted(example.person, example.kind) for example in examples("erase") if example.person]
    assert len(people) >= 2
    for wanted in people:
        assert Person(home.settings, known, log, wanted, {}).is_known(), wanted
    assert not Person(home.settings, known, log, Wanted("M999"), {}).is_known()


def test_what_is_done_with_the_quarantine_finds_rows(home: Ingested) -> None:
    found = examples("quarantine")
    assert {example.action.__name__ for example in found} >= {f"quarantine_{name}" for name in ("list", "show", "export", "release", "reject")}  # fmt: skip
    names = (
        "source",
        "feed",
        "file",
        "received",
        "entry",
        "rule",
        "state",
    )  # rows have other numbers in another sample
    for example in found:
        choice = ingest.Choice(**{name: getattr(example, name) for name in names})
        assert ingest.states(home.settings, choice).get("open"), choice
