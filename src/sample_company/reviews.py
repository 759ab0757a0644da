"""What is said of people's quarters: ratings, goals, appeals and deliveries, with planted people among them.

The star is the seller who is furthest ahead of the target and whom all praise; one manager gives everybody the best
ratings; one seller never wrote a self-assessment; one appeal is granted; who joined in the last quarter has little yet.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from sample_company.company import FIRST_RECEIVED, START, between, pick
from sample_company.feeds import TOLD, Feeds
from sample_company.ledger import (
    Fate,
    bad_date,
    bad_number,
    missing,
    out_of_range,
    unknown_word,
    write_csv,
    write_json,
    write_jsonl,
)

_, AUGUST, OCTOBER = TOLD
CRITERIA = ("teamwork", "initiative", "potential")
# quarter: day of the ratings, file that tells them, day of delivery, file that tells that
REVIEWED = {
    "2026-Q1": (date(2026, 4, 10), FIRST_RECEIVED, date(2026, 4, 20), FIRST_RECEIVED),
    "2026-Q2": (date(2026, 7, 9), AUGUST, date(2026, 7, 21), AUGUST),
}
LAST = "2026-Q2"
# Of the quarter that has just ended, only the newcomer was spoken of, and not well.
NEWEST, NEWEST_RATED = "2026-Q3", date(2026, 10, 2)


class Said(NamedTuple):
    """One rating, on a scale from 1 to 5; None: no score was given."""

    member: str
    quarter: str
    part: str
    rater: str
    criterion: str
    score: int | None


class Cast(NamedTuple):
    """Who plays which part."""

    star: str
    newcomer: str
    lenient_manager: str
    upheld_appeal: str
    missing_self: str


def cast(feeds: Feeds, sellers: list[str]) -> Cast:
    """Choose the planted people."""
    lenient = feeds.at_work(FIRST_RECEIVED, "manager")[2]
    others = [m for m in sellers if feeds.members[m].manager_id != lenient and feeds.members[m].left is None]
    actual = feeds.figures.revenue_by_member("plan")[LAST]
    months = [date(2026, month, 1) for month in (4, 5, 6)]
    ahead = {
        m: actual.get(m, Decimal(0)) / sum(feeds.targets.get((m, month), Decimal(1)) for month in months)
        for m in others
    }
    star = max(others, key=lambda m: (ahead[m], m))
    rest = [m for m in others if m != star]
    newcomer = next(m for m, member in sorted(feeds.members.items()) if member.hired > FIRST_RECEIVED)
    return Cast(star, newcomer, lenient, rest[0], rest[1])


def _score(feeds: Feeds, rng: Any, member_id: str, rater_type: str, rater_id: str) -> int | None:
    """What a rater says; the dice fall for everybody, so that a part that is played moves nobody else's."""
    score: int | None = between(rng, 2, 4)
    if rng.random() < 0.05:
        score = None
    if rater_id == feeds.cast.lenient_manager and rater_type == "manager":
        return 5
    if member_id == feeds.cast.star:
        return 4 if rater_type == "self" else 5
    return score


def write_reviews(feeds: Feeds, sellers: list[str]) -> None:
    """Ratings of two quarters by the member, the manager, a peer and a dealer; appeals; delivery of the results."""
    feeds.cast = cast(feeds, sellers)
    _write_goals(feeds, sellers)
    _write_ratings(feeds)


def _write_ratings(feeds: Feeds) -> None:
    rng, late = feeds.rng("reviews"), feeds.rng("late reviews")
    ratings: dict[date, list[tuple[dict[str, Any] | str, Fate]]] = {FIRST_RECEIVED: [], AUGUST: [], OCTOBER: []}
    delivered: dict[date, list[tuple[list[str], Fate]]] = {FIRST_RECEIVED: [], AUGUST: []}
    scores: dict[tuple[str, str], int] = {}
    for quarter, (rated, told, delivery, told_delivery) in REVIEWED.items():
        told_late = delivery + timedelta(days=12)
        for member_id in feeds.at_work(rated):
            member = feeds.members[member_id]
            if member.hired > START + timedelta(days=900):  # too new to be reviewed
                continue
            peers = [m for m in feeds.at_work(rated) if m != member_id and m != member.manager_id]
            dealer = pick(rng, feeds.dealers(rated))
            raters = [("self", member_id)] if member_id != feeds.cast.missing_self else []
            raters += [("peer", peer) for peer in (peers[:3] if member_id == feeds.cast.star else [pick(rng, peers)])]
            raters += [("dealer", dealer)]
            raters += [("manager", member.manager_id)] if member.manager_id else []
            for rater_type, rater_id in raters:
                for criterion in CRITERIA if rater_type == "manager" else CRITERIA[:2]:
                    number = f"RI-{sum(map(len, ratings.values())) + 1:05d}"
                    score = _score(feeds, rng, member_id, rater_type, rater_id)
                    whose = {"peer": "peers", "dealer": "dealers"}.get(rater_type, rater_type)
                    feeds.said.append(Said(member_id, quarter, whose, rater_id, criterion, score))
                    record = {
                        "id": number,
                        "employee": member_id,
                        "period": quarter,
                        "raterType": rater_type,
                        "rater": rater_id,
                        "criterion": criterion,
                        "scale": "1-5",
                        "score": score,
                        "comment": ("", "很稳定", "Could delegate more")[len(number) % 3] or None,
                        "submittedOn": rated.isoformat(),
                    }
                    fate = feeds.keep("review_inputs", number, rater_type=rater_type, score=score)
                    ratings[told].append((record, fate))
                    if rater_type == "peer":
                        feeds.peer_ratings.append((member_id, quarter, score))
                    scores[quarter, member_id] = score or 3
            acknowledged = delivery + timedelta(days=between(rng, 0, 9)) if rng.random() < 0.85 else None
            delivered_on = delivery
            if late.random() < 0.3:  # after the day by which it should have been, and read later still
                delivered_on, acknowledged = told_late, None
            feeds.reviews[member_id, quarter] = delivered_on
            number = f"RA-{sum(map(len, delivered.values())) + 1:04d}"
            cells = [
                number,
                member_id,
                quarter,
                member.manager_id or "",
                f"{delivered_on}",
                f"{acknowledged or ''}",
                "",
            ]
            fate = feeds.keep("review_acknowledgements", number, period_id=quarter)
            delivered[told_delivery].append((cells, fate))
    newcomer = feeds.members[feeds.cast.newcomer]
    for place, (rater_type, rater, score) in enumerate(
        (("self", newcomer.member_id, 3), ("manager", str(newcomer.manager_id), 1)), start=1
    ):
        for criterion in CRITERIA if rater_type == "manager" else CRITERIA[:2]:
            record = {
                "id": f"RN-{place}-{criterion}",
                "employee": newcomer.member_id,
                "period": NEWEST,
                "raterType": rater_type,
                "rater": rater,
                "criterion": criterion,
                "scale": "1-5",
                "score": score,
                "comment": None,
                "submittedOn": NEWEST_RATED.isoformat(),
            }
            feeds.said.append(Said(newcomer.member_id, NEWEST, rater_type, rater, criterion, score))
            fate = feeds.keep("review_inputs", record["id"], rater_type=rater_type, score=score)
            ratings[OCTOBER].append((record, fate))
    right = ratings[FIRST_RECEIVED][0][0]
    assert isinstance(right, dict)
    other = next(m for m in feeds.at_work(FIRST_RECEIVED) if m != right["employee"])
    ratings[FIRST_RECEIVED] += [
        ({**right, "id": "RI-99001", "rater": other}, out_of_range("self_rating_of_another")),
        ({**right, "id": "RI-99002", "raterType": "peer"}, out_of_range("own_rating_not_as_self")),
        ({**right, "id": "RI-99003", "score": 11}, out_of_range("score_outside_scale")),
        ({**right, "id": "RI-99004", "period": "Q1"}, unknown_word("period_id_malformed")),
        ({**right, "id": "RI-99005", "score": "good"}, bad_number("score")),
        ({**right, "id": "RI-99006", "scale": "A-F"}, Fate("rejected", "unknown scale", "unknown enumeration")),
    ]
    for received, inputs in ratings.items():
        write_jsonl(feeds.ledger, received, f"hr/ratings_{received}.jsonl", "ratings", "review_inputs", inputs)

    header = ["No", "Employee", "Quarter", "Delivered By", "Delivered", "Acknowledged", "Comment"]
    first = delivered[FIRST_RECEIVED][0][0]
    delivered[FIRST_RECEIVED] += [
        (["RA-9001", "", *first[2:]], missing("member_id_missing")),
        (["RA-9002", *first[1:5], "2020-01-01", ""], out_of_range("acknowledged_date_before_delivered_date")),
        (["RA-9003", *first[1:4], "last week", *first[5:]], bad_date("delivered_date")),
    ]
    for received, part in delivered.items():
        write_csv(
            feeds.ledger, received, f"hr/results_{received}.csv", "results", "review_acknowledgements", header, part
        )

    _write_appeals(feeds, scores)


def _write_appeals(feeds: Feeds, scores: dict[tuple[str, str], int]) -> None:
    """Appeals against what was said of teamwork, on the scale of the review; the last one is granted whole."""
    appeals: dict[date, list[tuple[dict[str, Any], Fate]]] = {FIRST_RECEIVED: [], AUGUST: []}
    head = feeds.at_work(FIRST_RECEIVED, "manager")[0]
    planted = (LAST, feeds.cast.upheld_appeal)
    some = [key for key in sorted(scores)[::5] if key != planted]
    for count, (quarter, member_id) in enumerate([*some, planted], start=1):
        _, _, delivery, received = REVIEWED[quarter]
        before = 25 * (scores[quarter, member_id] - 1)
        outcome = "granted" if (quarter, member_id) == planted else ("granted", "rejected", None)[count % 3]
        after = 100 if (quarter, member_id) == planted else min(100, before + 25)
        decided = delivery + timedelta(days=9)
        if outcome == "granted":
            feeds.granted[member_id, quarter, "teamwork"] = after
        appeal: dict[str, Any] = {
            "id": f"AP-{count:03d}",
            "employee": member_id,
            "period": quarter,
            "criterion": "teamwork",
            "reason": "Two of the ratings are about a project that I was not part of.",
            "submitted": (delivery + timedelta(days=2)).isoformat(),
            "due": (delivery + timedelta(days=16)).isoformat(),
            "decision": {"on": decided.isoformat(), "by": head, "outcome": outcome} if outcome else None,
            "scores": {"before": before, "after": after if outcome == "granted" else None},
        }
        appeals[received].append((appeal, feeds.keep("review_appeals", count, outcome=outcome)))
    wrong = appeals[FIRST_RECEIVED][0][0]
    appeals[FIRST_RECEIVED] += [
        ({**wrong, "id": "AP-901", "employee": None}, missing("member_id_missing")),
        (
            {**wrong, "id": "AP-902", "decision": {"on": "2026-04-30", "by": head, "outcome": "maybe"}},
            unknown_word("outcome_unknown"),
        ),
        ({**wrong, "id": "AP-903", "submitted": "in April"}, bad_date("submitted_date")),
    ]
    for received, rows in appeals.items():
        write_json(feeds.ledger, received, f"hr/appeals_{received}.json", "appeals", "review_appeals", rows)


def _write_goals(feeds: Feeds, sellers: list[str]) -> None:
    """A goal of each seller and quarter with three below it, one of them archived; progress is told again in August."""
    rng = feeds.rng("goals")
    header = ["No", "Employee", "Quarter", "Above", "Criterion", "Goal", "Progress %", "Status", "Agreed", "Changed"]
    files: dict[date, list[tuple[list[str], Fate]]] = {FIRST_RECEIVED: [], AUGUST: [], OCTOBER: []}
    begun = [feeds.cast.newcomer, NEWEST, "", "goals", "熟悉经销商", "20", "open", "2026-07-20", "2026-09-29 09:00:00"]
    files[OCTOBER].append((["G-3", *begun], feeds.keep("review_goals", "G-3", status="open")))
    feeds.goals[feeds.cast.newcomer, NEWEST] = [Decimal(20)]
    for quarter, first in (("2026-Q1", date(2026, 1, 12)), ("2026-Q2", date(2026, 4, 13))):
        for member_id in sellers:
            top = f"G-{quarter[-1]}{member_id[1:]}"
            steps = [between(rng, 2, 10) * 10, between(rng, 1, 10) * 10]
            if member_id == feeds.cast.star:
                steps = [100, 100]
            feeds.goals[member_id, quarter] = [Decimal(step) for step in steps]
            rows = [(top, "", "goals", "季度重点工作", "", "open")]
            rows += [(f"{top}-{n}", top, "", f"Step {n}", f"{step}", "open") for n, step in enumerate(steps, start=1)]
            rows += [(f"{top}-9", top, "", "Dropped plan", "0", "archived")]
            for number, above, criterion, title, progress, status in rows:
                begin = [number, member_id, quarter, above, criterion, title]
                later = quarter == LAST and progress and status == "open"
                fate = feeds.keep("review_goals", number, status=status)
                told = "10" if later else progress
                files[FIRST_RECEIVED].append(([*begin, told, status, f"{first}", f"{first} 09:00:00"], fate))
                if later:
                    files[AUGUST].append(([*begin, progress, status, f"{first}", "2026-07-10 09:00:00"], fate))
    right = files[FIRST_RECEIVED][0][0]
    files[FIRST_RECEIVED] += [
        (["G-901", *right[1:6], "130", *right[7:]], out_of_range("progress_pct_out_of_range")),
        (["G-902", *right[1:7], "forgotten", *right[8:]], unknown_word("status_unknown")),
        (["G-903", "", *right[2:]], missing("member_id_missing")),
        (["G-904", *right[1:6], "half", *right[7:]], bad_number("progress_pct")),
    ]
    for received, part in files.items():
        write_csv(feeds.ledger, received, f"hr/goals_{received}.csv", "goals", "review_goals", header, part)
