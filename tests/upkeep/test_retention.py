"""Erasing what the plain case does not have: codes of other systems, rows that waited, references, old values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests import small
from tests.landing.packed import zipped
from tests.upkeep.test_erase import SECRETS, forget, holders, rows

from dealermart import ingest, lake, upkeep
from dealermart.base import ConfigError, Settings
from dealermart.cli import main
from dealermart.ingest import Choice
from dealermart.upkeep import Wanted
from dealermart.upkeep.erasure.run import erase, erase_by_retention

pytestmark = pytest.mark.slow


DAY = dt.date(2026, 3, 2)
LINKS = "system,kind,code,own\n"
Drop = Callable[..., Path]

LMS = """\
source: lms
title: A learning system with codes of its own
files:
  - name: contact
    pattern: "contact*.csv"
    format: csv
    columns: [site, who]
    key: [site]
  - {name: links, feed: id_links, map: links.sql, pattern: "links*.csv", format: csv}
  - name: training
    feed: training_records
    map: training.sql
    pattern: "training*.csv"
    format: csv
    waits: {unknown user: [id_links]}
  - {name: survey, feed: survey_responses, map: survey.sql, pattern: "survey*.csv", format: csv}
"""
LINKS_SQL = """select _delivery_id, _row_number, system, kind as subject_type, code as external_id, own as subject_id
from links"""
TRAINING_SQL = """
select f._delivery_id, f._row_number, f.id as record_id, 'C1' as course_id, f.day as assigned_date,
    f.day as due_date, link.subject_id as member_id,
    case when link.external_id is null then 'unknown user' end as _reject_reason
from training as f
left join contact on contact.site = f.site
left join feed_id_links as link
    on link.system = 'lms' and link.subject_type = 'member' and link.external_id = f.code
"""
SURVEY_SQL = """
select _delivery_id, _row_number, id as response_id, 'csat' as survey, 1 as scale_min, 5 as scale_max,
    who as respondent_id, member as member_id, day as sent_date, day as answered_date, score, comment
from survey
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    folder = settings.sources / "lms"
    folder.mkdir()
    for name, text in {
        "source.yml": LMS,
        "links.sql": LINKS_SQL,
        "training.sql": TRAINING_SQL,
        "survey.sql": SURVEY_SQL,
    }.items():
        (folder / name).write_text(text, "utf-8")
    return settings


def everything(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    feeds = ("id_links", "training_records", "survey_responses")
    held = f"from read_parquet('{settings.quarantine}/*/*.parquet') order by all"
    return {feed: rows(settings, feed, "*") for feed in feeds} | {"": duckdb.sql(held).fetchall()}


def test_codes_of_other_systems_rows_that_waited_and_references(settings: Settings, drop: Drop) -> None:
    training = "id,code,day,site,name\nT1,u-017,2026-03-01,S,王小伟\nT2,u-018,2026-03-01,S,李娜\nT3,u-999,2026-03-01,S,王小伟\nT4,u-0\n"
    first = ingest.run(
        settings,
        "lms",
        DAY,
        drop(
            {
                "training.csv": training,
                "contact.csv": "site,who\nS,王小伟\n",
                "trainings2.csv": "id,code,day,site,name\nT5,u-018,2026-03-01,S,王小伟,?\nT6,u-018,2026-03-01,S,a\n",
            }
        ),
    )
    assert {one.file: one.rejected for one in first.files} == {"training.csv": 4, "contact.csv": 0, "trainings2.csv": 2}
    later = ingest.run(
        settings,
        "lms",
        DAY,
        drop({"links.csv": LINKS + "lms,member,u-017,M017\nlms,member,u-018,M018\nlms,dealer,u-017,D1\n"}),
    )
    assert sum(one.accepted or 0 for one in later.taken_up) == 3
    before = everything(settings)

    result = forget(settings, Wanted("M017", also=("王小伟",)))
    assert set(result.rows) == {"id_links", "training_records", "lms.contact"}
    assert holders(settings, (*SECRETS, "王小伟")) == []
    after = everything(settings)
    assert (
        [row[0] for row in after["training_records"]]
        == [row[0] for row in before["training_records"]]
        == ["T1", "T2", "T6"]
    )
    links = rows(settings, "id_links", "external_id, subject_id")
    assert links[1:] == [("u-018", "M018"), ("u-017", "D1")], (
        "a dealer's code that is the same is no code of the person"
    )
    assert all(str(one).startswith("erased-") for one in links[0])
    assert rows(settings, "training_records", "member_id") == [(links[0][1],), ("M018",), ("M018",)]
    # What can never be mapped again is closed by the one who had it erased; the others go on waiting.
    states = {
        (one.file, one.row_number): (one.state, one.decided_by)
        for one in ingest.rows(settings, Choice(feed="training_records"))
    }
    assert states[("training.csv", 4)] == ("rejected", "Chen, data protection")
    assert states[("training.csv", 2)][0] == states[("training.csv", 3)][0] == "taken_up"
    upkeep.rebuild(settings)
    assert everything(settings) == after
    assert holders(settings, (*SECRETS, "王小伟")) == []


OLD = (
    "id,who,member,day,score,comment\n"
    "R1,D1-contact,M017,2025-01-10,4,很好\n"
    "R2,D1-contact,M017,2025-02-10,5,\n"
    "R3,D2-contact,M018,2025-03-10,1,never again\n"
)


def retain(settings: Settings, months: str) -> None:
    path = settings.company_file
    path.write_text(path.read_text("utf-8") + f"retention_months: {{{months}}}\n", "utf-8")


def test_after_the_retention_scores_stand_and_who_said_what_is_gone(settings: Settings, drop: Drop) -> None:
    retain(settings, "survey_responses: 12")
    ingest.run(settings, "lms", dt.date(2025, 3, 11), drop({"survey.csv": OLD}))
    result = erase(settings, Wanted(until=dt.date(2026, 3, 31)), "policy", "retention of twelve months")
    # Kept are twelve whole months before the running one: from 2025-03-01 on.
    assert result.rows == {"survey_responses": 2}
    found = rows(settings, "survey_responses", "response_id, respondent_id, member_id, cast(score as int), comment")
    respondents = {row[1] for row in found[:2]}
    assert len(respondents) == 1, "one person stays one"
    assert str(respondents.pop()).startswith("erased-")
    assert [(*row[:1], *row[2:]) for row in found] == [
        ("R1", "M017", 4, None),
        ("R2", "M017", 5, None),
        ("R3", "M018", 1, "never again"),
    ]
    assert holders(settings, ("D1-contact", "很好")) == []
    (entry,) = [one for one in lake.read(settings).commits if one["kind"] == "erase"]
    assert entry["retention"] == {"survey_responses": "2025-03-01"}
    again = erase(settings, Wanted(until=dt.date(2026, 3, 31)), "policy", "retention of twelve months")
    assert (again.rows, again.files) == ({}, 0)
    assert lake.read(settings).last == entry["seq"], "nothing to do is nothing to log"
    month_later = erase(settings, Wanted(until=dt.date(2026, 4, 1)), "policy", "retention of twelve months")
    assert month_later.rows == {"survey_responses": 1}
    assert holders(settings, ("D2-contact", "never again")) == []
    upkeep.rebuild(settings)
    assert [row[0] for row in rows(settings, "survey_responses", "cast(score as int)")] == [4, 5, 1]


def test_the_schedule_erases_what_the_company_file_says(settings: Settings, drop: Drop) -> None:
    ingest.run(settings, "lms", dt.date(2025, 3, 11), drop({"survey.csv": OLD}))
    assert erase_by_retention(settings, dt.date(2026, 4, 1)) is None
    retain(settings, "survey_responses: 12")
    done = erase_by_retention(settings, dt.date(2026, 4, 1))
    assert done is not None
    assert (done.rows, done.had_marts) == ({"survey_responses": 3}, False)
    assert holders(settings, ("D1-contact", "D2-contact")) == []


def test_a_retention_of_a_feed_that_does_not_exist_is_refused(settings: Settings) -> None:
    retain(settings, "surveys: 12")
    with pytest.raises(ConfigError, match="there is no feed surveys"):
        erase(settings, Wanted(until=DAY), "policy", "retention")


@pytest.mark.integration
def test_the_command_renews_marts_and_copies(
    settings: Settings, drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    monkeypatch.setenv("DEALERMART_PROJECT", str(small.project(tmp_path / "people", ("dim_member",))))
    members = "member,since,name,role,team,manager\nM017,2026-01-01,王小伟,sales,East,\n"
    ingest.run(settings, "mini", DAY, drop({"members.csv": members}))
    assert main(["build"]) == main(["publish"]) == 0
    assert len(holders(settings)) > 4
    said = ["--by", "Chen", "--reason", "request 2026-118"]
    assert main(["erase", "--person", "M999", *said]) == 1
    assert "nobody of this code is known as member" in capsys.readouterr().err
    assert main(["erase", "--person", "M017", *said]) == 0
    out = capsys.readouterr().out
    assert "team_members     1" in out
    assert "marts rebuilt" in out
    assert holders(settings) == []
    with duckdb.connect(str(settings.published / "hr" / "dealermart.duckdb"), read_only=True) as con:
        ((member, name),) = con.execute("select member_id, member_name from dim_member").fetchall()
    assert member.startswith("erased-")
    assert name.startswith("erased-")


def test_a_line_that_could_not_be_read_does_not_outlive_its_file(settings: Settings, drop: Callable[..., Path]) -> None:
    retain(settings, "survey_responses: 12")
    text = OLD + "R4,D4-contact,M017,2025-01-10,4,x,much\n"
    ingest.run(settings, "lms", dt.date(2025, 2, 11), drop({"survey.csv": text}))
    assert holders(settings, ("D4-contact",)) != []
    erase_by_retention(settings, dt.date(2026, 4, 1))
    assert holders(settings, ("D1-contact", "D4-contact")) == []


def test_an_archive_does_not_outlive_what_was_in_it(settings: Settings, drop: Callable[..., Path]) -> None:
    retain(settings, "survey_responses: 12")
    packed = zipped({"survey.csv": OLD.encode(), "contact.csv": b"site,who\nS,nobody\n"})
    ingest.run(settings, "lms", dt.date(2025, 3, 11), drop({"all.zip": packed}))
    erase_by_retention(settings, dt.date(2026, 4, 1))
    assert holders(settings, ("D1-contact", "D2-contact")) == []
    upkeep.rebuild(settings)
    assert len(rows(settings, "survey_responses", "*")) == 3


def test_a_refused_file_is_no_way_around_retention(settings: Settings, drop: Callable[..., Path]) -> None:
    retain(settings, "survey_responses: 12")
    bad = OLD.replace("2025", "in 2025")
    (one,) = ingest.run(settings, "lms", dt.date(2025, 2, 11), drop({"survey.csv": bad})).files
    assert one.status == "refused"
    erase_by_retention(settings, dt.date(2026, 4, 1))
    assert not [one for one in holders(settings, ("D1-contact", "D2-contact")) if one.startswith("quarantine")]
