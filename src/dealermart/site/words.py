"""Chinese of what is published: sentences for tables, and column names put together from words."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from dealermart.base import ConfigError, Settings
from dealermart.config import load_registry, load_yaml


class _File(BaseModel):
    """``config/words_zh.yml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, str]
    names: dict[str, str]
    words: dict[str, str]


class Words:
    """Chinese of tables and columns.

    Args:
        tables: A sentence by table.
        names: Whole columns, KPIs among them; ``table.column`` where it means something else than elsewhere.
        words: Words and phrases of which the other columns consist.
    """

    def __init__(self, tables: dict[str, str], names: dict[str, str], words: dict[str, str]) -> None:
        self._tables, self._names, self._words = tables, names, words

    def table(self, name: str) -> str | None:
        """A sentence on the table; None where there is none."""
        return self._tables.get(name)

    def column(self, name: str, table: str = "") -> str | None:
        """The column's name, from the left by the longest words that are known; None where a part of it is not."""
        if whole := self._names.get(f"{table}.{name}") or self._names.get(name):
            return whole
        parts, found = name.strip("_").split("_"), []
        while parts:
            for length in range(len(parts), 0, -1):
                if word := self._words.get("_".join(parts[:length])):
                    found.append(word)
                    parts = parts[length:]
                    break
            else:
                return None
        return "".join(found)


def load_words(settings: Settings) -> Words:
    """The words file of the config folder, with the names of KPIs from the registry.

    Raises:
        ConfigError: a file is missing or broken.
    """
    path = settings.config / "words_zh.yml"
    file = load_yaml(path, _File)
    if empty := [key for key, text in (file.tables | file.names | file.words).items() if not text.strip()]:
        raise ConfigError(f"{empty[0]} has no Chinese", where=str(path), mend="write it, or take the line out")
    kpis = {kpi.code: kpi.name_zh for kpi in load_registry(settings).kpis}
    return Words(file.tables, kpis | file.names, file.words)
