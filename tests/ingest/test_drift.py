"""Drift against the deliveries before: what is reported, what is refused, and who may take it all the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.lake.things import SALES, dealers, source

from dealermart import ingest, lake, upkeep
from dealermart.base import Settings, UsageError
from dealermart.cli import main
from dealermart.ingest import Override
from dealermart.lake import FileResult

pytestmark = pytest.mark.slow


Drop = Callable[..., Path]
LINES = [f"A{number},1,invoice,D1,P1,2,{number}.50,60,2026-03-01" for number in range(1, 13)]
BY = {"by": "Wang Fang", "reason": "the source was split in two"}


def day(number: int) -> dt.date:
    return dt.date(2026, 3, number)


def take(
    settings: Settings, number: int, folder: Path, decided: Sequence[Override] = (), name: str | None = None
) -> FileResult:
    """Ingest a folder; the result of its only file, or of the one named."""
    files = ingest.run(settings, "things", day(number), folder, decided=decided).files
    (one,) = [file for file in files if name in (None, file.file)]
    return one


@pytest.fixture
def here(settings: Settings) -> Settings:
    source(settings)
    return settings


def test_a_new_column_and_one_that_is_empty_now_pass_and_are_reported(here: Settings, drop: Drop) -> None:
    first = take(here, 1, drop({"sales.csv": "\n".join([SALES, *LINES])}))
    assert (first.status, first.drift) == ("accepted", []), "nothing came before"
    wider = "\n".join([f"{SALES},truck", *(f"{line.replace(',60,', ',,')},T7" for line in LINES)])
    second = take(here, 2, drop({"sales.csv": wider}))
    assert second.status == "accepted"
    assert [(note["rule"], note["column"]) for note in second.drift] == [
        ("column_new", "truck"),
        ("column_gone", "cost"),
    ]
    third = take(here, 3, drop({"sales.csv": wider.replace("A1,", "B1,")}))
    assert third.drift == [], "known by now"


@pytest.mark.parametrize("late", [False, True], ids=["in order", "the earlier one is loaded later"])
def test_a_column_that_changes_its_type_refuses_the_file(here: Settings, drop: Drop, late: bool) -> None:
    good = drop({"sales.csv": "\n".join([SALES, *LINES])})
    # The note has no type in the contract: only the deliveries before say that it was always a number.
    flipped = drop(
        {"sales.csv": "\n".join([SALES, *(line.replace(",D1,", f",D{at},") for at, line in enumerate(LINES))])}
    )
    numbers = drop({"sales.csv": "\n".join([SALES, *(line.replace(",D1,", ",1001,") for line in LINES)])})
    if late:
        assert take(here, 5, numbers).status == "accepted"
        assert take(here, 3, flipped).status == "accepted", "what was received later is no past of it"
        return
    assert take(here, 1, numbers).status == "accepted"
    refused = take(here, 2, flipped)
    assert refused.status == "refused" and refused.error is not None
    assert "column dealer, which held numbers so far, mostly does not now" in refused.error
    assert "--override type_flip --file 'sales.csv'" in refused.error
    assert "D1" not in refused.error, "no value of the file"
    assert take(here, 2, good, [Override("type_flip", **BY)]).overridden == ["type_flip"]


def test_of_a_large_file_stretches_all_over_it_are_looked_at(here: Settings, drop: Drop) -> None:
    # Every fourth hundred of 40,000 rows, which is 10,000; half of them, as the second half of the file, hold no number.
    lines = [f"A{at},1,invoice,{at if at < 20_000 else 'D1'},P1,2,1.50,60,2026-03-01" for at in range(40_000)]
    alone = take(here, 1, drop({"sales.csv": "\n".join([SALES, *lines])}))
    assert alone.seen["dealer"][:3] == [40_000, 10_000, 5_000]
    # Of two files each row is asked for its number: every fourth, and every one of a small file.
    both = {"sales1.csv": "\n".join([SALES, *lines[::-1]]), "sales2.csv": "\n".join([SALES, *lines[:30]])}
    files = {one.file: one.seen["dealer"][:3] for one in ingest.run(here, "things", day(2), drop(both)).files}
    assert files == {"sales1.csv": [40_000, 10_000, 5_000], "sales2.csv": [30, 30, 30]}
    # A header that stands between the rows again is none of them: then each row is asked for its number, 2 to 40,002.
    again = "\n".join([SALES, *lines[:20_000], SALES, *lines[20_000:]])
    assert take(here, 3, drop({"sales.csv": again + "\n"})).seen["dealer"][:3] == [40_000, 10_000, 5_000]


@pytest.mark.parametrize(
    ("now", "flips"),
    [
        pytest.param([10, 10, 4, 0], True, id="4 of 10 are numbers"),
        pytest.param([10, 10, 5, 0], False, id="half of them are"),
        pytest.param([9, 9, 0, 0], False, id="too few to tell"),
        pytest.param([10, 10, 0, 10], True, id="dates where numbers were"),
    ],
)
def test_the_edges_of_a_flip(now: list[int], flips: bool) -> None:
    from dealermart.ingest.drift import flips as flipped

    assert bool(flipped({"x": now}, [{"x": [20, 20, 18, 0]}])) is flips
    assert flipped({"x": now}, [{"x": [20, 20, 17, 0]}]) == [], "17 of 20 were no rule"
    assert flipped({"x": [10, 10, 0, 10]}, [{"x": [20, 20, 20, 20]}]) == [], "20260301 was both, and is a date still"


def test_a_shrunken_snapshot_is_refused_until_somebody_takes_it(here: Settings, drop: Drop) -> None:
    whole = [f"D{number}" for number in range(1, 11)]
    assert take(here, 1, drop({"all_dealers.csv": dealers(whole)})).status == "accepted"
    assert take(here, 2, drop({"all_dealers.csv": dealers(whole[:5])})).status == "accepted", "just half is left"
    small = drop({"all_dealers.csv": dealers(whole[:2])})
    refused = take(here, 3, small)
    assert refused.status == "refused" and refused.error is not None
    assert "2 rows of dealer_list where 5 came before" in refused.error and "--override shrinkage" in refused.error
    taken = take(here, 3, small, [Override("shrinkage", **BY)])
    assert (taken.status, taken.overridden) == ("accepted", ["shrinkage"])
    assert lake.read(here).commits[-1]["overrides"] == [
        {"rule": "shrinkage", **BY, "delivery_id": taken.delivery_id, "file": "all_dealers.csv"}
    ]
    assert take(here, 3, small).status == "duplicate", "the same run again needs no second decision"
    before = [path.read_bytes() for path in lake.read(here).paths(here, "dealers")]
    upkeep.rebuild(here)
    assert [path.read_bytes() for path in lake.read(here).paths(here, "dealers")] == before, "decided is decided"


def test_a_small_snapshot_that_comes_again_is_refused_too(here: Settings, drop: Drop) -> None:
    small, whole = dealers(["D1"]), dealers([f"D{number}" for number in range(1, 11)])
    take(here, 1, drop({"all_dealers.csv": small}))
    take(here, 2, drop({"all_dealers.csv": whole}))
    again = take(here, 3, drop({"old_all_dealers.csv": small}))
    assert again.status == "refused" and "1 rows of dealer_list where 10 came before" in str(again.error)
    taken = ingest.run(
        here, "things", day(3), drop({"old_all_dealers.csv": small}), decided=[Override("shrinkage", **BY)]
    )
    assert taken.files[0].status == "duplicate" and taken.committed


def test_a_snapshot_in_two_files_is_compared_as_one(here: Settings, drop: Drop) -> None:
    codes = [f"D{number}" for number in range(1, 11)]
    take(here, 1, drop({"all_dealers.csv": dealers(codes)}))
    parts = {"all_dealers_east.csv": dealers(codes[:3]), "all_dealers_west.csv": dealers(codes[3:6])}
    assert [one.status for one in ingest.run(here, "things", day(2), drop(parts)).files] == ["accepted", "accepted"]


def test_other_files_are_compared_with_the_median_where_the_profile_asks(here: Settings, drop: Drop) -> None:
    for number, size in ((1, 10), (2, 12), (3, 2)):  # 2 is below half, and nothing asks
        text = "\n".join([SALES, *LINES[:size], f"S{number},1,,,,,,,"])
        assert take(here, number, drop({"sales.csv": text})).mapped == size + 1
    path = here.sources / "things" / "source.yml"
    path.write_text(
        path.read_text("utf-8").replace("map: sales.sql\n", "map: sales.sql\n    shrink_below: 0.4\n"), "utf-8"
    )
    few = "\n".join([SALES, *(line.replace("A", "C") for line in LINES[:4])])
    refused = take(here, 4, drop({"sales.csv": few}))  # 11, 13 and 3 rows came, so 11 * 0.4 = 4.4 are asked
    assert "4 rows of sale_file where 11 came before" in str(refused.error)


def test_an_override_of_a_critical_check_quarantines_row_by_row(here: Settings, drop: Drop) -> None:
    mostly = "\n".join([SALES, LINES[0], ",,invoice,D1,P1,1,1,1,2026-03-01", ",,invoice,D1,P1,2,2,1,2026-03-01"])
    folder = drop({"sales.csv": mostly})
    assert "critical check key_mostly_missing" in str(take(here, 1, folder).error)
    other = Override("key_mostly_missing", **BY, file="dealers*.csv")
    assert take(here, 1, folder, [other]).status == "refused", "not of this file"
    taken = take(here, 1, folder, [Override("key_mostly_missing", **BY)])
    assert (taken.status, taken.accepted, taken.quarantined) == ("accepted", 1, 2)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param(Override("shrinking", **BY), "no rule 'shrinking' refuses files", id="unknown rule"),
        pytest.param(
            Override("line_no_negative", **BY), "no rule 'line_no_negative'", id="a rule that refuses no file"
        ),
        pytest.param(Override("shrinkage", "", "because"), "has no name or no reason", id="no name"),
        pytest.param(Override("shrinkage", "Wang", " "), "has no name or no reason", id="no reason"),
    ],
)
def test_an_override_that_says_too_little_is_refused(
    here: Settings, drop: Drop, override: Override, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        take(here, 1, drop({"sales.csv": SALES}), [override])
    assert lake.read(here).commits == ()


def test_the_command_takes_overrides(
    here: Settings, drop: Drop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(here.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(here.config))
    take(here, 1, drop({"all_dealers.csv": dealers(["D1", "D2", "D3"])}))
    arguments = ["ingest", "--source", "things", "--received", "2026-03-02", "--drop"]
    folder = str(drop({"all_dealers.csv": dealers(["D1"])}))
    assert main([*arguments, folder]) == 1
    assert "1 rows of dealer_list where 3 came before" in capsys.readouterr().err
    decided = ["--override", "shrinkage", "--file", "all_*", "--by", "Wang Fang", "--reason", "closed"]
    assert main([*arguments, folder, *decided]) == 0
    assert "all_dealers.csv: taken although shrinkage refuses it, as Wang Fang decided" in capsys.readouterr().err
