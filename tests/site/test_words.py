"""Chinese of tables and columns: put together from words, and there for all that is published."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dealermart import site
from dealermart.base import REPO, ConfigError, Settings

WORDS = site.Words(
    {"fct_sale": "销售"},
    {"net_revenue": "净销售额", "fct_sale.kind": "单据类别"},
    {
        "net": "净",
        "net_amount": "净额",
        "amount": "金额",
        "dealer": "经销商",
        "id": "编码",
        "kind": "类别",
        "is": "是否",
    },
)
NAMES = {
    "net_revenue": "净销售额",  # a whole name, such as a KPI's
    "net_amount": "净额",  # the longest words first
    "dealer_id": "经销商编码",
    "dealer_net_amount": "经销商净额",
    "_dealer": "经销商",  # of provenance
    "dealer_colour": None,  # a part that is not known
    "colour": None,
}


@pytest.mark.parametrize("name", NAMES)
def test_a_columns_name_is_put_together_from_the_longest_words(name: str) -> None:
    assert WORDS.column(name) == NAMES[name]


def test_a_column_may_mean_something_else_in_one_table() -> None:
    assert (WORDS.column("kind", "fct_sale"), WORDS.column("kind", "fct_other")) == ("单据类别", "类别")


def test_every_published_table_and_column_has_chinese() -> None:
    """From the yml beside the models, without dbt. A new column needs a word in config/words_zh.yml, or its name."""
    words, lacking, count = site.load_words(Settings(home=Path("/nowhere"))), [], 0
    for path in sorted((REPO / "dbt_project" / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", ()):
            if not words.table(model["name"]):
                lacking.append(model["name"])
            for column in model["columns"]:
                count += 1
                if not words.column(column["name"], model["name"]):
                    lacking.append(f"{model['name']}.{column['name']}")
    assert lacking == []
    assert count > 1000


def test_a_word_without_text_is_refused(settings: Settings) -> None:
    (settings.config / "words_zh.yml").write_text("tables: {}\nnames: {}\nwords: {net: ' '}\n", "utf-8")
    with pytest.raises(ConfigError, match="net has no Chinese"):
        site.load_words(settings)
