"""What the marts promise: their suites, judged after every build."""

from __future__ import annotations

from dealermart import checks
from dealermart.base import BuildError, Settings, connect


def check_marts(settings: Settings) -> dict[str, int]:
    """Judge the marts by their suites (``expectations/marts``).

    Returns:
        Rows that fail a rule that is not critical, by mart and rule.

    Raises:
        BuildError: a critical rule failed; nothing of this build is published.
    """
    con = connect(settings, settings.warehouse, read_only=True)
    notes: dict[str, int] = {}
    faults: list[str] = []
    try:
        for path in sorted((settings.expectations / "marts").glob("*.json")):
            relation = f"marts.{path.stem}"
            columns = {name: kind for name, kind, *_ in con.execute(f"describe {relation}").fetchall()}
            suite = checks.load_suite(path, columns)
            texts = {rule.rule: rule.description for rule in suite.rules}
            for outcome in checks.run(con, relation, suite):
                if outcome.severity == "critical" and not outcome.success:
                    count = f" ({outcome.failed} of {outcome.rows} rows)" if outcome.failed is not None else ""
                    faults.append(f"- {path.stem}, rule {outcome.rule}: {texts[outcome.rule]}{count}")
                elif outcome.failed or not outcome.success:
                    notes[f"{path.stem}.{outcome.rule}"] = outcome.failed or 0
    finally:
        con.close()
    if faults:
        raise BuildError(
            "marts break what they promise:\n" + "\n".join(faults),
            where=str(settings.expectations / "marts"),
            mend="find the cause in the rows of the warehouse; what readers see is still the last good build",
        )
    return notes
