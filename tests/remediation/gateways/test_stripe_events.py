import json
from collections.abc import Sequence

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from remediation.gateways.errors import UnusableError
from remediation.gateways.stripe_events import (
    MAX_BODY_BYTES,
    MAX_HEADER_LENGTH,
    EventKind,
    NotStripesError,
    StripeEvent,
    verified,
)
from tests.remediation.gateways.payouts import a_payout, a_refund
from tests.support.provider import EVENING, InProcessGateway, Provider, Status
from tests.support.provider.webhooks import signature

SECRET = "whsec_today_is_a_good_day"  # noqa: S105 - it opens nothing
OLD_SECRET = "whsec_yesterday_was_too"  # noqa: S105 - likewise
TOLERANCE_MS = 300_000


def an_event(kind: str = "refund.updated", subject: object = None, **members: object) -> bytes:
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": subject or a_refund()}} | members
    return json.dumps(event).encode()


def header(body: bytes, secret: str = SECRET, signed_at_ms: int = EVENING) -> str:
    """By Stripe's own package."""
    signed: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, signed_at_ms // 1000)
    return signed


def read(body: bytes, *, secrets: Sequence[str] = (SECRET,), now_ms: int = EVENING) -> StripeEvent | None:
    return verified(body, header(body), secrets, now_ms)


def test_an_event_says_which_refund_to_ask_about() -> None:
    assert read(an_event()) == StripeEvent("evt_1", EventKind.REFUND_UPDATED, "re_1", "R-1", ("ch_1",))


def test_every_event_about_a_refund_is_read() -> None:
    provider = Provider()
    provider.charge("ch_1", 299, payment_intent="pi_1")
    receipt = InProcessGateway(provider).refund(a_payout())
    provider.move(receipt.reference, Status.FAILED)
    events = [verified(it.body, it.signature, [SECRET], EVENING) for it in provider.deliveries(SECRET)]
    assert {event.kind for event in events if event} == set(EventKind)
    payments = ("ch_1", "pi_1")
    for event in events:
        assert event is not None
        if event.kind is EventKind.CHARGE_REFUNDED:
            assert (event.refund_reference, event.remedy_id, event.payment_ids) == (None, None, payments)
        else:
            assert (event.refund_reference, event.remedy_id, event.payment_ids) == (receipt.reference, "R-1", payments)


def test_a_refund_that_was_not_ours_has_no_remedy() -> None:
    for subject in (a_refund(metadata={}), a_refund(metadata=None)):
        event = read(an_event(subject=subject))
        assert event is not None
        assert (event.refund_reference, event.remedy_id) == ("re_1", None)


def test_events_about_other_things_are_stripes_and_passed_over() -> None:
    assert read(an_event("customer.created", {"object": "customer", "id": 7})) is None


@pytest.mark.parametrize("secrets", [(SECRET, OLD_SECRET), (OLD_SECRET, SECRET)])
def test_while_a_secret_is_replaced_both_are_valid(secrets: Sequence[str]) -> None:
    body = an_event()
    for secret in secrets:
        assert verified(body, header(body, secret), secrets, EVENING) is not None


def test_a_header_may_offer_several_signatures_and_other_schemes() -> None:
    body = an_event()
    moment, signature = header(body).split(",")
    _, old = header(body, OLD_SECRET).split(",")
    assert verified(body, f"{moment},v0={'0' * 64},{old},{signature},hello", [SECRET], EVENING) is not None


@pytest.mark.parametrize("early_ms", [-TOLERANCE_MS, TOLERANCE_MS])
def test_clocks_may_differ_by_the_tolerance_and_no_more(early_ms: int) -> None:
    assert read(an_event(), now_ms=EVENING + early_ms) is not None
    beyond = early_ms + (1 if early_ms > 0 else -1)
    with pytest.raises(NotStripesError, match="not signed just now"):
        read(an_event(), now_ms=EVENING + beyond)


BODY = an_event()
SIGNED = header(BODY)
MOMENT, SIGNATURE = SIGNED.split(",")


@pytest.mark.parametrize(
    ("body", "signature_header"),
    [
        pytest.param(BODY, header(BODY, OLD_SECRET), id="another secret"),
        pytest.param(BODY + b" ", SIGNED, id="one byte more"),
        pytest.param(BODY, SIGNED.replace("t=1", "t=2", 1), id="another time"),
        pytest.param(BODY, "", id="no header"),
        pytest.param(BODY, SIGNATURE, id="no time"),
        pytest.param(BODY, f"{MOMENT},{SIGNED}", id="two times"),
        pytest.param(BODY, f"t=+{MOMENT[2:]},{SIGNATURE}", id="a time in another spelling"),
        pytest.param(BODY, MOMENT, id="no signature"),
        pytest.param(BODY, SIGNED.replace("v1=", "v0="), id="another scheme"),
        pytest.param(BODY, SIGNED[:-1], id="half a signature"),
        pytest.param(BODY, f"{MOMENT},v1={'é' * 64}", id="no hexadecimal"),
        pytest.param(BODY, f"t={'9' * 5000},{SIGNATURE}", id="a time of thousands of digits"),
        pytest.param(BODY, SIGNED + "," * MAX_HEADER_LENGTH, id="a header without end"),
    ],
)
def test_what_stripe_did_not_sign_is_refused(body: bytes, signature_header: str) -> None:
    with pytest.raises(NotStripesError):
        verified(body, signature_header, [SECRET], EVENING)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"id": "evt_1"', id="half"),
        pytest.param(b'{"id":"evt_1","id":"evt_2","type":"x","data":{}}', id="a key twice"),
        pytest.param(an_event(created=float("nan")), id="NaN"),
        pytest.param(b"[" * 100_000, id="very deep"),
        pytest.param(b'{"id":"evt_1","type":"x","data":' + b"9" * 5000 + b"}", id="thousands of digits"),
        pytest.param(an_event(id=7), id="a number for an id"),
        pytest.param(an_event(id="evt 1\n"), id="an id of two lines"),
        pytest.param(an_event(data=None), id="no data"),
        pytest.param(an_event(subject=[1]), id="no object"),
        pytest.param(an_event(subject=a_refund(id=None)), id="a refund without a name"),
        pytest.param(an_event(subject=a_refund(metadata={"remedy_id": 7})), id="a number for a remedy"),
        pytest.param(an_event(subject=a_refund(metadata={"remedy_id": "R\x00"})), id="NUL in a remedy"),
        pytest.param(an_event(subject=a_refund(metadata={"remedy_id": "\ud800"})), id="half a character"),
        pytest.param(b" " * MAX_BODY_BYTES + BODY, id="too large"),
    ],
)
def test_what_is_signed_but_no_event_is_refused_in_one_way(body: bytes) -> None:
    with pytest.raises(NotStripesError) as raised:
        verified(body, header(body), [SECRET], EVENING)
    assert raised.value.__cause__ is None


def test_bytes_that_are_no_text_are_refused_though_signed() -> None:
    body = b'{"id":"\xff"}'  # Stripe's own package signs text only
    with pytest.raises(NotStripesError, match="no JSON"):
        verified(body, signature(SECRET, EVENING // 1000, body), [SECRET], EVENING)


@pytest.mark.parametrize(
    "secrets",
    [pytest.param([], id="none"), pytest.param([SECRET, ""], id="an empty one"), pytest.param(SECRET, id="a text")],
)
def test_without_whole_secrets_nothing_is_verified(secrets: Sequence[str]) -> None:
    body = an_event()
    with pytest.raises(UnusableError, match="MAKEGOOD_STRIPE_WEBHOOK_SECRET"):
        verified(body, header(body, SECRET[0]), secrets, EVENING)


@given(body=st.binary(max_size=200), signature_header=st.text(max_size=200))
def test_no_garbage_gets_through_or_breaks_anything(body: bytes, signature_header: str) -> None:
    with pytest.raises(NotStripesError):
        verified(body, signature_header, [SECRET], EVENING)


def test_events_twice_and_out_of_order_lead_to_the_same_questions() -> None:
    provider = Provider()
    provider.charge("ch_1", 1000)
    gateway = InProcessGateway(provider)
    for remedy in ("R-1", "R-2"):
        gateway.refund(a_payout(remedy))
    in_order = provider.deliveries(SECRET)
    shuffled = provider.deliveries(SECRET, copies=2, seed=1)
    assert [it.body for it in shuffled] != [it.body for it in in_order * 2]

    def questions(bodies: list[tuple[bytes, str]]) -> set[str | None]:
        events = [verified(body, signed, [SECRET], EVENING) for body, signed in bodies]
        return {event.remedy_id for event in events if event}

    assert questions([(it.body, it.signature) for it in in_order]) == {"R-1", "R-2", None}
    assert questions([(it.body, it.signature) for it in shuffled]) == {"R-1", "R-2", None}
