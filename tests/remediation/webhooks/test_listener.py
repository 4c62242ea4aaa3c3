"""The HTTP side of webhooks: what gets through, what is refused, and that nobody can hold it up."""

import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus
from itertools import chain, repeat
from pathlib import Path
from socketserver import TCPServer

import pytest
from sqlalchemy import Engine

from remediation.gateways.stripe_events import MAX_BODY_BYTES
from remediation.gateways.stripe_refunds import StripeGateway
from remediation.webhooks.hints import Answer, Hints
from remediation.webhooks.listener import MAX_HEAD_BYTES, Bounds
from tests.remediation.gateways.payouts import SECRET_KEY
from tests.remediation.ledger.evenings import MORNING, a_remedy, an_order, owed, record_night, with_orders
from tests.remediation.outbox.senders import pay, states
from tests.remediation.reconciling.towns import charge_of, faults
from tests.remediation.webhooks.listening import SECRET, a_post, a_webhook, answer_to, answered, connected, listening
from tests.support.provider import RunningProvider, Status, running_provider


class Taken(list[tuple[bytes, str]]):
    """What came through, each answered the same way."""

    def __init__(self, status: HTTPStatus = HTTPStatus.OK, note: str | None = None) -> None:
        super().__init__()
        self._answer = Answer(status, note)

    def take(self, body: bytes, signature: str) -> Answer:
        self.append((body, signature))
        return self._answer


def test_a_webhook_comes_through_whole_and_is_answered() -> None:
    taken = Taken(note="evt_1: settled")
    notes: list[str] = []
    body = b'{"id": "\xe3\x81\x82"}' * 1000
    with listening(taken.take, notes=notes) as listener:
        status, came = answer_to(listener, a_post(body, "stripe-signature: t=1,v1=00"))
    assert (status, taken, notes) == (200, [(body, "t=1,v1=00")], ["evt_1: settled"])
    assert came.endswith(b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE])
def test_the_answer_is_the_one_that_was_given(status: HTTPStatus) -> None:
    with listening(Taken(status).take) as listener:
        assert answer_to(listener, a_post())[0] == status


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        pytest.param(a_post(path="/"), 404, id="another path"),
        pytest.param(a_post(path="/stripe/../etc"), 404, id="a path that wanders"),
        pytest.param(a_post(path="/stripe?x=1"), 404, id="a path with a query"),
        pytest.param(a_post(b"", method="GET"), 405, id="GET"),
        pytest.param(a_post(method="PUT"), 405, id="PUT"),
        pytest.param(a_post(method="BREW"), 405, id="a method of its own"),
        pytest.param(a_post(b"", method="GET", path="/"), 404, id="GET of another path"),
        pytest.param(a_post(b"2\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"), 411, id="chunks and a length"),
        pytest.param(b"POST /stripe HTTP/1.1\r\nHost: makegood\r\n\r\n", 411, id="no length"),
        pytest.param(a_post(b"{}", "Content-Length: 2", "Content-Length: 2"), 400, id="two lengths"),
        pytest.param(a_post(b"{}", "Content-Length: -2"), 400, id="a length below zero"),
        pytest.param(a_post(b"{}", "Content-Length: +2"), 400, id="a length in another spelling"),
        pytest.param(a_post(b"{}", "Content-Length: " + "9" * 5000), 400, id="a length of thousands of digits"),
        pytest.param(a_post(b"{}", f"Content-Length: {MAX_BODY_BYTES + 1}"), 413, id="a body that is too large"),
        pytest.param(a_post(b"x" * (MAX_BODY_BYTES + 1)), 413, id="a body that is too large and comes all the same"),
        pytest.param(a_post(b"{}", *["X: y"] * 200), 431, id="too many headers"),
        pytest.param(a_post(b"{}", f"X: {'y' * 70_000}"), 431, id="a header without end"),
        pytest.param(b"POST /stripe" + b"x" * 70_000, 414, id="a line without end"),
        pytest.param(b"<script>casablanca@example.com</script>\r\n\r\n", 400, id="no request at all"),
        pytest.param(b"POST /stripe HTTP/9.9\r\n\r\n", 505, id="a protocol of the future"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400, id="TLS"),
    ],
)
def test_what_is_no_webhook_is_refused_without_a_word(request_bytes: bytes, status: int) -> None:
    taken = Taken()
    notes: list[str] = []
    with listening(taken.take, notes=notes) as listener:
        code, came = answer_to(listener, request_bytes)
        assert answer_to(listener, a_post())[0] == 200
    assert (code, len(taken), notes) == (status, 1, [])
    head, _, body = came.partition(b"\r\n\r\n")
    assert body == b""
    assert b"script" not in head
    assert (b"Allow: POST" in head) == (status == 405)


def test_a_body_that_breaks_off_is_no_webhook() -> None:
    taken = Taken()
    with listening(taken.take) as listener, connected(listener) as connection:
        connection.sendall(a_post(b"{", "Content-Length: 2"))
        connection.shutdown(1)
        assert answered(connection)[0] == 400
    assert taken == []


@pytest.mark.parametrize("begun", [b"", b"POST /stripe HT", a_post(b"", "Content-Length: 2"), a_post(b"{}")[:-1]])
def test_whoever_is_slow_is_sent_away(begun: bytes) -> None:
    taken = Taken()
    clock = chain([0.0], repeat(9.95))  # so that little of ten seconds is left to wait
    with listening(taken.take, clock_s=lambda: next(clock)) as listener, connected(listener) as connection:
        connection.sendall(begun)
        assert answered(connection)[0] == 0
    assert taken == []


def test_the_time_is_that_of_the_whole_request_and_not_of_each_drop() -> None:
    taken = Taken()
    clock = chain([0.0, 5.0], repeat(10.0))
    with listening(taken.take, clock_s=lambda: next(clock)) as listener, connected(listener) as connection:
        connection.sendall(b"POST /stripe HTTP/1.1\r\n")
        assert answered(connection)[0] == 0
    assert taken == []


def test_so_many_are_worked_on_at_once_and_the_others_wait_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, clients = 2, 12
    at_once: list[int] = []
    let_in: list[int] = []
    lock, together = threading.Lock(), threading.Barrier(threads)
    accepted = answered_so_far = working = 0

    def take(_body: bytes, _signature: str) -> Answer:
        nonlocal working, answered_so_far
        with lock:
            working += 1
            at_once.append(working)
            let_in.append(accepted - answered_so_far)
        together.wait(timeout=5)
        with lock:
            working -= 1
            answered_so_far += 1
        return Answer(HTTPStatus.OK)

    with listening(take, bounds=Bounds(threads=threads)) as listener, ThreadPoolExecutor(clients) as senders:
        honest = listener.get_request

        def get_request() -> tuple[socket.socket, object]:
            nonlocal accepted
            request = honest()
            accepted += 1
            return request

        monkeypatch.setattr(listener, "get_request", get_request)
        answers = list(senders.map(lambda _: answer_to(listener, a_post())[0], range(clients)))
    assert (answers, max(at_once)) == ([200] * clients, threads)
    assert max(let_in) <= threads + 1, "one more waits at the door"


def test_what_has_come_in_is_answered_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    came, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def take(_body: bytes, _signature: str) -> Answer:
        came.set()
        may_end.wait(timeout=5)
        ended.set()
        return Answer(HTTPStatus.OK)

    honest = TCPServer.server_close

    def close(listener: TCPServer) -> None:
        honest(listener)
        threading.Timer(0.05, may_end.set).start()

    monkeypatch.setattr(TCPServer, "server_close", close)
    with ThreadPoolExecutor(1) as sender:
        with listening(take) as listener:
            answer = sender.submit(answer_to, listener, a_post())
            came.wait(timeout=5)
        assert ended.is_set()
        assert answer.result()[0] == 200
    with pytest.raises(ConnectionRefusedError):
        connected(listener)


def test_whoever_is_refused_may_finish_speaking() -> None:
    """Else the connection breaks under a proxy, which then knows nothing of the answer."""
    size = MAX_BODY_BYTES + 1
    with listening(Taken().take) as listener, connected(listener) as connection:
        connection.sendall(a_post(b"", f"Content-Length: {size}"))
        assert answered(connection)[0] == 413
        for _ in range(size // 1024):
            connection.sendall(b"x" * 1024)


def test_a_bug_costs_one_answer_and_tells_nothing_of_what_came() -> None:
    notes: list[str] = []

    def take(_body: bytes, _signature: str) -> Answer:
        raise ValueError("casablanca@example.com")

    with listening(take, notes=notes) as listener:
        assert [answer_to(listener, a_post())[0] for _ in range(2)] == [0, 0]
    assert notes == ["a webhook could not be answered (ValueError); it will be delivered again"] * 2


@pytest.mark.parametrize("linger", [struct.pack("ii", 0, 0), struct.pack("ii", 1, 0)], ids=["hangs up", "breaks off"])
def test_who_hangs_up_disturbs_nobody(linger: bytes) -> None:
    notes: list[str] = []
    taken = Taken()
    with listening(taken.take, notes=notes) as listener:
        for request in (b"", b"POST", a_post(b"{", "Content-Length: 2"), a_post()):
            with connected(listener) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                connection.sendall(request)
        assert answer_to(listener, a_post())[0] == 200
    assert notes == []


def test_the_head_has_its_bound() -> None:
    taken = Taken()
    many = [f"X-{number}: {'y' * 60_000}" for number in range(90)]
    assert sum(map(len, many)) > MAX_HEAD_BYTES + MAX_BODY_BYTES
    with listening(taken.take) as listener:
        with suppress(ConnectionError):  # it is closed in the middle of them
            answer_to(listener, a_post(b"{}", *many))
        assert taken == []
        assert answer_to(listener, a_post())[0] == 200


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[RunningProvider]:
    with running_provider(tmp_path / "provider.db", MORNING) as provider:
        provider.refunds_become(Status.PENDING)
        yield provider


def refunded(ledger: Engine, provider: RunningProvider, count: int) -> Hints:
    """So many refunds that the provider has not finished yet, and what takes its webhooks."""
    gateway = StripeGateway(SECRET_KEY, provider.url)
    lines = [f"OL-{number}" for number in range(count)]
    with_orders(ledger, *(an_order(line, payment_id=charge_of(line)) for line in lines))
    for line in lines:
        provider.charge(charge_of(line), 1000)
    record_night(ledger, *(owed(a_remedy(line), mail=False) for line in lines))
    assert pay(ledger, gateway, MORNING).sent == count
    return Hints(ledger, gateway, [SECRET], lambda: MORNING)


def test_two_listeners_hear_everything_twice_and_in_any_order(ledger: Engine, provider: RunningProvider) -> None:
    """The whole way: a provider's process, HTTP both ways, the real client, one ledger."""
    hints = refunded(ledger, provider, 6)
    with listening(hints.take) as one, listening(hints.take) as other, ThreadPoolExecutor(2) as threads:
        for statuses in ([Status.SUCCEEDED] * 6, [Status.FAILED] * 3):
            for effect, status in zip(provider.effects(), statuses, strict=False):
                provider.move(effect.refund_id, status)
            told = [
                threads.submit(provider.deliver, listener.url, SECRET, copies=2, seed=seed)
                for seed, listener in enumerate((one, other))
            ]
            assert {code for each in told for code in each.result()} == {200}
            assert faults(ledger) == []
    assert states(ledger) == [("refund", "failed")] * 3 + [("refund", "settled")] * 3


def test_while_the_provider_is_down_its_webhooks_are_wanted_again(ledger: Engine, provider: RunningProvider) -> None:
    hints = refunded(ledger, provider, 1)
    (effect,) = provider.effects()
    provider.move(effect.refund_id, Status.SUCCEEDED)
    webhook = a_webhook("refund.updated", id=effect.refund_id, metadata={"remedy_id": effect.remedy_id})
    request = a_post(webhook.body, f"Stripe-Signature: {webhook.signature}")
    with listening(hints.take) as listener:
        provider.kill()
        assert answer_to(listener, request)[0] == 503
        assert states(ledger) == [("refund", "sent")]
        provider.start()
        assert answer_to(listener, request)[0] == 200
    assert (states(ledger), faults(ledger)) == ([("refund", "settled")], [])
