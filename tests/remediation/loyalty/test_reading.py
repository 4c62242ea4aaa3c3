"""What is read from the ledger and the order book, and what is left out of it."""

from collections.abc import Callable

from sqlalchemy import Engine

from remediation.forgetting import forget
from remediation.ledger.audit import Author
from remediation.ledger.survey_tables import SURVEYS
from remediation.loyalty.measuring import measure
from remediation.loyalty.reading import Asked, read
from remediation.loyalty.telling import as_json, as_text
from remediation.remedy import Action
from remediation.reviewing.verdicts import reject
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, rows, with_orders
from tests.remediation.loyalty.asked import DAY, WEEK_LATER, an_answer, answered, asked, asked_and_sent, made_good

ADA = Author("person ada", MORNING + DAY)
LATER = MORNING + 90 * DAY


def test_remedies_answers_and_purchases_are_read_and_nobody_is_named(ledger: Engine) -> None:
    made_good(ledger, "C-1", refund=200, arm="holdout", withheld_minor=60)
    made_good(ledger, "C-2", "C-3", "C-4", at=MORNING + 1)
    asked_and_sent(ledger, WEEK_LATER + 1)
    answered(ledger, an_answer(ledger, "C-1", 10), an_answer(ledger, "C-2", 3))
    with_orders(
        ledger,
        an_order("free", order_id="O-free", customer_id="C-2", amount_minor=0, purchased_at=MORNING + DAY),
        an_order("again", order_id="O-again", customer_id="C-1", purchased_at=MORNING + DAY),
        an_order("not yet", order_id="O-later", customer_id="C-2", purchased_at=LATER + 1),
        an_order("elsewhere", order_id="O-last", customer_id="C-9", purchased_at=LATER - 1),
    )
    forget(ledger, "C-4", ADA, "request 17")
    known = read(ledger, ledger, 0, LATER)
    assert {each.customer_id: (each.arm, each.kind, each.remedy) for each in known.made_good} == {
        "C-1": ("holdout", "playback_stalls", "refund"),
        "C-2": (None, "playback_stalls", "refund"),
        "C-3": (None, "playback_stalls", "refund"),
    }
    assert {each.customer_id: each.score for each in known.asked} == {"C-1": 10, "C-2": 3, "C-3": None}
    assert known.orders_until == LATER - 1
    assert {who: [order for order, at in orders if at > MORNING] for who, orders in known.bought.items()} == {
        "C-1": ["O-again"],
        "C-2": [],
        "C-3": [],
    }
    assert known.forgotten_count == 1
    told = as_text(measure(known, LATER)) + as_json(measure(known, LATER))
    names = {str(value) for row in rows(ledger, SURVEYS) for name, value in row.items() if name.endswith("_id")}
    assert not [name for name in {*names, "C-1", "C-2", "O-again", "example.com"} if name in told]


def test_only_what_was_decided_since_and_what_stands(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    made_good(ledger, "C-1", "C-2", at=MORNING + DAY)
    with_orders(ledger, an_order("OL-9", customer_id="C-9"))
    gift = (Action("shipping_refund", 1), Action("refund", 200), Action("replacement"), Action("credit", 60))
    record_night(ledger, owed(a_remedy("OL-9", customer_id="C-9", state="held", actions=gift)), as_of=MORNING + 2 * DAY)
    (held,) = [each for each in read(ledger, ledger, 0, LATER).made_good if each.customer_id == "C-9"]
    assert held.remedy == "replacement and refund and goodwill"
    reject(ledger, held.remedy_id, ADA, "a test account")
    known = read(ledger, ledger, MORNING + DAY, LATER)
    assert sorted(each.customer_id for each in known.made_good) == ["C-1", "C-2"]
    assert known.taken_back_count == 1
    assert read(ledger, ledger, 0, MORNING).made_good[0].as_of == MORNING


def test_who_was_not_reached_was_not_asked(ledger: Engine) -> None:
    made_good(ledger, "C-1")
    asked(ledger)
    assert read(ledger, ledger, 0, LATER).asked == ()
    asked_and_sent(ledger)
    (remedy,) = (row["remedy_id"] for row in rows(ledger, SURVEYS))
    assert read(ledger, ledger, 0, LATER).asked == (Asked(remedy, "C-1", WEEK_LATER, None),)


def test_the_order_book_may_be_another_database(fresh: Callable[[], Engine]) -> None:
    ledger, fresh_book = fresh(), fresh()
    made_good(ledger, "C-1")
    with_orders(fresh_book, an_order("again", order_id="O-again", customer_id="C-1", purchased_at=MORNING + DAY))
    known = read(ledger, fresh_book, 0, LATER)
    assert known.bought == {"C-1": (("O-again", MORNING + DAY),)}
    assert known.orders_until == MORNING + DAY
