"""The tests' side of a provider that runs in a process of its own: one JSON object a call, in and out."""

import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError

from tests.support.provider.core import Provider
from tests.support.provider.model import Delivery, Fault, Status

PATH: Final = "/_control/"
WEBHOOK_TIMEOUT_S: Final = 5


def perform(provider: Provider, name: str, given: Mapping[str, Any]) -> object:
    """Does what `RunningProvider` asks for."""
    return _DEEDS[name](provider, given)


def _script(provider: Provider, given: Mapping[str, Any]) -> None:
    provider.script({int(call): Fault.parse(fault) for call, fault in given["faults"].items()})


def _effects(provider: Provider, _given: Mapping[str, Any]) -> list[dict[str, object]]:
    return [asdict(effect) for effect in provider.effects()]


def _deliver(provider: Provider, given: Mapping[str, Any]) -> list[int]:
    """Posts the webhooks one after another, whatever is answered; the answers' status codes."""
    sent = provider.deliveries(given["secret"], given["copies"], given["seed"])
    return [_post(given["url"], delivery) for delivery in sent]


def _post(url: str, delivery: Delivery) -> int:
    headers = {"Content-Type": "application/json", "Stripe-Signature": delivery.signature}
    request = urllib.request.Request(url, delivery.body, headers)  # noqa: S310 - the test names its own server
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S) as answer:  # noqa: S310 - likewise
            return HTTPStatus(answer.status)
    except HTTPError as error:
        with error:
            return error.code


_DEEDS: Final[Mapping[str, Callable[[Provider, Mapping[str, Any]], object]]] = {
    "charge": lambda provider, given: provider.charge(**given),
    "script": _script,
    "draw": lambda provider, given: provider.draw(**given),
    "calm": lambda provider, _: provider.calm(),
    "advance": lambda provider, given: provider.advance(**given),
    "refunds_become": lambda provider, given: provider.refunds_become(Status(given["status"])),
    "move": lambda provider, given: provider.move(given["refund_reference"], Status(given["status"])),
    "calls": lambda provider, _: provider.calls(),
    "effects": _effects,
    "deliver": _deliver,
}
