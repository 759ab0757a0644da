"""``dealermart explain``: what it shows is what the tables hold, from the rows of files to the amount.

The figures of the hand-made company (tests/dbt/company.py) are those of tests/dbt/test_incentives.py; those of
explained.yml are reckoned beside the tests.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dealermart.base import REPO, Settings, child_environment
from dealermart.cli import main
from dealermart.config import load_plan, load_registry, plan_parts, plan_words
from dealermart.report import Note, Table, statement_blocks
from dealermart.report.statement import money, number, percent
from dealermart.report.statement_words import REASONS, reason, source

Run = Callable[..., tuple[int, str, str]]

SALES_COMMISSION = REPO / "config" / "plans" / "sales_commission.yml"


def house(folder: Path, warehouse: Path) -> Path:
    """A home whose last build ended well and left this warehouse."""
    (folder / "warehouse").mkdir(parents=True)
    (folder / "warehouse" / "warehouse.duckdb").symlink_to(warehouse)
    done = {"seq": 1, "as_of": "2026-04-05 00:00:00", "period_end": "2026-04-01"}
    (folder / "warehouse" / "warehouse.state.json").write_text(json.dumps({"done": done, "attempt": None}), "utf-8")
    return folder


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Path, Path], Run]:
    """Run the command in a home; gives exit code, what was printed, and what was told of errors."""

    def of(home: Path, config: Path) -> Run:
        monkeypatch.setenv("DEALERMART_HOME", str(home))
        monkeypatch.setenv("DEALERMART_CONFIG", str(config))

        def command(*arguments: str | Path) -> tuple[int, str, str]:
            capsys.readouterr()
            code = main(["explain", *map(str, arguments)])
            return code, *capsys.readouterr()

        return command

    return of


@pytest.fixture
def run(built: Path, tmp_path: Path, call: Callable[[Path, Path], Run]) -> Run:
    """The command on the hand-made company."""
    return call(house(tmp_path / "home", built), built.parent / "config")


def told(run: Run, *arguments: str) -> dict[str, Any]:
    code, said, errors = run(*arguments, "--format", "json")
    assert (code, errors) == (0, "")
    return dict(json.loads(said, parse_float=Decimal))


def table(blocks: Iterable[Any], title: str) -> list[dict[str, str]]:
    """Rows of all tables of a title, cells by their columns."""
    return [
        dict(zip(block.header, row, strict=True))
        for block in blocks
        if isinstance(block, Table) and block.title == title
        for row in block.rows
    ]


# ------------------------------------------------------------------------------------------- without a warehouse


@pytest.mark.parametrize(
    ("value", "shown"),
    [("3661.00000000", "3,661"), ("16.5250000000", "16.525"), ("0E-10", "0"), ("-800.0", "-800"), ("1E+3", "1,000")],
)
def test_numbers_lose_zeros_only(value: str, shown: str) -> None:
    assert number(Decimal(value)) == shown
    assert Decimal(shown.replace(",", "")) == Decimal(value)


def test_shares_are_percents_and_pay_has_cents() -> None:
    assert percent(Decimal("0.015000")) == "1.5 %"
    assert percent(Decimal("1.22033333")) == "122.033333 %"
    assert (money(Decimal("5049.53")), money(Decimal(20)), money(None)) == ("5,049.53", "20.00", "")


def test_reasons_and_rows_in_chinese() -> None:
    assert reason("sale lines without a plan rate: 3", "zh") == "没有计划汇率的销售行：3"
    assert reason("as agreed with HR", "zh") == "as agreed with HR"
    assert source("sale T1/2 as co_owner, anew", "zh") == "销售 T1/2（共同负责人），重算"
    assert source("payment P1/1 of T1 as owner", "en") == "payment P1/1 ← T1 as owner"
    assert source("release hold 2026-M01", "zh") == "发放 预留 2026-M01"


def test_every_reason_of_the_models_has_a_chinese_one() -> None:
    """A text that a model gives as a reason: three words or more, in quotes, between then or else and the end."""
    found = set()
    for path in (REPO / "dbt_project" / "models").glob("*/incentive/*.sql"):
        text = path.read_text("utf-8")
        found |= set(re.findall(r"(?:then|else)\s+'([a-z]\w* [^'(*.>]* [^'(*.>]*)'", text, re.IGNORECASE))
        found |= set(re.findall(r"'([a-z][^']*)' as \w*reason\b", text))
    causes = (REPO / "dbt_project" / "macros" / "paid.sql").read_text("utf-8")
    found |= set(re.findall(r"\('\w+', '([^']* [^']*)'\)", causes))
    found -= {"came back later than "}
    assert len(found) > 30
    assert {text for text in found if text not in REASONS} == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_parts_of_a_plan_are_its_sentences(language: Any) -> None:
    plan = load_plan(SALES_COMMISSION, load_registry(Settings(home=Path("nowhere"))))
    parts = plan_parts(plan, language)
    whole = [line.strip() for line in plan_words(plan, language)]
    apart = [line.strip() for lines in (parts.whole, *parts.components.values()) for line in lines]
    assert list(parts.components) == ["commission", "bonus"]
    # Only the headings are left out: of the plan, and of its two components.
    assert len(whole) - len(apart) == 3
    assert set(apart) <= set(whole)


# ------------------------------------------------------------------------------------------- the hand-made company


@pytest.mark.integration
def test_the_text_shows_what_was_reckoned_by_hand(run: Run) -> None:
    code, said, errors = run("--payee", "M1", "--period", "2026-Q1")
    assert (code, errors) == (0, "")
    lines = [re.sub(r"\s+", " ", line).strip() for line in said.splitlines()]
    for wanted in (
        "Sales commission: 5,049.53 CNY [paid]",
        "file: plans/sales_commission.yml",
        "version: 1",
        "from 0.8 to 1 (excluded): 1.5 % of the measure",
        # 600 + 270 + 710 + 710 + 600 + 71 as owner; 300 + 400 + 800 as seller, of which 800 came back
        "owner sale counts 6 2,961 4.8",
        "stated seller sale counts 3 1,500 3",
        "stated seller return counts 1 -800 1",
        "T2/1 sale 2026-01-31 owner 100 % 710 sales.csv 8",
        "2026-Q1 10 3,661 3,000 122.033333 %",
        "M1-Q1 member M1 net_revenue 2026-01-01 to 2026-04-01 (excluded) 3,000 CNY targets.csv 2",
        "1 0 % – 80 % 2,400 1 % % of base 24 24.00",
        "2 80 % – 100 % 600 1.5 % % of base 9 9.00",
        "3 ≥ 100 % 661 2.5 % % of base 16.525 16.53",
        "1 ≥ 100 % 3,661 5,000 fixed 5,000 5,000.00",
        "earned 3 return R7/1 as stated seller sales.csv 17 -800 -20.00",
        "total: 5,049.53 CNY",
    ):
        assert wanted in lines, wanted


@pytest.mark.integration
@pytest.mark.parametrize("payee", ["M1", "M2", "M3"])
def test_every_number_that_is_shown_is_stored(run: Run, built: Path, payee: str) -> None:
    """Of all tables of the page; but for sums by role, which add up to what the component stores, and counts."""
    explained = told(run, "--payee", payee, "--period", "2026-Q1")
    blocks = statement_blocks(exact(explained), "en")
    stored = numbers_of(built, payee)
    shown = shown_numbers(blocks)
    assert len(shown) > 10
    assert [cell for cell, values in shown if not values & stored] == []
    for statement in explained["statements"]:
        for component in statement["components"]:
            roles = component["credited"]["by_role"]
            (amount,) = {line["credited_amount"] for line in component["earned"]}
            (count,) = {line["credited_line_count"] for line in component["earned"]}
            assert sum(Decimal(role["measure_amount"]) for role in roles) == Decimal(amount)
            assert sum(role["event_count"] for role in roles) == count == component["credited"]["row_count"]


def exact(explained: Any) -> Any:
    """Texts of JSON that are decimals, as such."""
    if isinstance(explained, dict):
        return {name: exact(value) for name, value in explained.items()}
    if isinstance(explained, list):
        return [exact(value) for value in explained]
    if isinstance(explained, str) and re.fullmatch(r"-?\d+\.\d+|0E-\d+", explained):
        return Decimal(explained)
    return explained


def numbers_of(warehouse: Path, payee: str) -> set[Decimal]:
    """All numbers of the rows of a payee in the incentive tables, and of targets and rows of files."""
    found: set[Decimal] = set()
    with duckdb.connect(str(warehouse), read_only=True) as con:
        tables = con.execute(
            """
            select table_schema || '.' || table_name, list(column_name) from information_schema.columns
            where regexp_matches(table_name, '^(mart|int)_incentive__')
                or table_name in ('fct_sale_line', 'fct_target', 'int_kpi__target', 'plan_component', 'plan_segment')
            group by all
            """
        ).fetchall()
        for name, columns in tables:
            mine = f"where payee_id = '{payee}'" if "payee_id" in columns else ""
            for row in con.execute(f"select * from {name} {mine}").fetchall():
                found |= {Decimal(value) for value in row if isinstance(value, int | Decimal)}
    return found


@pytest.mark.integration
def test_who_is_paid_nothing_reads_why(run: Run) -> None:
    explained = exact(told(run, "--payee", "M3", "--period", "2026-Q1"))
    assert [statement["plan_id"] for statement in explained["statements"]] == ["no_such_plan", "sales_commission"]
    english, chinese = statement_blocks(explained, "en"), statement_blocks(explained, "zh")
    assert {row["reason"] for row in table(english, "Target")} == {"there is no target in the period"}
    assert {row["原因"] for row in table(chinese, "目标")} == {"本期没有目标"}
    assert Note("Nothing is credited in the period.") in english
    code, said, _ = run("--payee", "M3", "--period", "2026-Q1", "--plan", "no_such_plan")
    assert code == 0
    assert "reason: the plan is not in config/plans" in said
    assert "The statement has no lines." in said


@pytest.mark.integration
def test_a_line_with_its_rows(run: Run) -> None:
    line = "paid:member:M1:sales_commission:1:commission:CNY:2026-Q1:earned:1.3"
    explained = exact(told(run, "--payee", "M1", "--period", "2026-Q1", "--line", line))
    (component,) = explained["statements"][0]["components"]
    assert [(row["band_no"], row["amount"]) for row in component["earned"]] == [(2, Decimal("9.00"))]
    rows = table(statement_blocks(explained, "en"), "What single rows bring")
    # 490 of the 600 of T4 and 110 of the 300 of T5 at 1.5 %
    assert [(row["row behind it"], row["file"], row["row"], row["base"], row["earned"]) for row in rows] == [
        ("sale T4/1 as owner", "sales.csv", "12", "490", "7.35"),
        ("sale T5/1 as stated seller", "sales.csv", "14", "110", "1.65"),
    ]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("arguments", "what", "mend"),
    [
        (["M9", "2026-Q1"], "payee M9 has no statement in any period", "there are: M1, M2, M3"),
        (["M2", "2025-Q4"], "M2 has no statement of 2025-Q4", "there are: 2026-Q1"),
        (
            ["M1", "2026-Q1", "--plan", "bonus"],
            "M1 has no statement of the plan bonus in 2026-Q1",
            "there are: sales_commission",
        ),
        (["M1", "2026-Q1", "--payee-type", "dealer"], "no dealer M1 has a statement", "M1 is a member"),
        (
            ["M1", "2026-Q1", "--line", "1.2"],
            "the statement has no line 1.2",
            "there are: paid:member:M1:sales_commission:1:commission:CNY:2026-Q1:earned:1.1, ",
        ),
    ],
)
def test_what_there_is_not_is_wrong_usage(run: Run, arguments: list[str], what: str, mend: str) -> None:
    payee, period, *more = arguments
    code, said, errors = run("--payee", payee, "--period", period, *more)
    assert (code, said) == (2, "")
    assert errors.startswith(f"error: {what}\n  mend: {mend}")


@pytest.mark.integration
@pytest.mark.parametrize(("language", "title"), [("en", "Statement of M1, 2026-Q1"), ("zh", "M1 的结算单，2026-Q1")])
def test_the_page_needs_nothing_besides_itself(run: Run, tmp_path: Path, language: str, title: str) -> None:
    path = tmp_path / "out" / "page.html"
    arguments = ("--payee", "M1", "--period", "2026-Q1", "--format", "html", "--language", language)
    code, said, errors = run(*arguments, "--out", path)
    assert (code, said, errors) == (0, "", f"written: {path}\n")
    page = path.read_text("utf-8")
    assert page.startswith("<!doctype html>") and f'<html lang="{language}">' in page
    assert f"<title>{title}</title>" in page and "5,049.53 CNY" in page
    assert not re.search(r"<(script|link|img)|src=|url\(|https?://", page)
    assert path.stat().st_mode & 0o077 == 0  # it is pay
    code, said, _ = run(*arguments)
    assert said == page


@pytest.mark.integration
def test_a_plan_file_that_says_something_else_now_is_told(
    built: Path, tmp_path: Path, call: Callable[[Path, Path], Run]
) -> None:
    config = tmp_path / "config"
    shutil.copytree(built.parent / "config", config)
    path = config / "plans" / "sales_commission.yml"
    path.write_text(path.read_text("utf-8").replace("value: 1.5", "value: 1.6"), "utf-8")
    run = call(house(tmp_path / "home", built), config)
    code, said, _ = run("--payee", "M1", "--period", "2026-Q1")
    assert code == 0
    assert "! The plan file no longer says what was paid, or is gone" in said
    assert "Only events where channel is sell_in." in said
    assert "from 0.8 to 1 (excluded): 1.5 % of the measure" in said
    assert "1.6 %" not in said


def test_without_a_build_it_says_so(tmp_path: Path, call: Callable[[Path, Path], Run]) -> None:
    (tmp_path / "warehouse").mkdir()
    code, _, errors = call(tmp_path, REPO / "config")("--payee", "M1", "--period", "2026-Q1")
    assert code == 1
    assert "there is no finished build\n  mend: run `dealermart build`" in errors


# ------------------------------------------------------------------------------------------- all stages at once


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the statements of explained.yml."""
    folder = tmp_path_factory.mktemp("rich")
    program = [sys.executable, "-m", "dealermart.cli"]
    done = subprocess.run(
        [*program, "plan", "test", str(Path(__file__).with_name("explained.yml"))],
        env=child_environment(DEALERMART_HOME=str(folder / "tested"), DEALERMART_CONFIG=str(REPO / "config")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return house(folder / "home", folder / "tested" / "plan_test" / "warehouse.duckdb")


@pytest.mark.integration
def test_what_reduces_defers_and_takes_back_pay(rich: Path, call: Callable[[Path, Path], Run]) -> None:
    """January: 500 × 5 % + 500 × 10 % against a ramped target of 500, halved by the gate: 37.50, of which 20 % wait.

    February: 1,000 × 5 % + 1,000 × 10 %, capped at 120.00. 40 % of January's sale came back: of the 37.50 that it was
    paid 40 % × 50 % are taken, 7.50. Of the 112.50 left 22.50 wait, January's 7.50 are released: 97.50, all of which
    goes against the draw of 100.00.
    """
    run = call(rich, REPO / "config")
    blocks = statement_blocks(exact(told(run, "--payee", "t0~A", "--period", "2026-M01")), "en")
    assert table(blocks, "Gates") == [
        {
            "looks at": "Customer satisfaction (top two of five)",
            "closed": "below 0.8",
            "value": "0.7",
            "gate": "closed",
            "then": "times 0.5",
        }
    ]
    (target,) = table(blocks, "Target")
    assert (target["as stated"], target["ramp"], target["target"]) == ("1,000", "0.5", "500")
    assert [row["amount"] for row in table(blocks, "From what is earned to what is paid")] == ["-37.50", "-7.50"]
    (draw,) = table(blocks, "Draws and guarantees")
    assert (draw["paid by it"], draw["opening"], draw["movement"], draw["closing"]) == (
        "100.00",
        "0.00",
        "100.00",
        "100.00",
    )

    blocks = statement_blocks(exact(told(run, "--payee", "t0~A", "--period", "2026-M02")), "en")
    (back,) = table(blocks, "What came back")
    assert back == {
        "came back": "return t0~R1/1",
        "day": "2026-02-20",
        "file": "sales.csv",
        "row": "5",
        "of the sale": "t0~T1/1",
        "sold on": "2026-01-10",
        "paid with": "2026-M01, until 2026-02-01",
        "measure": "-400",
        "the sale had earned": "75",
        "taken back": "50 %",
        "taken": "-7.5",
    }
    steps = table(blocks, "From what is earned to what is paid")
    assert [(row["line"], row["about"], row["amount"]) for row in steps] == [
        ("limit", "", "-30.00"),
        ("taken back", "", "-7.50"),
        ("held back", "", "-22.50"),
        ("release", "held back 2026-M01", "7.50"),
    ]
    due = table(blocks, "When it is due")
    assert [(row["earned in"], row["kind"], row["due from"], row["paid with"], row["amount"]) for row in due] == [
        ("2026-M01", "held back", "2026-03-01", "2026-M02", "7.50"),
        ("2026-M02", "held back", "2026-03-29", "later than built", "22.50"),
        ("2026-M02", "instalment", "2026-03-01", "2026-M02", "90.00"),
    ]
    assert table(blocks, "Balances") == [
        {"kind": "held back", "opening": "7.50", "movement": "15.00", "closing": "22.50"}
    ]
    (draw,) = table(blocks, "Draws and guarantees")
    assert (draw["recovered"], draw["opening"], draw["movement"], draw["closing"]) == (
        "97.50",
        "100.00",
        "-97.50",
        "2.50",
    )
    (untaken,) = table(blocks, "The largest rows of files among them")
    assert (untaken["document"], untaken["row"], untaken["reason"]) == (
        "t0~T3/1",
        "4",
        "no component of the plan takes it",
    )


@pytest.mark.integration
@pytest.mark.parametrize("period", ["2026-M01", "2026-M02"])
def test_every_number_of_all_stages_is_stored(rich: Path, call: Callable[[Path, Path], Run], period: str) -> None:
    run = call(rich, REPO / "config")
    stored = numbers_of(rich / "warehouse" / "warehouse.duckdb", "t0~A")
    shown = shown_numbers(statement_blocks(exact(told(run, "--payee", "t0~A", "--period", period)), "en"))
    assert len(shown) > 40
    assert [cell for cell, values in shown if not values & stored] == []


def shown_numbers(blocks: Iterable[Any]) -> list[tuple[tuple[str, str, str], set[Decimal]]]:
    """Cells with numbers, and what they may stand for: a percent for its share too."""
    found = []
    for block in blocks:
        if isinstance(block, Table) and block.title != "What is credited":
            for row in block.rows:
                for name, cell in zip(block.header, row, strict=True):
                    if name in block.numbers and cell not in ("", "held"):
                        value = Decimal(cell.replace(",", "").removesuffix(" %"))
                        values = {value, value / 100} if cell.endswith(" %") else {value}
                        found.append(((block.title, name, cell), values))
    return found
