"""A file that should have come and did not is said: by the command, in the log, in the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from dealermart import ingest, lake
from dealermart.base import DataError, Settings
from dealermart.cli import main

MEMBERS = "member,since,name,role,team,manager\nM1,2026-01-01,Ann,sales,,\n"
TARGETS = "target,member,first_day,end_day,value\nT1,M1,2026-01-01,2027-01-01,100\n"


def _expect(settings: Settings, entry: str, *lines: str) -> None:
    path = settings.sources / "mini" / "source.yml"
    place = f"  - name: {entry}\n"
    path.write_text(path.read_text("utf-8").replace(place, place + "".join(f"    {line}\n" for line in lines)), "utf-8")


def _day(number: int) -> dt.date:
    return dt.date(2026, 3, number)


def test_what_did_not_come_is_named_and_what_is_late_is_told_apart(
    settings: Settings, drop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Targets came on the 1st and are expected every three days; dealers never came."""
    _expect(settings, "target_file", "expected_days: 3")
    _expect(settings, "dealer_file", "expected_days: 5")
    others = ["sale_file", "assignment_file", "product_file", "city"]
    first = ingest.run(settings, "mini", _day(1), drop({"targets.csv": TARGETS}))
    assert set(first.undelivered) == {*others, "dealer_file", "member_file"}
    assert first.late == ()

    # A second run of the day sees what the first one brought.
    again = ingest.run(settings, "mini", _day(1), drop({"members.csv": MEMBERS}))
    assert set(again.undelivered) == {*others, "dealer_file"}

    nothing = ingest.run(settings, "mini", _day(4))
    assert (nothing.undelivered, nothing.late) == ((), ())
    targets = "target_file (targets*.csv) is late: it last came on 2026-03-01, and is expected every 3 days"
    dealers = "dealer_file (dealers*.csv) is late: it never came, and is expected every 5 days"
    assert ingest.run(settings, "mini", _day(5)).late == (targets,)
    assert set(ingest.run(settings, "mini", _day(7)).late) == {targets, dealers}

    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    folder = drop({"members.csv": MEMBERS.replace("Ann", "Anne")})
    assert main(["ingest", "--source", "mini", "--received", "2026-03-07", "--drop", str(folder)]) == 0
    said = capsys.readouterr()
    assert "not delivered: sale_file, dealer_file, assignment_file, product_file, target_file, city\n" in said.out
    assert targets in said.err
    commit = lake.read(settings).commits[-1]
    assert set(commit["late"]) == {targets, dealers}
    page = (settings.reports / commit["run_id"] / "index.html").read_text("utf-8")
    assert "nothing came of: sale_file, dealer_file, assignment_file, product_file, target_file, city." in page
    assert targets in page


def test_a_required_file_that_is_late_is_an_error_on_a_day_on_which_nothing_came(
    settings: Settings, drop: Callable[..., Path]
) -> None:
    _expect(settings, "target_file", "expected_days: 1", "required: true")
    ingest.run(settings, "mini", _day(1), drop({"targets.csv": TARGETS}))
    assert ingest.run(settings, "mini", _day(2)).late == ()
    with pytest.raises(DataError, match=r"a required file is missing: target_file \(targets\*\.csv\) is late: it last came on 2026-03-01, and is expected every day"):  # fmt: skip
        ingest.run(settings, "mini", _day(3))


def test_corrected_rows_come_alone(settings: Settings, drop: Callable[..., Path]) -> None:
    folder = drop({"corrected/member_file/rows.csv": MEMBERS})
    assert ingest.run(settings, "mini", _day(1), folder).undelivered == ()
