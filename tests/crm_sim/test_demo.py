"""The parts of `make demo-crm` that need no Airflow: which files go where, and what counts as equal."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
from tests.crm_sim.demo import drop, fresh, table
from tests.crm_sim.figures import compare
from tests.crm_sim.sample import move_files

from dealermart.base import DealermartError


def test_the_files_of_the_crm_go_one_way_and_the_rest_both(tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    for name in (
        "2026-06-30/zoho/Deals.json",
        "2026-06-30/hr/team.csv",
        "2026-09-18/fxiaoke/old.csv",
        "2026-07-03/hr/x.csv",
    ):
        (sample / name).parent.mkdir(parents=True, exist_ok=True)
        (sample / name).write_text("x")
    found = {which: drop(sample, tmp_path / which, which) for which in ("all", "crm", "rest")}
    assert found == {
        "all": [date(2026, 6, 30), date(2026, 7, 3), date(2026, 9, 18)],
        "crm": [date(2026, 6, 30), date(2026, 9, 18)],
        "rest": [date(2026, 6, 30), date(2026, 7, 3)],
    }
    assert [p.name for p in sorted((tmp_path / "rest").rglob("*.*"))] == ["team.csv", "x.csv"]


def test_only_a_home_of_its_own_is_removed(tmp_path: Path) -> None:
    fresh(tmp_path / "home")
    (tmp_path / "home" / "lake").mkdir()
    fresh(tmp_path / "home")
    assert [p.name for p in (tmp_path / "home").iterdir()] == ["demo-crm.json"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "work").write_text("precious")
    with pytest.raises(DealermartError, match="holds something else"):
        fresh(tmp_path / "other")


def test_lists_of_codes_name_one_vendor_for_all(tmp_path: Path) -> None:
    """Dealer 1 has the Fxiaoke account 64f1c0..01; the user FSUID_0000001F is member 31. Other systems stay as they are."""
    lines = [
        "System,Kind,External ID,Our ID", "fxiaoke,Dealer,64f1c0000000000000000001,D0001", "lms,Member,U1031,M031",
        "fxiaoke,Member,FSUID_0000001F,M031", "zoho,Member,5545974000038600014,M014",
    ]  # fmt: skip
    (tmp_path / "id_links_2026-06.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "deal_team_1.csv").write_text(
        "Deal Type,System,Deal\nOpportunity,fxiaoke,66a0b1000000000000000011\nSale,,INV-1\n"
    )
    move_files(tmp_path, "zoho")
    assert (tmp_path / "id_links_2026-06.csv").read_text().split() == [
        "System,Kind,External", "ID,Our", "ID", "zoho,Dealer,554597410000001,D0001", "lms,Member,U1031,M031",
        "zoho,Member,5545974000038600031,M031", "zoho,Member,5545974000038600014,M014",
    ]  # fmt: skip
    assert (tmp_path / "deal_team_1.csv").read_text().split()[2:] == ["Opportunity,zoho,554597420000017", "Sale,,INV-1"]


def test_warehouses_are_equal_only_if_rows_and_values_are(tmp_path: Path) -> None:
    """A value of an ended quarter counts, one of a quarter that runs does not; names that start with _ do not."""
    paths = [tmp_path / f"{name}.duckdb" for name in ("files", "same", "other")]
    for number, path in enumerate(paths):
        with duckdb.connect(str(path)) as con:
            con.execute(
                "create table fct_opportunity as select 'a' as opportunity_id, 5 as amount, ? as _source", [path.name]
            )
            con.execute(
                "create table mart_kpi__subject_period as select * from (values "
                "('company', 'company', '2026-Q3', 'quarter', date '2026-10-01', 'new_opportunities', ?), "
                "('company', 'company', '2026-Q4', 'quarter', date '2027-01-01', 'new_opportunities', ?)) "
                "as t (subject_type, subject_id, period_id, period_type, period_end, kpi_code, value)",
                [33 if number < 2 else 34, number],
            )
            if number == 2:
                con.execute("update fct_opportunity set amount = 6")
    files, same, other = paths
    equal = compare(files, same, "2026-10-01", ("fct_opportunity",))
    assert equal.equal and equal.values == 1
    assert equal.table == [("new_opportunities", "2026-Q3", 33, 33)]
    different = compare(files, other, "2026-10-01", ("fct_opportunity",))
    assert not different.equal
    assert different.differing == [("new_opportunities", "2026-Q3", "company", "company", 33, 34)]
    assert different.rows == {"fct_opportunity": (1, 1, 2)}
    assert [line for line in table(different) if "differ" in line]
    assert not compare(files, same, "2026-01-01", ("fct_opportunity",)).equal  # nothing was compared
