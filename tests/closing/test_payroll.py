"""What payroll reads: by hand, cell by cell."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from tests.closing.built import build, closed, pay

from dealermart.base import DataError, Settings, UsageError
from dealermart.cli import main
from dealermart.closing import payroll

PAID = pay(
    "2026-Q1", ("=1+1", "CNY", "1000.10"), ("M2", "USD", "-20.00"), ("+49", "CNY", "0.20"), ("-7", "CNY", "0.00"),
    ("@sum", "CNY", "5.00"), ("007", "CNY", "6.00"), ("M2", "CNY", "0.03"),
)  # fmt: skip
HEAD = [
    "period_id",
    "period_start",
    "period_end",
    "payee_type",
    "payee_id",
    "currency_code",
    "amount",
    "statement_count",
    "held_line_count",
]


@pytest.fixture
def paid(ready: Settings) -> Settings:
    build(ready, PAID)
    closed(ready, "2026-Q1")
    return ready


def test_as_text(paid: Settings, tmp_path: Path) -> None:
    done = payroll(paid, "2026-Q1", tmp_path / "out")
    assert [path.name for path in done.files] == ["payroll-2026-Q1.csv", "payroll-2026-Q1-totals.csv"]
    with done.files[0].open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == HEAD
    assert [(row[4], row[5], row[6]) for row in rows] == [
        ("'+49", "CNY", "0.20"), ("'-7", "CNY", "0.00"), ("007", "CNY", "6.00"), ("'=1+1", "CNY", "1000.10"),
        ("'@sum", "CNY", "5.00"), ("M2", "CNY", "0.03"), ("M2", "USD", "-20.00"),
    ]  # fmt: skip
    assert rows[0] == ["2026-Q1", "2026-01-01", "2026-04-01", "member", "'+49", "CNY", "0.20", "1", "0"]
    with done.files[1].open(encoding="utf-8-sig", newline="") as file:
        head, *totals = csv.reader(file)
    assert head == ["closing", "closing_hash", "period_id", "currency_code", "row_count", "amount"]
    assert [(row[0], row[2], row[3], row[4], row[5]) for row in totals] == [
        ("pay/2026-Q1/V1R1", "2026-Q1", "CNY", "6", "1011.33"), ("pay/2026-Q1/V1R1", "2026-Q1", "USD", "1", "-20.00"),
    ]  # fmt: skip
    assert done.totals == {"CNY": (6, Decimal("1011.33")), "USD": (1, Decimal("-20.00"))}


def test_as_workbook(paid: Settings, tmp_path: Path) -> None:
    (path,) = payroll(paid, "2026-Q1", tmp_path, "xlsx").files
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["payroll", "totals"]
    head, *rows = book["payroll"].iter_rows()
    assert [cell.value for cell in head] == HEAD
    assert [(row[4].value, row[4].data_type, row[6].value, row[6].data_type) for row in rows] == [
        ("+49", "s", 0.2, "n"), ("-7", "s", 0, "n"), ("007", "s", 6, "n"), ("=1+1", "s", 1000.1, "n"),
        ("@sum", "s", 5, "n"), ("M2", "s", 0.03, "n"), ("M2", "s", -20, "n"),
    ]  # fmt: skip
    assert (rows[0][1].value, rows[0][7].value) == (dt.datetime(2026, 1, 1), 1)
    _, *totals = book["totals"].iter_rows(values_only=True)
    assert [row[3:] for row in totals] == [("CNY", 6, 1011.33), ("USD", 1, -20)]


def test_only_what_is_closed_is_paid(paid: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="2026-Q2 is not closed") as error:
        payroll(paid, "2026-Q2", tmp_path / "out")
    assert "closed are: 2026-Q1" in str(error.value) and not (tmp_path / "out").exists()
    assert main(["payroll", "--period", "2026-Q1", "--format", "xlsx", "--out", str(tmp_path)]) == 0
    assert "1,011.33" in capsys.readouterr().out


def test_a_changed_payout_is_not_paid(paid: Settings, tmp_path: Path) -> None:
    path = paid.closed / "pay" / "2026-Q1" / "V1R1" / "tables" / "mart_incentive__payout.parquet"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match="its hash is another"):
        payroll(paid, "2026-Q1", tmp_path)


def test_an_amount_that_a_sheet_would_round_is_refused(ready: Settings, tmp_path: Path) -> None:
    build(ready, pay("2026-Q1", ("M1", "CNY", "12345678901234.56")))
    closed(ready, "2026-Q1")
    with pytest.raises(DataError, match="write them as csv"):
        payroll(ready, "2026-Q1", tmp_path, "xlsx")
    assert "12345678901234.56" in payroll(ready, "2026-Q1", tmp_path).files[0].read_text("utf-8")
