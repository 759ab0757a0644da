"""The project's own rules, which no linter off the shelf knows: layers, published marts, money, clocks, machine
paths, Python names, and SQL that a second engine can run (lint_portable).

The rules are functions from data to findings; ``main`` reads ``manifest.json`` (made by ``dbt parse``) and the tree.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import lint_portable
from lint_text import Finding, blank, code

ROOT = Path(__file__).resolve().parents[1]
DAG_LINES = 60
DUCKDB = "src/dealermart/base/duck.py"  # the one place that opens it
AUDIENCES = {"bi", "hr"}


# ------------------------------------------------------------------------------------------------ models
# What each layer may read: layers of models, and schemas of sources.
MAY_READ: dict[str, tuple[set[str], set[str]]] = {
    "staging": (set(), {"lake", "config", "meta"}),
    "intermediate": ({"staging", "intermediate", "marts/core", "seeds"}, {"config", "meta", "closed"}),
    "marts": ({"intermediate", "marts"}, {"config", "meta", "closed"}),
}


def layers(manifest: dict[str, Any]) -> Iterator[Finding]:
    """Every reference of a model that its layer may not make."""
    for model in _models(manifest):
        layer = _layer(model)
        if layer.split("/")[0] not in MAY_READ:
            mend = "put it into models/staging, models/intermediate or models/marts"
            yield Finding("layer", _where(model), f"the folder {layer!r} is no layer", mend)
            continue
        models, sources = MAY_READ[layer.split("/")[0]]
        for name in model["depends_on"]["nodes"]:
            if name in manifest["sources"]:
                read = manifest["sources"][name]["source_name"]
                allowed = read in sources
                target = f"source {read}.{manifest['sources'][name]['name']}"
            else:
                read = _layer(manifest["nodes"][name])
                allowed = bool({read, read.split("/")[0]} & models)
                target = f"{manifest['nodes'][name]['name']} ({read})"
            if not allowed:
                mend = "see MAY_READ in scripts/lint_layers.py; the missing step belongs into the layer between"
                yield Finding("layer", _where(model), f"a model of layer {layer} reads {target}", mend)


def published(manifest: dict[str, Any]) -> Iterator[Finding]:
    """Every mart, and every model with an audience, that is not fit to be published."""
    for model in _models(manifest):
        config = model["config"]
        audience = (config.get("meta") or {}).get("audience")
        if not _layer(model).startswith("marts") and audience is None:
            continue
        wrong = {
            "it has no enforced contract": not (config.get("contract") or {}).get("enforced"),
            "its access is not public": (config.get("access") or model.get("access")) != "public",
            "it belongs to no group": not (config.get("group") or model.get("group")),
            "it has no yml": not model.get("patch_path"),
            "it has no description": not (model.get("description") or "").strip(),
            "config.meta.audience is not a list of bi and hr that holds hr": not _audience_holds(audience),
        }
        for what in (text for text, is_so in wrong.items() if is_so):
            yield Finding("published", _where(model), what, "see any mart's yml beside its sql")


def grains(manifest: dict[str, Any]) -> Iterator[Finding]:
    """Every model above staging whose first line does not state its grain."""
    for model in _models(manifest):
        if not _layer(model).startswith("staging") and not re.match(r"-- Grain: one row per \S", model["raw_code"]):
            mend = "write `-- Grain: one row per ...` as the first line"
            yield Finding("grain", _where(model), "the first line does not state the grain", mend)


def _models(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (node for node in manifest["nodes"].values() if node["resource_type"] == "model")


def _layer(node: dict[str, Any]) -> str:
    """``staging``, ``intermediate``, ``marts/core`` ... or ``seeds``, from the node's folder."""
    parts = PurePosixPath(node["original_file_path"]).parts
    if parts[0] != "models":
        return parts[0]
    return "/".join(parts[1:3]) if parts[1] == "marts" and len(parts) > 3 else parts[1]


def _where(node: dict[str, Any]) -> str:
    return f"dbt_project/{node['original_file_path']}"


def _audience_holds(audience: object) -> bool:
    return isinstance(audience, list) and "hr" in audience and set(audience) <= AUDIENCES


# ------------------------------------------------------------------------------------------------ SQL text
_DIVIDE_MACRO = re.compile(r"\{%-?\s*macro\s+(?:\w+__)?exact_divide\(.*?endmacro", re.DOTALL)
_NOT_MONEY = re.compile(r"(?:--|\{#-?)\s*not money:\s*\w[^\n]{2}")
# avg() of decimals is a DOUBLE, too: a division in disguise.
_INEXACT = re.compile(r"/|\b(?:divide|fdiv|avg|mean)\s*\(|\b(?:double|float[48]?|real)\b", re.IGNORECASE)
_CLOCK = re.compile(
    r"\b(?:now|today|get_current_timestamp|transaction_timestamp|current_localtimestamp)\s*\("
    r"|\b(?:current_date|current_timestamp|current_time|localtimestamp|localtime|run_started_at|modules\.datetime)\b",
    re.IGNORECASE,
)


def money(where: str, sql: str) -> Iterator[Finding]:
    """Every ``/``, average and floating type outside ``exact_divide`` whose line has no ``-- not money: <reason>``."""
    lines = sql.splitlines()
    text = _DIVIDE_MACRO.sub(blank, code(sql))
    for number, line in enumerate(text.splitlines(), 1):
        found = _INEXACT.search(line)
        if found and not _NOT_MONEY.search(lines[number - 1]):
            mend = "use exact_divide(); where it is no money, the line says `-- not money: <reason>`"
            yield Finding("money", f"{where}:{number}", f"{found.group().strip('( ')} is not exact", mend)


def clocks(where: str, sql: str) -> Iterator[Finding]:
    """Every reading of the clock: the as-of moment and the period are inputs."""
    for number, line in enumerate(code(sql).splitlines(), 1):
        found = _CLOCK.search(line)
        if found:
            mend = "use the variables as_of and period_end"
            yield Finding("clock", f"{where}:{number}", f"{found.group().strip('( ')} reads the clock", mend)


# ------------------------------------------------------------------------------------------------ the tree
_MACHINE = re.compile(
    r"(?<![\w.)}\]$*~-])/(?:work|root|farm|tmp|home|Users)/"
    r"|--(?:extra-)?index-url|--find[-]links|https?://[^\s]+/(?:simple|packages)/"
)


def machine(where: str, text: str) -> Iterator[Finding]:
    """Every absolute path of somebody's machine and every address of a package index."""
    for number, line in enumerate(text.splitlines(), 1):
        found = _MACHINE.search(line)
        if found:
            mend = "write it relative to the repo or take it from a setting"
            yield Finding("machine", f"{where}:{number}", f"{found.group()} holds on one machine only", mend)


def dag_length(where: str, text: str) -> Iterator[Finding]:
    """A DAG file that does more than schedule."""
    count = len(text.splitlines())
    if count > DAG_LINES:
        yield Finding("dag", where, f"{count} lines, more than {DAG_LINES}", "move the work to src/dealermart")


def python(where: str, text: str) -> Iterator[Finding]:
    """In ``src``: DuckDB opened elsewhere than in its one place, and a variable that says nothing of what it is."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "duckdb.connect" and where != DUCKDB:
            mend = f"use connect, sandbox or workspace of {DUCKDB}"
            yield Finding("duckdb", f"{where}:{node.lineno}", "DuckDB is opened here, without its limits", mend)
        name = node.arg if isinstance(node, ast.arg) else getattr(node, "id", "")
        if name == "one" and not isinstance(getattr(node, "ctx", None), ast.Load):
            yield Finding(
                "name",
                f"{where}:{getattr(node, 'lineno', 0)}",
                "'one' is no name",
                "say what it is: row, file, delivery",
            )


def tree(root: Path) -> Iterator[Path]:
    """The project's files: what git would commit, or everything but state where there is no git."""
    listed = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False,
    ) if (root / ".git").exists() else None  # fmt: skip
    if listed and listed.returncode == 0:
        paths: Iterable[Path] = (root / name for name in listed.stdout.decode().split("\0") if name)
    else:
        apart = {".venv", ".cache", ".git", "var", "target", "__pycache__"}
        paths = (path for path in root.rglob("*") if not apart & set(path.relative_to(root).parts))
    yield from (path for path in sorted(paths) if path.is_file())


def of_tree(root: Path) -> Iterator[Finding]:
    """The rules on files, for the project at ``root``."""
    macros: dict[str, str] = {}
    for path in tree(root):
        where = path.relative_to(root).as_posix()
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # not a text file
        yield from machine(where, text)
        if where.startswith("dbt_project/") and path.suffix == ".sql":
            yield from money(where, text)
            yield from clocks(where, text)
            yield from lint_portable.of_text(where, text)
        if where.startswith("dbt_project/models/") and path.suffix == ".yml":
            yield from lint_portable.of_yml(where, text)
        if where.startswith("dbt_project/macros/") and path.suffix == ".sql":
            macros[where] = text
        if where.startswith("dags/") and path.suffix == ".py":
            yield from dag_length(where, text)
        if where.startswith("src/") and path.suffix == ".py":
            yield from python(where, text)
    yield from lint_portable.twins(macros)


def of_manifest(manifest: dict[str, Any]) -> Iterator[Finding]:
    """The rules on models."""
    yield from layers(manifest)
    yield from published(manifest)
    yield from grains(manifest)
    yield from lint_portable.of_models(manifest)


def main() -> int:
    """Command line; returns 1 when a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--manifest", type=Path, default=ROOT / ".cache" / "dbt" / "manifest.json")
    given = parser.parse_args()
    try:
        manifest = json.loads(given.manifest.read_text("utf-8"))
    except FileNotFoundError:
        print(f"{given.manifest} does not exist: nothing was checked\n    mend: run dbt parse first (make lint does)")
        return 2
    findings = [*of_manifest(manifest), *of_tree(given.root)]
    for finding in findings:
        print(finding)
    models = sum(1 for _ in _models(manifest))
    print(f"{len(findings)} findings in {models} models and {sum(1 for _ in tree(given.root))} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
