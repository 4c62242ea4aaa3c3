"""Stripe's package over no wire at all: its requests go straight to a provider in this process."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import stripe

from tests.support.provider.core import Provider
from tests.support.provider.model import Fate, Request


class InProcess(stripe.HTTPClient):
    """What a network does, breaks included."""

    name = "in-process"

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._provider = provider

    def request(  # type: ignore[override]  # Stripe's own clients leave out the parameter that its base class names
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: str | None = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """The answer's body, status and headers."""
        parts = urlsplit(url)
        sent = headers or {}
        answer = self._provider.answer(
            Request(
                method.upper(),
                parts.path,
                dict(parse_qsl(post_data or parts.query)),
                sent.get("Idempotency-Key"),
                sent.get("Authorization", "").removeprefix("Bearer "),
            )
        )
        if answer.fate is not Fate.ARRIVES:
            raise stripe.APIConnectionError("The connection broke off")  # type: ignore[no-untyped-call]
        return answer.body, answer.status, answer.headers
