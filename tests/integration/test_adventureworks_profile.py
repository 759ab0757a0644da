"""The selects of the profile on rows written by hand: what they map, what they refuse, and why. Needs no data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dealermart import mapping
from dealermart.base import Settings
from dealermart.config import FileSpec, load_contracts, load_profile, profile_sql

SETTINGS = Settings(home=Path("unused"))
CONTRACTS = load_contracts(SETTINGS)
PROFILE = load_profile(SETTINGS, "adventureworks", CONTRACTS)
SPECS = {spec.name: spec for spec in PROFILE.files}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def mapped(con: duckdb.DuckDBPyConnection, name: str, **tables: list[dict[str, str | None]]) -> list[dict[str, Any]]:
    """The rows that the select of entry ``name`` makes of ``tables``; a table's columns are those the profile names."""
    for spec in (*PROFILE.references, SPECS[name]):
        columns = spec.columns or spec.required_columns
        con.execute(
            f"create table {spec.name} ({', '.join(f'{column} varchar' for column in columns)},"
            " _delivery_id varchar, _row_number bigint)"
        )
        for number, row in enumerate(tables.get(spec.name, []), 1):
            assert set(row) <= set(columns), spec.name
            values = [row.get(column) for column in columns]
            con.execute(
                f"insert into {spec.name} values ({', '.join('?' * (len(columns) + 2))})", [*values, "d", number]
            )
    feeds = [table for table in tables if table.startswith("feed_")]
    for table in feeds:
        columns = CONTRACTS[table.removeprefix("feed_")].lake_columns
        con.execute(f"create table {table} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
        for row in tables[table]:
            con.execute(f"insert into {table} ({', '.join(row)}) values ({', '.join('?' * len(row))})", [*row.values()])
    spec = SPECS[name]
    path, sql = profile_sql(SETTINGS, "adventureworks", spec)
    mapping.check_select(con, path, sql, [name, *(reference.name for reference in PROFILE.references), *feeds])
    mapping.map_rows(con, path, sql, spec, CONTRACTS[str(spec.feed)], "result")
    found = con.execute("select * from result order by _row_number")
    names = [column[0] for column in found.description or []]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def employee(key: int, person: str | None, start: str, **changes: str | None) -> dict[str, str | None]:
    return {
        "EmployeeKey": str(key),
        "EmployeeNationalIDAlternateKey": person,
        "StartDate": start,
        "FirstName": "José",
        "LastName": "Saraiva",
        "Title": "Sales Representative",
        "DepartmentName": "Sales",
        "BaseRate": "23.0769",
        "BirthDate": "1939-12-11",
        **changes,
    }


def test_a_person_keeps_the_first_key_and_a_row_holds_until_the_next(con: duckdb.DuckDBPyConnection) -> None:
    rows = mapped(
        con,
        "dim_employee",
        dim_employee=[
            # The file is not in order of time, 10 follows 9, and the end of the first row is its last day.
            employee(10, "P", "2012-01-01"),
            employee(9, "P", "2011-01-01", EndDate="2011-12-31"),
            employee(11, "Q", "2011-06-01", EndDate="2013-06-01"),
        ],
    )
    assert [(row["member_id"], str(row["valid_from"]), str(row["valid_to"])) for row in rows] == [
        ("9", "2012-01-01", "None"),
        ("9", "2011-01-01", "2012-01-01"),
        ("11", "2011-06-01", "2013-06-01"),
    ]


def test_a_manager_is_named_by_the_code_of_the_person_and_only_within_the_team(con: duckdb.DuckDBPyConnection) -> None:
    chief = {"Title": "Vice President of Sales"}
    rows = mapped(
        con,
        "dim_employee",
        dim_employee=[
            employee(1, "A", "2010-01-01", Title="Chief Executive Officer", DepartmentName="Executive"),
            employee(2, "B", "2010-01-01", ParentEmployeeKey="1", **chief),
            employee(3, "B", "2011-01-01", ParentEmployeeKey="1", **chief),
            employee(4, "C", "2011-01-01", ParentEmployeeKey="3"),
        ],
    )
    assert [row["manager_id"] for row in rows] == [None, None, None, "2"]


@pytest.mark.parametrize(
    ("changes", "reject", "structural"),
    [
        pytest.param({}, None, None, id="a seller"),
        pytest.param(
            {"DepartmentName": "Purchasing"}, None, "not of the dealer team: department Purchasing", id="buyer"
        ),
        pytest.param({"DepartmentName": None}, "no department", None, id="no department"),
        pytest.param({"Title": "Sales Clerk"}, "unknown title in the department Sales", None, id="unknown title"),
        pytest.param({"EmployeeNationalIDAlternateKey": None}, "no national id", None, id="nobody"),
    ],
)
def test_who_is_of_the_dealer_team(
    con: duckdb.DuckDBPyConnection, changes: dict[str, str | None], reject: str | None, structural: str | None
) -> None:
    (row,) = mapped(con, "dim_employee", dim_employee=[employee(1, "A", "2011-01-01") | changes])
    assert (row["_reject_reason"], row["_structural"]) == (reject, structural)


@pytest.mark.parametrize(
    ("title", "territory", "role", "team", "region"),
    [
        pytest.param("Sales Representative", "7", "sales", "Europe", "France", id="a seller by territory"),
        pytest.param("European Sales Manager", "11", "manager", "Europe", None, id="a manager by title"),
        pytest.param("Vice President of Sales", "11", "manager", None, None, id="the chief of all teams"),
    ],
)
def test_role_team_and_region(
    con: duckdb.DuckDBPyConnection, title: str, territory: str, role: str, team: str | None, region: str | None
) -> None:
    territories: list[dict[str, str | None]] = [
        {"SalesTerritoryKey": "7", "SalesTerritoryRegion": "France", "SalesTerritoryGroup": "Europe"},
        {"SalesTerritoryKey": "11"},  # the file says NA, which is read as missing
    ]
    (row,) = mapped(
        con,
        "dim_employee",
        dim_employee=[employee(1, "A", "2011-01-01", Title=title, SalesTerritoryKey=territory)],
        dim_sales_territory=territories,
    )
    assert (row["role"], row["team"], row["region"]) == (role, team, region)
    assert str(row["base_pay_amount"]) == "47999.9520"  # 23.0769 x 2080
    assert row["birth_year"] == 1939


def test_a_quota_holds_until_the_same_persons_next_and_the_last_for_92_days(con: duckdb.DuckDBPyConnection) -> None:
    quotas = [("1", "281", "2011-07-01"), ("2", "282", "2011-08-01"), ("3", "281", "2011-09-29"), ("4", "281", "soon")]
    rows = mapped(
        con,
        "fact_sales_quota",
        fact_sales_quota=[
            {
                "SalesQuotaKey": key,
                "EmployeeKey": person,
                "Date": f"{date} 00:00:00.000",
                "SalesAmountQuota": "28000.0000",
            }
            for key, person, date in quotas
        ],
    )
    assert [(row["target_id"], str(row["valid_from"]), str(row["valid_to"])) for row in rows[:3]] == [
        ("1", "2011-07-01", "2011-09-29"),
        ("2", "2011-08-01", "2011-11-01"),  # 92 days
        ("3", "2011-09-29", "2011-12-30"),  # 92 days
    ]
    assert [row["_reject_reason"] for row in rows] == [None] * 3 + ["the date is missing or not a date"]


@pytest.mark.parametrize(
    ("name", "row", "lookups", "reason"),
    [
        pytest.param(
            "dim_reseller", {"ResellerKey": "1", "GeographyKey": "9"}, {}, "unknown geography key", id="dealer"
        ),
        pytest.param(
            "dim_product",
            {"ProductKey": "1", "ProductSubcategoryKey": "9"},
            {},
            "unknown subcategory key",
            id="product",
        ),
        pytest.param(
            "dim_product",
            {"ProductKey": "1", "ProductSubcategoryKey": "9"},
            {"dim_product_subcategory": [{"ProductSubcategoryKey": "9", "ProductCategoryKey": "8"}]},
            "unknown category key",
            id="subcategory",
        ),
        pytest.param("dim_product", {"ProductKey": "1"}, {}, None, id="a part that is not sold has no category"),
        pytest.param(
            "fact_currency_rate",
            {"CurrencyKey": "9", "Date": "2011-01-01", "AverageRate": "1"},
            {},
            "unknown currency key",
            id="rate",
        ),
    ],
)
def test_a_lookup_that_finds_nothing_gives_a_reason(
    con: duckdb.DuckDBPyConnection,
    name: str,
    row: dict[str, str | None],
    lookups: dict[str, list[dict[str, str | None]]],
    reason: str | None,
) -> None:
    (found,) = mapped(con, name, **{name: [row]}, **lookups)
    assert found["_reject_reason"] == reason


def test_a_rate_is_dollars_for_one_unit(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = mapped(
        con,
        "fact_currency_rate",
        fact_currency_rate=[
            {"CurrencyKey": "98", "Date": "2011-01-01 00:00:00.000", "AverageRate": "1.5E0", "EndOfDayRate": "1.6"}
        ],
        dim_currency=[{"CurrencyKey": "98", "CurrencyAlternateKey": "GBP"}],
    )
    assert (row["from_currency_code"], row["to_currency_code"], str(row["rate"])) == ("GBP", "USD", "1.5000000000")


def test_a_sale_is_in_dollars_whatever_its_key_and_reads_scientific_notation(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = mapped(
        con,
        "fact_reseller_sales",
        fact_reseller_sales=[
            {
                "SalesOrderNumber": "SO1",
                "SalesOrderLineNumber": "2",
                "ResellerKey": "676",
                "ProductKey": "349",
                "EmployeeKey": "285",
                "CurrencyKey": "19",
                "OrderQuantity": "3",
                "UnitPrice": "2.9E-2",
                "SalesAmount": "8.7E-2",
                "OrderDate": "2010-12-29 00:00:00",
            }
        ],
    )
    assert row["_reject_reason"] is None
    assert (row["currency_code"], str(row["net_amount"]), str(row["sale_date"])) == ("USD", "0.0870", "2010-12-29")


NOBODY = "not a person of the dealer team"
NO_POINTS = "the percent is missing or no whole number of basis points"


@pytest.mark.parametrize(
    ("person", "percent", "plan", "reason"),
    [
        pytest.param("283", ".0120", "commission_120bp", None, id="1.2 %"),
        pytest.param("283", ".0200", "commission_200bp", None, id="2 %"),
        pytest.param("283", ".0000", "commission_0bp", None, id="a manager"),
        pytest.param("283", ".01205", None, NO_POINTS, id="half a basis point"),
        pytest.param("283", None, None, NO_POINTS, id="no percent"),
        pytest.param("284", ".0120", None, NOBODY, id="of another department"),
        pytest.param("285", ".0120", None, NOBODY, id="not among the employees"),
    ],
)
def test_a_seller_has_the_plan_of_the_percent_from_the_first_day_in_the_team_on(
    con: duckdb.DuckDBPyConnection, person: str, percent: str | None, plan: str | None, reason: str | None
) -> None:
    (row,) = mapped(
        con,
        "sales_person",
        sales_person=[{"BusinessEntityID": person, "CommissionPct": percent}],
        oltp_employee=[
            {"BusinessEntityID": "283", "NationalIDNumber": "P"},
            {"BusinessEntityID": "284", "NationalIDNumber": "Q"},
        ],
        feed_id_links=[
            {"system": "national_id", "subject_type": "member", "external_id": "P", "subject_id": "9"},
            {"system": "payroll", "subject_type": "member", "external_id": "Q", "subject_id": "9"},
        ],
        feed_team_members=[
            {"member_id": "9", "valid_from": "2012-01-01"},
            {"member_id": "9", "valid_from": "2011-01-01"},
            {"member_id": "10", "valid_from": "2010-01-01"},
        ],
    )
    assert row["_reject_reason"] == reason
    if reason is None:
        assert (row["plan_assignment_id"], row["payee_type"], row["payee_id"]) == (person, "member", "9")
        assert (row["plan_id"], str(row["valid_from"]), row["valid_to"]) == (plan, "2011-01-01", None)


def test_a_national_id_is_the_first_key_of_somebody_in_sales(con: duckdb.DuckDBPyConnection) -> None:
    rows = mapped(
        con,
        "national_id",
        national_id=[
            {
                "EmployeeKey": str(key),
                "EmployeeNationalIDAlternateKey": national_id,
                "DepartmentName": department,
            }
            for key, national_id, department in [
                (10, "P", "Sales"),
                (9, "P", "Sales"),
                (11, "Q", "Purchasing"),
                (12, None, "Sales"),
            ]
        ],
    )
    assert [(row["external_id"], row["subject_id"]) for row in rows[:2]] == [("P", "9"), ("P", "9")]
    assert {(row["system"], row["subject_type"]) for row in rows} == {("national_id", "member")}
    assert [row["_structural"] for row in rows] == [None, None, "not of the dealer team: department Purchasing", None]
    assert [row["_reject_reason"] for row in rows] == [None, None, None, "no national id"]


@pytest.mark.parametrize("spec", PROFILE.files, ids=lambda spec: spec.name)
def test_no_file_that_is_read_is_ignored(spec: FileSpec) -> None:
    twice = {"dim_employee", "national_id"}  # the team, and which member a national id is
    assert {found.name for found in PROFILE.specs_of(spec.pattern)} == (twice if spec.name in twice else {spec.name})


def test_a_dealer_has_its_place_by_way_of_its_address(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = mapped(
        con,
        "dim_reseller",
        dim_reseller=[
            {
                "ResellerKey": "1",
                "GeographyKey": "637",
                "ResellerName": "A Bike Store",
                "BusinessType": "Value Added Reseller",
                "YearOpened": "1974",
            }
        ],
        dim_geography=[
            {
                "GeographyKey": "637",
                "City": "Seattle",
                "EnglishCountryRegionName": "United States",
                "SalesTerritoryKey": "1",
            }
        ],
        dim_sales_territory=[{"SalesTerritoryKey": "1", "SalesTerritoryRegion": "Northwest"}],
    )
    assert {name: str(row[name]) for name in ("dealer_id", "dealer_name", "dealer_type", "valid_from")} == {
        "dealer_id": "1",
        "dealer_name": "A Bike Store",
        "dealer_type": "Value Added Reseller",
        "valid_from": "1974-01-01",
    }
    assert (row["city"], row["region"], row["country"]) == ("Seattle", "Northwest", "United States")
    assert (row["status"], row["tier"], row["onboarded_date"]) == (None, None, None)  # not in the file


def test_a_version_of_a_product_has_its_category(con: duckdb.DuckDBPyConnection) -> None:
    (row,) = mapped(
        con,
        "dim_product",
        dim_product=[{"ProductKey": "349", "ProductSubcategoryKey": "1", "EnglishProductName": "Mountain-100"}],
        dim_product_subcategory=[
            {
                "ProductSubcategoryKey": "1",
                "ProductCategoryKey": "2",
                "EnglishProductSubcategoryName": "Mountain Bikes",
            }
        ],
        dim_product_category=[{"ProductCategoryKey": "2", "EnglishProductCategoryName": "Bikes"}],
    )
    assert (row["product_id"], row["category"], row["subcategory"]) == ("349", "Bikes", "Mountain Bikes")
    assert (row["valid_to"], row["_reject_reason"]) == (None, None)
