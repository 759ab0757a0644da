"""Training records and survey answers, each sent as known on the day of a file and again when more is known."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sample_company.company import END, FIRST_RECEIVED, START, between, pick
from sample_company.feeds import Feeds
from sample_company.figures import quarter_of, quarters, top_two
from sample_company.ledger import ACCEPTED, REPEAT, Fate, quarantined, rejected, write_json, write_jsonl
from sample_company.masters import COURSES

SENT = (FIRST_RECEIVED, date(2026, 7, 3), date(2026, 8, 4), date(2026, 9, 3), date(2026, 10, 3))
OLD_VERSIONS = date(2026, 9, 18)
COMMENTS = (
    "",
    "",
    "",
    "服务很好，交货快",
    "物流太慢了",
    "Great support!",
    'Lieferung "verspätet"; bitte prüfen',
    "希望多一些培训",
)


@dataclass(frozen=True)
class Training:
    record_id: str
    course_id: str
    member_id: str | None
    dealer_id: str | None
    assigned: date
    due: date
    started: date | None
    completed: date | None
    score: int
    cost: int
    currency: str

    def known(self, day: date) -> dict[str, Any]:
        """The record as the learning system shows it on a day; its change time is that of the last event."""
        started = self.started if self.started and self.started <= day else None
        completed = self.completed if self.completed and self.completed <= day else None
        changed = completed or started or self.assigned
        return {
            "recordId": self.record_id,
            "updatedAt": f"{changed.isoformat()}T08:{int(self.record_id[-2:]) % 60:02d}:00",
            "courseId": self.course_id,
            "memberId": self.member_id,
            "dealerId": self.dealer_id,
            "dealerEmployee": f"{self.dealer_id}-E{int(self.record_id[-1]) % 3 + 1}" if self.dealer_id else None,
            "assignedOn": self.assigned.isoformat(),
            "dueOn": self.due.isoformat(),
            "startedOn": started.isoformat() if started else None,
            "completedOn": completed.isoformat() if completed else None,
            "score": self.score if completed else None,
            "passed": self.score >= 60 if completed else None,
            "cost": self.cost,
            "currency": self.currency,
        }


def write_training(feeds: Feeds, seed: int) -> dict[str, Any]:
    """Write the learning system's files.

    Returns:
        Per quarter and population (members, dealer employees): records due, and those of them completed before the
        quarter's end.
    """
    ledger, company = feeds.ledger, feeds.company
    rng = random.Random(f"training {seed} {company.size.name}")
    records: list[Training] = []
    for _, first, after in quarters(START, END):
        days = (after - first).days
        people: list[tuple[str | None, str | None]] = [
            (m, None) for m in company.employment if company.employed(m, first)
        ]
        people += [
            (None, d) for d, rows in company.by_dealer.items() if rows[0].onboarded <= first and rng.random() < 0.6
        ]
        for member_id, dealer_id in people:
            for _ in range(3 if member_id else 1):
                due = first + timedelta(days=between(rng, 0, days - 1))
                assigned = due - timedelta(days=between(rng, 20, 60))
                dice = rng.random()
                completed: date | None = None
                if dice < 0.72:
                    completed = assigned + timedelta(days=between(rng, 2, (due - assigned).days))
                elif dice < 0.88:  # late: some of it after the quarter's end
                    completed = due + timedelta(days=between(rng, 1, 50))
                started = (
                    completed - timedelta(days=between(rng, 0, 2))
                    if completed
                    else (assigned + timedelta(days=3) if dice < 0.95 else None)
                )
                records.append(
                    Training(
                        f"LR-{len(records) + 1:06d}",
                        pick(rng, COURSES)[0],
                        member_id,
                        dealer_id,
                        assigned,
                        due,
                        started,
                        completed,
                        between(rng, 45, 100),
                        50 * between(rng, 0, 12),
                        feeds.members[member_id].currency
                        if member_id
                        else company.by_dealer[str(dealer_id)][0].currency,
                    ),
                )
    final: dict[str, dict[str, Any]] = {}
    files: dict[date, list[tuple[dict[str, Any] | str, Fate]]] = {day: [] for day in SENT}
    for record in records:
        for day in SENT:
            state = record.known(day)
            if record.assigned <= day and state != final.get(record.record_id):
                files[day].append((state, ACCEPTED))
                final[record.record_id] = state
    last_month = [row for row, _ in files[SENT[1]]]
    files[SENT[2]] += [
        (row, REPEAT) for row in last_month[:5] if isinstance(row, dict) and final[row["recordId"]] == row
    ]
    first_state = records[0].known(records[0].assigned)
    files[FIRST_RECEIVED] += [
        (
            '{"recordId": "LR-990001", "updatedAt": "2026-06-0',
            Fate("rejected", "not JSON", "cut line", while_reading=True),
        ),
        ({**first_state, "recordId": "LR-990002", "dueOn": "2026-02-30"}, rejected("due_date", "date", "bad date")),
        (
            {**first_state, "recordId": "LR-990003", "score": 120},
            quarantined("score_out_of_range", "value out of range"),
        ),
        ({**first_state, "recordId": None}, quarantined("record_id_missing", "missing key")),
    ]
    for day, states in files.items():
        write_jsonl(ledger, day, f"lms/training_{day}.jsonl", "training", "training_records", states)
    done = [
        r
        for r in records
        if final.get(r.record_id, {}).get("completedOn") and r.completed and r.completed <= FIRST_RECEIVED and r.started
    ]
    old = [r for r in done if r.assigned < (r.started or r.assigned)][-8:]
    # older states of finished records, received last: their change time is earlier, so they must not win
    write_jsonl(
        ledger,
        OLD_VERSIONS,
        f"lms/training_{OLD_VERSIONS}_replay.jsonl",
        "training",
        "training_records",
        [(r.known(r.assigned), ACCEPTED) for r in old],
    )

    feeds.trainings = list(final.values())
    figures: dict[str, Any] = {}
    for quarter, first, after in quarters(START, END):
        counts = {"members": [0, 0], "dealers": [0, 0]}
        for state in final.values():
            due = date.fromisoformat(state["dueOn"])
            leave = company.employment[state["memberId"]][1] if state["memberId"] else None
            if first <= due < after and (leave is None or due < leave):  # who has left has no duty any more
                count = counts["members" if state["memberId"] else "dealers"]
                count[1] += 1
                count[0] += bool(state["completedOn"]) and date.fromisoformat(state["completedOn"]) < after
        figures[quarter] = {who: {"completed": done, "due": due} for who, (done, due) in counts.items()}
    return {"by_quarter": figures, "records": len(final), "old_versions": [r.record_id for r in old]}


def write_surveys(feeds: Feeds, seed: int) -> dict[str, Any]:
    """Write the survey tool's files.

    Returns:
        Per quarter of sending: CSAT answers of 4 or 5, all CSAT answers, and CSAT surveys sent; also by member.
    """
    ledger, company = feeds.ledger, feeds.company
    rng = random.Random(f"surveys {seed} {company.size.name}")
    final: dict[str, dict[str, Any]] = {}
    files: dict[date, list[tuple[dict[str, Any], Fate]]] = {day: [] for day in SENT}
    number = 0
    for _, first, after in quarters(START, END):
        days = (after - first).days
        for dealer_id, rows in company.by_dealer.items():
            if rows[0].onboarded > first or rows[-1].status == "prospect" or rng.random() < 0.25:
                continue
            for survey, low, high in (("csat", 1, 5), ("nps", 0, 10)):
                if survey == "nps" and rng.random() < 0.6:
                    continue
                number += 1
                sent = first + timedelta(days=between(rng, 0, days - 1))
                answered = sent + timedelta(days=between(rng, 1, 25)) if rng.random() < 0.55 else None
                score = high - min(high - low, int(rng.random() ** 2 * (high - low + 1)))
                shares = company.shares(dealer_id, sent)
                before: dict[str, Any] | None = None
                for day in SENT:
                    if sent > day:
                        continue
                    is_in = answered is not None and answered <= day
                    state: dict[str, Any] = {
                        "responseId": f"SR-{number:06d}",
                        "survey": survey,
                        "scaleMin": low,
                        "scaleMax": high,
                        "respondent": f"{dealer_id}-contact",
                        "dealerId": dealer_id,
                        "memberId": shares[0][0] if shares else None,
                        "caseId": None,
                        "sentOn": sent.isoformat(),
                        "answeredOn": answered.isoformat() if is_in and answered else None,
                        "score": score if is_in else None,
                        "comment": COMMENTS[number % len(COMMENTS)] if is_in else None,
                    }
                    if state != before:
                        files[day].append((state, ACCEPTED))
                        final[state["responseId"]] = before = state
    base = dict(
        files[FIRST_RECEIVED][0][0],
        answeredOn="2026-06-01",
        sentOn="2026-05-20",
        survey="csat",
        scaleMin=1,
        scaleMax=5,
        score=5,
    )
    files[FIRST_RECEIVED] += [
        ({**base, "responseId": "SR-990001", "score": 7}, quarantined("score_outside_scale", "value out of range")),
        ({**base, "responseId": "SR-990002", "survey": "thumbs"}, quarantined("survey_unknown", "unknown enumeration")),
        ({**base, "responseId": None}, quarantined("response_id_missing", "missing key")),
        ({**base, "responseId": "SR-990003", "sentOn": "gestern"}, rejected("sent_date", "date", "bad date")),
    ]
    for day, answers in files.items():
        write_json(ledger, day, f"survey/responses_{day}.json", "surveys", "survey_responses", answers)

    feeds.surveys += final.values()
    scores: dict[str, list[int]] = defaultdict(list)
    by_member: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    sent_count: dict[str, int] = defaultdict(int)
    for state in final.values():
        if state["survey"] != "csat":
            continue
        quarter = quarter_of(date.fromisoformat(state["sentOn"]))
        sent_count[quarter] += 1
        if state["score"] is not None:
            scores[quarter].append(state["score"])
            if state["memberId"]:
                by_member[quarter][state["memberId"]].append(state["score"])
    return {
        "by_quarter": {
            q: {
                "top_two": top_two(scores[q])[0],
                "answered": len(scores[q]),
                "sent": sent_count[q],
                "score_sum": sum(scores[q]),
            }
            for q in sorted(sent_count)
        },
        "by_member": {
            q: {m: {"top_two": top_two(s)[0], "answered": len(s)} for m, s in sorted(members.items())}
            for q, members in sorted(by_member.items())
        },
        "responses": len(final),
    }
