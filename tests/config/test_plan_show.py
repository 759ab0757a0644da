"""A plan in sentences: nothing is left out, in either language."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import get_args

import pytest

from dealermart.config import Plan, load_yaml, plan_phrases, plan_rate, plan_words
from dealermart.config.plan_measure import Measured, Subject
from dealermart.config.plan_phrases import Language

FULL = Path(__file__).with_name("full_plan.yml")
SMALLEST = {
    "plan": "p",
    "period": "month",
    "components": [{"id": "a", "measure": {"of": "net_revenue"}, "rate": {"basis": "none", "value": "2.50"}}],
}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("table", ["WORDS", "VALUES", "RULES", "OUTSIDE", "SENTENCES"])
def test_both_languages_say_the_same(table: str) -> None:
    for key, (english, chinese) in getattr(plan_phrases, table).items():
        # the base rate stands in two words of one table, everything else in both
        assert fields(english) == fields(chinese), key
        assert not re.search(r"[一-鿿]", english), key


def test_every_word_of_the_language_has_its_phrase() -> None:
    words = {*get_args(Measured), *get_args(Subject), *get_args(plan_rate.Basis)} - {"margin_pct", "discount_pct"}
    assert words - {"self"} <= plan_phrases.WORDS.keys()
    assert set(get_args(plan_rate.Pays)) == plan_phrases.VALUES.keys()
    assert {*get_args(plan_rate.Rule), "steps"} == plan_phrases.RULES.keys()
    assert {*get_args(plan_rate.Outside), "covered"} == plan_phrases.OUTSIDE.keys()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_figure_of_a_plan_is_said(language: Language) -> None:
    said = "\n".join(plan_words(load_yaml(FULL, Plan), language))
    text = re.sub(r"\d{4}-\d\d-\d\d", "", FULL.read_text("utf-8"))
    for figure in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", text):
        plain = figure.rstrip("0").rstrip(".") if "." in figure else figure
        assert re.search(rf"(?<![\d.]){re.escape(plain)}(?![\d.]\d)", said), figure
    assert "{" not in said


def test_defaults_are_said_and_marked() -> None:
    said = plan_words(Plan.model_validate(SMALLEST), "en")
    assert said[0] == "p (p), version 1"
    for sentence in (
        "  Pays members, one statement a month. [default]",
        "  Holds from the beginning to further notice. [default]",
        "    Credit counts of: owner, co-owner, stated seller. [default]",
        "    Pays 2.5 % of the measure, on everything.",
        "    A return takes back what its sale was paid. [default]",
        "  No draws and no guarantees. [default]",
    ):
        assert sentence in said


def test_chinese_names_come_first_in_chinese() -> None:
    plan = Plan.model_validate({**SMALLEST, "name": "Small", "name_zh": "小方案"})
    assert plan_words(plan, "zh")[0] == "小方案（p），第 1 版"
    assert plan_words(plan, "en")[0] == "Small (p), version 1"
