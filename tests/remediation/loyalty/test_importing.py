"""Replies come in any order, twice, late and garbled; what the ledger then says depends on none of that."""

from itertools import permutations
from typing import Final

import pytest
from sqlalchemy import Engine

from remediation.forgetting import forget
from remediation.ledger.audit import Author
from remediation.ledger.control_tables import AUDIT
from remediation.ledger.survey_tables import SURVEYS
from remediation.loyalty.importing import AHEAD_MS, Replied, import_answers
from remediation.loyalty.links import Tokens
from remediation.policy.load import default_policy
from remediation.retention.retain import retain
from tests.remediation.ledger.evenings import json_lines, rows
from tests.remediation.loyalty.asked import (
    DAY,
    TOKENS,
    WEEK_LATER,
    an_answer,
    answered,
    asked,
    asked_and_sent,
    csv,
    made_good,
    scores,
    unsubscribed,
)

ADA = Author("person ada", WEEK_LATER)
LATER = WEEK_LATER + DAY


@pytest.fixture
def asked_two(ledger: Engine) -> Engine:
    """C-1 and C-2 were asked."""
    made_good(ledger, "C-1", "C-2")
    asked_and_sent(ledger)
    return ledger


def test_answers_are_taken_once(asked_two: Engine) -> None:
    answers = an_answer(asked_two, "C-1", 9), an_answer(asked_two, "C-2", 0)
    assert answered(asked_two, *answers) == Replied(2, 2, ())
    assert scores(asked_two) == {"C-1": 9, "C-2": 0}
    before = rows(asked_two, SURVEYS), rows(asked_two, AUDIT)
    as_csv = csv("token,score,answered_at", *(",".join(map(str, answer.values())) for answer in answers))
    assert answered(asked_two, *answers) == Replied(2, 0, ())
    assert import_answers(asked_two, as_csv, "answers.csv", TOKENS, LATER) == Replied(2, 0, ())
    assert (rows(asked_two, SURVEYS), rows(asked_two, AUDIT)) == before

    dated = csv("score,answered_at,token", f"3,2026-11-30T10:00:00Z,{answers[1]['token']}")
    assert import_answers(asked_two, dated, "answers.csv", TOKENS, LATER + DAY).taken == 1
    assert scores(asked_two) == {"C-1": 9, "C-2": 3}


def test_the_last_answer_counts_whatever_the_order_and_of_two_at_one_moment_the_lower_one(ledger: Engine) -> None:
    orders = list(permutations(((9, 1), (6, 2), (5, 2))))
    customers = [f"C-{number}" for number in range(len(orders))]
    made_good(ledger, *customers)
    asked_and_sent(ledger)
    by_customer = zip(customers, orders, strict=True)
    answers = [an_answer(ledger, who, score, LATER + hour) for who, order in by_customer for score, hour in order]
    for _ in range(2):
        answered(ledger, *answers)
        assert scores(ledger) == dict.fromkeys(customers, 5)


def test_the_log_tells_that_somebody_answered_and_not_what(asked_two: Engine) -> None:
    answered(asked_two, an_answer(asked_two, "C-1", 3), an_answer(asked_two, "C-1", 7, LATER + 1))
    told = [(row["before"], row["after"], row["reason"]) for row in rows(asked_two, AUDIT) if row["entity"] == "survey"]
    said = "the customer answered"
    assert told == [("asked", "answered", said), ("answered", "answered", said)]


WRONG: Final[tuple[tuple[dict[str, object], str, str], ...]] = (
    ({"score": 11}, "score", "less than or equal to 10"),
    ({"score": -1}, "score", "greater than or equal to 0"),
    ({"score": 9.5}, "score", "valid integer"),
    ({"score": "9"}, "score", "valid integer"),
    ({"score": True}, "score", "valid integer"),
    ({"token": "short"}, "token", "pattern"),
    ({"token": "A" * 43}, "token", "unknown_token"),
    ({"answered_at": "yesterday"}, "answered_at", "is not a time"),
    ({"answered_at": WEEK_LATER - 1}, "answered_at", "before_asking"),
    ({"answered_at": LATER + AHEAD_MS + 1}, "answered_at", "ahead_of_clock"),
    ({"customer_id": "C-1"}, "customer_id", "is not a field"),
)


def test_each_bad_row_is_a_reject_with_its_place_and_their_neighbour_is_kept(asked_two: Engine) -> None:
    good, other = an_answer(asked_two, "C-1", 9), an_answer(asked_two, "C-2", 7)
    done = answered(asked_two, *(good | wrong for wrong, _, _ in WRONG), other, now=LATER)
    assert (done.rows, done.taken, done.known) == (len(WRONG) + 1, 1, 0)
    assert [(each.line, each.field) for each in done.rejects] == [
        (line, field) for line, (_, field, _) in enumerate(WRONG, start=1)
    ]
    for reject, (_, _, reason) in zip(done.rejects, WRONG, strict=True):
        assert reason in reject.reason
        assert str(good["token"]) not in repr(reject)
    assert scores(asked_two) == {"C-1": None, "C-2": 7}


def test_nobody_answers_what_was_not_sent(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    (reject,) = answered(ledger, an_answer(ledger, "C-1", 9)).rejects
    assert reject.reason.startswith("unsent_survey")


def test_what_was_erased_does_not_come_back(asked_two: Engine) -> None:
    answers = an_answer(asked_two, "C-1", 9), an_answer(asked_two, "C-2", 7)
    answered(asked_two, *answers)
    assert forget(asked_two, "C-1", ADA, "request 17").erased["surveys"] == 1
    assert scores(asked_two) == {"C-1": None, "C-2": 7}
    (reject,) = answered(asked_two, *answers).rejects
    assert (reject.line, reject.reason.split(":")[0]) == (1, "forgotten_customer")

    rules = default_policy().retention
    assert retain(asked_two, rules, Author("retention", WEEK_LATER + rules.surveys * DAY)).get("surveys") is None
    gone = retain(asked_two, rules, Author("retention", WEEK_LATER + (rules.surveys + 1) * DAY))
    assert gone["surveys"] == 1
    assert scores(asked_two) == {"C-1": None, "C-2": None}
    (_, reject) = answered(asked_two, *answers).rejects
    assert reject.reason.startswith("too_late")


def test_an_unsubscription_is_taken_once_and_the_first_one_stands(asked_two: Engine) -> None:
    assert unsubscribed(asked_two, "C-1", at=LATER).taken == 1
    assert unsubscribed(asked_two, "C-1", at=LATER + 5).taken == 0
    assert unsubscribed(asked_two, "C-1", at=LATER - 5).taken == 1
    assert {row["customer_id"]: row["unsubscribed_at"] for row in rows(asked_two, SURVEYS)} == {
        "C-1": LATER - 5,
        "C-2": None,
    }
    told = [row["after"] for row in rows(asked_two, AUDIT) if row["entity"] == "survey"]
    assert told == ["unsubscribed"]


def test_a_file_of_another_kind_is_one_reject_and_a_key_that_is_gone_knows_nobody(asked_two: Engine) -> None:
    done = import_answers(asked_two, csv("name,address", "Ada,a street"), "answers.csv", TOKENS, LATER)
    assert [reject.line for reject in done.rejects] == [1]
    answers = json_lines(an_answer(asked_two, "C-1", 9))
    (reject,) = import_answers(asked_two, answers, "answers.jsonl", Tokens.of("cd" * 32), LATER).rejects
    assert (reject.field, reject.reason.split(":")[0]) == ("token", "unknown_token")
