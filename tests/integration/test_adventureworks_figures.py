"""The published figures of AdventureWorks come out of the marts.

Every expected figure is Microsoft's own or widely reproduced (see the README of the data set), or is counted here from
the files by another path. Runs where the data set lies beside the repo.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest

from dealermart import ingest, publish, warehouse
from dealermart.base import REPO, Settings
from dealermart.config import load_contracts, load_profile
from dealermart.ingest.partition import IngestResult

DATA = REPO.parent / "shared" / "data" / "adventureworks"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not DATA.is_dir(), reason="AdventureWorks is not here: its folder belongs into ../shared/data"),
]

UTF16_SALES = "dw-utf16/FactResellerSales.csv"
SELLER, INVOICE, AMOUNT, ORDERED = 5, 9, 19, 24  # fields of its lines


CENT = Decimal("0.01")
ZERO = "the rate of the band is zero"
NO_SALES = "the credited sales of the period come to zero"


@dataclass(frozen=True)
class Company:
    """AdventureWorks, ingested, built and published once for all tests."""

    settings: Settings
    result: IngestResult
    con: duckdb.DuckDBPyConnection

    def rows(self, sql: str) -> list[tuple]:
        return self.con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    settings = Settings(home=tmp_path_factory.mktemp("adventureworks"), company="company.adventureworks.yml")
    profile = load_profile(settings, "adventureworks", load_contracts(settings))
    assert profile.demo_received == dt.date(2014, 3, 1)
    result = ingest.run(settings, "adventureworks", profile.demo_received, DATA)
    warehouse.run(settings)
    publish.run(settings)
    with duckdb.connect(str(settings.published / "hr" / "dealermart.duckdb"), read_only=True) as con:
        schema = con.execute(
            "select table_schema from information_schema.tables where table_name = 'fct_sale_line'"
        ).fetchall()[0][0]
        con.execute(f"set schema = '{schema}'")
        yield Company(settings, result, con)


@pytest.fixture(scope="module")
def other() -> Iterator[duckdb.DuckDBPyConnection]:
    """The second path: the Parquet copies of the tables, which the pipeline does not read."""
    with duckdb.connect() as con:
        con.execute(f"create view sales as select * from '{DATA}/dw/FactResellerSales.parquet'")
        con.execute(f"create view product as select * exclude (LargePhoto) from '{DATA}/dw/DimProduct.parquet'")
        yield con


def money(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT)


# ------------------------------------------------------------------------------------------------ files


def test_every_file_is_taken_or_ignored_with_a_reason(company: Company) -> None:
    assert {one.status for one in company.result.files} == {"accepted"}
    assert company.result.refused == ()
    there = {path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file()}
    assert {one.file for one in company.result.files} | set(company.result.ignored) == there


def test_both_balances_hold_for_every_file(company: Company) -> None:
    for one in company.result.files:
        assert None not in (one.records, one.structural, one.rejected, one.mapped), one.file
        assert None not in (one.accepted, one.quarantined, one.duplicate), one.file
        assert one.records == one.structural + one.rejected + one.mapped, one.file
        assert one.mapped == one.accepted + one.quarantined + one.duplicate, one.file


def test_the_records_of_every_text_file_are_its_lines(company: Company) -> None:
    counted = {}
    for one in company.result.files:
        if one.file.endswith(".csv"):
            text = (DATA / one.file).read_text("utf-16" if one.file == UTF16_SALES else "utf-8-sig")
            header = 1 if one.file == "dw/DimEmployee.csv" else 0
            counted[one.file] = len(text.splitlines()) - header
    assert {one.file: one.records for one in company.result.files if one.file in counted} == counted
    assert counted[UTF16_SALES] == 60_855


@pytest.mark.parametrize(
    ("file", "structural", "accepted"),
    [
        pytest.param(UTF16_SALES, 0, 60_855, id="sales"),
        pytest.param("dw/FactSalesQuota.csv", 0, 163, id="quotas"),
        pytest.param("dw/DimReseller.csv", 0, 701, id="dealers"),
        pytest.param("dw/DimProduct.parquet", 0, 606, id="product versions"),
        # 296 rows for the whole company, 18 of them of the department Sales, and 79 blank ones at the end
        pytest.param("dw/DimEmployee.csv", 79 + 296 - 18, 18, id="people"),
        pytest.param("oltp/SalesPerson.csv", 0, 17, id="percents of commission"),
    ],
)
def test_nothing_is_lost_between_file_and_lake(company: Company, file: str, structural: int, accepted: int) -> None:
    results = [result for result in company.result.files if result.file == file]
    assert len(results) == (2 if file == "dw/DimEmployee.csv" else 1)  # people, and their national ids
    for found in results:
        assert (found.structural, found.rejected, found.quarantined, found.duplicate) == (structural, 0, 0, 0)
        assert found.accepted == accepted


def test_the_same_folder_again_changes_nothing(company: Company) -> None:
    before = {path.name for path in company.settings.lake.rglob("*.parquet")}
    again = ingest.run(company.settings, "adventureworks", dt.date(2014, 3, 2), DATA)
    assert not again.committed
    assert {one.status for one in again.files} == {"duplicate"}
    assert {path.name for path in company.settings.lake.rglob("*.parquet")} == before


# ------------------------------------------------------------------------------------------------ sales


def test_lines_total_and_gross_profit(company: Company) -> None:
    ((lines, net, gross),) = company.rows(
        "select count(*), sum(net_amount), sum(net_amount - cost_amount) from fct_sale_line"
    )
    assert (lines, cents(net), cents(gross)) == (60_855, money("80,450,596.98"), money("470,482.60"))


def test_a_line_is_price_times_quantity_less_discount(company: Company) -> None:
    assert company.rows("""
        select count(*) from fct_sale_line
        where abs(unit_price_amount * quantity - discount_amount - net_amount) > 0.0001
    """) == [(0,)]
    assert company.rows("select count(*) from fct_sale_line where discount_amount > 0") == [(3282,)]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param(
            "dealer_type",
            {
                "Specialty Bike Shop": "6,756,166.18",
                "Value Added Reseller": "34,967,517.33",
                "Warehouse": "38,726,913.48",
            },
            id="business type",
        ),
        pytest.param(
            "product_category",
            {
                "Accessories": "571,297.93",
                "Bikes": "66,302,381.56",
                "Clothing": "1,777,840.84",
                "Components": "11,799,076.66",
            },
            id="category",
        ),
        pytest.param(
            "dealer_country",
            {
                "Australia": "1,594,335.38",
                "Canada": "14,377,925.60",
                "France": "4,607,537.94",
                "Germany": "1,983,988.04",
                "United Kingdom": "4,279,008.83",
                "United States": "53,607,801.21",
            },
            id="country",
        ),
    ],
)
def test_sales_by(company: Company, column: str, expected: dict[str, str]) -> None:
    found = company.rows(f"select {column}, sum(net_amount) from fct_sale_line group by {column}")
    assert {name: cents(amount) for name, amount in found} == {name: money(text) for name, text in expected.items()}


def test_sales_of_warehouses_by_category(company: Company) -> None:
    found = dict(
        company.rows(
            "select product_category, sum(net_amount) from fct_sale_line"
            " where dealer_type = 'Warehouse' group by product_category"
        )
    )
    assert {name: cents(amount) for name, amount in found.items() if name != "Components"} == {
        "Accessories": money("331,169.64"),
        "Bikes": money("29,329,909.50"),
        "Clothing": money("932,521.23"),
    }
    assert cents(sum(found.values())) == money("38,726,913.48")


def test_every_line_equals_the_parquet_copy(company: Company, other: duckdb.DuckDBPyConnection) -> None:
    theirs = other.execute("""
        select SalesOrderNumber, cast(SalesOrderLineNumber as integer), cast(ResellerKey as varchar),
            cast(ProductKey as varchar), cast(EmployeeKey as varchar), cast(OrderQuantity as integer),
            SalesAmount, TotalProductCost, cast(OrderDate as date)
        from sales order by all
    """).fetchall()
    ours = company.rows("""
        select transaction_id, line_no, dealer_id, product_id, seller_id, cast(quantity as integer),
            net_amount, cost_amount, sale_date
        from fct_sale_line order by all
    """)
    assert ours == theirs


def test_all_money_is_in_dollars_and_converts_to_itself(company: Company) -> None:
    assert company.rows("""
        select currency_code, fx_status, count(*), count(*) filter (where net_amount_reporting <> net_amount)
        from fct_sale_line group by all
    """) == [("USD", "ok", 60_855, 0)]


# ------------------------------------------------------------------------------------------------ dealers and people


def test_701_dealers_of_which_66_never_bought_are_all_present(company: Company) -> None:
    bought = "(select dealer_id from fct_sale_line)"
    assert company.rows(f"""
        select count(distinct dealer_id), count(distinct dealer_id) filter (where dealer_id not in {bought})
        from dim_dealer
    """) == [(701, 66)]
    assert company.rows("select count(*) from dim_dealer where is_current") == [(701,)]
    # In the KPI table too: they stand there with what is known of them.
    assert company.rows(f"""
        select count(distinct subject_id) from mart_kpi__subject_period
        where subject_type = 'dealer' and kpi_code = 'net_revenue' and subject_id not in {bought}
    """) == [(66,)]


def test_sellers_are_people_of_the_team_at_the_day_of_the_sale(company: Company) -> None:
    assert company.rows("""
        select count(distinct s.seller_id), count(*), count(*) filter (where m.role in ('sales', 'manager'))
        from fct_sale_line as s
        join dim_member as m on m.member_id = s.seller_id and m.valid_from <= s.sale_date and s.sale_date < m.valid_to
    """) == [(17, 60_855, 60_855)]


def test_the_hierarchy_of_the_team(company: Company) -> None:
    found = dict(company.rows("select member_id, manager_id from dim_member where is_current"))
    assert len(found) == 18
    assert found["277"] is None  # the vice president
    assert {found[manager] for manager in ("272", "290", "294")} == {"277"}
    assert company.rows("select member_name from dim_member where member_id = '288'") == [("José Saraiva",)]


# ------------------------------------------------------------------------------------------------ quotas


def test_163_quotas(company: Company) -> None:
    assert company.rows("select count(*), sum(target_value) from fct_target") == [(163, money("95,714,000"))]
    assert company.rows("select count(*), sum(target_value) from mart_kpi__target_window") == [
        (163, money("95,714,000"))
    ]


def test_attainment_of_the_twelve_quota_windows(company: Company) -> None:
    found = company.rows("""
        select valid_from, sum(actual_value), sum(target_value)
        from mart_kpi__target_window group by valid_from order by valid_from
    """)
    assert found[0][0] == dt.date(2010, 12, 29)
    assert [str((actual / target).quantize(Decimal("0.001"))) for _, actual, target in found] == (
        ["0.822", "0.866", "0.857", "0.820", "0.843", "0.814", "0.891", "0.838", "0.796", "0.836", "0.882", "0.863"]
    )


def test_attainment_of_every_quota(company: Company) -> None:
    """From the files alone: a quota holds until the seller's next one, the last ones for 92 days."""
    with (DATA / "dw" / "FactSalesQuota.csv").open(encoding="utf-8-sig", newline="") as file:
        quotas = [
            (row[0], row[1], dt.date.fromisoformat(row[6][:10]), Decimal(row[5]))
            for row in csv.reader(file, delimiter="|")
        ]
    starts = defaultdict(list)
    for _, seller, start, _ in quotas:
        starts[seller].append(start)
    sold: dict[tuple[str, dt.date], Decimal] = defaultdict(Decimal)
    with (DATA / UTF16_SALES).open(encoding="utf-16", newline="") as file:
        for row in csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE):
            sold[row[SELLER], dt.date.fromisoformat(row[ORDERED][:10])] += Decimal(row[AMOUNT]).quantize(
                Decimal("0.0001"), ROUND_HALF_UP
            )
    expected = {}
    for number, seller, start, quota in quotas:
        end = min((later for later in starts[seller] if later > start), default=start + dt.timedelta(days=92))
        actual = sum((net for (who, day), net in sold.items() if who == seller and start <= day < end), Decimal(0))
        expected[number] = (actual, (actual / quota).quantize(Decimal("0.00000001"), ROUND_HALF_UP))
    found = {
        target: (actual, attainment)
        for target, actual, attainment in company.rows(
            "select target_id, actual_value, attainment from mart_kpi__target_window where status = 'ok'"
        )
    }
    assert len(found) == 163
    assert found == expected


def test_every_sale_lies_in_exactly_one_quota_window(company: Company) -> None:
    ((actual,),) = company.rows("select sum(actual_value) from mart_kpi__target_window")
    assert cents(actual) == money("80,450,596.98")


# ------------------------------------------------------------------------------------------------ commission


@dataclass(frozen=True)
class Sale:
    """A line of the file of sales, as plain as it is read."""

    row: int
    seller: str
    invoice: str
    day: dt.date
    net: Decimal


@pytest.fixture(scope="module")
def sales() -> list[Sale]:
    with (DATA / UTF16_SALES).open(encoding="utf-16", newline="") as file:
        return [
            Sale(
                number,
                row[SELLER],
                row[INVOICE],
                dt.date.fromisoformat(row[ORDERED][:10]),
                Decimal(row[AMOUNT]).quantize(Decimal("0.0001"), ROUND_HALF_UP),
            )
            for number, row in enumerate(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE), start=1)
        ]


def plain_rows(file: str, delimiter: str) -> list[list[str]]:
    with (DATA / file).open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened, delimiter=delimiter, quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def percents() -> dict[str, Decimal]:
    """Seller to CommissionPct, by way of the national id."""
    national = {row[0]: row[1] for row in plain_rows("oltp/Employee.csv", "\t")}
    with (DATA / "dw" / "DimEmployee.csv").open(encoding="utf-8-sig", newline="") as file:
        key = {row["EmployeeNationalIDAlternateKey"]: row["EmployeeKey"] for row in csv.DictReader(file)}
    return {key[national[row[0]]]: Decimal(row[4]) for row in plain_rows("oltp/SalesPerson.csv", "\t")}


@pytest.fixture(scope="module")
def hired() -> dict[str, dt.date]:
    with (DATA / "dw" / "DimEmployee.csv").open(encoding="utf-8-sig", newline="") as file:
        return {
            row["EmployeeKey"]: dt.date.fromisoformat(row["HireDate"])
            for row in csv.DictReader(file)
            if row["DepartmentName"] == "Sales"
        }


@pytest.fixture(scope="module")
def quotas() -> list[tuple[str, dt.date, dt.date, Decimal]]:
    """Seller, window, quota: the window ends where the seller's next one begins, the last after 92 days."""
    stated = [
        (row[1], dt.date.fromisoformat(row[6][:10]), Decimal(row[5]))
        for row in plain_rows("dw/FactSalesQuota.csv", "|")
    ]
    return [
        (
            seller,
            start,
            min(
                (day for who, day, _ in stated if who == seller and day > start), default=start + dt.timedelta(days=92)
            ),
            quota,
        )
        for seller, start, quota in stated
    ]


def quarter_of(day: dt.date) -> str:
    """The fiscal quarter: a fiscal year begins in July and is named by the year in which it ends."""
    return f"{day.year + (day.month >= 7)}-Q{(day.month - 7) % 12 // 3 + 1}"


def quarters_from(first: dt.date, until: dt.date) -> set[str]:
    return {quarter_of(first + dt.timedelta(days=number)) for number in range((until - first).days)}


def half_up(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def test_17_sellers_have_the_plan_of_their_percent(company: Company, percents: dict[str, Decimal]) -> None:
    assert len(percents) == 17
    found = company.rows("select distinct payee_id, plan_id, plan_file, rate from mart_incentive__statement_line")
    assert sorted(found) == sorted(
        (seller, plan, f"plans/adventureworks/{plan}.yml", percent)
        for seller, percent in percents.items()
        for plan in [f"commission_{int(percent * 10_000)}bp"]
    )
    assert {plan for _, plan, *_ in found} == {
        f"commission_{points}bp" for points in (0, 100, 120, 150, 160, 180, 190, 200)
    }


def test_commission_of_every_seller_and_quarter(
    company: Company, sales: list[Sale], percents: dict[str, Decimal], hired: dict[str, dt.date]
) -> None:
    """From the files alone: the percent of what was sold in the quarter; before somebody came there is no line."""
    sold: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for sale in sales:
        sold[sale.seller, quarter_of(sale.day)] += sale.net
    expected = {}
    for seller, percent in percents.items():
        for quarter in quarters_from(hired[seller], dt.date(2014, 3, 1)):
            net = sold.pop((seller, quarter), Decimal(0))
            pay = half_up(net * percent)
            reason = None if pay else ZERO if net else NO_SALES
            expected[seller, quarter] = (net, pay, "paid" if pay else "not_paid", reason)
    assert sold == {}
    found = {
        (payee, period): tuple(line)
        for payee, period, *line in company.rows(
            "select payee_id, period_id, base_amount, amount, status, reason from mart_incentive__statement_line"
        )
    }
    assert len(found) == 197
    assert found == expected
    assert company.rows("select count(*) from mart_incentive__statement_line") == [(197,)]
    assert company.rows("select distinct currency_code, line_kind from mart_incentive__statement_line") == [
        ("USD", "earned")
    ]


def test_managers_have_lines_of_nothing_that_say_why(
    company: Company, sales: list[Sale], percents: dict[str, Decimal]
) -> None:
    managers = {seller for seller, percent in percents.items() if percent == 0}
    assert managers == {"272", "290", "294"}
    found = company.rows("""
        select payee_id, reason, count(*), sum(credited_amount), min(amount), max(amount)
        from mart_incentive__statement_line where plan_id = 'commission_0bp' group by all order by all
    """)
    assert {(least, most) for *_, least, most in found} == {(Decimal("0.00"), Decimal("0.00"))}
    assert {reason for _, reason, *_ in found} == {ZERO, NO_SALES}
    assert {payee: net for payee, reason, _, net, *_ in found if reason == ZERO} == {
        manager: sum(sale.net for sale in sales if sale.seller == manager) for manager in managers
    }
    assert company.rows("select count(*) from mart_incentive__statement_line where payee_id = '277'") == [(0,)]


def test_all_commission_adds_up(company: Company, sales: list[Sale], percents: dict[str, Decimal]) -> None:
    sold: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for sale in sales:
        sold[sale.seller, quarter_of(sale.day)] += sale.net
    total = sum(half_up(net * percents[seller]) for (seller, _), net in sold.items())
    assert total == money("1,100,987.77")
    for table in ("statement_line", "statement", "payout", "line_source"):
        assert company.rows(f"select sum(amount) from mart_incentive__{table}") == [(total,)], table


def test_the_rows_behind_a_line_sum_to_it(company: Company) -> None:
    assert company.rows("""
        select count(*), sum(lines) from (
            select statement_line_id, count(*) as lines, sum(amount) as amount, sum(credited_amount) as base
            from mart_incentive__line_source group by statement_line_id
        ) as behind join mart_incentive__statement_line as line using (statement_line_id)
        where behind.amount = line.amount and behind.base = line.base_amount and behind.lines = line.credited_line_count
    """) == [(176, 60_855)]
    assert company.rows("""
        select count(*) from mart_incentive__statement_line
        where statement_line_id not in (select statement_line_id from mart_incentive__line_source)
            and credited_line_count <> 0
    """) == [(0,)]


def test_every_row_behind_a_line_is_a_row_of_the_file(company: Company, sales: list[Sale]) -> None:
    found = company.rows("""
        select source._row_number, line.payee_id, source.transaction_id, source.credited_amount, line.period_id
        from mart_incentive__line_source as source join mart_incentive__statement_line as line using (statement_line_id)
        where source._source_file = 'dw-utf16/FactResellerSales.csv' and source.credit_role = 'seller'
        order by source._row_number
    """)
    assert found == [(sale.row, sale.seller, sale.invoice, sale.net, quarter_of(sale.day)) for sale in sales]


def test_no_quota_window_is_a_fiscal_quarter(quotas: list[tuple[str, dt.date, dt.date, Decimal]]) -> None:
    """So no plan has a target (docs/decisions/adventureworks.md)."""
    within = [
        (start, end) for _, start, end, _ in quotas if quarter_of(start) == quarter_of(end - dt.timedelta(days=1))
    ]
    assert within == [(dt.date(2011, 7, 1), dt.date(2011, 9, 29))] * 10
    assert {(end - start).days for start, end in within} == {90}  # of the 92 days of the quarter


def test_a_quota_set_against_the_quarter_would_mislead(
    company: Company, sales: list[Sale], quotas: list[tuple[str, dt.date, dt.date, Decimal]]
) -> None:
    (quota,) = (quota for seller, start, _, quota in quotas if seller == "281" and start == dt.date(2011, 7, 1))
    net = sum(sale.net for sale in sales if sale.seller == "281" and quarter_of(sale.day) == "2012-Q1")
    assert (cents(net), quota, cents(net / quota)) == (money("551,682.63"), Decimal(502_000), Decimal("1.10"))
    ((attainment,),) = company.rows("""
        select attainment from mart_kpi__target_window where subject_id = '281' and valid_from = date '2011-07-01'
    """)
    assert cents(attainment) == Decimal("0.81")
    assert company.rows("select distinct target_value, attainment from mart_incentive__statement_line") == [
        (None, None)
    ]


def test_commission_by_quota_window(
    company: Company,
    sales: list[Sale],
    percents: dict[str, Decimal],
    quotas: list[tuple[str, dt.date, dt.date, Decimal]],
) -> None:
    """What is paid on the sales of each window; its cents lie on two statements, each with a running total of its own."""
    found = {
        (seller, start): (actual, base, pay)
        for seller, start, actual, base, pay in company.rows("""
            select target.subject_id, target.valid_from, target.actual_value, sum(source.credited_amount),
                sum(source.amount)
            from mart_kpi__target_window as target
            join mart_incentive__statement_line as line on line.payee_id = target.subject_id
            join mart_incentive__line_source as source using (statement_line_id)
            join fct_sale_line as sale
                on sale.transaction_id = source.transaction_id and sale.line_no = source.line_no
                and sale.sale_date >= target.valid_from and sale.sale_date < target.valid_to
            group by target.subject_id, target.valid_from, target.actual_value
        """)
    }
    assert len(found) == 163
    for seller, start, end, _ in quotas:
        net = sum((sale.net for sale in sales if sale.seller == seller and start <= sale.day < end), Decimal(0))
        actual, base, pay = found[seller, start]
        assert actual == base == net
        assert abs(pay - net * percents[seller]) < Decimal("0.015")
    assert sum(pay for *_, pay in found.values()) == money("1,100,987.77")


def test_the_statement_worked_by_hand_is_the_published_one(company: Company, sales: list[Sale]) -> None:
    """The section of docs/plans.md: its rows are those of the marts, and all other figures follow from them."""
    page = (REPO / "docs" / "plans.md").read_text("utf-8").partition("## A real statement, worked by hand")[2]
    rows = [
        (dt.date.fromisoformat(day), invoice, int(lines), *map(money, amounts))
        for day, invoice, lines, *amounts in re.findall(
            r"^\| (\S+) \| (SO\d+) \| (\d+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$", page, re.MULTILINE
        )
    ]
    assert len(rows) == 10
    found = company.rows("""
        select sale.sale_date, sale.transaction_id, count(*), sum(source.credited_amount), sum(source.amount)
        from mart_incentive__line_source as source
        join mart_incentive__statement_line as line using (statement_line_id)
        join fct_sale_line as sale on sale.transaction_id = source.transaction_id and sale.line_no = source.line_no
        where line.payee_id = '289' and line.period_id = '2011-Q3' group by all order by all
    """)
    assert [(day, invoice, lines, net, earned) for day, invoice, lines, net, _, _, earned in rows] == found
    so_far, before = Decimal(0), Decimal(0)
    for _, _, _, net, running, rounded, earned in rows:
        so_far += net
        assert (running, rounded, earned) == (so_far, half_up(so_far * Decimal("0.012")), rounded - before)
        before = rounded
    assert (sum(row[2] for row in rows), so_far * Decimal("0.012")) == (83, Decimal("2888.6766792"))
    assert company.rows("""
        select plan_id, base_amount, rate, amount, status from mart_incentive__statement_line
        where payee_id = '289' and period_id = '2011-Q3'
    """) == [("commission_120bp", money("240,723.0566"), Decimal("0.012"), money("2,888.68"), "paid")]

    first = sum(sale.net for sale in sales if sale.seller == "289" and sale.day == dt.date(2010, 12, 29))
    assert company.rows("""
        select base_amount, amount from mart_incentive__statement_line
        where payee_id = '289' and period_id = '2011-Q2'
    """) == [(first, money("833.68"))]
    second = sum(row[3] for row in rows[:6])
    assert (first, second, sum(row[6] for row in rows[:6])) == tuple(
        map(money, ("69,472.9963", "133,875.2426", "1,606.50"))
    )
    assert company.rows("""
        select target_value, actual_value, attainment from mart_kpi__target_window
        where subject_id = '289' and valid_from = date '2010-12-29' and valid_to = date '2011-03-31'
    """) == [(Decimal(226_000), first + second, Decimal("0.89977097"))]
    assert half_up((first + second) * Decimal("0.012")) == money("833.68") + money("1,606.50") == money("2,440.18")
    assert (so_far / 226_000).quantize(Decimal("0.001")) == Decimal("1.065")
    assert company.rows("""
        select credited_amount, credited_line_count, amount, reason from mart_incentive__statement_line
        where payee_id = '272' and period_id = '2011-Q3'
    """) == [(money("22,584.6955"), 12, Decimal("0.00"), ZERO)]
    for figure in ("2,888.68", "203,348.2389", "226,000", "0.89977097", "1.065", "22,584.6955", "1,100,987.77", ZERO):
        assert figure in page


# ------------------------------------------------------------------------------------------------ what there is not


@pytest.mark.parametrize(
    "table",
    [
        "bridge_assignment",
        "fct_training_record",
        "fct_survey_response",
        "fct_adjustment",
        "mart_incentive__balance",
        "mart_incentive__proposal",
    ],
)
def test_an_absent_feed_leaves_its_table_empty(company: Company, table: str) -> None:
    assert company.rows(f"select count(*) from {table}") == [(0,)]


@pytest.mark.parametrize("kpi", ["training_completion_pct", "csat_pct", "csat_mean"])
def test_an_absent_feed_shows_no_data_and_never_zero(company: Company, kpi: str) -> None:
    found = company.rows(f"""
        select distinct status, value is null, numerator is null, sample_size, status_reason is not null
        from mart_kpi__subject_period where kpi_code = '{kpi}'
    """)
    assert {row[:3] for row in found} == {("no_data", True, True)}
    assert {row[4] for row in found} == {True}
    assert {row[3] for row in found} <= {0, None}


def test_months_outside_the_sales_have_no_revenue_rather_than_none(company: Company) -> None:
    found = company.rows("""
        select period_start, status, value from mart_kpi__subject_period
        where subject_type = 'company' and kpi_code = 'net_revenue' and period_type = 'month' order by period_start
    """)
    first, last = dt.date(2010, 12, 1), dt.date(2013, 11, 1)
    assert {status for start, status, _ in found if not first <= start <= last} == {"no_data"}
    assert {value for start, _, value in found if not first <= start <= last} == {None}
    assert {status for start, status, _ in found if first <= start <= last} == {"ok"}
    assert cents(sum(value for *_, value in found if value is not None)) == money("80,450,596.98")


def test_nobody_is_rated_on_what_was_not_measured(company: Company) -> None:
    assert {status for (status,) in company.rows("select distinct status from mart_review__member_quarter")} <= {
        "not_rated"
    }


# ------------------------------------------------------------------------------------------------ publishing


def test_bi_sees_the_figures_and_no_pay(company: Company) -> None:
    with duckdb.connect(str(company.settings.published / "bi" / "dealermart.duckdb"), read_only=True) as con:
        names = {
            (table, column)
            for table, column in con.execute(
                "select table_name, column_name from information_schema.columns"
            ).fetchall()
        }
        schema = con.execute(
            "select table_schema from information_schema.tables where table_name = 'fct_sale_line'"
        ).fetchall()[0][0]
        total = con.execute(f"select sum(net_amount) from {schema}.fct_sale_line").fetchall()[0][0]
    assert cents(total) == money("80,450,596.98")
    assert ("dim_member", "member_name") in names
    assert not {("dim_member", column) for column in ("base_pay_amount", "gender", "birth_year")} & names
    assert not [table for table, _ in names if table.startswith(("mart_incentive", "mart_review"))]


# ------------------------------------------------------------------------------------------------ docs/decisions.md


def test_a_product_costs_the_same_number_in_every_currency(other: duckdb.DuckDBPyConnection) -> None:
    """So the amounts are dollars: the usual undiscounted price of a product does not depend on CurrencyKey."""
    found = other.execute("""
        with usual as (
            select ProductKey, CurrencyKey, mode(UnitPrice) as price from sales
            where UnitPriceDiscountPct = 0 group by all
        )
        select count(*), count(*) filter (where usual.price = dollars.price), count(distinct usual.CurrencyKey)
        from usual join usual as dollars on dollars.ProductKey = usual.ProductKey and dollars.CurrencyKey = 100
        where usual.CurrencyKey <> 100
    """).fetchall()
    assert found == [(939, 939, 4)]


def test_the_dates_of_product_versions_contradict_the_sales(other: duckdb.DuckDBPyConnection) -> None:
    assert other.execute("""
        select count(*) from sales join product using (ProductKey) where OrderDate < StartDate
    """).fetchall() == [(36_301,)]
    assert other.execute("select count(*) from product where EndDate < StartDate").fetchall() == [(200,)]
    assert other.execute("select count(*), count(distinct ProductAlternateKey) from product").fetchall() == [(606, 504)]


def test_every_seller_has_one_key(other: duckdb.DuckDBPyConnection) -> None:
    with (DATA / "dw" / "DimEmployee.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["EmployeeKey"]]
    people = {row["EmployeeNationalIDAlternateKey"] for row in rows}
    assert (len(rows), len(people)) == (296, 290)
    person = {row["EmployeeKey"]: row["EmployeeNationalIDAlternateKey"] for row in rows}
    sellers = [str(key) for (key,) in other.execute("select distinct EmployeeKey from sales").fetchall()]
    assert len(sellers) == 17
    assert all(sum(one == person[key] for one in person.values()) == 1 for key in sellers)
