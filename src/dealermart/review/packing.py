"""``dealermart review pack``: a page per person, a page per team, and both as PDF where Chromium is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from dealermart.base import Settings, UsageError, record_run
from dealermart.config import load_company, load_review_rules
from dealermart.review import pages, person, team
from dealermart.review.labels import label
from dealermart.review.people import People, read_people
from dealermart.review.person import Reader
from dealermart.review.places import folder_of, replacing
from dealermart.review.pulling import file_name
from dealermart.review.tables import opened, version_of
from dealermart.review.words import COLUMNS, Language, own, pick, word
from dealermart.review.workbook import Wanted


@dataclass(frozen=True)
class Packs:
    """Whose packs are wanted: of these members, of the teams of these managers, or of everybody.

    Attributes:
        pay: For members whether their own pay is in it, for managers whether that of their team is; by default members
            see theirs, and managers see none.
        pdf: Whether a PDF is made beside each page.
    """

    language: Language
    members: Sequence[str] = ()
    teams: Sequence[str] = ()
    everybody: bool = False
    pay: bool | None = None
    pdf: bool = False
    version: str = ""


@dataclass(frozen=True)
class Packed:
    """The files that were written, and whether PDFs are among them."""

    members: Sequence[Path]
    teams: Sequence[Path]
    pdf: bool


def pack(
    settings: Settings, place: Path, period_id: str, wanted: Packs, say: Callable[[str], None] = lambda text: None
) -> Packed:
    """Write packs, each into the folder of who may read it.

    Args:
        place: The copy for HR: a DuckDB file, or a folder of Parquet files.

    Raises:
        UsageError: there is no copy, no review of the quarter or not this version, or somebody who has none; or PDFs
            are asked for, and there is no Chromium.
        DataError: the copy holds no reviews, or is damaged.
    """
    from dealermart.review import printing

    company = load_company(settings)
    rules = load_review_rules(settings, company)
    printer = printing.found() if wanted.pdf else None
    if wanted.pdf and printer is None:
        raise UsageError(
            "there is no Chromium to print with", mend="install chromium, or leave --pdf out and print the pages"
        )
    said = {"action": "pack", "period": period_id, "language": wanted.language, "pay": wanted.pay}
    with record_run(settings, "review", **said, version=wanted.version) as entry:
        version = version_of(settings, period_id, wanted.version) if wanted.version else None
        wanted = replace(wanted, version=f"V{version.version}" if version else "")
        with opened(settings, place, version) as tables:
            people = read_people(tables, period_id, wanted.pay is not False)
        members = list(people.results) if wanted.everybody else list(wanted.members)
        managers = people.managers() if wanted.everybody else list(wanted.teams)
        unknown = [code for code in members if code not in people.results]
        unknown += [code for code in managers if not people.team(code)]
        if unknown:
            what = f"{', '.join(unknown)} has no review of {period_id}, or no team in it"
            raise UsageError(what, mend="look at the code")
        reader = Reader(
            wanted.language,
            wanted.pay is not False,
            company.min_group_size,
            rules.appeal_to or "",
            rules.appeal_days,
            wanted.version,
        )
        alone = Wanted(wanted.language, False, wanted.version)
        written: dict[str, list[Path]] = {"members": [], "managers": []}
        for kind, codes in (("members", members), ("managers", managers)):
            for code in codes:
                see = reader if kind == "members" else replace(reader, pay=wanted.pay is True)
                text = member_page(people, code, see) if kind == "members" else team_page(people, code, see)
                name = file_name(f"{'review' if kind == 'members' else 'team'}-{_safe(code)}", period_id, alone, "html")
                path = folder_of(settings, period_id, kind, _safe(code)) / name
                with replacing(path) as draft:
                    draft.write_text(text, "utf-8")
                if printer is not None:
                    with replacing(path.with_suffix(".pdf")) as draft:
                        printing.to_pdf(printer, path, draft)
                written[kind].append(path)
                if len(written[kind]) % 50 == 0:
                    say(f"{len(written[kind])} of {len(codes)} {kind}")
        entry.note(packs={kind: len(paths) for kind, paths in written.items()}, pdf=wanted.pdf)
    return Packed(written["members"], written["managers"], wanted.pdf)


def member_page(people: People, member_id: str, reader: Reader) -> str:
    """A member's pack as HTML."""
    row, language = people.results[member_id], reader.language
    named = [name for name in ("role", "team", "grade") if row[name]]
    facts = [
        (pick(COLUMNS["member_id"], language), member_id),
        *((pick(COLUMNS[name], language), word(name, row[name], language)) for name in named),
        *([(pick(COLUMNS["manager_name"], language), row["manager_name"])] if row["manager_name"] else []),
        _quarter(people, language),
    ]  # fmt: skip
    template = own(row, "template_name", language)
    told = {"as_of": _as_of(people), "version": reader.version or label("not_frozen", language)}
    foot = [label("confidential", language, name=row["member_name"])]
    foot.append(label("made_from", language, **told, template=f"{template or '–'} v{row['template_version'] or '–'}"))
    title = label("pack_title", language, name=row["member_name"], period=people.quarter.period_id)
    return pages.page(title, facts, person.blocks_of(people, member_id, reader), foot, language)


def team_page(people: People, manager_id: str, reader: Reader) -> str:
    """A manager's team pack as HTML."""
    language = reader.language
    known = people.results.get(manager_id)
    name = known["member_name"] if known else manager_id
    told = {"as_of": _as_of(people), "version": reader.version or label("not_frozen", language)}
    foot = [label("confidential_team", language, name=name), label("made_team", language, **told)]
    title = label("team_title", language, name=name, period=people.quarter.period_id)
    return pages.page(title, [_quarter(people, language)], team.blocks_of(people, manager_id, reader), foot, language)


def _quarter(people: People, language: Language) -> tuple[str, str]:
    quarter = people.quarter
    told = label("quarter_of", language, period=quarter.period_id, start=quarter.start, end=quarter.last_day)
    return label("quarter", language), told


def _as_of(people: People) -> str:
    return people.quarter.about.get("as_of", "")[:19] or "–"


def _safe(code: str) -> str:
    """A code as the name of a folder; two codes never have one name, or one would find what is the other's."""
    return re.sub(r"[^\w-]", lambda sign: quote(sign[0], safe="") if sign[0] != "." else "%2E", code)
