"""Dashboards as code: files of `dashboards/` as Superset's YAML, served on loopback, looked at in a browser."""
