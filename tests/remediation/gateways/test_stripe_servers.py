"""The gateway against servers that others wrote in Stripe's image: they judge what our own fake cannot."""

import json
from collections.abc import Iterator

import pytest
import stripe

from remediation.gateways.errors import RefusedError, SilentError, UnusableError
from remediation.gateways.refunds import Payout, RefundStatus
from remediation.gateways.stripe_refunds import StripeGateway
from tests.remediation.gateways.payouts import SECRET_KEY, a_payout
from tests.support.provider import Provider
from tests.support.provider.model import Request
from tests.support.stripe_servers import schema_mock, stateful_mock

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def stateful() -> Iterator[str]:
    with stateful_mock() as url:
        yield url


@pytest.fixture(scope="module")
def schema() -> Iterator[str]:
    with schema_mock() as url:
        yield url


def client(url: str) -> stripe.StripeClient:
    return stripe.StripeClient(SECRET_KEY, base_addresses={"api": url}, max_network_retries=0)


@pytest.fixture
def charge_id(stateful: str) -> str:
    charge = client(stateful).v1.charges.create({"amount": 299, "currency": "usd", "source": "tok_visa"})
    return charge.id


@pytest.fixture
def payout(charge_id: str) -> Payout:
    return a_payout(f"R-{charge_id}", charge_id)


def test_a_refund_is_made_once_and_found(stateful: str, payout: Payout) -> None:
    gateway = StripeGateway(SECRET_KEY, stateful)
    assert gateway.find(payout) is None
    receipt = gateway.refund(payout)
    assert receipt.status is RefundStatus.SUCCEEDED
    assert gateway.refund(payout) == gateway.find(payout) == receipt
    ours = [refund for refund in gateway.refunds(0) if refund.remedy_id == payout.remedy_id]
    assert [(refund.reference, refund.payment_ids, refund.amount_minor, refund.currency) for refund in ours] == [
        (receipt.reference, (payout.payment_id,), 299, "USD")
    ]


def test_two_remedies_share_what_was_paid_and_no_more(stateful: str, charge_id: str) -> None:
    gateway = StripeGateway(SECRET_KEY, stateful)
    first, second, third = (f"R-{number}-{charge_id}" for number in (1, 2, 3))
    gateway.refund(a_payout(first, charge_id, amount_minor=200))
    with pytest.raises(RefusedError, match="HTTP 400, invalid_request_error, amount"):
        gateway.refund(a_payout(second, charge_id, amount_minor=100))
    gateway.refund(a_payout(third, charge_id, amount_minor=99))
    with pytest.raises(RefusedError, match="perhaps for this very remedy"):
        gateway.refund(a_payout(f"R-4-{charge_id}", charge_id, amount_minor=1))
    assert gateway.find(a_payout(second, charge_id, amount_minor=100)) is None


def test_a_key_used_with_another_amount_is_refused(stateful: str, payout: Payout) -> None:
    gateway = StripeGateway(SECRET_KEY, stateful)
    gateway.refund(payout)
    with pytest.raises(RefusedError, match="with other parameters"):
        gateway.refund(a_payout(payout.remedy_id, payout.payment_id, amount_minor=298))


def test_a_payment_that_is_not_there_is_refused(stateful: str) -> None:
    with pytest.raises(RefusedError, match=r"HTTP 404, .*resource_missing"):
        StripeGateway(SECRET_KEY, stateful).refund(a_payout(payment_id="ch_nowhere"))


def test_a_wrong_key_ends_the_pass(stateful: str, payout: Payout) -> None:
    with pytest.raises(UnusableError, match="HTTP 401"):
        StripeGateway("sk_wrong", stateful).refund(payout)


@pytest.mark.parametrize("payment_id", ["ch_1", "pi_1"])
def test_stripes_own_description_knows_every_field_that_is_sent(schema: str, payment_id: str) -> None:
    """It would refuse an unknown field; its answer has no metadata, and so is not taken for our refund."""
    with pytest.raises(SilentError, match="whose remedy differs"):
        StripeGateway(SECRET_KEY, schema).refund(a_payout(payment_id=payment_id))


def test_stripes_own_description_is_strict(schema: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="additional properties"):
        client(schema).v1.refunds.create({"charge": "ch_1", "metadatum": "R-1"})  # type: ignore[arg-type]


@pytest.mark.parametrize("payment_id", ["ch_1", "pi_1"])
def test_stripes_own_description_knows_every_filter_and_its_refunds_can_be_read(schema: str, payment_id: str) -> None:
    gateway = StripeGateway(SECRET_KEY, schema)
    assert gateway.find(a_payout(payment_id=payment_id)) is None
    (refund,) = gateway.refunds(since_ms=0)
    assert refund.remedy_id is None
    assert any(name.startswith("ch_") for name in refund.payment_ids)
    assert (refund.amount_minor, refund.currency, refund.status) == (100, "USD", RefundStatus.SUCCEEDED)


def test_the_fake_providers_refunds_have_stripes_fields(schema: str) -> None:
    provider = Provider()
    provider.charge("ch_1", 299)
    ours = json.loads(provider.answer(Request("POST", "/v1/refunds", {"charge": "ch_1"})).body)
    theirs = client(schema).v1.refunds.create({"charge": "ch_1"}).to_dict()
    assert set(ours) <= set(theirs)
    listed = json.loads(provider.answer(Request("GET", "/v1/refunds", {})).body)
    assert set(listed) == set(client(schema).v1.refunds.list().to_dict())
