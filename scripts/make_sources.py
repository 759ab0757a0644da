"""Write the reference in docs/sources.md from the pydantic models of source.yml and of the company file.

What a field means is the text below it in the model. Everything outside of the two marks in the document is written by
hand.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import textwrap
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dealermart.config import Company, Crm, CrmObject, FileSpec, Ignored, Limits, Origin, Profile, Totals

ROOT = Path(__file__).resolve().parents[1]
DOC = Path("docs/sources.md")
BEGIN, END = "<!-- written by `make feeds` from here -->\n", "<!-- to here -->\n"
# Model, heading, and what its fields stand under.
MODELS: tuple[tuple[type[BaseModel], str, str], ...] = (
    (Profile, "source.yml", "The keys of `config/sources/<source>/source.yml`."),
    (FileSpec, "files", "One entry of `files`: one kind of file."),
    (Totals, "totals", "`totals` of an entry."),
    (Ignored, "ignore", "One entry of `ignore`."),
    (Origin, "from", "`from`: where the files are fetched, when nobody puts them into the inbox."),
    (Crm, "crm", "`crm`: the CRM system whose API is read in place of files ([crm.md](crm.md))."),
    (CrmObject, "objects", "One entry of `objects` of `crm`: one kind of record."),
    (Limits, "limits", "`limits`: how large a file may get before it is refused."),
    (Company, "The company file", "The keys of `config/company.yml`, or of the file that `DEALERMART_COMPANY` names."),
)
# A regular expression says less than what it stands for.
_PATTERNS = {
    "^[a-z][a-z0-9_]*$": "name (a-z, 0-9, _)",
    "^[A-Z]{3}$": "currency code",
    "^[A-Za-z_][A-Za-z0-9_]*$": "API name",
}


def reference() -> str:
    """A table per model: key, what it may be, what holds without it, meaning."""
    parts = []
    for model, heading, about in MODELS:
        said = descriptions(model)
        schema = model.model_json_schema()
        parts.append(f"### {heading}\n{about}\n\n| key | may be | without it | meaning |\n|---|---|---|---|\n")
        for name, field in model.model_fields.items():
            key = field.alias or name
            default = "needed" if field.is_required() else _default(field.default)
            kind = _kind(schema["properties"][key], schema.get("$defs", {}))
            parts.append(f"| `{key}` | {kind} | {default} | {said[name]} |\n")
        parts.append("\n")
    return "".join(parts)


def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each field of a model, in one line.

    Raises:
        KeyError: a field has no text.
    """
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    said: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            said[field.target.id] = " ".join(str(text.value.value).split()).replace("|", "\\|")
    if silent := sorted(set(model.model_fields) - set(said)):
        raise KeyError(f"{model.__name__}: write what {', '.join(silent)} means in a text below the field")
    return said


def _kind(schema: dict[str, Any], known: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(part, known) for part in schema["anyOf"] if part.get("type") != "null"))
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        heading = next(heading for model, heading, _ in MODELS if model.__name__ == name)
        return f"[{heading}](#{heading.lower().replace(' ', '-').replace('.', '')})"
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'], known)}"
    if schema["type"] == "object":
        return f"mapping to {_kind(schema['additionalProperties'], known)}"
    if "pattern" in schema:
        return _PATTERNS[schema["pattern"]]
    if schema.get("format") == "date":
        return "date"
    bounds = [
        f"above {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else "",
        f"from {schema['minimum']}" if "minimum" in schema else "",
        f"to {schema['maximum']}" if "maximum" in schema else "",
    ]
    word = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true`, `false`"}[
        schema["type"]
    ]
    return " ".join([word, *filter(None, bounds)])


def _default(value: object) -> str:
    if value is None or value == () or value == {} or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return " ".join(f"`{part}`" if part else "nothing" for part in value)
    return f"`{value}`" if value != "," else "a comma"


def document(stands: str) -> str:
    """The document with its reference written anew."""
    head, _, rest = stands.partition(BEGIN)
    return head + BEGIN + reference() + END + rest.partition(END)[2]


def main(arguments: list[str] | None = None) -> int:
    """Command line; with ``--check`` returns 1 if the document does not stand as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing")
    stands = (ROOT / DOC).read_text("utf-8")
    wanted = document(stands)
    if parser.parse_args(arguments).check and wanted != stands:
        print(f"{DOC}: does not follow from the models\n  mend: run `make feeds`", file=sys.stderr)
        return 1
    if wanted != stands:
        (ROOT / DOC).write_text(wanted, "utf-8")
        print(f"{DOC}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
