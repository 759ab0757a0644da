"""Packs of people and teams: what they say, to whom, and that a page needs nothing besides itself."""

from __future__ import annotations

import os
import re
import stat
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.review import made

from dealermart.base import Settings, UsageError
from dealermart.cli import main
from dealermart.review import Packs, pack, printing
from dealermart.review.packing import member_page, team_page
from dealermart.review.people import People, read_people
from dealermart.review.person import Reader
from dealermart.review.tables import opened

EN, ZH = Reader("en", pay=True, smallest=3), Reader("zh", pay=True, smallest=3)


@pytest.fixture(scope="module")
def people(copy: Path, company: Settings) -> People:
    with opened(company, copy) as tables:
        return read_people(tables, made.QUARTER, pay=True)


class Seen(HTMLParser):
    """A page as a reader sees it: its text by heading, its tags and what they refer to."""

    VOID = {"meta", "link", "br"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: dict[str, list[str]] = {"": []}
        self.tags: list[str] = []
        self.refers: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self._heading = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.refers += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data", "action", "srcset")
        ]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in ("h2", "h3"):
            self._heading = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        data = data.replace("\u00a0", " ")
        if not data.strip() or "style" in self.open:
            return
        if {"h2", "h3"} & set(self.open):
            self._heading += data.strip()
            self.parts.setdefault(self._heading, [])
        else:
            self.parts.setdefault(self._heading, []).append(data.strip())

    def under(self, heading: str) -> str:
        return " | ".join(self.parts[heading])

    @property
    def text(self) -> str:
        return " | ".join([word for heading, words in self.parts.items() for word in [heading, *words]])


def page_of(people: People, member: str, reader: Reader) -> Seen:
    return Seen(member_page(people, member, reader))


def test_the_result_and_how_it_comes_about(people: People) -> None:
    seen = page_of(people, "M2", EN)
    assert (
        "Final score | 71.50 | of 100 | Rating | Meets expectations | Change | +1.50 | 2026-Q2: 70.00 | Rank in role | 3 of 4"
        in seen.under("")
    )
    assert "Not there, and left out of the mean: Self, Dealers" in seen.under("")
    working = seen.under("How the score comes about")
    # By hand: what is there weighs 80; 50 of 80 is 62.5 %, and brings 50 × 70 / 80.
    assert "KPIs | 70.00 | 50 | 62.5 | 43.75" in working
    assert "Manager | 75.00 | 20 | 25 | 18.75" in working
    assert "Self | – | 10 | – | –" in working
    assert "Total: (50 × 70 + 20 × 75 + 10 × 72) / 80 = 71.50" in working
    criteria = seen.under("Criteria")
    assert "KPIs | Sales amount | 1,234,567.89 CNY | 1,200,000.00 CNY | 16" in criteria
    assert "Customer satisfaction | 81.3 % | – | 16 | 57.0 % – 93.0 % | 50 | 70.00 | 16 answers" in criteria
    assert "Self | Teamwork | – | – | 0 | 100 | – | nobody rated" in criteria


def test_the_same_in_chinese(people: People) -> None:
    page = member_page(people, "M2", ZH)
    seen = Seen(page)
    assert '<html lang="zh-CN">' in page
    assert "最终得分 | 71.50 | 满分 100 | 等级 | 符合预期" in seen.under("")
    assert "总分：（50 × 70 + 20 × 75 + 10 × 72）/ 80 = 71.50" in seen.under("得分由来")
    assert "指标 | 客户满意度 | 81.3 %" in seen.under("考核项")
    assert "无人评价" in seen.under("考核项")
    assert "PingFang SC" in page and "Microsoft YaHei" in page and "Noto Sans CJK SC" in page
    english = set(Seen(member_page(people, "M2", EN)).parts)
    assert not english & set(seen.parts) - {""}, "no heading of the other language"


def test_who_is_not_rated_is_told_why(people: People) -> None:
    seen = page_of(people, "M6", EN)
    assert "Final score | – |" in seen.under("")
    assert "Why there is no rating: too little of the weight could be scored" in seen.under("")
    assert "Total:" not in seen.text
    assert "0.00" not in seen.under("How the score comes about")


def test_an_appeal_keeps_both_scores(people: People) -> None:
    seen = page_of(people, "M3", EN)
    assert "57.78" in seen.under("")
    assert "= 48.89 | After the appeal: 57.78" in seen.under("How the score comes about")
    assert "44.00 → 60.00" in seen.under("Criteria")
    assert "Sales amount | =A deal is missing | 2026-10-12 | decided | granted | 44.00 | 60.00" in seen.under(
        "Your appeals"
    )
    assert "Your appeals" not in page_of(people, "M1", EN).parts


def test_every_pack_says_how_to_appeal(people: People) -> None:
    said = page_of(people, "M1", replace(EN, appeal_contact="hr@example.com", appeal_days=14)).under("How to appeal")
    assert "to HR (hr@example.com), within 14 days of delivery." in said
    assert "Delivered 2026-10-10 by 周总监" in said
    assert "如何申诉" in page_of(people, "M1", ZH).parts


def test_a_rank_among_few_is_not_shown(people: People) -> None:
    assert "Rank in role" in page_of(people, "M2", EN).text
    assert "Rank in role" not in page_of(people, "M2", replace(EN, smallest=5)).text


def test_comments_name_nobody_but_the_manager_and_hide_what_the_mart_hides(people: People) -> None:
    seen = page_of(people, "M1", EN)
    comments = seen.under("What people said")
    assert (
        "谢谢团队 | Self · Teamwork | manager on M1 | Manager, 周总监 · Teamwork | peers on M1 | Peers · Teamwork | dealers on M1 | Dealers · Teamwork"
        in comments
    )
    assert "2026-10-05" not in comments, "a day tells who it was"
    assert "could lead a team" not in comments, "potential is for managers and HR"
    assert "Not counted: Self, Teamwork, it came after the last day" in page_of(people, "M2", EN).under(
        "What people said"
    )
    assert "fewer raters" not in page_of(people, "M5", EN).under("What people said")


def test_targets_goals_pay_career_and_what_was_agreed(people: People) -> None:
    seen = page_of(people, "M1", EN)
    assert "Net revenue | 2026-07-01 – 2026-09-30 | 1,200,000.00 CNY | 1,234,567.89 CNY | 102.9 %" in seen.under(
        "Targets"
    )
    assert "sales_commission | 2026-Q3 | paid | 12,345.67 CNY | Total in CNY: 12,345.67" in seen.under(
        "Incentives of the quarter"
    )
    assert (
        "Ten new dealers | open | 75 % | – 华东五家 | done | 100 % | – Five in the south | open | 50 %"
        in seen.under("Goals of 2026-Q3")
    )
    assert "Sell the new line / 推广新品 | open | 0 %" in seen.under("Goals for 2026-Q4")
    assert "2026-10-01 – 2026-12-31 | 1,300,000.00 CNY" in seen.under("Targets that begin then")
    assert "24 months in grade | 24 | 25 | met" in seen.under("Careerready")
    assert "2026-09-01: 季度之星" in seen.under("Recognition")
    assert "career talk | 下一职级 | 周总监 | 2026-09-30 | done" in seen.under("Agreed improvements and talks")
    assert "None agreed yet" in page_of(people, "M2", EN).under("Goals for 2026-Q4")


def test_pay_is_left_out_where_the_reader_may_not_see_it(people: People, copy: Path, company: Settings) -> None:
    assert "12,345.67" not in member_page(people, "M1", replace(EN, pay=False))
    with opened(company, copy) as tables:
        without = read_people(tables, made.QUARTER, pay=False)
    assert not without.quarter.rows["mart_incentive__statement"], "it is not even read"


@pytest.mark.parametrize("member", [person[0] for person in made.PEOPLE])
def test_a_member_reads_the_own_rows_only(people: People, member: str) -> None:
    seen = page_of(people, member, EN).text
    names = {person[0]: person[1] for person in made.PEOPLE}
    boss = people.results[member]["manager_id"]
    for code, name in names.items():
        if code not in (member, boss):
            assert name not in seen
            assert not re.search(rf"\b{code}\b", seen)


def test_charts_are_drawn_with_gaps_and_targets(people: People) -> None:
    page = member_page(people, "M1", EN)
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    # Scores by criterion; final score, sales amount and satisfaction over time.
    assert len(pictures) == 4
    for picture in pictures:
        root = ET.fromstring(picture)
        assert root.find("{http://www.w3.org/2000/svg}title") is not None
        assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 3
    assert "stroke-dasharray" in pictures[2], "the sales amount has a target"
    assert not re.search("stroke: #d98324", pictures[3]), "satisfaction has none"
    assert "1.23M" in pictures[2]
    assert "81%" in pictures[3]
    ids = Seen(page).ids
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)
    # M6 has no score: nothing is drawn over time, and what is missing says so.
    lone = member_page(people, "M6", EN)
    assert lone.count("<svg") == 1
    assert "no score" in lone


@pytest.mark.parametrize("reader", [EN, ZH], ids=["en", "zh"])
def test_a_page_needs_nothing_besides_itself(people: People, reader: Reader) -> None:
    pages = [member_page(people, member, reader) for member in people.results] + [team_page(people, "M9", reader)]
    for page in pages:
        seen = Seen(page)
        assert not seen.open, "every tag is closed"
        assert {"script", "iframe", "object", "img", "form"}.isdisjoint(seen.tags)
        assert all(refer.startswith(("data:", "#")) for refer in seen.refers)
        assert "@import" not in page
        assert set(re.findall(r"url\(([^)]*)\)", page)) == set(re.findall(r"url\((#[^)]*)\)", page))
        outside = {found for found in re.findall(r"https?://[\w./-]+", page) if "w3.org" not in found}
        assert outside <= {"http://example.com"}, "the text of a comment, as text"
        assert re.search(r"@page \{\s*size: A4", page)


def test_texts_are_escaped(people: People) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in member_page(people, "M4", EN)
    assert "Ann &lt;b&gt;Bo&lt;/b&gt;" in member_page(people, "M6", EN)


def test_the_same_figures_give_the_same_page(people: People) -> None:
    assert member_page(people, "M1", ZH) == member_page(people, "M1", ZH)


# ------------------------------------------------------------------------------------------------- teams


def test_a_team_follows_the_dated_hierarchy(people: People) -> None:
    assert {row["member_id"] for row in people.team("M8")} == {"M4", "M5", "M6"}
    assert {row["member_id"] for row in people.team("M9")} == {"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8"}
    assert people.team("M1") == []
    assert people.managers() == ["M8", "M9"]


def test_managers_of_each_other_end(copy: Path, company: Settings, tmp_path: Path) -> None:
    rows = made.quarter()
    for row in rows["mart_review__member_quarter"]:
        if row["member_id"] == "M9":
            row["manager_id"] = "M8"
    with opened(company, made.write(tmp_path / "copy.duckdb", rows)) as tables:
        circle = read_people(tables, made.QUARTER, pay=False)
    assert {row["member_id"] for row in circle.team("M8")} == {"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M9"}


def test_what_a_team_pack_says(people: People) -> None:
    team = Seen(team_page(people, "M8", EN))
    # (81.70 + 64.70) / 2 by hand.
    assert "Members | 3 | Rated | 2 | Not rated | 1 | Mean final score | 73.20" in team.under("")
    table = team.under("The team")
    assert "Zoë Ng | sales | 81.70 | Exceeds expectations | +11.70 | 81.00 | 85.00 | 84.00 | 80.00 | 79.00" in table
    assert (
        "Ann <b>Bo</b> | service | – | not rated | – | – | 75.00 | – | – | – | KPIs, manager, peers, dealers" in table
    )
    assert table.index("Zoë Ng") < table.index("赵敏") < table.index("Ann <b>Bo</b>"), "by score, those without last"
    assert "Nothing is overdue." in team.under("What is owed")
    assert "王芳" not in team.text, "of no other team"
    boss = Seen(team_page(people, "M9", EN))
    assert "Ratings missing: 1 | Deliveries overdue: 2 | Improvements overdue: 1" in boss.under("What is owed")
    assert "Mean 75.00, the others 72.00: +3.00 points (-6.00 to +12.00)." in boss.under("As a raterlenient")
    assert "improvement: -visit two dealers a week (overdue)" in boss.under("=1+1 (sales)57.78, Below expectations")
    assert "12,345.67" not in team_page(people, "M9", replace(EN, pay=False))
    assert "12,345.67\u00a0CNY" in team_page(people, "M9", EN)


# ------------------------------------------------------------------------------------------------- files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_each_pack_lies_in_its_readers_folder(
    copy: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = replace(company, home=tmp_path)
    packed = pack(home, copy, made.QUARTER, Packs("en", members=["M1"], teams=["M9"]))
    root = tmp_path / "published" / "reviews" / "2026-Q3"
    assert packed.members == [root / "members" / "M1" / "review-M1-2026-Q3-en.html"]
    assert packed.teams == [root / "managers" / "M9" / "team-M9-2026-Q3-en.html"]
    for path in (*packed.members, *packed.teams):
        assert [mode(place) for place in (path, path.parent, path.parent.parent, root)] == [0o600, 0o700, 0o711, 0o711]
    assert "12,345.67" in packed.members[0].read_text("utf-8"), "a member sees the own pay"
    assert "12,345.67" not in packed.teams[0].read_text("utf-8"), "a manager does not, if nobody says so"
    # One group for all managers would read the teams of each other: it is not taken over, only a folder's own group is.
    (root / "managers").chmod(0o2711)
    monkeypatch.setattr(os, "getegid", lambda: root.stat().st_gid + 1)
    other = pack(home, copy, made.QUARTER, Packs("en", teams=["M8"])).teams[0]
    assert (mode(other), mode(other.parent)) == (0o600, 0o700)
    other.parent.chmod(0o2750)
    assert mode(pack(home, copy, made.QUARTER, Packs("en", teams=["M8"])).teams[0]) == 0o640


def test_how_to_appeal_follows_the_rules_of_the_company(copy: Path, settings: Settings) -> None:
    with (settings.config / "company.yml").open("a", encoding="utf-8") as company:
        company.write("review_rules: rules.yml\n")
    (settings.config / "rules.yml").write_text("appeal_days: 21\nappeal_to: 王芳, HR\n", "utf-8")
    packed = pack(settings, copy, made.QUARTER, Packs("zh", members=["M2"]))
    assert "人力资源（王芳, HR），自反馈之日起 21 天内。" in packed.members[0].read_text("utf-8")


def test_codes_that_are_no_names_of_folders_stay_apart(company: Settings, tmp_path: Path) -> None:
    rows: dict[str, Any] = made.quarter()
    codes = {"M1": "../M2", "M3": "a/b", "M4": "a_b", "M5": "."}
    for table in rows.values():
        for row in table:
            row["member_id"] = codes.get(row.get("member_id"), row.get("member_id")) if "member_id" in row else None
            if row["member_id"] is None:
                del row["member_id"]
    place = made.write(tmp_path / "copy.duckdb", rows)
    packed = pack(replace(company, home=tmp_path / "home"), place, made.QUARTER, Packs("en", everybody=True))
    folders = [path.parent for path in packed.members]
    assert len(set(folders)) == 9
    assert {folder.parent for folder in folders} == {
        tmp_path / "home" / "published" / "reviews" / "2026-Q3" / "members"
    }
    assert {"a_b", "a%2Fb", "%2E", "%2E%2E%2FM2"} <= {folder.name for folder in folders}


def test_who_has_no_review_is_refused_before_anything_is_written(copy: Path, company: Settings, tmp_path: Path) -> None:
    home = replace(company, home=tmp_path)
    for wanted in (Packs("en", members=["M1", "M99"]), Packs("en", teams=["M1"])):
        with pytest.raises(UsageError, match="has no review of 2026-Q3, or no team in it"):
            pack(home, copy, made.QUARTER, wanted)
    assert not (tmp_path / "published").exists()


def test_pdf_needs_chromium(copy: Path, company: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "found", lambda: None)
    with pytest.raises(UsageError, match="no Chromium"):
        pack(replace(company, home=tmp_path), copy, made.QUARTER, Packs("en", members=["M1"], pdf=True))


def test_the_command(
    copy: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEALERMART_HOME", str(settings.home))
    monkeypatch.setenv("DEALERMART_CONFIG", str(settings.config))
    given = ["review", "pack", "--period", "2026-Q3", "--from", str(copy), "--lang", "zh"]
    assert main([*given, "--member", "M1", "--team", "M8"]) == 0
    told = capsys.readouterr().out
    assert "packs of members: 1, of teams: 1" in told
    assert (settings.reviews / "2026-Q3" / "members" / "M1" / "review-M1-2026-Q3-zh.html").exists()
    assert main([*given, "--member", "nobody"]) == 2
    for wrong in (given, [*given, "--all", "--member", "M1"]):
        with pytest.raises(SystemExit) as stopped:
            main(wrong)
        assert stopped.value.code == 2
