"""Writes the site: one static folder that asks no server for anything, written aside and swapped in."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dealermart import __version__
from dealermart.base import BuildError, ConfigError, Settings, child_environment
from dealermart.config import company_of, load_plan, load_registry, plan_words
from dealermart.site.dictionary import lacking, tables_of
from dealermart.site.texts import Shelf
from dealermart.site.words import load_words


def run(settings: Settings, out: Path, say: Callable[[str], None] = lambda text: None) -> Path:
    """Make the site in the folder ``out``; needs no data, only the project and its config.

    Returns:
        The page to open.

    Raises:
        ConfigError: config is broken, or a table or column has no description in one of both languages.
        BuildError: dbt does not take the project.
    """
    draft = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    draft.mkdir(parents=True)
    try:
        say("dbt reads the project")
        manifest = dbt_docs(settings, draft)
        tables = tables_of(manifest, load_words(settings))
        if missing := lacking(tables):
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            raise ConfigError(
                f"{', '.join(missing[:5])}{more}",
                where=str(settings.config / "words_zh.yml"),
                mend="write the words there; English descriptions stand in the yml beside the model",
            )
        _write(settings, draft, tables)
        say(f"{len(tables)} tables, {sum(len(table.fields) for table in tables)} columns")
        _swap(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return out / "index.html"


def dbt_docs(settings: Settings, out: Path) -> dict[str, Any]:
    """dbt's manifest; its docs with the lineage are written as one page, ``dbt.html``.

    dbt runs in a copy with a target folder below it, because it writes an absolute one into the page.
    """
    copy = out / "dbt"
    shutil.copytree(settings.dbt_project, copy, ignore=shutil.ignore_patterns("target", "logs", "lint_context"))
    program = str(Path(sys.executable).with_name("dbt"))
    options = ["--project-dir", ".", "--profiles-dir", ".", "--target-path", "target", "--log-path", "logs"]
    environment = child_environment(DBT_SEND_ANONYMOUS_USAGE_STATS="false", DO_NOT_TRACK="1")
    for words in (["parse"], ["docs", "generate", "--static", "--no-compile", "--empty-catalog"]):
        done = subprocess.run(
            [program, "--quiet", "--no-use-colors", *words, *options],
            cwd=copy, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
            raise BuildError(f"dbt {words[0]} failed:\n{said}", where=str(settings.dbt_project), mend="correct it")
    manifest = dict(json.loads((copy / "target" / "manifest.json").read_text("utf-8")))
    shutil.move(copy / "target" / "static_index.html", out / "dbt.html")
    shutil.rmtree(copy)
    return manifest


def _write(settings: Settings, out: Path, tables: list[Any]) -> None:
    """Every page but dbt's."""
    registry, company = load_registry(settings), company_of(settings, None)
    plans: list[dict[str, Any]] = []
    for path in sorted((settings.config / "plans").rglob("*.yml")):
        plan = load_plan(path, registry)
        name = "-".join(path.relative_to(settings.config / "plans").with_suffix("").parts)
        plans.append({"file": name, "plan": plan, "en": plan_words(plan, "en"), "zh": plan_words(plan, "zh")})
    shelf = Shelf(settings, company=company, version=__version__, plans=plans)
    columns: dict[tuple[str, str, str], list[Any]] = {}  # a name that means something else elsewhere stands twice
    for table in tables:
        for field in table.fields:
            columns.setdefault((field.name, field.english, field.chinese), []).append(table)
    shelf.page(out, "index.html", "index.html", tables=tables, kpis=registry.kpis)
    shelf.page(out, "tables.html", "tables.html", tables=tables)
    shelf.page(out, "columns.html", "columns.html", columns=sorted(columns.items()))
    for table in tables:
        shelf.page(out, f"tables/{table.name}.html", "table.html", table=table)
    shelf.page(out, "kpis.html", "kpis.html", kpis=registry.kpis)
    for words in plans:
        shelf.page(out, f"plans/{words['file']}.html", "plan.html", **words)
    shelf.documents(out)


def _swap(draft: Path, out: Path) -> None:
    """Put the new site into the place of the old one."""
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        if not (out / "dbt.html").is_file():
            raise ConfigError(
                "the folder holds something else than a site", where=str(out), mend="name another folder, or empty it"
            )
        out.rename(old)
    draft.rename(out)
    shutil.rmtree(old, ignore_errors=True)
