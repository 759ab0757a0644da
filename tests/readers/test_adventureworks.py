"""Real files of a real reseller company; figures from its README and from counting lines."""

import json
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data" / "adventureworks"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the AdventureWorks files are not on this machine")


@pytest.fixture
def take(read, con, tmp_path):
    """Read a copy of a file: the connection reaches the folder of the test only."""

    def run(name, **fields):
        copy = tmp_path / Path(name).name
        copy.write_bytes((DATA / name).read_bytes())
        if fields.get("header") is False:
            fields["columns"] = json.loads(
                (DATA / Path(name).parent.name.replace("-utf16", "") / "columns.json").read_text()
            )[copy.stem]
        return read(copy, **fields)

    return run


def test_blank_trailing_rows(take):
    found = take("dw/DimEmployee.csv")
    assert (found.counts.records, found.counts.structural, found.counts.rejected) == (375, 79, 0)
    assert found.road == "engine"
    assert [row[0] for row in found.rows] == list(range(2, 298))
    assert found.columns[:2] == ["EmployeeKey", "ParentEmployeeKey"]
    assert found.rows[0][1:5] == ("1", "18", "14417807", None)


def test_utf16(take):
    found = take("dw-utf16/FactResellerSales.csv", encoding="utf-16", delimiter="|", header=False)
    assert (found.counts.records, found.counts.structural, found.counts.rejected) == (60855, 0, 0)
    assert found.road == "engine"
    assert found.rows[0][:5] == (1, "349", "20101229", "20110110", "20110105")
    assert found.rows[-1][0] == 60855


def test_row_end_of_its_own_with_xml_inside(take):
    found = take("oltp/Store.csv", delimiter="+|", row_end="&|\n", quote="", header=False)
    assert (found.counts.records, found.counts.structural, found.counts.rejected) == (701, 0, 0)
    first = dict(zip(["_row_number", *found.columns], found.rows[0], strict=True))
    assert (first["_row_number"], first["BusinessEntityID"], first["Name"]) == (1, "292", "Next-Door Bike Store")
    assert first["Demographics"].startswith('<StoreSurvey xmlns="http://')
    assert first["ModifiedDate"] == "2025-09-11 11:15:07.497"


def test_picture_in_a_field(take):
    found = take("dw/DimSalesTerritory.csv", delimiter="|", header=False)
    assert (found.counts.records, found.counts.structural, found.counts.rejected) == (11, 0, 0)
    assert max(len(value or "") for row in found.rows for value in row[1:]) > 80_000
    assert found.rows[0][:6] == (1, "1", "1", "Northwest", "United States", "North America")


def test_accents(take):
    found = take("dw/DimEmployee.csv")
    names = {
        (row[found.columns.index("FirstName") + 1], row[found.columns.index("LastName") + 1]) for row in found.rows
    }
    assert ("José", "Saraiva") in names


def test_parquet_says_the_same_as_the_file_as_shipped(take):
    shipped = take("dw-utf16/FactResellerSales.csv", encoding="utf-16", delimiter="|", header=False)
    converted = take("dw/FactResellerSales.parquet", format="parquet")
    assert (converted.counts.records, converted.counts.structural, converted.counts.rejected) == (60855, 0, 0)
    keys = ["SalesOrderNumber", "SalesOrderLineNumber", "ResellerKey", "OrderQuantity"]
    orders = [
        sorted(tuple(row[found.columns.index(key) + 1] for key in keys) for row in found.rows)
        for found in (shipped, converted)
    ]
    assert orders[0] == orders[1]
