"""Refunds to be made, and a Stripe that answers whatever a test wants."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import stripe

from remediation.gateways.refunds import Payout
from remediation.gateways.stripe_refunds import StripeGateway

SECRET_KEY = "sk_test_s3cr3tN3v3rShown"  # noqa: S105 - it opens nothing


def a_payout(
    remedy_id: str = "R-1", payment_id: str | None = "ch_1", amount_minor: int = 299, currency: str = "USD"
) -> Payout:
    return Payout(remedy_id, "OL-1", payment_id, amount_minor, currency)


def a_refund(**members: object) -> dict[str, object]:
    """What Stripe answers when `a_payout` was made."""
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 299,
        "currency": "usd",
        "charge": "ch_1",
        "payment_intent": None,
        "created": 1_795_291_200,
        "status": "succeeded",
        "metadata": {"remedy_id": "R-1", "order_line_id": "OL-1"},
    } | members


def a_refusal(**members: object) -> dict[str, object]:
    return {"error": {"type": "invalid_request_error", "message": "casablanca@example.com owes nothing"} | members}


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]


class Canned(stripe.HTTPClient):
    """Answers the same to everything, and remembers what it was asked."""

    name = "canned"

    def __init__(self, content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self._answer = (body, status, headers or {})
        self.asked: list[Asked] = []

    def request(  # type: ignore[override]  # Stripe's own clients leave out the parameter that its base class names
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        parts = urlsplit(url)
        params = dict(parse_qsl(post_data or parts.query))
        self.asked.append(Asked(method, parts.path, params, headers or {}))
        return self._answer


def on(transport: stripe.HTTPClient) -> StripeGateway:
    return StripeGateway(SECRET_KEY, transport=transport)
