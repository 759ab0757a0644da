"""Files that were refused and have not been taken since."""

from __future__ import annotations

from dealermart.base import Settings
from dealermart.config import Contract, load_profile, source_names
from dealermart.lake.log import content_of, read


def open_refusals(settings: Settings, known: dict[str, Contract]) -> list[tuple[str, str, str]]:
    """Files that were not taken: not on their day later, nor as the same content, nor ignored since.

    Returns:
        Received date, source and file name of each, the newest first.
    """
    last: dict[tuple[str, str, str], tuple[int, list[dict[str, str]]]] = {}  # all uses of a file, by its last commit
    log = read(settings)
    for commit in log.commits:
        for file in commit["deliveries"]:
            if file["status"] in ("accepted", "duplicate", "refused", "unrecognised"):
                key = file["received"], file["source"], file["file"]
                seq, uses = last.get(key, (0, []))
                last[key] = commit["seq"], [*(uses if seq == commit["seq"] else ()), file]
    sources = {source for _, source, _ in last}
    taken = {source: log.taken(source) for source in sources}
    profiles = {source: load_profile(settings, source, known) for source in sources & set(source_names(settings))}

    def is_left(source: str, file: dict[str, str]) -> bool:
        """Whether a use of a file was refused, and its content is taken for the same nowhere."""
        as_what = taken[source].get(content_of(file["delivery_id"]), {})
        label = file["feed"] or (f"{source}.{file['entry']}" if file.get("entry") else None)
        return file["status"] in ("refused", "unrecognised") and not (label in as_what if label else as_what)

    return [
        (received, source, name)
        for (received, source, name), (_, uses) in sorted(last.items(), reverse=True)
        if any(is_left(source, file) for file in uses) and not (source in profiles and profiles[source].ignores(name))
    ]
