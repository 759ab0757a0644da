"""Run in Superset's own environment: opens each dashboard in Chromium and compares what it shows with what it should.

Reads what is expected from a JSON file and prints one line per dashboard; the exit code is 1 where anything differs.
"""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

_SECONDS, _TRIES = 120, 5


def same(shown: Any, expected: Any) -> bool:
    """Whether a cell is what it should be; Superset gives numbers as floats and days as milliseconds."""
    if expected is None or shown is None:
        return expected is shown
    if isinstance(expected, bool) or isinstance(shown, bool):
        return shown == expected
    if isinstance(shown, (int, float)):
        wanted = Decimal(str(expected))
        return abs(Decimal(repr(shown)) - wanted) <= max(abs(wanted) * Decimal("1e-12"), Decimal("1e-9"))
    return str(shown) == str(expected)


def differences(rows: list[dict[str, Any]], expected: dict[str, Any]) -> list[str]:
    """Where the rows of a chart are not those that the mart has, in whatever order they come."""
    columns, wanted = expected["columns"], expected["rows"]
    if expected.get("series"):  # a column per series comes from Superset
        rows = [
            dict(zip(columns, (row[columns[0]], name, value), strict=True))
            for row in rows
            for name, value in row.items()
            if name != columns[0] and value is not None
        ]
        wanted = [row for row in wanted if row[-1] is not None]

    def ordered(some: list[list[Any]]) -> list[list[Any]]:
        return sorted(some, key=lambda row: [str(cell) for cell in row[: expected["keys"]]])

    shown = ordered([[row.get(column) for column in columns] for row in rows])
    if len(shown) != len(wanted):
        return [f"{len(shown)} rows in place of {len(wanted)}"]
    return [
        f"{dict(zip(columns, row, strict=True))} in place of {other}"
        for row, other in zip(shown, ordered(wanted), strict=True)
        if not all(same(cell, value) for cell, value in zip(row, other, strict=True))
    ]


def look(page: Any, url: str, board: dict[str, Any], shot: Path) -> list[str]:
    """Open a dashboard; gives what is wrong."""
    answers: dict[str, list[dict[str, Any]]] = {}
    wrong: list[str] = []

    def read(response: Any) -> None:
        if not response.url.startswith((url, "data:", "blob:")):
            wrong.append(f"asked {response.url[:80]}")
        if "/api/v1/chart/data" in response.url and response.request.method == "POST":
            if response.status != 200:
                wrong.append(f"a chart was answered {response.status}")
                return
            form = response.request.post_data_json["form_data"]
            result = response.json()["result"][0]
            answers[str(form["slice_id"])] = result["data"]

    def complain(message: Any) -> None:
        if message.type == "error":
            wrong.append(f"console: {message.text[:160]}")

    page.on("response", read)
    page.on("console", complain)
    page.on("pageerror", lambda error: wrong.append(f"script: {str(error)[:160]}"))
    page.goto(f"{url}/superset/dashboard/{board['slug']}/?standalone=1")
    page.wait_for_selector("[data-test-chart-id], .dashboard-component-chart-holder", timeout=_SECONDS * 1000)
    for _ in range(_SECONDS):
        page.mouse.wheel(0, 500)  # charts below the fold are asked for when they come into view
        page.wait_for_timeout(1000)
        if len(answers) >= len(board["charts"]) and not page.query_selector("[data-test=loading-indicator]"):
            break
    page.wait_for_timeout(1500)  # bars and lines are drawn with an animation
    text = page.inner_text("body")
    holder = page.query_selector_all("[data-test-chart-id]")
    names = {node.get_attribute("data-test-chart-id"): node.get_attribute("data-test-chart-name") for node in holder}
    by_name = {names.get(slice_id): rows for slice_id, rows in answers.items()}
    for chart in board["charts"]:
        if chart["name"] not in by_name:
            wrong.append(f"{chart['name']}: no data was asked for")
            continue
        wrong += [f"{chart['name']}: {fault}" for fault in differences(by_name[chart["name"]], chart)[:3]]
        wrong += [
            f"{chart['name']}: {shown} is not to be read on the page" for shown in chart["text"] if shown not in text
        ]
    wrong += [
        f"the page says {words}" for words in ("Unexpected error", "Data error", "DB engine error") if words in text
    ]
    page.mouse.wheel(0, -10000)
    page.screenshot(path=str(shot), full_page=True)
    return wrong


def log_in(browser: Any, url: str, audience: str) -> Any:
    """A browser of its own for a reader; asked again where the page did not take the first click."""
    context = browser.new_context(viewport={"width": 1500, "height": 1100})
    page = context.new_page()
    for _ in range(_TRIES):
        page.goto(f"{url}/login/")
        if "/login" not in page.url:
            break
        page.wait_for_selector("input[type=password]")
        page.fill("input[name=username], input#username", audience)
        page.fill("input[type=password]", os.environ[f"SUPERSET_PASSWORD_{audience.upper()}"])
        page.keyboard.press("Enter")
        page.wait_for_timeout(5000)
    if "/login" in page.url:
        raise SystemExit(f"Superset does not let {audience} in")
    page.close()
    return context


def main(expected: str, url: str, shots: str) -> int:
    """Log in as each audience, look at its dashboards."""
    from playwright.sync_api import sync_playwright

    boards = json.loads(Path(expected).read_text("utf-8"))
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        contexts = {name: log_in(browser, url, name) for name in sorted({board["audience"] for board in boards})}
        for board in boards:
            context = contexts[board["audience"]]
            page = context.new_page()
            wrong = look(page, url, board, Path(shots) / f"{board['slug']}.png")
            page.close()
            if board["audience"] == "bi":  # what is for HR alone is not there for them
                for slug in (other["slug"] for other in boards if other["audience"] == "hr"):
                    answer = context.request.get(f"{url}/api/v1/dashboard/{slug}")
                    if answer.status not in (403, 404):
                        wrong.append(f"readers for bi were answered {answer.status} for {slug}")
            failed += bool(wrong)
            print(f"{'FAILED' if wrong else 'ok    '} {board['slug']}: {len(board['charts'])} charts", flush=True)
            print("".join(f"    {fault}\n" for fault in dict.fromkeys(wrong)), end="", flush=True)
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
