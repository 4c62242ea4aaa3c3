import json
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from itertools import permutations

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from remediation.gateways.refunds import Payout, Receipt
from remediation.ledger.audit import Author
from remediation.outbox.claims import claim
from remediation.remedy import Remedy
from remediation.webhooks.hints import Answer, Hints
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.reconciling.towns import HOUR, LOST, Town, charge_of, faults
from tests.remediation.webhooks.listening import SECRET, a_webhook
from tests.support.provider import Fault, Kind, Moment, Status
from tests.support.provider.model import Delivery

DONE = Answer(HTTPStatus.OK)


@dataclass
class Post:
    """Webhooks on their way from a town's provider to its ledger."""

    town: Town
    remedy: Remedy
    hints: Hints = field(init=False)

    def __post_init__(self) -> None:
        self.hints = Hints(self.town.ledger, self.town.gateway, [SECRET], lambda: MORNING)

    @property
    def bag(self) -> list[Delivery]:
        """Everything that was announced so far, in order."""
        return self.town.provider.deliveries(SECRET)

    def brings(self, *deliveries: Delivery) -> list[Answer]:
        return [self.hints.take(each.body, each.signature) for each in deliveries]

    def statuses(self, *deliveries: Delivery) -> set[int]:
        return {answer.status for answer in self.brings(*deliveries)}


@pytest.fixture
def town(ledger: Engine) -> Town:
    return Town(ledger)


@pytest.fixture
def post(town: Town) -> Post:
    """One refund of 2.99 USD that the provider has not finished yet."""
    town.provider.refunds_become(Status.PENDING)
    (remedy,) = town.owes("OL-1")
    town.pays()
    return Post(town, remedy)


def kind_of(delivery: Delivery) -> str:
    return str(json.loads(delivery.body)["type"])


def test_a_refund_that_succeeds_is_settled_and_one_that_fails_is_owed_again(post: Post) -> None:
    post.town.moves(Status.SUCCEEDED)
    settled = f"evt_fake00000004: remedy {post.remedy.remedy_id} settled"
    assert post.brings(post.bag[-1]) == [replace(DONE, note=settled)]
    assert post.town.refunds() == ["settled"]
    post.town.moves(Status.FAILED)
    assert post.statuses(post.bag[-1]) == {HTTPStatus.OK}
    assert post.town.refunds() == ["failed"]
    assert faults(post.town.ledger) == []


@pytest.mark.parametrize("order", [*permutations(["refund.created", "refund.updated", "refund.failed"])], ids=" ".join)
def test_the_order_of_delivery_changes_nothing(post: Post, order: tuple[str, ...]) -> None:
    """Whatever comes first, the provider is asked for how it is now."""
    post.town.moves(Status.SUCCEEDED)
    post.town.moves(Status.FAILED)
    assert post.statuses(*(each for kind in order for each in post.bag if kind_of(each) == kind)) == {HTTPStatus.OK}
    assert (post.town.refunds(), faults(post.town.ledger)) == (["failed"], [])
    last = post.town.story(post.remedy)[-2:]
    assert [(entry.actor, entry.after) for entry in last] == [("payer", "sent"), ("webhook", "failed")]


@pytest.mark.parametrize("moves", [["succeeded"], ["failed"], ["succeeded", "failed"]], ids=" then ".join)
@pytest.mark.parametrize("seed", range(5))
def test_between_the_moves_webhooks_come_late_and_twice(post: Post, moves: list[str], seed: int) -> None:
    for move in moves:
        post.town.moves(Status(move))
        for delivery in post.town.provider.deliveries(SECRET, copies=2, seed=seed)[::2]:
            assert post.brings(delivery)[0].status == HTTPStatus.OK
            assert faults(post.town.ledger) == []
    post.brings(*post.bag)
    assert post.town.refunds() == ["settled" if moves[-1] == "succeeded" else "failed"]


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
def test_an_event_about_a_refund_whose_reply_was_lost_completes_it(town: Town, kind: str) -> None:
    post = Post(town, *town.owes("OL-1"))
    town.provider.script({1: LOST})
    town.pays()
    (answer,) = post.brings(*(each for each in post.bag if kind_of(each) == kind))
    assert answer.note is not None
    assert answer.note.endswith("completed")
    assert (town.refunds(), faults(town.ledger)) == (["settled"], [])


def test_an_event_of_a_charge_asks_for_what_is_open_on_it_and_for_nothing_else(town: Town) -> None:
    lines = ["OL-1", "OL-2", "OL-3"]
    remedies = town.owes(*lines)
    town.provider.script({2: LOST, 3: LOST})
    town.pays()
    post = Post(town, remedies[0])
    questions = []
    for charge in (*map(charge_of, lines), "ch_elsewhere"):
        calls = town.provider.calls()
        assert post.statuses(a_webhook("charge.refunded", object="charge", id=charge)) == {HTTPStatus.OK}
        questions.append(town.provider.calls() - calls)
    assert sorted(questions[:3]) == [0, 1, 1], "one of the three was settled at once"
    assert (questions[3], town.refunds()) == (0, ["settled"] * 3)


def test_a_forged_event_makes_nothing_so(post: Post) -> None:
    """Even whoever knows the secret can only make us ask."""
    (effect,) = post.town.provider.effects()
    for kind in ("refund.failed", "refund.updated"):
        lie = a_webhook(kind, id=effect.refund_id, status="failed", metadata={"remedy_id": effect.remedy_id})
        assert post.statuses(lie) == {HTTPStatus.OK}
    assert post.town.refunds() == ["sent"]


def test_while_a_sender_is_at_work_the_event_is_wanted_again(town: Town) -> None:
    post = Post(town, *town.owes("OL-1"))
    town.provider.script({1: LOST})
    town.pays()
    claim(town.ledger, "refund", Author("payer", MORNING + HOUR))
    assert post.statuses(post.bag[0]) == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert town.refunds() == ["unknown"]


@pytest.mark.parametrize("kind", Kind)
def test_while_the_provider_cannot_be_asked_the_event_is_wanted_again(post: Post, kind: Kind) -> None:
    post.town.moves(Status.SUCCEEDED)
    post.town.provider.script({1: Fault(kind, Moment.AFTER)})
    (answer,) = post.brings(post.bag[-1])
    assert (answer.status, post.town.refunds()) == (HTTPStatus.SERVICE_UNAVAILABLE, ["sent"])
    assert answer.note is not None
    assert answer.note.startswith("to be delivered again: the provider could not be asked")
    assert post.statuses(post.bag[-1]) == {HTTPStatus.OK}
    assert post.town.refunds() == ["settled"]


def test_while_the_ledger_cannot_be_used_the_event_is_wanted_again(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OperationalError("UPDATE outbox", {"customer": "rick"}, ConnectionError("server rick@db is away"))

    monkeypatch.setattr("remediation.webhooks.hints.entries_of", away)
    (answer,) = post.brings(post.bag[0])
    assert answer.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "rick" not in str(answer.note)


def test_a_process_that_dies_after_asking_has_the_event_delivered_again(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    honest = post.town.gateway.find

    def die(payout: Payout) -> Receipt:
        honest(payout)
        raise Killed

    post.town.moves(Status.SUCCEEDED)
    monkeypatch.setattr(post.town.gateway, "find", die)
    with pytest.raises(Killed):
        post.brings(post.bag[-1])
    monkeypatch.undo()
    assert (post.town.refunds(), faults(post.town.ledger)) == (["sent"], [])
    assert post.statuses(post.bag[-1]) == {HTTPStatus.OK}
    assert (post.town.refunds(), faults(post.town.ledger)) == (["settled"], [])


def test_what_stripe_did_not_sign_is_refused_and_asks_nobody(post: Post) -> None:
    calls = post.town.provider.calls()
    last = post.bag[-1]
    for forged in (replace(last, signature=""), replace(last, body=last.body + b" ")):
        assert post.brings(forged)[0].status == HTTPStatus.BAD_REQUEST
    assert post.town.provider.calls() == calls


def test_events_about_other_things_are_taken_and_forgotten(post: Post) -> None:
    assert post.brings(a_webhook("customer.created")) == [DONE]


@pytest.mark.parametrize("metadata", [{}, {"remedy_id": "R-1"}, {"remedy_id": "00000000-0000-5000-8000-000000000001"}])
def test_a_refund_that_is_none_of_ours_is_only_spoken_of(post: Post, metadata: dict[str, str]) -> None:
    calls = post.town.provider.calls()
    (answer,) = post.brings(a_webhook(charge=charge_of("OL-1"), metadata=metadata))
    assert answer == replace(
        DONE,
        note="evt_1 is about refund re_elsewhere, which is none of this ledger's: makegood reconcile says whether it "
        "concerns a payment of ours",
    )
    assert (post.town.provider.calls(), post.town.refunds()) == (calls, ["sent"])


@pytest.mark.parametrize("state", ["held", "approved"])
def test_a_refund_of_what_was_never_sent_is_left_to_the_reconciler(town: Town, state: str) -> None:
    (remedy,) = town.owes("OL-1", state=state)
    reference = town.makes(remedy.remedy_id)
    post = Post(town, remedy)
    (answer,) = post.brings(post.bag[0])
    assert answer.status == HTTPStatus.OK
    assert f"about refund {reference} and remedy {remedy.remedy_id}, whose refund is {state} here" in str(answer.note)
    assert faults(town.ledger) == []


def test_a_refund_that_the_provider_has_forgotten_is_left_to_the_reconciler(post: Post) -> None:
    elsewhere = replace(post.hints, gateway=Town(post.town.ledger).gateway)
    last = post.bag[-2]
    answer = elsewhere.take(last.body, last.signature)
    assert answer.status == HTTPStatus.OK
    assert "run makegood reconcile" in str(answer.note)
    assert post.town.refunds() == ["sent"]


def test_secrets_are_not_shown(post: Post) -> None:
    assert SECRET not in repr(post.hints)
