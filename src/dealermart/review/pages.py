"""Packs as HTML pages that need nothing besides themselves: no script, nothing fetched, charts inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from dealermart.review.blocks import Block
from dealermart.review.words import Language


def page(
    title: str, facts: Sequence[tuple[str, str]], blocks: Sequence[Block], foot: Sequence[str], language: Language
) -> str:
    """A pack.

    Args:
        facts: Names and values below the title.
        foot: Sentences at the end.
    """
    told = [(type(block).__name__, block) for block in blocks]
    text: str = _template().render(title=title, facts=facts, blocks=told, foot=foot, language=language)
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]", "\ufffd", text)


_WORD = 24  # signs; what is longer without a blank is broken where the line ends


@cache
def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dealermart.review"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["is_long"] = lambda text: any(len(run) > _WORD for run in text.split())
    return environment.get_template("pack.html")
