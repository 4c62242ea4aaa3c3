import base64
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.gateways.signatures import Secret, SignatureError, signed_headers, verify
from remediation.gateways.targets import TargetError
from tests.remediation.gateways.mailing import whole_text

NOW = 1_800_000_000_123
BODY = b'{"item_id":"coffee-1"}'
SECRET = Secret(b"a" * 24)
OLD_SECRET = Secret(b"b" * 24)


def test_the_specifications_own_example_is_signed_as_it_says() -> None:
    """The example that the reference libraries of Standard Webhooks test themselves with."""
    secret = Secret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_999, b'{"test": 2432232314}')

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_exchanged_old_and_new_receivers_believe_the_request() -> None:
    headers = signed_headers([SECRET, OLD_SECRET], "order-1", NOW, BODY)

    for known in ([SECRET], [OLD_SECRET], [Secret(b"c" * 24), OLD_SECRET]):
        assert verify(headers, BODY, known, NOW) == "order-1"
    with pytest.raises(SignatureError, match="another secret"):
        verify(headers, BODY, [Secret(b"c" * 24)], NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: {**headers, "webhook-id": "order-2"},
        lambda headers: {**headers, "webhook-timestamp": str(NOW // 1_000 + 1)},
        lambda headers: {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")},
        lambda headers: {**headers, "webhook-signature": headers["webhook-signature"][:-1]},
        lambda headers: {**headers, "webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        lambda headers: {**headers, "webhook-signature": "v1,ü"},
        lambda headers: {**headers, "webhook-signature": "v1,\udcff"},
    ],
    ids=["id", "moment", "version", "cut", "zeros", "not ASCII", "not UTF-8"],
)
def test_whatever_is_changed_the_request_is_not_believed(change: Callable[[Mapping[str, str]], dict[str, str]]) -> None:
    headers = signed_headers([SECRET], "order-1", NOW, BODY)
    with pytest.raises(SignatureError, match="another secret, or changed"):
        verify(change(headers), BODY, [SECRET], NOW)


@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_one_bit_of_the_body_is_enough(at: int, bit: int) -> None:
    tampered = bytes(byte ^ (1 << bit if place == at else 0) for place, byte in enumerate(BODY))
    with pytest.raises(SignatureError, match="changed on its way"):
        verify(signed_headers([SECRET], "order-1", NOW, BODY), tampered, [SECRET], NOW)


@pytest.mark.parametrize(
    ("later_ms", "believed"), [(299_000, True), (-299_000, True), (301_000, False), (-301_000, False)]
)
def test_an_old_request_is_not_believed_and_neither_is_one_from_the_future(later_ms: int, believed: bool) -> None:  # noqa: FBT001
    headers = signed_headers([SECRET], "order-1", NOW, BODY)
    if believed:
        assert verify(headers, BODY, [SECRET], NOW + later_ms) == "order-1"
    else:
        with pytest.raises(SignatureError, match="may be a replay"):
            verify(headers, BODY, [SECRET], NOW + later_ms)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "order-1"},
        {"webhook-id": "order.1", "webhook-timestamp": "1800000000", "webhook-signature": "v1,x"},
        {"webhook-id": "order-1", "webhook-timestamp": "1.8e9", "webhook-signature": "v1,x"},
        {"webhook-id": "order-1", "webhook-timestamp": "9" * 5_000, "webhook-signature": "v1,x"},
        {"webhook-id": "order-1", "webhook-timestamp": "١٨٠٠٠٠٠٠٠٠", "webhook-signature": "v1,x"},
        {"webhook-id": "order-1", "webhook-timestamp": "1800000000", "webhook-signature": "v1,x " * 50_000},
    ],
    ids=["none", "id alone", "dot in id", "float", "digits", "Arabic digits", "many signatures"],
)
def test_malformed_headers_are_refused_before_anything_is_computed(headers: Mapping[str, str]) -> None:
    with pytest.raises(SignatureError, match="are not those of a signed one"):
        verify(headers, BODY, [SECRET], NOW)


def test_header_names_are_read_in_any_case() -> None:
    headers = {name.title(): value for name, value in signed_headers([SECRET], "order-1", NOW, BODY).items()}
    assert verify(headers, BODY, [SECRET], NOW) == "order-1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "whsec_",
        f"whsec_{base64.b64encode(b'a' * 23).decode()}",
        f"whsec_{base64.b64encode(b'a' * 65).decode()}",
        base64.b64encode(b"a" * 24).decode(),
        "whsec_§§",
        "whsec_YWFh YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh",
    ],
    ids=["empty", "no key", "short", "long", "no prefix", "not ASCII", "not base64"],
)
def test_a_secret_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(TargetError, match="24 to 64 bytes in base64") as refusal:
        Secret.parse(text)
    assert "YWFh" not in whole_text(refusal.value)


def test_a_secret_never_shows() -> None:
    assert f"{SECRET!r} {SECRET}" == "Secret() Secret()"


@pytest.mark.parametrize("message_id", ["", "order.1", "order 1", "order\r\nX-Evil: 1", "a" * 129])
def test_an_id_that_could_be_read_as_more_is_never_signed(message_id: str) -> None:
    with pytest.raises(ValueError, match="needs an id of letters"):
        signed_headers([SECRET], message_id, NOW, BODY)


def test_nothing_is_sent_unsigned() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        signed_headers([], "order-1", NOW, BODY)
