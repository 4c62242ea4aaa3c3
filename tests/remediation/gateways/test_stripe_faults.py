"""Every way in which a call can go wrong, before and after its effect, over a real connection, with keys of any age."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from remediation.gateways.errors import DeferredError, SilentError
from remediation.gateways.refunds import Payout, Receipt
from remediation.gateways.stripe_refunds import StripeGateway
from tests.remediation.gateways.payouts import SECRET_KEY, a_payout
from tests.support.provider import (
    HOUR_MS,
    Fault,
    InProcessGateway,
    Kind,
    Moment,
    Provider,
    RunningProvider,
    Status,
    per_remedy,
    running_provider,
)

HURRY_MS = 150
"""Only a call whose answer is late waits no longer than this: a busy machine may make any other one slow."""
AGES = [pytest.param(0, id="at once"), pytest.param(22 * HOUR_MS, id="22 h"), pytest.param(25 * HOUR_MS, id="25 h")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProvider]:
    with running_provider(tmp_path_factory.mktemp("provider") / "provider.db") as server:
        yield server


@pytest.fixture(scope="module")
def gateway(server: RunningProvider) -> StripeGateway:
    return StripeGateway(SECRET_KEY, server.url)


def gateway_for(kind: Kind, server: RunningProvider, gateway: StripeGateway) -> StripeGateway:
    return StripeGateway(SECRET_KEY, server.url, timeout_ms=HURRY_MS) if kind is Kind.SLOW else gateway


def let_it_arrive(server: RunningProvider, calls: int) -> None:
    """Whoever is in a hurry may be gone before the provider has even read the call."""
    while server.calls() < calls:
        pass


def resolved(gateway: StripeGateway, payout: Payout, key_age_ms: int) -> Receipt | None:
    """What a payer does about a silence: ask, then send the same key while it is young; None is for a person."""
    receipt = gateway.find(payout)
    if receipt or key_age_ms >= gateway.key_lifetime_ms:
        return receipt
    try:
        return gateway.refund(payout)
    except SilentError:
        return None


@pytest.mark.parametrize("age_ms", AGES)
@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("kind", Kind)
def test_a_call_that_goes_wrong_never_pays_twice(
    server: RunningProvider, gateway: StripeGateway, kind: Kind, moment: Moment, age_ms: int
) -> None:
    name = f"{kind}_{moment}_{age_ms}"
    server.charge(f"ch_{name}", 1000)  # room for three, so that nothing but the key prevents a second one
    payout = a_payout(name, f"ch_{name}")
    server.script({1: Fault(kind, moment)})
    calls = server.calls()
    with pytest.raises(DeferredError if kind is Kind.RATE_LIMITED else SilentError):
        gateway_for(kind, server, gateway).refund(payout)
    let_it_arrive(server, calls + 1)
    assert per_remedy(server.effects())[name] == (moment is Moment.AFTER), "the fault is what it says"
    server.advance(age_ms)
    receipt = resolved(gateway, payout, age_ms)
    is_forgotten = age_ms >= gateway.key_lifetime_ms
    # Stripe saves a 500 under the key, so that the same key only ever brings it back.
    ends_with_a_person = moment is Moment.BEFORE and (is_forgotten or kind is Kind.BROKEN)
    assert per_remedy(server.effects())[name] == (0 if ends_with_a_person else 1)
    assert (receipt is None) == ends_with_a_person


@pytest.mark.parametrize("kind", Kind)
def test_a_lookup_that_goes_wrong_is_silence(server: RunningProvider, gateway: StripeGateway, kind: Kind) -> None:
    server.charge(f"ch_lookup_{kind}", 299)
    payout = a_payout(f"lookup_{kind}", f"ch_lookup_{kind}")
    receipt = gateway.refund(payout)
    server.script({1: Fault(kind, Moment.AFTER)})
    calls = server.calls()
    with pytest.raises(SilentError):
        gateway_for(kind, server, gateway).find(payout)
    let_it_arrive(server, calls + 1)
    assert gateway.find(payout) == receipt


def test_a_provider_killed_with_an_answer_on_its_way_has_made_the_refund_once(tmp_path: Path) -> None:
    with running_provider(tmp_path / "provider.db") as server:
        gateway = StripeGateway(SECRET_KEY, server.url)
        server.charge("ch_1", 1000)
        server.script({1: Fault(Kind.LOST, Moment.AFTER)})
        with pytest.raises(SilentError):
            gateway.refund(a_payout())
        server.kill()
        with pytest.raises(SilentError, match="No answer"):
            gateway.refund(a_payout())
        server.start()
        assert gateway.refund(a_payout()) == gateway.find(a_payout())
        assert per_remedy(server.effects()) == {"R-1": 1}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_goes_wrong_each_remedy_is_paid_once_or_goes_to_a_person(seed: int) -> None:
    provider = Provider()
    gateway = InProcessGateway(provider)
    provider.draw(seed, share=0.6)
    receipts: dict[str, Receipt | None] = {}
    for number in range(10):
        remedy = f"R-{number}"
        provider.charge(f"ch_{number}", 1000)
        receipts[remedy] = None
        for _ in range(30):
            try:
                receipts[remedy] = resolved(gateway, a_payout(remedy, f"ch_{number}"), key_age_ms=0)
            except (SilentError, DeferredError):
                continue
            if receipts[remedy]:
                break
    paid = per_remedy(provider.effects())
    assert {remedy for remedy, receipt in receipts.items() if receipt} == set(paid)
    assert set(paid.values()) == {1}


def test_a_refund_that_fails_days_later_is_seen_to_have_failed(server: RunningProvider, gateway: StripeGateway) -> None:
    server.charge("ch_late", 299)
    server.refunds_become(Status.PENDING)
    payout = a_payout("late", "ch_late")
    reference = gateway.refund(payout).reference
    seen = []
    for status in (Status.SUCCEEDED, Status.FAILED):
        server.move(reference, status)
        receipt = gateway.find(payout)
        seen.append(receipt and receipt.status.value)
    server.refunds_become(Status.SUCCEEDED)
    assert seen == ["succeeded", "failed"]
