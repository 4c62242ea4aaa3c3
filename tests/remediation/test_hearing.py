"""Several who ask the provider for one refund at once, with a sender at work beside them."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from remediation.gateways.refunds import Payout, Receipt
from remediation.hearing import Heard, ask
from remediation.ledger.audit import Author
from remediation.ledger.tables import OUTBOX
from remediation.outbox.claims import claim
from remediation.outbox.worker import Passed
from tests.remediation.ledger.evenings import MORNING, rows
from tests.remediation.reconciling.towns import HOUR, LOST, Town, faults
from tests.support.provider import Fault, Kind, Moment, Status

LATER = MORNING + HOUR


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def town(ledger: Engine) -> Town:
    """One refund, the reply to which was lost."""
    town = Town(ledger)
    town.owes("OL-1")
    town.provider.script({1: LOST})
    assert town.pays() == Passed(unknown=1)
    return town


@pytest.fixture
def pending(ledger: Engine) -> Town:
    """One refund that the provider has not finished yet."""
    town = Town(ledger)
    town.provider.refunds_become(Status.PENDING)
    town.owes("OL-1")
    assert town.pays() == Passed(sent=1)
    return town


def hears(town: Town, at: int = LATER) -> Heard:
    (item,) = (row for row in rows(town.ledger, OUTBOX) if row["kind"] == "refund")
    heard = ask(town.ledger, town.gateway, item["outbox_id"], "somebody", lambda: at)
    assert faults(town.ledger) == []
    return heard


Meanwhile = Callable[[Town, Callable[[], object]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Lets something happen after the next answer of the provider and before it is written down."""

    def arrange(town: Town, action: Callable[[], object]) -> None:
        honest = town.gateway.find

        def find(payout: Payout) -> Receipt | None:
            receipt = honest(payout)
            monkeypatch.undo()
            action()
            return receipt

        monkeypatch.setattr(town.gateway, "find", find)

    return arrange


def test_a_refund_whose_reply_was_lost_is_completed(town: Town) -> None:
    assert hears(town) is Heard.COMPLETED
    assert (hears(town), town.refunds()) == (Heard.SAME, ["settled"])


def test_one_that_was_put_off_and_made_after_all_is_completed(ledger: Engine) -> None:
    town = Town(ledger)
    (remedy,) = town.owes("OL-1")
    town.provider.script({1: Fault(Kind.RATE_LIMITED, Moment.BEFORE)})
    town.pays()
    assert town.refunds() == ["sending"]
    assert hears(town) is Heard.ABSENT
    town.makes(remedy.remedy_id)
    assert (hears(town), town.refunds()) == (Heard.COMPLETED, ["settled"])


def test_what_a_sender_is_at_work_on_is_left_to_it_without_a_question(town: Town) -> None:
    assert claim(town.ledger, "refund", Author("payer", LATER)) is not None
    calls = town.provider.calls()
    assert (hears(town), town.provider.calls()) == (Heard.BUSY, calls)


def test_a_sender_that_begins_meanwhile_is_not_disturbed(town: Town, meanwhile: Meanwhile) -> None:
    meanwhile(town, lambda: claim(town.ledger, "refund", Author("payer", LATER)))
    assert (hears(town), town.refunds()) == (Heard.BUSY, ["unknown"])


def test_a_sender_that_has_asked_in_vain_meanwhile_knows_better(town: Town, meanwhile: Meanwhile) -> None:
    town.provider.script({2: LOST})
    meanwhile(town, lambda: town.pays(LATER))
    assert (hears(town), town.refunds()) == (Heard.BUSY, ["unknown"])
    assert hears(town) is Heard.COMPLETED


def test_a_sender_that_completes_it_meanwhile_completes_it_alone(town: Town, meanwhile: Meanwhile) -> None:
    meanwhile(town, lambda: town.pays(LATER))
    assert (hears(town), town.refunds()) == (Heard.SAME, ["settled"])


def test_of_two_who_ask_at_once_one_completes_it(town: Town, meanwhile: Meanwhile) -> None:
    both: list[Heard] = []
    meanwhile(town, lambda: both.append(hears(town)))
    both.append(hears(town))
    assert both == [Heard.COMPLETED, Heard.SAME]


@pytest.mark.parametrize("late", [Status.SUCCEEDED, Status.PENDING])
def test_an_old_word_changes_nothing_after_a_newer_one(pending: Town, meanwhile: Meanwhile, late: Status) -> None:
    pending.moves(late)

    def fail() -> None:
        pending.moves(Status.FAILED)
        assert hears(pending) is Heard.FAILED

    meanwhile(pending, fail)
    assert (hears(pending), pending.refunds()) == (Heard.SAME, ["failed"])


def test_a_failure_counts_however_far_the_refund_has_come_meanwhile(pending: Town, meanwhile: Meanwhile) -> None:
    pending.moves(Status.FAILED)

    def settle_late() -> None:
        pending.moves(Status.SUCCEEDED)
        assert hears(pending) is Heard.SETTLED

    meanwhile(pending, settle_late)
    assert (hears(pending), pending.refunds()) == (Heard.FAILED, ["failed"])


def test_a_process_that_dies_between_question_and_commit_has_done_nothing(town: Town, meanwhile: Meanwhile) -> None:
    def die() -> None:
        raise Killed

    meanwhile(town, die)
    with pytest.raises(Killed):
        hears(town)
    assert town.refunds() == ["unknown"]
    assert hears(town) is Heard.COMPLETED


def test_a_refund_that_is_another_ones_says_nothing_of_ours(pending: Town) -> None:
    (remedy_id,) = {row["remedy_id"] for row in rows(pending.ledger, OUTBOX)}
    pending.moves(Status.FAILED)
    pending.provider.refunds_become(Status.SUCCEEDED)
    pending.makes(remedy_id)
    assert (hears(pending), pending.refunds()) == (Heard.ABSENT, ["sent"])


@pytest.mark.parametrize("state", ["approved", "failed"])
def test_what_was_not_begun_or_has_ended_is_not_asked_for(ledger: Engine, state: str) -> None:
    town = Town(ledger)
    town.owes("OL-1")
    if state == "failed":
        town.provider.refunds_become(Status.FAILED)
        town.pays()
    calls = town.provider.calls()
    assert (hears(town), town.provider.calls(), town.refunds()) == (Heard.SAME, calls, [state])
