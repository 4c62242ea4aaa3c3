import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remediation.gateways.errors import SilentError, UnusableError
from remediation.gateways.stripe_refunds import StripeGateway
from tests.remediation.gateways.payouts import SECRET_KEY, Canned, a_payout, a_refund, a_refusal, on
from tests.support.provider import InProcessGateway, Provider

ROOT = Path(__file__).parents[3]


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, since the package reads the environment while it is imported."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ | environment
    )


def test_stripes_package_is_imported_only_by_whoever_pays_through_it() -> None:
    code = "import sys; from remediation.gateways import stripe_events, stripe_refunds; print('stripe' in sys.modules)"
    assert run(code).stdout == "False\n"


@pytest.mark.parametrize(
    "secret_key",
    [
        pytest.param("", id="none"),
        pytest.param("pk_test_1", id="publishable"),
        pytest.param("sk_test_1\nX-Header: 1", id="two lines"),
    ],
)
def test_what_is_no_secret_key_is_not_sent_anywhere(secret_key: str) -> None:
    with pytest.raises(UnusableError, match="set MAKEGOOD_STRIPE_KEY") as raised:
        StripeGateway(secret_key)
    assert not secret_key or secret_key not in str(raised.value)


@pytest.mark.parametrize("secret_key", ["sk_live_1", "rk_live_1", "sk_org_live_1"])
def test_a_live_key_goes_to_stripe_alone(secret_key: str) -> None:
    with pytest.raises(UnusableError, match="A live key goes to Stripe alone"):
        StripeGateway(secret_key, "http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["", "localhost:1", "file:///etc"])
def test_a_test_server_has_a_web_address(url: str) -> None:
    with pytest.raises(UnusableError, match="MAKEGOOD_STRIPE_URL is no web address"):
        StripeGateway(SECRET_KEY, url)


def test_the_secret_key_shows_in_no_representation() -> None:
    gateway = StripeGateway(SECRET_KEY)
    assert SECRET_KEY not in f"{gateway!r}{vars(gateway)}"


def test_a_request_that_fails_is_not_repeated_behind_the_payers_back() -> None:
    transport = Canned(a_refusal(), 500, {"stripe-should-retry": "true"})
    with pytest.raises(SilentError):
        on(transport).refund(a_payout())
    assert len(transport.asked) == 1


def test_nothing_of_a_refund_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        on(Canned(a_refund())).refund(a_payout())
        with pytest.raises(SilentError):
            on(Canned(a_refusal(), 500)).refund(a_payout())
    assert caplog.text == ""


def test_nothing_is_printed_or_kept_even_where_the_environment_asks_for_it(tmp_path: Path) -> None:
    code = """
from tests.support.provider import *
from tests.remediation.gateways.payouts import a_payout
provider = Provider()
provider.charge("ch_1", 299)
print(InProcessGateway(provider).refund(a_payout()).status)
"""
    done = run(code, STRIPE_LOG="debug", XDG_CONFIG_HOME=str(tmp_path))
    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("succeeded\n", "", [])


def test_what_stripe_is_told_of_the_caller_names_no_machine() -> None:
    transport = Canned(a_refund(), headers={"Request-Id": "req_1"})
    gateway = on(transport)
    gateway.refund(a_payout())
    gateway.refund(a_payout())
    assert "X-Stripe-Client-Telemetry" not in transport.asked[-1].headers
    assert "platform" not in transport.asked[-1].headers["X-Stripe-Client-User-Agent"]


def test_a_list_is_read_to_its_end() -> None:
    provider = Provider()
    provider.charge("ch_1", 1000)
    gateway = InProcessGateway(provider)
    remedies = [f"R-{number}" for number in range(205)]
    for remedy in remedies:
        gateway.refund(a_payout(remedy, amount_minor=1))
    calls = provider.calls()
    assert [refund.remedy_id for refund in gateway.refunds(since_ms=0)] == list(reversed(remedies))
    assert provider.calls() - calls == 3


@pytest.mark.parametrize(
    "page",
    [
        pytest.param({"object": "list", "data": [], "has_more": True}, id="more, but nothing"),
        pytest.param({"object": "list", "data": [a_refund(amount=None)], "has_more": False}, id="an unreadable refund"),
        pytest.param({"object": "list", "data": [a_refund()]}, id="perhaps more"),
    ],
)
def test_half_a_list_is_no_list(page: object) -> None:
    with pytest.raises(SilentError):
        on(Canned(page)).find(a_payout("R-2"))
