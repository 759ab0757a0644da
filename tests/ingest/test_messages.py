"""What a newcomer reads when a profile, a select or the choice of the company is wrong: the whole message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests import small

from dealermart.base import ConfigError, Settings, load_settings
from dealermart.cli import main
from dealermart.config import check_company

DEALERS = "dealer,since,name,region,city\nD1,2026-01-01,甲,East,上海\n"
SELECT = "select f._delivery_id, f._row_number, f.dealer as dealer_id, f.since as valid_from, f.name as dealer_name, 'active' as status from dealer_file as f"  # fmt: skip

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Ingest a folder by the command line; gives exit code and what stands in stderr, with paths below the config."""
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))

    def run(folder: Path) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["ingest", "--source", "mini", "--received", "2026-03-02", "--drop", str(folder)])
        return code, capsys.readouterr().err.replace(f"{settings.config}/sources/mini/", "")

    return run


CONTRACT = "dealer_id, valid_from, valid_to, dealer_name, dealer_type, tier, parent_dealer_id, region, country, city, currency_code, onboarded_date, status, credit_limit_amount"  # fmt: skip
SELECTS = {
    "a column of the file": (
        ("f.name as", "f.nmae as"),
        "dealers.sql:1: the select names a column 'nmae', which neither dealer_file nor what it looks up has\n"
        "  mend: write name? the file has dealer, since, name, region, city\n",
    ),
    "a column of the file, without its alias": (
        ("f.name as", "naem as"),
        "dealers.sql:1: the select names a column 'naem', which neither dealer_file nor what it looks up has\n"
        "  mend: write name? the file has dealer, since, name, region, city\n",
    ),
    "a column of the contract where one of the file belongs": (
        ("f.name as", "f.dealer_type as"),
        "dealers.sql:1: the select names a column 'dealer_type', which neither dealer_file nor what it looks up has\n"
        "  mend: write dealer? the file has dealer, since, name, region, city; dealer_type is a column of feed dealers: it stands "
        "behind `as`\n",
    ),
    "a column of the contract": (
        ("as dealer_name", "as dealer_nam"),
        "dealers.sql: the select returns dealer_nam, which feed dealers does not have\n"
        f"  mend: write dealer_name? its columns are {CONTRACT}\n",
    ),
    "no row number": (
        ("f._row_number, ", ""),
        "dealers.sql: the select does not return _row_number\n"
        "  mend: add `f._row_number,` to its list: by it every row is found again in its file\n",
    ),
}


@pytest.mark.parametrize("case", SELECTS)
def test_a_select_that_names_something_wrong(
    settings: Settings, drop: Callable[..., Path], command: Command, case: str
) -> None:
    (old, new), expected = SELECTS[case]
    (settings.sources / "mini" / "dealers.sql").write_text(SELECT.replace(old, new), "utf-8")
    code, said = command(drop({"dealers.csv": DEALERS}))
    assert code == 1
    assert said.endswith(f"error: {expected}")


def test_a_line_that_may_be_data_is_not_shown_as_columns(
    settings: Settings, drop: Callable[..., Path], command: Command
) -> None:
    (settings.sources / "mini" / "dealers.sql").write_text(SELECT.replace("f.", ""), "utf-8")
    said = command(drop({"dealers.csv": "D1,2026-01-01,Anna Schmidt\nD2,2026-01-01,Li\n"}))[1]
    assert "mend: none of the 3 columns of the file stands in the select" in said
    assert "Anna" not in said


def test_the_order_of_dates_cannot_be_given_for_what_is_looked_up(
    settings: Settings, drop: Callable[..., Path], command: Command
) -> None:
    path = settings.sources / "mini" / "source.yml"
    path.write_text(path.read_text("utf-8").replace("key: [city]", 'key: [city]\n    dates: ["%d/%m/%Y"]'), "utf-8")
    code, said = command(drop({"dealers.csv": DEALERS}))
    assert code == 1
    assert said == (
        "error: source.yml: field files.6 (city): dates, decimal and unpivot belong to files of a feed; what is looked up "
        "stays text\n  mend: let the select that looks it up read it, such as try_strptime(city.since, '%d/%m/%Y')\n"
    )


def test_a_lookup_by_a_column_that_no_file_has_brought_yet_finds_nothing(
    settings: Settings, drop: Callable[..., Path], command: Command
) -> None:
    """The key need not stand in ``columns``; a file without it is refused."""
    path = settings.sources / "mini" / "source.yml"
    path.write_text(path.read_text("utf-8").replace("    columns: [city, country]\n", ""), "utf-8")
    (settings.sources / "mini" / "dealers.sql").write_text(
        SELECT.replace("as f", "as f left join city on city.city = f.city"), "utf-8"
    )
    assert command(drop({"dealers.csv": DEALERS}))[0] == 0
    code, said = command(drop({"city.csv": "town,country\n上海,China\n"}))
    assert code == 1
    assert "city.csv" in said and "required columns are missing: city" in said


def test_a_wrong_order_of_dates_is_mended_in_the_profile_and_not_overridden(
    settings: Settings, drop: Callable[..., Path], command: Command
) -> None:
    dates = """mend: look at the dates in the file and say their order under `dates` of its entry in source.yml, such as dates: ["%d/%m/%Y"], then ingest again\n"""  # fmt: skip
    path = settings.sources / "mini" / "source.yml"
    text = path.read_text("utf-8")
    (settings.sources / "mini" / "dealers.sql").write_text(SELECT, "utf-8")
    days = range(1, 21)
    by_day = drop(
        {"dealers.csv": "dealer,since,name,region,city\n" + "".join(f"D{day},{day}/01/2026,甲,,\n" for day in days)}
    )
    said = command(by_day)[1]
    assert "20 of 20 rows cannot be taken (first in row 2: valid_from does not say which of day and month" in said
    assert dates in said and "--override" not in said

    # The other order reads 12 of the 20 days, and all of them wrong.
    path.write_text(text.replace('"dealers*.csv"\n', '"dealers*.csv"\n    dates: ["%m/%d/%Y"]\n'), "utf-8")
    late = drop(
        {"dealers.csv": "dealer,since,name,region,city\n" + "".join(f"D{day},{day + 8}/01/2026,甲,,\n" for day in days)}
    )
    said = command(late)[1]
    assert "16 of 20 rows cannot be taken (first in row 6: valid_from is not a date)" in said
    assert dates in said and "--override" not in said


def test_the_company_file_that_belongs_to_a_source_is_not_forgotten(
    settings: Settings, drop: Callable[..., Path], command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings.config / "company.mini.yml"
    own.write_text(settings.company_file.read_text("utf-8"), "utf-8")
    code, said = command(drop({"dealers.csv": DEALERS}))
    assert code == 1
    assert said == (
        f"error: {own}: source mini has a company file of its own, and company.yml is in use\n"
        "  mend: set DEALERMART_COMPANY=company.mini.yml, with a home of its own in DEALERMART_HOME; or remove the file, "
        "if the source belongs to the company in use\n"
    )
    assert not settings.landing.exists()
    check_company(replace(settings, company="company.mini.yml"), "mini")
    check_company(settings, "other")

    monkeypatch.setenv("DEALERMART_COMPANY", "company.minni.yml")
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert "DEALERMART_COMPANY names 'company.minni.yml', and there is no such file" in str(caught.value)
    assert "name one of: company.mini.yml, company.yml" in str(caught.value)


def test_a_missing_rate_names_both_currencies_the_day_and_what_brings_it(
    settings: Settings, drop: Callable[..., Path], command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(small.RULES, "sales", ("key_mostly_missing", "rate_unknown"))
    monkeypatch.setenv("DEALERMART_PROJECT", str(small.project(tmp_path / "rates", ())))
    text = settings.company_file.read_text("utf-8")
    settings.company_file.write_text(text.replace("complete_feeds: []", "complete_feeds: [fx_rates]"), "utf-8")
    select = settings.sources / "mini" / "sales.sql"
    select.write_text(select.read_text("utf-8").replace("'CNY' as currency_code", "seller as currency_code"), "utf-8")
    head = "doc,line,kind,dealer,product,seller,qty,net,cost,day\n"
    row = "{},1,invoice,D1,P1,{},1,10,5,2026/02/{}\n"
    rows = [("A1", "SEK", "11"), ("A2", "SEK", "03"), ("A3", "CNY", "01"), ("A4", "USD", "20")]
    code, said = command(drop({"sales.csv": head + "".join(row.format(*values) for values in rows)}))
    assert code == 3
    assert (
        "sales.csv:2: there is no rate from SEK to CNY on or before 2026-02-03 (sale_date); the feed fx_rates brings it "
        "(2 rows in quarantine, rule rate_unknown)\n"
        "sales.csv:5: there is no rate from USD to CNY on or before 2026-02-20 (sale_date); the feed fx_rates brings it "
        "(1 rows in quarantine, rule rate_unknown)\n" in said
    )
    assert "is not the company of mini, name its file in DEALERMART_COMPANY" in said
