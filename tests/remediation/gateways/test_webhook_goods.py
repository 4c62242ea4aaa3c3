"""Orders of goods over HTTP, as a warehouse receives them, answers them or fails to."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from remediation.gateways.goods import GoodsOrder
from remediation.gateways.signatures import Secret, SignatureError, verify
from remediation.gateways.targets import TargetError
from remediation.gateways.webhook_goods import WebhookDesk, WebhookSettings, webhook_target
from tests.remediation.gateways.mailing import whole_text
from tests.support.real_smtp import Authority
from tests.support.warehouse import NOON, SECRET, Behaviour, Exchange, lost, saying, slow, warehouse

COFFEE = GoodsOrder("5a6c1d2e-0000-5000-8000-000000000001", "replacement", "line-1", "coffee-1", 1, "next_day")


def a_desk(
    port: int,
    *,
    url: str = "http://localhost:{port}/orders?from=makegood",
    secrets: tuple[Secret, ...] = (SECRET,),
    ca_file: Path | None = None,
    timeout_ms: int = 5_000,
) -> WebhookDesk:
    return WebhookDesk(
        WebhookSettings(webhook_target(url.format(port=port)), secrets, ca_file, timeout_ms), lambda: NOON
    )


def test_an_order_arrives_signed_and_whole() -> None:
    with warehouse() as house:
        assert a_desk(house.port).order(COFFEE) == "W-1"

    [request] = house.requests
    assert request.path == "/orders?from=makegood"
    assert json.loads(request.body) == {"type": "goods.order", "data": asdict(COFFEE)}
    assert verify(request.headers, request.body, [SECRET], NOON) == COFFEE.key
    assert request.headers["Content-Type"] == "application/json"


def test_the_same_order_is_the_same_bytes_and_one_order() -> None:
    with warehouse() as house:
        references = [a_desk(house.port).order(COFFEE) for _ in range(3)]
        other = a_desk(house.port).order(replace(COFFEE, key="another-key"))

    assert (references, other) == (["W-1"] * 3, "W-2")
    assert len({request.body for request in house.requests[:3]}) == 1


@pytest.mark.parametrize("behaviour", [lost, slow], ids=["lost", "slow"])
def test_a_lost_answer_is_asked_for_again_and_stays_one_order(behaviour: Behaviour) -> None:
    with warehouse(behaviour) as house:
        with pytest.raises(SilentError, match="did not answer the order"):
            a_desk(house.port, timeout_ms=100).order(COFFEE)
        assert a_desk(house.port).find(COFFEE.key) is None
        assert a_desk(house.port).order(COFFEE) == "W-1"

    assert list(house.orders) == [COFFEE.key]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"thank you",
        b"{}",
        b"[]",
        b'{"reference": 7}',
        b'{"reference": ""}',
        b'{"reference": "a b"}',
        b'{"reference": "W-1\\n"}',
        b'{"reference": "' + b"a" * 201 + b'"}',
        b'{"reference": "\xff"}',
        b'{"reference": "W-1", "x": ' + b"[" * 60_000,
        b'{"reference": "W-1", "more": "' + b"a" * 70_000 + b'"}',
    ],
    ids=[
        "empty",
        "text",
        "no reference",
        "list",
        "number",
        "nothing",
        "space",
        "line",
        "long",
        "bytes",
        "deep",
        "huge",
    ],
)
def test_an_order_that_is_taken_is_taken_whatever_the_answer_holds(body: bytes) -> None:
    with warehouse(saying(200, body)) as house:
        assert a_desk(house.port).order(COFFEE) == COFFEE.key

    assert list(house.orders) == [COFFEE.key]


def endless(exchange: Exchange) -> None:
    """Takes the order, and answers for ever."""
    exchange.warehouse.take(exchange.request_in)
    exchange.send_response(200)
    exchange.end_headers()
    while True:
        exchange.wfile.write(b"a" * 10_000)


def cut_short(exchange: Exchange) -> None:
    """Takes the order and says so, and the connection breaks within the body."""
    exchange.warehouse.take(exchange.request_in)
    exchange.send_response(200)
    exchange.send_header("Content-Length", "100")
    exchange.end_headers()
    exchange.wfile.write(b'{"refer')


def miscounted(exchange: Exchange) -> None:
    """Takes the order and says so, in chunks of no length."""
    exchange.warehouse.take(exchange.request_in)
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()
    exchange.wfile.write(b"zz\r\n")


def stuck(exchange: Exchange) -> None:
    """Takes the order and says so, and the body does not come."""
    exchange.warehouse.take(exchange.request_in)
    exchange.send_response(201)
    exchange.send_header("Content-Length", "100")
    exchange.end_headers()
    exchange.warehouse.leaving.wait(5)


@pytest.mark.parametrize("behaviour", [endless, cut_short, miscounted, stuck])
def test_an_answer_is_read_no_longer_than_it_is_worth(behaviour: Behaviour) -> None:
    with warehouse(behaviour) as house:
        assert a_desk(house.port, timeout_ms=500).order(COFFEE) == COFFEE.key

    assert list(house.orders) == [COFFEE.key]


@pytest.mark.parametrize("status", [408, 409, 425, 429])
@pytest.mark.parametrize(
    ("wish", "wait_ms"),
    [
        ("7", 7_000),
        ("999999999", 86_400_000),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60_000),
        ("Fri, 15 Jan 2010 08:01:00 GMT", 0),
        ("-7", None),
        ("9" * 5_000, None),
        ("soon", None),
        ("", None),
    ],
    ids=["seconds", "for ever", "a date", "a date long past", "negative", "digits", "words", "nothing"],
)
def test_a_warehouse_that_asks_for_patience_gets_it(status: int, wish: str, wait_ms: int | None) -> None:
    with (
        warehouse(saying(status, Retry_After=wish)) as house,
        pytest.raises(DeferredError, match=str(status)) as put_off,
    ):
        a_desk(house.port).order(COFFEE)

    assert put_off.value.retry_after_ms == wait_ms


def test_patience_without_a_time_is_left_to_us() -> None:
    with warehouse(saying(429)) as house, pytest.raises(DeferredError) as put_off:
        a_desk(house.port).order(COFFEE)

    assert put_off.value.retry_after_ms is None


def test_out_of_service_is_certain_only_where_the_warehouse_names_a_time() -> None:
    with warehouse(saying(503, Retry_After="30"), saying(503)) as house:
        with pytest.raises(DeferredError, match="not available now"):
            a_desk(house.port).order(COFFEE)
        with pytest.raises(SilentError, match=r"failed over the order .503"):
            a_desk(house.port).order(COFFEE)


@pytest.mark.parametrize(
    ("statuses", "error"),
    [
        ((401, 403, 404, 405, 410), UnusableError),
        ((301, 302, 303, 307, 308, 304), UnusableError),
        ((400, 413, 422, 451), RefusedError),
        ((500, 502, 504, 599, 600, 199), SilentError),
    ],
    ids=["set-up", "redirects", "refusals", "failures"],
)
def test_every_other_answer_says_whether_to_try_again(statuses: tuple[int, ...], error: type[Exception]) -> None:
    elsewhere = "http://169.254.169.254/latest/meta-data"
    with warehouse(*(saying(status, b"Rick, 1 Main Street", Location=elsewhere) for status in statuses)) as house:
        for status in statuses:
            with pytest.raises(error, match=str(status)) as said:
                a_desk(house.port).order(COFFEE)
            assert "Rick" not in whole_text(said.value)

    assert not house.orders


def test_a_redirect_is_not_followed_even_to_ourselves() -> None:
    with warehouse() as house:
        house.behaviours.append(saying(307, Location=f"http://localhost:{house.port}/elsewhere"))
        with pytest.raises(UnusableError, match=r"does not take our orders .307.: check its URL"):
            a_desk(house.port).order(COFFEE)

    assert [request.path for request in house.requests] == ["/orders?from=makegood"]


def nonsense(exchange: Exchange) -> None:
    exchange.warehouse.take(exchange.request_in)
    exchange.wfile.write(b"220 mail.example ESMTP\r\n")


def too_many_headers(exchange: Exchange) -> None:
    exchange.warehouse.take(exchange.request_in)
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1_000)


@pytest.mark.parametrize("behaviour", [nonsense, too_many_headers])
def test_an_answer_that_is_no_http_leaves_the_order_open(behaviour: Behaviour) -> None:
    with warehouse(behaviour) as house, pytest.raises(SilentError, match="did not answer the order"):
        a_desk(house.port).order(COFFEE)


def test_nobody_listening_is_for_a_person_to_mend() -> None:
    with warehouse() as house:
        pass
    with pytest.raises(UnusableError, match=r"was not asked, since it cannot be reached .ConnectionRefusedError"):
        a_desk(house.port).order(COFFEE)


def test_over_tls_the_warehouse_must_be_who_it_should_be(tmp_path: Path) -> None:
    authority = Authority.in_folder(tmp_path)
    url = "https://localhost:{port}/orders"
    with warehouse(context=authority.server_context()) as house:
        assert a_desk(house.port, url=url, ca_file=authority.file).order(COFFEE) == "W-1"
        with pytest.raises(UnusableError, match="certificate is not to be trusted"):
            a_desk(house.port, url=url).order(COFFEE)
    assert len(house.requests) == 1
    with (
        warehouse(context=authority.server_context("elsewhere.example")) as house,
        pytest.raises(UnusableError, match="certificate is not to be trusted"),
    ):
        a_desk(house.port, url=url, ca_file=authority.file).order(COFFEE)
    assert not house.requests


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with warehouse() as house:
        assert a_desk(house.port).order(COFFEE) == "W-1"


def test_an_order_recorded_by_somebody_else_is_not_believed_later() -> None:
    with warehouse() as house:
        a_desk(house.port).order(COFFEE)
        house.clock = lambda: NOON + 3_600_000
        with pytest.raises(SignatureError, match="may be a replay"):
            house.take(house.requests[0])


def test_while_a_secret_is_exchanged_orders_go_on() -> None:
    new = Secret(b"fedcba9876543210fedcba98")
    with warehouse() as house:
        assert a_desk(house.port, secrets=(new, SECRET)).order(COFFEE) == "W-1"
        house.secrets = (new,)
        assert a_desk(house.port, secrets=(new, SECRET)).order(COFFEE) == "W-1"


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: a_desk(1, url="http://warehouse.example/orders"), "must begin with https://"),
        (lambda: a_desk(1, url="http://localhost.example/"), "must begin with https://"),
        (lambda: a_desk(1, url="ftp://localhost/"), "must begin with one of: https://, http://"),
        (lambda: a_desk(1, url="https://makegood:secret@warehouse.example/"), "holds a login"),
        (lambda: a_desk(1, secrets=()), "needs a secret"),
        (lambda: a_desk(1, url="https://localhost:1/", ca_file=Path(__file__)), "CA file .* holds no certificate"),
    ],
    ids=["unencrypted", "not this machine", "scheme", "login", "no secret", "CA file"],
)
def test_a_set_up_that_cannot_work_is_refused_at_once(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(TargetError, match=complaint) as refusal:
        make()
    assert "secret@" not in whole_text(refusal.value)
