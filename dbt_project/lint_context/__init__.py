"""What dbt puts into the Jinja context and sqlfluff does not know: each module stands for one name."""
