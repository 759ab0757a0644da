"""Models find the rows that hold in one way, and as dated as the contract says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dealermart.base import load_settings
from dealermart.config import load_contracts

PROJECT = load_settings().dbt_project
CONTRACTS = load_contracts(load_settings())
# Models that look at rows for something else than which one holds.
OTHERS = {
    "int_current__payment_left_out": "the rows that do not hold, with the reason",
    "int_current__sale_line_left_out": "the rows that do not hold, with the reason",
    "int_current__sale_line_outside": "the rows before the calendar's start",
    "int_history__crm_account": "every change is a version of its day",
    "int_history__crm_opportunity": "every change is a version of its day",
    "int_kpi__feed_coverage": "counts rows by month",
    "int_link__dealer": "the codes that any feed names",
    "int_link__member": "the codes that any feed names",
}
# Every model above staging that reads accepted rows, with the feeds it reads.
READERS = [
    (path, sorted(set(re.findall(r"ref\('stg_(\w+)'\)", path.read_text("utf-8")))))
    for path in sorted((PROJECT / "models").rglob("*.sql"))
    if "ref('stg_" in path.read_text("utf-8") and path.stem not in OTHERS
]


def test_there_are_readers() -> None:
    assert {"int_history__dealer", "int_current__sale_line", "int_fx__day_rate"} <= {path.stem for path, _ in READERS}
    assert OTHERS.keys() <= {path.stem for path in (PROJECT / "models").rglob("*.sql")}


@pytest.mark.parametrize(("path", "feeds"), READERS, ids=[path.stem for path, _ in READERS])
def test_a_model_ranks_rows_by_key_and_ends_them_as_the_contract_says(path: Path, feeds: list[str]) -> None:
    sql = path.read_text("utf-8")
    ranks = re.findall(r"winner_rank\(\[([^\]]*)\](.*?)\) \}\}", sql)
    assert len(feeds) == len(ranks) == 1
    contract, (keys, rest) = CONTRACTS[feeds[0]], ranks[0]
    assert [key.strip(" '").split(".")[-1] for key in keys.split(",")] == list(contract.key)
    assert (f"'{contract.version}'" in rest) is (contract.version is not None)
    dated = contract.valid_to is not None
    assert ("dated=true" in rest) is dated
    assert ("stated_end() }} > valid_from" in sql) is dated
