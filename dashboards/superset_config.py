"""Superset's settings; everything that differs between machines comes from the environment."""

import copy
import os

from superset.config import TALISMAN_CONFIG as DEFAULT_TALISMAN

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["SUPERSET_METADATA_URI"]

# The browser talks to this server alone: no telemetry pixel, no map tiles.
TALISMAN_CONFIG = copy.deepcopy(DEFAULT_TALISMAN)
TALISMAN_CONFIG["content_security_policy"] |= {
    "img-src": ["'self'", "blob:", "data:"],
    "connect-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "font-src": ["'self'"],
}
LANGUAGES = {"en": {"flag": "us", "name": "English"}, "zh": {"flag": "cn", "name": "中文"}}
