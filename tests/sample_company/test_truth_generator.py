"""The generator: same seed, same bytes; and its truth holds against a plain reading of the files it wrote."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from tests.sample_company.conftest import Made
from tests.sample_company.ingested import SEED

import sample_company as sample
from dealermart.base import REPO
from sample_company.company import SIZES, make_company
from sample_company.figures import half_up, quarter_of
from sample_company.pay import Event, Share, commission

pytestmark = pytest.mark.integration  # making a sample takes some seconds

D = Decimal


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_same_seed_gives_the_same_bytes_in_another_process(made: Made, tmp_path: Path) -> None:
    script = REPO / "scripts" / "make_sample.py"
    command = [sys.executable, str(script), "--seed", str(SEED), "--size", "S", "--out", str(tmp_path / "again")]
    subprocess.run(command, check=True, capture_output=True)
    assert _digests(tmp_path / "again") == _digests(made.out)


def test_another_seed_gives_other_sales(made: Made, tmp_path: Path) -> None:
    other = sample.make(SEED + 1, "S", tmp_path / "other")
    assert other["sales"]["net_amount_by_currency"] != made.truth["sales"]["net_amount_by_currency"]


def test_script_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", "utf-8")
    script = REPO / "scripts" / "make_sample.py"
    done = subprocess.run(
        [sys.executable, str(script), "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_size_s_is_small_enough_for_a_demonstration(made: Made) -> None:
    assert 12 <= len(made.truth["received_dates"]) <= 14
    assert 13_000 <= made.truth["sales"]["current_lines"] <= 17_000
    assert made.truth["masters"]["dealers"] == 61
    assert made.truth["masters"]["members"] == 14
    assert len(made.truth["masters"]["dealers_without_sales"]) >= 2
    assert set(made.truth["sales"]["net_amount_by_currency"]) == {"CNY", "USD", "EUR"}


def test_truth_names_every_file_and_both_balances_hold(made: Made) -> None:
    files = made.truth["files"]
    on_disk = {name for name in _digests(made.out) if name != "truth.json"}
    assert {f"{one['received']}/{one['file']}" for one in files} == on_disk
    assert json.loads((made.out / "truth.json").read_text("utf-8")) == made.truth
    for one in files:
        assert one["records"] == one["mapped"] + one["structural"] + one["rejected"], one["file"]
        assert one["mapped"] == one["accepted"] + one["quarantined"] + one["duplicate"], one["file"]


@pytest.mark.parametrize(
    "kind",
    [
        "bad date",
        "bad number",
        "unknown enumeration",
        "unknown lookup",
        "missing key",
        "missing required value",
        "value out of range",
        "too many fields",
        "too few fields",
        "cut line",
        "blank row",
        "totals row",
        "repeated header",
        "conflicting rows",
    ],
)
def test_every_kind_of_error_is_planted(made: Made, kind: str) -> None:
    assert [p for one in made.truth["files"] for p in one["planted"] if p["kind"] == kind]


def test_the_copy_has_the_bytes_of_its_original(made: Made) -> None:
    copies = [one for one in made.truth["files"] if one["status"] == "duplicate"]
    assert len(copies) == 1
    original = re.sub(r"^the same bytes as ", "", copies[0]["note"])
    copy = made.out / copies[0]["received"] / copies[0]["file"]
    assert copy.read_bytes() == (made.out / original).read_bytes()
    assert copy.name != Path(original).name


# ------------------------------------------------------------------------------------ the truth, read from the files
class Sale(NamedTuple):
    dealer: str
    seller: str | None
    net: Decimal
    currency: str
    day: date
    is_invoice: bool
    original: tuple[str, str] | None  # document and line that a return takes back
    is_sold_on: bool  # by the dealer: no revenue of the brand


# entry -> encoding, delimiter, columns of number, line, kind, dealer, seller, net, currency (or its code), date, and of the
# document and line that a return takes back; date pattern; the word for an invoice
Columns = tuple[int, int, int, int, int | None, int, int | str, int, int, int]
READ: dict[str, tuple[str, str, Columns, str, str]] = {
    "erp_east_sales": (
        "utf-8-sig", ",", (0, 1, 2, 4, 7, 11, "CNY", 14, 15, 16), r"(?P<y>\d+)/(?P<m>\d+)/(?P<d>\d+)", "销售发票",
    ),
    "erp_south_sales": (
        "gb18030", ",", (0, 1, 2, 3, None, 8, "CNY", 10, 11, 12), r"(?P<y>\d+)年(?P<m>\d+)月(?P<d>\d+)日", "出库",
    ),
    "distributor_eu_sales": (
        "cp1252", ";", (0, 1, 2, 3, None, 8, 10, 11, 12, 13), r"(?P<d>\d+)\.(?P<m>\d+)\.(?P<y>\d+)", "Rechnung",
    ),
    "distributor_us_sales": (
        "utf-8", "|", (0, 1, 2, 3, 5, 9, 11, 12, 13, 14), r"(?P<m>\d+)/(?P<d>\d+)/(?P<y>\d+)", "INV",
    ),
}  # fmt: skip


def _number(text: str, comma: bool) -> Decimal:
    return D(text.replace(".", "").replace(",", ".") if comma else text.replace(",", ""))


def _sales(made: Made) -> Iterator[tuple[tuple[str, str], Sale]]:
    """Sale lines in the order of receipt, without the rows that the truth says are refused or structural."""
    customers = {}
    for path in sorted(made.out.glob("*/distributor_eu/kunden_*.csv")):
        with path.open(encoding="cp1252", newline="") as stream:
            customers.update({row[0]: row[2] for row in csv.reader(stream, delimiter=";")})
    for one in made.truth["files"]:
        if one["feed"] != "sales":
            continue
        encoding, delimiter, columns, pattern, invoice = READ[one["entry"]]
        number, line, kind, dealer, seller, net, currency, day, document, place = columns
        out = {planted["row_number"] for planted in one["planted"]}
        with (made.out / one["received"] / one["file"]).open(encoding=encoding, newline="") as stream:
            for row_number, row in enumerate(csv.reader(stream, delimiter=delimiter), start=1):
                if row_number == 1 or row_number in out:
                    continue
                found = re.fullmatch(pattern, row[day])
                assert found, (one["file"], row_number)
                yield (
                    (row[number], row[line]),
                    Sale(
                        dealer=customers[row[dealer]] if delimiter == ";" else row[dealer],
                        seller=(row[seller] or None) if seller is not None else None,
                        net=_number(row[net], comma=delimiter == ";"),
                        currency=currency if isinstance(currency, str) else row[currency],
                        day=date(int(found["y"]), int(found["m"]), int(found["d"])),
                        is_invoice=row[kind] == invoice,
                        original=(row[document], row[place]) if row[document] not in ("", "无", "NULL") else None,
                        is_sold_on="sales_retail" in one["file"],
                    ),
                )


def _rates(made: Made) -> dict[tuple[str, str], dict[date, Decimal]]:
    words = {"市场": "market", "计划": "plan"}
    rates: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(dict)
    for one in made.truth["files"]:
        if one["feed"] == "fx_rates":
            out = {planted["row_number"] for planted in one["planted"]}
            with (made.out / one["received"] / one["file"]).open(encoding="utf-8-sig", newline="") as stream:
                for row_number, (day, code, _, kind, rate) in enumerate(csv.reader(stream), start=1):
                    if row_number > 1 and row_number not in out:
                        when = date(int(day[:4]), int(day[4:6]), int(day[6:]))
                        rates[words[kind], code][when] = D(rate)
    return rates


def _assignments(made: Made) -> dict[str, list[dict[str, str]]]:
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for one in made.truth["files"]:
        if one["feed"] == "assignments":
            out = {planted["row_number"] for planted in one["planted"]}
            with (made.out / one["received"] / one["file"]).open(encoding="utf-8", newline="") as stream:
                for row_number, row in enumerate(csv.DictReader(stream), start=2):
                    if row_number not in out:
                        rows[row["Dealer ID"], row["Member ID"], row["Role"], row["Start Date"]] = row
    by_dealer: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows.values():
        if row["Role"] in ("owner", "co_owner"):
            by_dealer[row["Dealer ID"]].append(row)
    return by_dealer


def _plan_windows(made: Made) -> dict[str, tuple[str, str]]:
    """First day and first day after of the plan of each member, as the last file says."""
    windows = {}
    for path in sorted(made.out.glob("*/hr/plan_assignments_*.csv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                windows[row["payee"]] = (row["from"], row["to"] or "9999-12-31")
    return windows


def _left(made: Made) -> dict[str, str]:
    """First day after employment of each member who has left, by the newest list of members."""
    newest = sorted(made.out.glob("*/hr/team_*.xlsx"))[-1]
    sheet = openpyxl.load_workbook(newest, read_only=True).worksheets[0]
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    return {str(row[0]): f"{row[8]:%Y-%m-%d}" for row in rows if isinstance(row[8], datetime)}


def test_truth_of_sales_is_what_the_files_say(made: Made) -> None:
    current = dict(_sales(made))  # a later row of the same key replaces the earlier one
    rates, assignments, plans, left = _rates(made), _assignments(made), _plan_windows(made), _left(made)

    def converted(sale: Sale, kind: str) -> Decimal:
        if sale.currency == "CNY":
            return sale.net
        known = rates[kind, sale.currency]
        return sale.net * known[max(day for day in known if day <= sale.day)]

    def credits(sale: Sale) -> list[tuple[str, Decimal]]:
        """A return goes as its sale went; nobody who had left by the sale has a share; the rest is unassigned."""
        sold = current.get(sale.original) if sale.original else None
        base, seller = sold or sale, sale.seller or (sold.seller if sold else None)
        day = base.day.isoformat()

        def employed(member: str) -> bool:
            return day < left.get(member, "9999-12-31")

        if seller and (employed(seller) or not (sale.is_invoice or sold)):
            return [(seller, D(100))]
        shares = [
            (row["Member ID"], D(row["Split %"]))
            for row in assignments[base.dealer]
            if row["Start Date"] <= day < (row["End Date"] or "9999-12-31") and employed(row["Member ID"])
        ]
        return [*shares, ("unassigned", D(100) - sum((percent for _, percent in shares), D(0)))]

    net: dict[str, Decimal] = defaultdict(Decimal)
    quarters: dict[str, Decimal] = defaultdict(Decimal)
    members: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    at_plan: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for sale in current.values():
        quarter = f"{sale.day.year}-Q{(sale.day.month - 1) // 3 + 1}"
        net[sale.currency] += sale.net
        if sale.is_sold_on:
            continue
        quarters[quarter] += converted(sale, "market")
        for member, percent in credits(sale):
            if percent:
                members[quarter, member] += converted(sale, "market") * percent / 100
        # Pay: what comes back counts as a part of its sale, in the quarter of the sale or apart from the quarters.
        sold = current.get(sale.original) if sale.original else None
        base = sold or sale
        for member, percent in credits(base):
            start, end = plans.get(member, ("", ""))
            if start <= base.day.isoformat() < end and quarter_of(base.day) == quarter_of(sale.day):
                at_plan[quarter, member] += converted(base, "plan") * sale.net / base.net * percent / 100

    truth = made.truth["sales"]
    assert len(current) == truth["current_lines"]
    assert {code: f"{amount}" for code, amount in net.items()} == truth["net_amount_by_currency"]
    assert {q: f"{half_up(v)}" for q, v in quarters.items()} == {
        q: figures["net_revenue"] for q, figures in truth["by_quarter"].items()
    }
    assert {key: f"{half_up(v)}" for key, v in members.items()} == {
        (q, m): v for q, by_member in truth["net_revenue_by_member"].items() for m, v in by_member.items()
    }
    for quarter, by_member in made.truth["pay"].items():
        assert len(by_member) >= 3
        for member, paid in by_member.items():
            assert abs(at_plan[quarter, member] - D(paid["base"])) < D("0.0001"), (quarter, member)


def test_truth_of_payments_is_what_the_files_say(made: Made) -> None:
    """Two systems, two languages, two ways to write numbers: read plainly and added up by currency."""
    amounts: dict[str, tuple[str, Decimal]] = {}
    for one in made.truth["files"]:
        if one["feed"] == "payments":
            chinese = one["entry"] == "payments_cn"
            early = "paid before its invoice came"  # held back for a week, and then taken
            out = {planted["row_number"] for planted in one["planted"] if planted["kind"] != early}
            with (made.out / one["received"] / one["file"]).open(
                encoding="gb18030" if chinese else "cp1252", newline=""
            ) as stream:
                for row_number, row in enumerate(csv.reader(stream, delimiter="," if chinese else ";"), start=1):
                    if row_number > 1 and row_number not in out:
                        currency = "CNY" if chinese else row[5]
                        amounts[row[0]] = (currency, _number(row[5 if chinese else 4], comma=not chinese))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts.values():
        sums[currency] += amount
    truth = made.truth["feeds"]["payments"]
    assert len(amounts) == truth["current"]
    assert {code: f"{amount}" for code, amount in sums.items()} == truth["measures"][0]["values"]


def test_truth_explains_a_transfer_inside_a_quarter(made: Made) -> None:
    transfer = made.truth["events"]["transfer"]
    before = [one for one in transfer["lines"] if one["when"] == "before"]
    after = [one for one in transfer["lines"] if one["when"] == "from"]
    assert transfer["told_on"] > transfer["on"]
    assert {one["credited"] for one in before} == {f"{transfer['from_member']} owner"}
    assert {one["credited"] for one in after} == {f"{transfer['to_member']} owner"}
    assert all(D(one["net_amount"]) > 0 for one in (*before, *after))
    for one in transfer["sale_lines"]:
        owner = transfer["from_member"] if one["sale_date"] < transfer["on"] else transfer["to_member"]
        assert one["credited"] == f"{owner} owner"
    assert sum(D(one["net_amount"]) for one in transfer["sale_lines"]) == sum(
        D(one["net_amount"]) for one in transfer["lines"]
    )


def test_corrections_move_a_sale_to_another_quarter_and_change_amounts(made: Made) -> None:
    corrections: list[dict[str, Any]] = made.truth["events"]["corrections"]
    moved = [c for c in corrections if c["sale_date_before"][:7] != c["sale_date"][:7]]
    assert any((c["sale_date_before"][5:7], c["sale_date"][5:7]) == ("04", "03") for c in moved)
    assert any(c["net_amount"] != c["net_amount_before"] for c in corrections)


@pytest.mark.parametrize("seed", range(1, 9))
@pytest.mark.parametrize("size", ["S", "M"])
def test_company_of_any_seed_keeps_its_rules(seed: int, size: str) -> None:
    company = make_company(seed, SIZES[size])
    for dealer_id, segments in company.segments.items():
        for segment in segments:
            assert sum(split for _, _, split in segment.shares) <= 100, dealer_id
            for member, _, _ in segment.shares:
                assert company.employed(member, segment.start), (dealer_id, member, segment.start)
        assert [s.start for s in segments] == sorted({s.start for s in segments}), dealer_id
    assert company.transfer


# ------------------------------------------------------------------------------------------------ the plan, by hand
@pytest.mark.parametrize(
    ("base", "target", "bands", "bonus"),
    [
        pytest.param("50000.00", "100000", ["500.00", "0.00", "0.00"], "0.00", id="inside the first band"),
        pytest.param("80000.00", "100000", ["800.00", "0.00", "0.00"], "0.00", id="at the end of the first band"),
        pytest.param("90000.00", "100000", ["800.00", "150.00", "0.00"], "0.00", id="inside the second band"),
        pytest.param("99999.99", "100000", ["800.00", "300.00", "0.00"], "0.00", id="a cent short of the target"),
        pytest.param("100000.00", "100000", ["800.00", "300.00", "0.00"], "5000.00", id="exactly the target"),
        pytest.param("120000.00", "100000", ["800.00", "300.00", "500.00"], "5000.00", id="above the target"),
        pytest.param("0.50", "100000", ["0.01", "0.00", "0.00"], "0.00", id="half a cent goes up"),
    ],
)
def test_commission_truth(base: str, target: str, bands: list[str], bonus: str) -> None:
    events = [Event(date(2026, 1, 5), "T1", 1, Share("T1", 1, "owner"), D(base))]
    _, paid, _ = commission(events, D(target))
    assert [f"{paid[number]}" for number in (1, 2, 3)] == bands
    assert D(base) >= D(target) or bonus == "0.00"


def test_a_member_reaches_the_target_to_the_cent(made: Made) -> None:
    member = made.truth["events"]["target_edges"]["exactly_reached"]
    reached = made.truth["attainment"]["2026-Q1"][member]
    assert D(reached["actual"]) == half_up(D(reached["target"]))


def test_a_target_of_zero_has_no_attainment(made: Made) -> None:
    member = made.truth["events"]["target_edges"]["zero_target"]
    assert made.truth["attainment"]["2025-Q3"][member]["attainment"] is None
