"""Pages from templates, and the project's Markdown as pages, with links that hold on disk."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from dealermart.base import Settings

# What of the project's Markdown is on the site: the guides, and the decisions behind them.
_GUIDES = ("README.md", "CHANGELOG.md", "docs/*.md", "docs/decisions/*.md", "dags/README.md")


class Shelf:
    """All pages of one site.

    Args:
        facts: What every template may name.
    """

    def __init__(self, settings: Settings, **facts: Any) -> None:
        import jinja2

        self._root = settings.project
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("dealermart.site"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {"parted": _parted, "marked": _marked}
        self.guides = sorted({path for pattern in _GUIDES for path in self._root.glob(pattern)})
        self._environment.globals |= facts | {"guides": [(self._page(path), _title(path)) for path in self.guides]}

    def page(self, out: Path, name: str, template: str, **words: Any) -> None:
        """Write a page below ``out``; ``up`` leads from it to the site's root."""
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self._environment.get_template(template).render(up="../" * name.count("/"), here=name, **words)
        path.write_text(text, "utf-8")

    def documents(self, out: Path) -> None:
        """Write a page for every guide."""
        from markdown_it import MarkdownIt

        markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        for path in self.guides:
            tokens = markdown.parse(path.read_text("utf-8"))
            seen: dict[str, int] = {}
            for index, token in enumerate(tokens):
                if token.type == "heading_open":
                    slug = _slug(tokens[index + 1].content)
                    seen[slug] = seen.get(slug, -1) + 1
                    token.attrSet("id", f"{slug}-{seen[slug]}" if seen[slug] else slug)
                for child in token.children or ():
                    if child.type == "link_open":
                        child.attrSet("href", self._link(str(child.attrGet("href")), path))
            body = markdown.renderer.render(tokens, markdown.options, {})
            self.page(out, self._page(path), "guide.html", title=_title(path), body=body)

    def _page(self, path: Path) -> str:
        return f"guides/{'-'.join(path.relative_to(self._root).with_suffix('').parts)}.html"

    def _link(self, href: str, path: Path) -> str:
        """Where a link of a guide leads on the site; a file that is not on it becomes its name alone."""
        if re.match(r"[a-z]+:|#", href):
            return href
        target, _, anchor = href.partition("#")
        found = Path(os.path.normpath(path.parent / target))
        if found not in self.guides:
            return "#"
        return Path(self._page(found)).name + (f"#{anchor}" if anchor else "")


def _title(path: Path) -> str:
    first = path.read_text("utf-8").splitlines()[0]
    title = first.lstrip("# ").strip()
    return f"{title} (DAGs)" if path.parent.name == "dags" and title != "DAGs" else title


def _parted(name: str) -> Any:
    """A name of code that may go on in the next line after an underscore, and nowhere else."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(?<=\w)_(?=[^_])", "_<wbr />", str(escape(name))))


def _marked(text: str) -> Any:
    """A description with what stands between backticks as code."""
    from markupsafe import Markup, escape

    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _slug(text: str) -> str:
    """The anchor that GitHub gives a heading, so that links of the guides hold in both places."""
    plain = re.sub(r"`|\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
