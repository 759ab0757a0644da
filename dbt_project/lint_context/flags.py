"""Stands for the flags of a dbt run."""

FULL_REFRESH = False
