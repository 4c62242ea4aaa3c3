import pytest

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.gateways.refunds import ProviderRefund, Receipt, RefundStatus
from remediation.gateways.stripe_refunds import StripeGateway
from tests.remediation.gateways.payouts import Canned, a_payout, a_refund, on
from tests.support.provider import EVENING, HOUR_MS, Fault, InProcessGateway, Kind, Moment, Provider, Status, per_remedy
from tests.support.provider.transport import InProcess

TOO_OFTEN = Fault(Kind.RATE_LIMITED, Moment.BEFORE)


@pytest.fixture
def provider() -> Provider:
    provider = Provider()
    provider.charge("ch_1", 1000, payment_intent="pi_1")
    provider.charge("py_1", 1000)
    return provider


@pytest.fixture
def gateway(provider: Provider) -> StripeGateway:
    return InProcessGateway(provider)


def test_a_refund_names_its_remedy_its_order_line_and_no_reason() -> None:
    transport = Canned(a_refund())
    on(transport).refund(a_payout())
    (asked,) = transport.asked
    assert (asked.method, asked.path) == ("post", "/v1/refunds")
    assert asked.params == {
        "charge": "ch_1",
        "amount": "299",
        "metadata[remedy_id]": "R-1",
        "metadata[order_line_id]": "OL-1",
    }
    assert asked.headers["Idempotency-Key"] == "R-1"


def test_a_refund_asked_for_twice_is_made_once(gateway: StripeGateway, provider: Provider) -> None:
    assert gateway.refund(a_payout()) == gateway.refund(a_payout())
    assert per_remedy(provider.effects()) == {"R-1": 1}


@pytest.mark.parametrize("payment_id", ["ch_1", "pi_1", "py_1"])
def test_every_kind_of_payment_is_refunded_and_found(gateway: StripeGateway, payment_id: str) -> None:
    payout = a_payout(payment_id=payment_id)
    assert gateway.find(payout) is None
    assert gateway.refund(payout) == gateway.find(payout) == Receipt("re_fake00000001", RefundStatus.SUCCEEDED)


@pytest.mark.parametrize("payment_id", [None, "", "cus_1", "pi_", "pi_1&limit=1", "PI_1"])
def test_what_names_no_payment_of_stripes_is_refused_and_stripe_never_asked(payment_id: str | None) -> None:
    transport = Canned(a_refund())
    with pytest.raises(RefusedError, match="OL-1 names no payment of Stripe's"):
        on(transport).refund(a_payout(payment_id=payment_id))
    assert on(transport).find(a_payout(payment_id=payment_id)) is None
    assert transport.asked == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.PENDING, RefundStatus.PENDING),
        (Status.REQUIRES_ACTION, RefundStatus.PENDING),
        (Status.SUCCEEDED, RefundStatus.SUCCEEDED),
        (Status.FAILED, RefundStatus.FAILED),
        (Status.CANCELED, RefundStatus.FAILED),
    ],
)
def test_a_receipt_says_how_the_refund_stands(
    gateway: StripeGateway, provider: Provider, status: Status, expected: RefundStatus
) -> None:
    provider.refunds_become(status)
    assert gateway.refund(a_payout()).status is expected
    found = gateway.find(a_payout())
    assert found is not None
    assert found.status is expected


@pytest.mark.parametrize("status", ["on_holiday", None])
def test_a_status_that_is_not_known_is_not_guessed(status: str | None) -> None:
    with pytest.raises(SilentError, match="a status that is not known here"):
        on(Canned(a_refund(status=status))).refund(a_payout())


@pytest.mark.parametrize(
    ("members", "differs"),
    [
        pytest.param({"amount": 300}, "amount", id="another amount"),
        pytest.param({"currency": "eur"}, "currency", id="another currency"),
        pytest.param({"charge": "ch_2"}, "payment", id="another payment"),
        pytest.param({"metadata": {"remedy_id": "R-2"}}, "remedy", id="another remedy"),
        pytest.param({"metadata": {}}, "remedy", id="no remedy"),
        pytest.param({"metadata": None}, "remedy", id="no metadata"),
        pytest.param({"amount": 1, "currency": "eur"}, "amount and currency", id="two things"),
        pytest.param({"currency": "isk", "amount": 29900}, "currency", id="the same number in other digits"),
    ],
)
def test_an_answer_about_another_refund_is_neither_success_nor_refusal(
    members: dict[str, object], differs: str
) -> None:
    with pytest.raises(SilentError, match=f"re_1, whose {differs} differs from what was asked"):
        on(Canned(a_refund(**members))).refund(a_payout())


def test_a_refund_of_another_amount_is_not_found_as_ours(gateway: StripeGateway) -> None:
    gateway.refund(a_payout(amount_minor=300))
    with pytest.raises(SilentError, match="whose amount differs"):
        gateway.find(a_payout(amount_minor=299))


def test_the_same_key_with_another_amount_is_refused(gateway: StripeGateway, provider: Provider) -> None:
    gateway.refund(a_payout(amount_minor=300))
    with pytest.raises(RefusedError, match="with other parameters"):
        gateway.refund(a_payout(amount_minor=299))
    assert [effect.amount for effect in provider.effects()] == [300]


def test_more_than_was_paid_is_refused(gateway: StripeGateway, provider: Provider) -> None:
    gateway.refund(a_payout("R-1", amount_minor=999))
    with pytest.raises(RefusedError, match="amount"):
        gateway.refund(a_payout("R-2", amount_minor=2))
    assert per_remedy(provider.effects()) == {"R-1": 1}


def test_a_payment_refunded_in_full_is_no_proof_that_we_did_it(gateway: StripeGateway, provider: Provider) -> None:
    gateway.refund(a_payout(amount_minor=1000))
    provider.advance(25 * HOUR_MS)
    with pytest.raises(RefusedError, match="perhaps for this very remedy"):
        gateway.refund(a_payout(amount_minor=1000))
    assert gateway.find(a_payout(amount_minor=1000)) == Receipt("re_fake00000001", RefundStatus.SUCCEEDED)


def test_a_key_is_trusted_only_as_long_as_stripe_remembers_it(gateway: StripeGateway, provider: Provider) -> None:
    gateway.refund(a_payout())
    provider.advance(gateway.key_lifetime_ms)
    gateway.refund(a_payout())
    assert per_remedy(provider.effects()) == {"R-1": 1}
    provider.advance(HOUR_MS)
    gateway.refund(a_payout())
    assert per_remedy(provider.effects()) == {"R-1": 2}, "the trap that the lifetime is there for"


def test_of_several_refunds_the_earliest_that_did_not_fail_is_found(gateway: StripeGateway, provider: Provider) -> None:
    for _ in range(3):
        gateway.refund(a_payout())
        provider.advance(25 * HOUR_MS)
    first, second, _third = (effect.refund_id for effect in provider.effects())
    assert gateway.find(a_payout()) == Receipt(first, RefundStatus.SUCCEEDED)
    provider.move(first, Status.FAILED)
    assert gateway.find(a_payout()) == Receipt(second, RefundStatus.SUCCEEDED)


def test_a_refund_that_failed_is_still_found(gateway: StripeGateway, provider: Provider) -> None:
    receipt = gateway.refund(a_payout())
    provider.move(receipt.reference, Status.FAILED)
    assert gateway.find(a_payout()) == Receipt(receipt.reference, RefundStatus.FAILED)


def test_refunds_of_others_are_not_found_as_ours(gateway: StripeGateway) -> None:
    gateway.refund(a_payout("R-2"))
    assert gateway.find(a_payout("R-1")) is None


def test_a_lookup_that_is_put_off_says_nothing_of_the_refund(gateway: StripeGateway, provider: Provider) -> None:
    gateway.refund(a_payout())
    provider.script({1: TOO_OFTEN, 2: TOO_OFTEN})
    with pytest.raises(SilentError, match="could not be looked up: Stripe wants fewer requests"):
        gateway.find(a_payout())
    with pytest.raises(SilentError, match="could not be looked up"):
        list(gateway.refunds(since_ms=0))


def test_a_refund_that_is_put_off_says_for_how_long(gateway: StripeGateway, provider: Provider) -> None:
    provider.script({1: TOO_OFTEN})
    with pytest.raises(DeferredError) as raised:
        gateway.refund(a_payout())
    assert raised.value.retry_after_ms == 2000


@pytest.mark.parametrize("secret_key", ["sk_wrong", "rk_test_1"])
def test_a_key_that_may_not_refund_ends_the_pass(provider: Provider, secret_key: str) -> None:
    gateway = StripeGateway(secret_key, transport=InProcess(provider))
    for ask in (gateway.refund, gateway.find):
        with pytest.raises(UnusableError):
            ask(a_payout())
    assert provider.effects() == []


@pytest.mark.parametrize(
    ("currency", "amount_minor", "amount"), [("ISK", 5, 500), ("MGA", 500, 5), ("KWD", 2990, 2990), ("JPY", 299, 299)]
)
def test_amounts_go_out_in_stripes_digits_and_come_back_in_ours(
    gateway: StripeGateway, provider: Provider, currency: str, amount_minor: int, amount: int
) -> None:
    provider.charge("ch_far", amount, currency.lower())
    payout = a_payout(payment_id="ch_far", amount_minor=amount_minor, currency=currency)
    assert gateway.refund(payout) == gateway.find(payout)
    assert [effect.amount for effect in provider.effects()] == [amount]
    assert [(refund.amount_minor, refund.currency) for refund in gateway.refunds(0)] == [(amount_minor, currency)]


def test_refunds_are_listed_with_all_that_the_books_need(gateway: StripeGateway, provider: Provider) -> None:
    provider.refunds_become(Status.PENDING)
    gateway.refund(a_payout(payment_id="py_1"))
    provider.advance(HOUR_MS)
    provider.refunds_become(Status.SUCCEEDED)
    gateway.refund(a_payout("R-2", payment_id="pi_1"))
    older = ProviderRefund("re_fake00000001", "R-1", ("py_1",), 299, "USD", RefundStatus.PENDING, EVENING)
    newer = ProviderRefund(
        "re_fake00000002", "R-2", ("pi_1", "ch_1"), 299, "USD", RefundStatus.SUCCEEDED, EVENING + HOUR_MS
    )
    assert list(gateway.refunds(EVENING)) == [newer, older]
    assert list(gateway.refunds(EVENING + 1000)) == [newer]


def test_a_refund_made_in_the_second_that_is_asked_about_is_listed(gateway: StripeGateway, provider: Provider) -> None:
    provider.advance(700)
    gateway.refund(a_payout())
    assert len(list(gateway.refunds(EVENING + 600))) == 1


def test_a_refund_that_was_not_ours_has_no_remedy() -> None:
    by_hand = a_refund(metadata={})
    (refund,) = on(Canned({"object": "list", "has_more": False, "data": [by_hand]})).refunds(0)
    assert (refund.reference, refund.remedy_id) == ("re_1", None)
