"""Charts of the packs, as SVG to stand inside a page: drawn by matplotlib, the same bytes for the same figures.

Text stays text, in the fonts of the page that holds the chart, so that Chinese is shown wherever the page is. For the
same reason nothing is laid out by the width of a text: margins are given, long names are cut.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

INK, SOFT, LINE = "#1c2430", "#5d6878", "#dfe3e9"
BLUE, ORANGE, GREEN, RED, GREY = "#1f5fbf", "#d98324", "#1d7a46", "#b3261e", "#b9c4d3"

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "dealermart",
    "font.family": "DejaVu Sans",  # measures texts; they are shown in the font of the page
    "font.size": 8.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}


_NAMED = 4


@dataclass(frozen=True)
class Bar:
    """A bar of ``bars``: its name, value (None: not measured) and whether it stands out."""

    name: str
    value: float | None
    note: str = ""
    colour: str = BLUE


def trend(
    key: str,
    title: str,
    periods: Sequence[str],
    values: Sequence[float | None],
    target: Sequence[float | None] = (),
    form: str = "number",
) -> str:
    """A value by period with its target; a period that was not measured is a gap, never 0.

    Args:
        key: Of the chart in its page: begins the ids inside it.
        form: ``number``, ``share`` (0.5 is 50 %) or ``score`` (from 0 to 100).
    """
    with _figure(2.6, 1.45) as (figure, axes):
        places = range(len(periods))
        known = [(place, value) for place, value in enumerate(values) if value is not None]
        aims = [(place, value) for place, value in enumerate(target) if value is not None]
        if aims:
            axes.plot(*zip(*aims, strict=True), color=ORANGE, linestyle=(0, (4, 2)), marker="_", linewidth=1.2)
        gaps = [value if value is not None else float("nan") for value in values]
        axes.plot(list(places), gaps, color=BLUE, marker="o", clip_on=False)
        if known:
            place, value = known[-1]
            look = {"ha": "center", "color": INK, "fontweight": "bold"}
            falls = len(known) > 1 and known[-2][1] > value  # below the line then, which comes from above
            look |= {"va": "top"} if falls else {}
            axes.annotate(
                _said(value, form), (place, value), (0, -6 if falls else 7), textcoords="offset points", **look
            )
        axes.set_xlim(-0.4, max(len(periods) - 0.6, 0.6))
        # Of many quarters every second one is named, the last among them.
        step = 1 if len(periods) <= _NAMED else 2
        axes.set_xticks(
            list(places),
            [_short(name) if (len(periods) - 1 - at) % step == 0 else "" for at, name in enumerate(periods)],
        )
        shown = [value for _, value in known + aims]
        if form == "score":
            axes.set_ylim(0, 112)
            axes.set_yticks([0, 50, 100])
        elif shown:
            low, high = min(shown), max(shown)
            room = (high - low) or abs(high) or 1.0
            axes.set_ylim(low - 0.35 * room, high + 0.4 * room)
            axes.locator_params(axis="y", nbins=4)
        axes.yaxis.set_major_formatter(lambda value, _: _said(value, form))
        figure.subplots_adjust(left=0.16, right=0.97, top=0.95, bottom=0.14)
        return _svg(figure, key, title)


def bars(key: str, title: str, parts: Sequence[Bar], marks: Sequence[float] = ()) -> str:
    """Scores from 0 to 100 as bars that lie, with the borders of ratings; what was not measured says so in ``note``."""
    with _figure(7.0, 0.36 + 0.27 * max(len(parts), 1)) as (figure, axes):
        places = list(range(len(parts)))
        axes.grid(visible=False)
        for mark in marks:
            axes.axvline(mark, color=LINE, linewidth=1, zorder=0)
        axes.barh(places, [100] * len(parts), height=0.56, color="#f0f2f5", zorder=0.5)
        axes.barh(
            places, [part.value or 0 for part in parts], height=0.56, color=[part.colour for part in parts], zorder=2
        )
        for place, part in zip(places, parts, strict=True):
            said = part.note if part.value is None else f"{part.value:.1f}"
            colour = SOFT if part.value is None else INK
            axes.text((part.value or 0) + 1, place, said, va="center", color=colour, zorder=3)
        axes.set_yticks(places, [_cut(part.name, 34) for part in parts], color=INK)
        axes.set_xlim(0, 107)
        axes.set_xticks([0, *marks, 100])
        axes.set_ylim(len(parts) - 0.4, -0.6)
        height = figure.get_figheight()
        figure.subplots_adjust(left=0.3, right=0.995, top=1 - 0.04 / height, bottom=0.24 / height)
        return _svg(figure, key, title)


def _said(value: float, form: str) -> str:
    """A figure in few signs."""
    if form == "share":
        return f"{value * 100:.0f}%" if abs(value) >= 0.1 or value == 0 else f"{value * 100:.1f}%"
    if form == "score":
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{sign}"
    return f"{value:.3g}"


def _short(period: str) -> str:
    """2026-Q3 in little room: 26-Q3."""
    return period[2:] if re.fullmatch(r"\d{4}-\w+", period) else period


def _cut(text: str, room: int) -> str:
    """A name in so many halves of a Chinese sign."""
    used = 0
    for place, sign in enumerate(text):
        used += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if used > room:
            return text[:place] + "…"
    return text


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Any, Any]]:
    """A figure of so many inches with one pair of axes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        yield figure, figure.add_subplot()


def _svg(figure: Any, key: str, title: str) -> str:
    """The figure as an SVG element with its title, to stand in HTML: without prolog, and without names of groups, which
    would stand many times in one page."""
    import warnings

    out = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        nothing = {"Date": None, "Creator": None, "Type": None, "Format": None}
        figure.savefig(out, format="svg", metadata=nothing, transparent=True)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL
    )  # it would hold for the whole page
    text = re.sub(r"font-family: [^;]*; ", "", text)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{key}-", text)
    text = re.sub(r"\n\s*", "\n", text)
    return re.sub(
        r"<svg[^>]*>",
        lambda head: f'{head.group()[:-1]} role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>',
        text,
        count=1,
    )
