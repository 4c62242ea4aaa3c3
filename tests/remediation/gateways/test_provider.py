"""The fake provider is a judge of the gateway and of the payer: so it is judged first."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from remediation.gateways.stripe_events import verified
from tests.remediation.gateways.payouts import a_payout
from tests.support.provider import (
    EVENING,
    HOUR_MS,
    Fault,
    InProcessGateway,
    Kind,
    Moment,
    Provider,
    Status,
    per_remedy,
    running_provider,
)
from tests.support.provider.model import Answer, Fate, Request

SECRET = "whsec_today_is_a_good_day"  # noqa: S105 - it opens nothing


@pytest.fixture
def provider() -> Provider:
    provider = Provider()
    provider.charge("ch_1", 1000, payment_intent="pi_1")
    return provider


def a_request(key: str | None = "K-1", **params: str) -> Request:
    return Request("POST", "/v1/refunds", {"charge": "ch_1", "amount": "299"} | params, key)


def a_listing(**params: str) -> Request:
    return Request("GET", "/v1/refunds", params)


def content(answer: Answer) -> dict[str, object]:
    body: dict[str, object] = json.loads(answer.body)
    return body


def code(answer: Answer) -> tuple[int, object]:
    error = content(answer)["error"]
    assert isinstance(error, dict)
    return answer.status, error.get("code") or error.get("param") or error["type"]


def names(answer: Answer) -> list[str]:
    data = content(answer)["data"]
    assert isinstance(data, list)
    return [refund["id"][-1] for refund in data]


def test_the_same_key_brings_the_same_answer_and_no_second_refund(provider: Provider) -> None:
    first, second = provider.answer(a_request()), provider.answer(a_request())
    assert (first.status, first.body) == (second.status, second.body)
    assert second.headers == {"Idempotent-Replayed": "true"}
    assert len(provider.effects()) == 1


def test_two_keys_make_two_refunds(provider: Provider) -> None:
    provider.answer(a_request("K-1"))
    provider.answer(a_request("K-2"))
    provider.answer(a_request(None))
    assert len(provider.effects()) == 3


def test_a_key_is_forgotten_after_a_day_and_pays_again(provider: Provider) -> None:
    provider.answer(a_request())
    provider.advance(24 * HOUR_MS - 1)
    provider.answer(a_request())
    assert len(provider.effects()) == 1
    provider.advance(1)
    provider.answer(a_request())
    assert len(provider.effects()) == 2


def test_a_key_with_other_parameters_is_an_error(provider: Provider) -> None:
    provider.answer(a_request())
    assert code(provider.answer(a_request(amount="300"))) == (400, "idempotency_error")
    assert len(provider.effects()) == 1


def test_a_refusal_is_remembered_but_malformed_parameters_are_not(provider: Provider) -> None:
    assert code(provider.answer(a_request(amount="1001"))) == (400, "amount")
    assert provider.answer(a_request(amount="1001")).headers == {"Idempotent-Replayed": "true"}
    assert code(provider.answer(a_request("K-2", amount="0"))) == (400, "parameter_invalid_integer")
    assert provider.answer(a_request("K-2")).status == HTTPStatus.OK


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"amount": "1001"}, (400, "amount")),
        ({"amount": "-1"}, (400, "parameter_invalid_integer")),
        ({"amount": "2.99"}, (400, "parameter_invalid_integer")),
        ({"charge": "ch_2"}, (404, "resource_missing")),
        ({"payment_intent": "pi_1"}, (400, "charge")),
        ({"reason": "boredom"}, (400, "reason")),
        ({"remedy_id": "R-1"}, (400, "parameter_unknown")),
    ],
)
def test_what_stripe_would_refuse_is_refused(
    provider: Provider, params: dict[str, str], refusal: tuple[int, str]
) -> None:
    assert code(provider.answer(a_request(**params))) == refusal
    assert provider.effects() == []


def test_no_charge_is_refunded_beyond_its_amount(provider: Provider) -> None:
    provider.answer(a_request("K-1", amount="999"))
    assert code(provider.answer(a_request("K-2", amount="2"))) == (400, "amount")
    provider.answer(a_request("K-3", amount="1"))
    assert code(provider.answer(a_request("K-4", amount="1"))) == (400, "charge_already_refunded")
    assert [effect.amount for effect in provider.effects()] == [999, 1]


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_what_failed_can_be_refunded_again(provider: Provider, status: Status) -> None:
    provider.answer(a_request("K-1", amount="1000"))
    provider.move(provider.effects()[0].refund_id, status)
    assert provider.answer(a_request("K-2", amount="1000")).status == HTTPStatus.OK


@pytest.mark.parametrize(("secret", "status"), [("", 401), ("sk_live_1", 401), ("rk_test_1", 403)])
def test_only_a_test_key_with_all_rights_is_let_in(provider: Provider, secret: str, status: int) -> None:
    request = Request("POST", "/v1/refunds", {"charge": "ch_1"}, None, secret)
    assert provider.answer(request).status == status
    assert provider.effects() == []


def test_refunds_are_listed_by_payment_by_time_and_page_by_page(provider: Provider) -> None:
    provider.charge("ch_2", 1000)
    for number in (1, 2, 3):
        provider.answer(a_request(f"K-{number}"))
        provider.advance(1000)
    provider.answer(a_request("K-4", charge="ch_2"))
    assert names(provider.answer(a_listing())) == ["4", "3", "2", "1"]
    assert names(provider.answer(a_listing(charge="ch_1"))) == ["3", "2", "1"]
    assert names(provider.answer(a_listing(payment_intent="pi_1"))) == ["3", "2", "1"]
    assert names(provider.answer(a_listing(**{"created[gte]": str(EVENING // 1000 + 2)}))) == ["4", "3"]
    first = provider.answer(a_listing(charge="ch_1", limit="2"))
    assert (names(first), content(first)["has_more"]) == (["3", "2"], True)
    second = provider.answer(a_listing(charge="ch_1", limit="2", starting_after="re_fake00000002"))
    assert (names(second), content(second)["has_more"]) == (["1"], False)


def test_one_refund_is_retrieved_by_its_name(provider: Provider) -> None:
    made = provider.answer(a_request())
    assert provider.answer(Request("GET", "/v1/refunds/re_fake00000001", {})).body == made.body
    assert provider.answer(Request("GET", "/v1/refunds/re_fake1", {})).status == HTTPStatus.NOT_FOUND
    assert provider.answer(Request("GET", "/v1/invoices", {})).status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("kind", Kind)
def test_a_fault_strikes_its_call_alone_and_leaves_the_effect_that_it_says(
    provider: Provider, kind: Kind, moment: Moment
) -> None:
    provider.script({2: Fault(kind, moment)})
    good, bad, after = (provider.answer(a_request(f"K-{number}")) for number in (1, 2, 3))
    assert (good.status, after.status) == (HTTPStatus.OK, HTTPStatus.OK)
    assert (bad.status, bad.fate) != (HTTPStatus.OK, Fate.ARRIVES) or kind in {Kind.GARBLED, Kind.WRONG}
    assert len(provider.effects()) == 2 + (moment is Moment.AFTER)


def test_what_the_key_remembers_of_a_fault(provider: Provider) -> None:
    for number, kind in enumerate(Kind):
        provider.charge(f"ch_{kind}", 1000)
        provider.script({1: Fault(kind, Moment.AFTER)})
        request = a_request(f"K-{number}", charge=f"ch_{kind}")
        provider.answer(request)
        again = provider.answer(request)
        assert again.status == (HTTPStatus.INTERNAL_SERVER_ERROR if kind is Kind.BROKEN else HTTPStatus.OK)
    assert len(provider.effects()) == len(Kind)


def test_the_draw_is_the_same_for_the_same_seed_and_of_every_kind() -> None:
    def drawn(seed: int) -> list[tuple[int, Fate, int]]:
        provider = Provider()
        provider.charge("ch_1", 10**6)
        provider.draw(seed, share=0.5)
        answers = [provider.answer(a_request(f"K-{number}")) for number in range(200)]
        return [(answer.status, answer.fate, len(answer.body)) for answer in answers]

    assert drawn(1) == drawn(1) != drawn(2)
    assert {status for status, _, _ in drawn(1)} == {200, 409, 429, 500, 503}
    assert {fate for _, fate, _ in drawn(1)} == set(Fate)


def test_calm_ends_all_faults(provider: Provider) -> None:
    provider.draw(1, share=1)
    provider.script({2: Fault(Kind.LOST, Moment.BEFORE)})
    provider.calm()
    assert [provider.answer(a_request()).status for _ in range(3)] == [HTTPStatus.OK] * 3


def test_two_who_ask_at_once_with_one_key_make_one_refund(tmp_path: Path) -> None:
    provider = Provider(tmp_path / "provider.db")
    provider.charge("ch_1", 10_000)
    with ThreadPoolExecutor(8) as pool:
        bodies = {answer.body for answer in pool.map(provider.answer, [a_request()] * 16)}
    assert (len(bodies), len(provider.effects())) == (1, 1)
    provider.close()


def test_a_killed_process_remembers_charges_keys_refunds_faults_and_the_time(tmp_path: Path) -> None:
    with running_provider(tmp_path / "provider.db") as server:
        server.charge("ch_1", 1000)
        server.advance(HOUR_MS)
        server.script({2: Fault(Kind.BROKEN, Moment.BEFORE)})
        calls_before = server.calls()
        url = server.url
        server.restart()
        assert (server.url, server.calls(), server.effects()) == (url, calls_before, [])
    provider = Provider(tmp_path / "provider.db")
    gateway = InProcessGateway(provider)
    gateway.refund(a_payout())
    assert [effect.created_ms for effect in provider.effects()] == [EVENING + HOUR_MS]
    assert provider.answer(a_request()).status == HTTPStatus.INTERNAL_SERVER_ERROR
    provider.close()
    again = Provider(tmp_path / "provider.db")
    assert (per_remedy(again.effects()), again.calls()) == ({"R-1": 1}, 2)
    again.close()


class _Receiver(BaseHTTPRequestHandler):
    received: list[tuple[bytes, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).received.append((body, self.headers["Stripe-Signature"]))
        # The first is not taken, as happens: the others come all the same.
        self.send_response(HTTPStatus.OK if len(type(self).received) > 1 else HTTPStatus.INTERNAL_SERVER_ERROR)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    _Receiver.received = []
    with HTTPServer(("127.0.0.1", 0), _Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_webhooks_are_posted_signed_twice_and_out_of_order(tmp_path: Path, receiver: HTTPServer) -> None:
    with running_provider(tmp_path / "provider.db") as server:
        server.charge("ch_1", 1000)
        gateway = InProcessGateway(provider := Provider(tmp_path / "provider.db"))
        gateway.refund(a_payout())
        provider.close()
        server.move("re_fake00000001", Status.FAILED)
        codes = server.deliver(f"http://127.0.0.1:{receiver.server_port}/hooks", SECRET, copies=2, seed=3)
    assert codes == [500] + [200] * 9
    events = [verified(body, signature, [SECRET], EVENING) for body, signature in _Receiver.received]
    ids = [event.event_id for event in events if event]
    assert (len(ids), len(set(ids))) == (10, 5)
    assert ids != sorted(ids)


def test_a_twin_has_the_same_past_and_another_future(provider: Provider) -> None:
    first = provider.answer(a_request())
    twin = provider.twin()
    assert twin.answer(a_request()).body == first.body
    assert twin.effects() == provider.effects()
    twin.answer(a_request("K-2"))
    assert (len(provider.effects()), len(twin.effects())) == (1, 2)
