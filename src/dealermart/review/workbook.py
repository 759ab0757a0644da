"""The workbook of a quarter for HR: what is so in the marts of reviews, with the totals that tie to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from dealermart.review import sheets
from dealermart.review.book import BAD, GOOD, MILD, PLAIN, Block, Book, Column, Series, Sheet
from dealermart.review.labels import SHEETS, TERMS, label, sheet_name
from dealermart.review.quarter import LINE, Quarter, mean
from dealermart.review.sheets import Spec
from dealermart.review.tables import Row
from dealermart.review.words import COLUMNS, Language, own, pick, word


@dataclass(frozen=True)
class Wanted:
    """What is asked for: the language, whether pay is in it, and which version of the review it is."""

    language: Language
    pay: bool = False
    version: str = ""


@dataclass(frozen=True)
class House:
    """Whose workbook it is, and the registry of KPIs as rows."""

    name: str
    name_zh: str | None
    kpis: Sequence[Row]


def write(path: Path, quarter: Quarter, house: House, wanted: Wanted) -> dict[str, int]:
    """Write the workbook.

    Returns:
        Rows by sheet, under the sheet's key.
    """
    return _Writer(path, quarter, house, wanted).run()


class _Writer:
    def __init__(self, path: Path, quarter: Quarter, house: House, wanted: Wanted) -> None:
        self.quarter, self.house, self.wanted, self.language = quarter, house, wanted, wanted.language
        about = {
            "title": pick(SHEETS["cover"][1], self.language).format(period=quarter.period_id),
            "company": self._company(),
            "category": self._readers(),
        }
        self.book = Book(path, about, quarter.created, self._word)
        self.blocks: dict[str, Block] = {}

    def run(self) -> dict[str, int]:
        specs = [spec for spec in sheets.SPECS if spec.key != "pay" or self.wanted.pay]
        # The cover stands first and says what the others hold, so they are made before it is filled.
        cover, summary = self._sheet("cover"), self._sheet("summary")
        extra: dict[str, Callable[[Sheet, Block], None]] = {
            "calibration": self._leniency,
            "distribution": self._guideline,
            "nine_box": self._box_chart,
            "overdue": self._overdue,
            "fairness": self._fairness,
        }
        for spec in specs:
            sheet = self._sheet(spec.key)
            if spec.key == "nine_box":
                self._grid(sheet)
            block = self._table(sheet, spec)
            if spec.key in extra and self.quarter.rows[spec.mart]:
                extra[spec.key](sheet, block)
        self._summary(summary)
        self._cover(cover, specs)
        self.book.close()
        return {spec.key: len(self.quarter.rows[spec.mart]) for spec in specs}

    # ------------------------------------------------------------------------------------------ words

    def _word(self, column: str, value: Any) -> str:
        if column == "column" and value not in COLUMNS:
            return label(value, self.language)
        return word(column, value, self.language)

    def _label(self, key: str, **given: object) -> str:
        return label(key, self.language, **given)

    def _company(self) -> str:
        return (self.house.name_zh if self.language == "zh" else None) or self.house.name

    def _readers(self) -> str:
        return self._label("with_pay" if self.wanted.pay else "for_hr")

    def _sheet(self, key: str) -> Sheet:
        name, title, note = (pick(pair, self.language) for pair in SHEETS[key])
        title = title.format(period=self.quarter.period_id)
        return self.book.sheet(name, title, note, "#D98324" if key in ("cover", "summary") else "#1F4E79")

    # ----------------------------------------------------------------------------------------- tables

    def _table(self, sheet: Sheet, spec: Spec) -> Block:
        rows = [
            {column.name: own(row, column.name, self.language) for column in spec.columns}
            | {column.unit: row.get(column.unit) for column in spec.columns if column.unit}
            for row in self.quarter.rows[spec.mart]
        ]
        empty = self._label("not_here" if spec.mart in self.quarter.missing else "nothing")
        block = sheet.table(spec.columns, rows, main=True, frozen=spec.key != "nine_box", empty=empty)
        for name, colours in (spec.marks or {}).items() if rows else ():
            kind = next(column.kind for column in spec.columns if column.name == name)
            words = {self._word("yes" if kind == "yes" else name, code): colour for code, colour in colours.items()}
            sheet.mark(block, name, words)
        self.blocks[spec.key] = block
        return block

    # ------------------------------------------------------------------------------------------ cover

    def _cover(self, sheet: Sheet, specs: Iterable[Spec]) -> None:
        quarter, about = self.quarter, self.quarter.about
        facts = [
            ("company", self._company()),
            ("quarter", self._label("quarter_of", period=quarter.period_id, start=quarter.start, end=quarter.last_day)),
            ("version", self.wanted.version or self._label("not_frozen")),
            ("as_of", about.get("as_of", "")[:19]),
            ("published_run", about.get("published_run", "")),
            ("code_version", about.get("code_version", "")),
            ("readers", self._readers()),
        ]  # fmt: skip
        for row, (key, value) in enumerate(facts, start=2):
            sheet.text(row, 0, self._label(key), font_color="#5D6878")
            sheet.text(row, 1, value, bold=key in ("quarter", "readers"))
        sheet.next = len(facts) + 3
        for column, width in enumerate((26, 30, 14, 18, 18, 12)):
            sheet.widen(column, width)
        sheet.heading(self._label("totals"), self._label("totals_note"))
        self._totals(sheet, specs)
        sheet.heading(self._label("terms"))
        for term, meaning in TERMS:
            sheet.text(sheet.next, 0, pick(term, self.language), bold=True)
            sheet.text(sheet.next, 1, pick(meaning, self.language))
            sheet.next += 1
        sheet.next += 1
        sheet.heading(self._label("templates"), self._label("templates_note"))
        counts = (
            Column("template"), Column("part", "code"), Column("part_weight_pct", "number"),
            Column("criterion_name"), Column("weight_pct", "number"), Column("kpi_code"),
        )  # fmt: skip
        sheet.table(counts, self._templates())
        sheet.heading(self._label("kpis"))
        columns = (
            Column("kpi_code"),
            Column("kpi_name"),
            Column("unit", "code"),
            Column("formula"),
            Column("population"),
        )
        sheet.table(columns, self._kpis())
        sheet.raw.activate()
        sheet.raw.set_first_sheet()

    def _totals(self, sheet: Sheet, specs: Iterable[Spec]) -> None:
        """Rows and sums of each sheet, as formulas over its cells, beside those of the mart."""
        ties = [tie for spec in specs for tie in self._ties(spec)]
        columns = (
            Column("sheet", width=26), Column("total_of", width=30), Column("mart_rows", "whole"),
            Column("sheet_rows", "whole"), Column("mart_total", "money"), Column("sheet_total", "money"),
            Column("check"), Column("source", width=32),
        )  # fmt: skip
        block = sheet.table(columns, [tie.row for tie in ties])
        ok, differs = self._label("ties"), self._label("differs")
        look = {"bottom": 1, "bottom_color": "#D5DAE1"}
        for place, tie in enumerate(ties, start=block.first):
            line = place + 1
            sheet.formula(place, 3, tie.count, tie.row["sheet_rows"], num_format="#,##0", **look)
            test = f"C{line}=D{line}"
            if tie.sum:
                sheet.formula(place, 5, tie.sum, float(tie.row["sheet_total"]), num_format="#,##0.00", **look)
                test = f"AND({test},ABS(E{line}-F{line})<0.005)"
            sheet.formula(place, 6, f'=IF({test},"{ok}","{differs}")', ok if tie.holds else differs, bold=True, **look)
        sheet.mark(block, "check", {ok: GOOD, differs: BAD})

    def _ties(self, spec: Spec) -> Iterator[_Tie]:
        """What is held against the mart: the rows, and the sum of the column that ties; by currency if it has one."""
        here, found = self.blocks[spec.key], self.quarter.rows[spec.mart]
        for group, (counted, summed) in self.quarter.totals.get(spec.mart, {"": (0, Decimal(0))}).items():
            rows = [row for row in found if not spec.per or row[spec.per] == group]
            told = self._label("rows_only")
            if spec.total:
                told = self._label("sum_of", column=self._word("column", spec.total)) + (f", {group}" if group else "")
            row = {
                "sheet": sheet_name(spec.key, self.language), "total_of": told, "source": spec.mart, "check": None,
                "mart_rows": counted, "sheet_rows": len(rows), "mart_total": summed, "sheet_total": None,
            }  # fmt: skip
            if spec.total:
                row["mart_total"] = summed or Decimal(0)
                row["sheet_total"] = sum(
                    (row_[spec.total] for row_ in rows if row_[spec.total] is not None), Decimal(0)
                )
            count, total = f"=COUNTA({here.range(spec.columns[0].name)[1:]})", ""
            if spec.total:
                total = f"=SUM({here.range(spec.total)[1:]})"
            if spec.per:
                keys, code = here.range(spec.per)[1:], str(group).replace('"', '""')
                count, total = f'=COUNTIF({keys},"{code}")', f'=SUMIF({keys},"{code}",{here.range(spec.total)[1:]})'
            if not found:  # a note stands there
                count, total = "=0", "=0" if spec.total else ""
            yield _Tie(row, count, total)

    def _templates(self) -> list[Row]:
        names = {(row["template_id"], row["template_version"]): row for row in self.quarter.results}
        found: dict[tuple[Any, ...], Row] = {}
        for row in self.quarter.rows[LINE]:
            template = names.get((row["template_id"], row["template_version"]), {})
            name = own(template, "template_name", self.language) if template else row["template_id"]
            key = (
                row["template_id"],
                row["template_version"],
                row["part_no"],
                row["criterion_no"],
                row["criterion_id"],
            )
            found[key] = {
                "template": f"{name} (v{row['template_version']})", "part": row["part"],
                "part_weight_pct": row["part_weight_pct"],
                "criterion_name": own(row, "criterion_name", self.language), "weight_pct": row["weight_pct"],
                "kpi_code": row["kpi_code"],
            }  # fmt: skip
        return [found[key] for key in sorted(found)]

    def _kpis(self) -> list[Row]:
        used = {row["kpi_code"] for row in self.quarter.rows[LINE]}
        return [
            row | {name: own(dict(row), name, self.language) for name in ("kpi_name", "formula", "population")}
            for row in self.house.kpis
            if row["kpi_code"] in used
        ]

    # ---------------------------------------------------------------------------------------- summary

    def _summary(self, sheet: Sheet) -> None:
        results, timeline = self.quarter.results, self.quarter.rows["mart_review__timeline"]
        rated = [row for row in results if row["status"] == "rated"]
        figures: list[tuple[str, Any]] = [
            ("due", len(results)),
            ("rated", len(rated)),
            ("not_rated", len(results) - len(rated)),
            ("mean_final", mean(row["final_score"] for row in rated)),
            ("self_missing", sum(row["self_status"] == "missing" for row in timeline)),
            ("delivered", sum(row["delivered_date"] is not None for row in timeline)),
            ("acknowledged", sum(row["acknowledged_date"] is not None for row in timeline)),
            ("appeals", len(self.quarter.rows["mart_review__appeal"])),
            ("changed", sum(bool(row["is_changed_on_appeal"]) for row in results)),
        ]
        for key, value in figures:
            sheet.text(sheet.next, 0, self._label(key))
            if value is not None:
                sheet.number(sheet.next, 1, value, "score" if key == "mean_final" else "whole", bold=True, font_size=12)
            sheet.next += 1
        sheet.next += 1
        sheet.widen(0, 28)
        right = 7
        ratings = self._ratings(sheet)
        if ratings.last >= ratings.first:
            parts = [
                Series(self._label("chart_share"), ratings.range("rating_name"), ratings.range("share")),
                Series(self._label("chart_guideline"), ratings.range("rating_name"), ratings.range("guideline_share")),
            ]
            if all(row["guideline_share"] is None for row in self._company_ratings()):
                parts.pop()
            sheet.chart((2, right), "column", self._label("chart_ratings"), parts, y={"num_format": "0%", "min": 0})
        self._group(sheet, "role")
        teams = self._group(sheet, "team")
        height = max(220, 60 + 24 * (teams.last - teams.first + 1))
        parts = [Series(self._label("mean_final"), teams.range("team"), teams.range("mean_final"))]
        upside = {"reverse": True}
        sheet.chart(
            (18, right),
            "bar",
            self._label("chart_teams"),
            parts,
            size=(560, height),
            x=upside,
            y={"min": 0, "max": 100},
        )
        trend = self._trend(sheet)
        parts = [Series(self._label("mean_final"), trend.range("period_id"), trend.range("mean_final"))]
        sheet.chart((2, right + 9), "line", self._label("chart_trend"), parts, y={"min": 0, "max": 100})
        if self.quarter.rows["mart_review__career"]:
            ready = self._readiness(sheet)
            parts = [Series(self._label("chart_readiness"), ready.range("status"), ready.range("count"))]
            sheet.chart((18, right + 9), "column", self._label("chart_readiness"), parts)

    def _company_ratings(self) -> list[Row]:
        rows = [row for row in self.quarter.rows["mart_review__distribution"] if row["scope_type"] == "company"]
        return [row | {"rating_name": own(row, "rating_name", self.language)} for row in rows]

    def _ratings(self, sheet: Sheet) -> Block:
        sheet.heading(self._label("by_rating"))
        columns = (
            Column("rating_name", width=28),
            Column("member_count", "whole"),
            Column("share", "share", colour="bar"),
            Column("guideline_share", "share"),
        )
        return sheet.table(columns, self._company_ratings(), empty=self._label("nothing"))

    def _group(self, sheet: Sheet, by: str) -> Block:
        sheet.heading(self._label(f"by_{by}"))
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in self.quarter.results:
            groups[row[by] or ""].append(row)
        columns = (
            Column(by, "code"), Column("count", "whole"), Column("rated_count", "whole"),
            Column("not_rated_count", "whole"), Column("mean_final", "score", 14, colour="score"),
        )  # fmt: skip
        rows = [
            {
                by: group, "count": len(rows), "rated_count": sum(row["status"] == "rated" for row in rows),
                "not_rated_count": sum(row["status"] != "rated" for row in rows),
                "mean_final": mean(row["final_score"] for row in rows),
            }
            for group, rows in sorted(groups.items())
        ]  # fmt: skip
        return sheet.table(columns, rows)

    def _trend(self, sheet: Sheet) -> Block:
        sheet.heading(self._label("by_quarter"))
        columns = (
            Column("period_id"),
            Column("count", "whole"),
            Column("rated_count", "whole"),
            Column("mean_final", "score", 14, colour="score"),
        )
        return sheet.table(columns, self.quarter.trend)

    def _readiness(self, sheet: Sheet) -> Block:
        sheet.heading(self._label("chart_readiness"))
        states = Counter(row["status"] for row in self.quarter.rows["mart_review__career"])
        rows = [{"status": state, "count": count} for state, count in sorted(states.items())]
        return sheet.table((Column("status", "code"), Column("count", "whole")), rows)

    # ----------------------------------------------------------------------------------------- charts

    def _leniency(self, sheet: Sheet, block: Block) -> None:
        rows = [row["rater_type"] for row in self.quarter.rows["mart_review__rater"]]
        if "manager" not in rows:
            return
        part = _part(block, rows.index("manager"), rows.count("manager"))
        series = [Series(self._label("chart_leniency"), part.range("rater_name"), part.range("leniency_points"))]
        height = max(260, 80 + 20 * rows.count("manager"))
        sheet.chart(
            (3, 16),
            "bar",
            self._label("chart_leniency"),
            series,
            size=(620, height),
            x={"reverse": True, "label_position": "low"},
        )

    def _guideline(self, sheet: Sheet, block: Block) -> None:
        count = sum(row["scope_type"] == "company" for row in self.quarter.rows["mart_review__distribution"])
        if not count:
            return
        part = _part(block, 0, count)
        series = [
            Series(self._label("chart_share"), part.range("rating_name"), part.range("share")),
            Series(self._label("chart_guideline"), part.range("rating_name"), part.range("guideline_share")),
        ]
        sheet.chart((3, 13), "column", self._label("chart_ratings"), series, y={"num_format": "0%", "min": 0})

    def _box_chart(self, sheet: Sheet, block: Block) -> None:
        count = sum(row["status"] == "placed" for row in self.quarter.rows["mart_review__nine_box"])
        if not count:
            return
        part = _part(block, 0, count)
        series = [Series(self._label("chart_box"), part.range("performance_score"), part.range("potential_score"))]
        axis = {"min": 0, "max": 100, "major_unit": 20}
        sheet.chart(
            (3, 9), "scatter", self._label("chart_box"), series, size=(520, 380),
            x={"name": self._label("performance"), **axis}, y={"name": self._label("potential"), **axis},
        )  # fmt: skip

    def _grid(self, sheet: Sheet) -> None:
        """The nine boxes with the names in them: potential up, performance across."""
        rows = [row for row in self.quarter.rows["mart_review__nine_box"] if row["status"] == "placed"]
        boxes: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            boxes[row["box"]].append(row)
        top = sheet.next
        for line, potential in enumerate((3, 2, 1), start=top):
            sheet.raw.set_row(line, 96)
            said = f"{self._label('potential')}: {self._word('potential_band', potential)}"
            sheet.text(line, 0, said, bold=True, text_wrap=True, valign="vcenter")
            for performance in (1, 2, 3):
                box = 3 * (potential - 1) + performance
                people = boxes[box]
                name = own(people[0], "box_name", self.language) if people else ""
                told = f"{name or box}（{len(people)}）" if self.language == "zh" else f"{name or box} ({len(people)})"
                names = [str(row["member_name"]) for row in people[:_NAMES]]
                if len(people) > _NAMES:
                    names.append(self._label("more", count=len(people) - _NAMES))
                colour = GOOD if potential + performance >= 5 else PLAIN if potential + performance >= 4 else MILD
                sheet.text(
                    line,
                    performance,
                    "\n".join([told, ", ".join(names)]),
                    text_wrap=True,
                    bg_color=colour,
                    border=1,
                    border_color="#FFFFFF",
                )
        for performance in (1, 2, 3):
            said = f"{self._label('performance')}: {self._word('performance_band', performance)}"
            sheet.text(top + 3, performance, said, bold=True)
            sheet.widen(performance, 30)
        sheet.next = top + 5

    def _overdue(self, sheet: Sheet, block: Block) -> None:
        kinds = (
            "ratings_missing",
            "deliveries_overdue",
            "acknowledgements_overdue",
            "appeals_overdue",
            "improvements_overdue",
            "talks_overdue",
        )
        series = [Series(self._word("column", kind), block.range("manager_name"), block.range(kind)) for kind in kinds]
        height = max(280, 120 + 22 * (block.last - block.first + 1))
        sheet.chart(
            (3, 12),
            "bar",
            self._label("chart_overdue"),
            series,
            subtype="stacked",
            size=(620, height),
            x={"reverse": True},
        )

    def _fairness(self, sheet: Sheet, block: Block) -> None:
        measures = [row["measure"] for row in self.quarter.rows["mart_review__fairness"]]
        row = 3
        for measure, title in (("rating", "chart_fair_score"), ("pay", "chart_fair_pay")):
            if measure not in measures or (measure == "pay" and not self.wanted.pay):
                continue
            part = _part(block, measures.index(measure), measures.count(measure))
            place = part.columns
            names = part.range("group_id")
            both = names.replace(_letter(place["group_id"]), _letter(place["dimension"]), 1)
            series = [Series(self._label(title), both, part.range("value"))]
            height = max(320, 80 + 22 * measures.count(measure))
            sheet.chart((row, 18), "bar", self._label(title), series, size=(620, height), x={"reverse": True})
            row += height // 20 + 2


@dataclass(frozen=True)
class _Tie:
    """A line of the control totals: its cells, and the formulas over the sheet."""

    row: Row
    count: str
    sum: str

    @property
    def holds(self) -> bool:
        return bool(
            self.row["mart_rows"] == self.row["sheet_rows"]
            and (not self.sum or abs(self.row["mart_total"] - self.row["sheet_total"]) < Decimal("0.005"))
        )


_NAMES = 12  # in a box of the grid


def _letter(column: int) -> str:
    return f"${chr(ord('A') + column)}$"


def _part(block: Block, offset: int, count: int) -> Block:
    """Some rows of a block."""
    return Block(block.sheet, block.first + offset, block.first + offset + count - 1, block.columns)
