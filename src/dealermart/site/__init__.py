"""The documentation site: tables and columns in English and Chinese, KPIs, plans, pages, and dbt's own docs."""

from dealermart.site.dictionary import Field, Table, tables_of
from dealermart.site.make import run
from dealermart.site.words import Words, load_words

__all__ = [
    "Field",
    "Table",
    "Words",
    "load_words",
    "run",
    "tables_of",
]
