"""Models find the rows that hold in one way, and as dated as the contract says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dealermart.base import load_settings
from dealermart.config import load_contracts

PROJECT = load_settings().dbt_project
CONTRACTS = load_contracts(load_settings())
# Every model above staging that reads accepted rows, with the feeds it reads.
READERS = [
    (path, sorted(set(re.findall(r"ref\('stg_(\w+)'\)", path.read_text("utf-8")))))
    for path in sorted((PROJECT / "models").rglob("*.sql"))
    if "ref('stg_" in path.read_text("utf-8")
]


def test_there_are_readers() -> None:
    assert {"int_history__dealer", "int_current__sale_line", "int_fx__day_rate"} <= {path.stem for path, _ in READERS}


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
