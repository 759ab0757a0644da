"""Run in Superset's own environment: a role and a login per audience, which reads the database of that audience alone.

Passwords come by the environment (SUPERSET_PASSWORD_<AUDIENCE>).
"""

from __future__ import annotations

import os
import sys
from typing import Any


def main(audiences: list[str]) -> None:
    """Make or renew roles and logins."""
    from superset.app import create_app

    app: Any = create_app()
    with app.app_context():
        from superset import db, security_manager
        from superset.models.core import Database

        for audience in audiences:
            database = db.session.query(Database).filter_by(database_name=f"dealermart for {audience}").one()
            role = security_manager.add_role(f"readers for {audience}")
            # What every reader may do in the page, without data of its own; no SQL Lab.
            rights = list(security_manager.find_role("Gamma").permissions)
            rights.append(security_manager.add_permission_view_menu("database_access", database.perm))
            role.permissions = rights
            db.session.commit()
            password = os.environ[f"SUPERSET_PASSWORD_{audience.upper()}"]
            user = security_manager.find_user(audience)
            if user is None:
                security_manager.add_user(audience, audience, "readers", f"{audience}@example.com", role, password)
            else:
                user.roles = [role]
                security_manager.reset_password(user.id, password)
        db.session.commit()


if __name__ == "__main__":
    main(sys.argv[1:])
