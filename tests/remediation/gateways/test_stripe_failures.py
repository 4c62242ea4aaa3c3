import pytest

from remediation.gateways.errors import DeferredError, RefusedError, SilentError, UnusableError
from tests.remediation.gateways.payouts import SECRET_KEY, Canned, a_payout, a_refusal, on

HTML = b"<html><body>Bad gateway, says casablanca@example.com</body></html>"
OUTCOMES = [
    pytest.param(400, a_refusal(param="amount"), RefusedError, "HTTP 400, .*amount", id="more than is left"),
    pytest.param(400, a_refusal(code="charge_already_refunded"), RefusedError, "perhaps for this", id="refunded"),
    pytest.param(400, a_refusal(type="idempotency_error"), RefusedError, "other parameters", id="key used otherwise"),
    pytest.param(402, a_refusal(type="card_error"), RefusedError, "HTTP 402", id="card refuses"),
    pytest.param(404, a_refusal(code="resource_missing"), RefusedError, "resource_missing", id="no such payment"),
    pytest.param(401, a_refusal(), UnusableError, "MAKEGOOD_STRIPE_KEY", id="wrong key"),
    pytest.param(403, a_refusal(), UnusableError, "allow it", id="key with too few rights"),
    pytest.param(429, a_refusal(code="rate_limit"), DeferredError, "fewer requests", id="too fast"),
    pytest.param(
        400, a_refusal(code="rate_limit"), DeferredError, "fewer requests", id="too fast, as Stripe once said it"
    ),
    pytest.param(409, a_refusal(code="idempotency_key_in_use"), SilentError, "idempotency_key_in_use", id="on its way"),
    pytest.param(400, a_refusal(code="idempotency_key_in_use"), SilentError, "what became", id="on its way, as a 400"),
    pytest.param(409, a_refusal(), SilentError, "HTTP 409", id="a conflict of another kind"),
    pytest.param(424, a_refusal(), SilentError, "HTTP 424", id="somebody else failed"),
    pytest.param(500, a_refusal(type="api_error"), SilentError, "HTTP 500", id="Stripe failed"),
    pytest.param(503, HTML, SilentError, "not in Stripe's form", id="a machine in between failed"),
    pytest.param(404, HTML, SilentError, "not in Stripe's form", id="a machine in between refuses"),
    pytest.param(400, {"error": None}, SilentError, "cannot be read", id="an error that is none"),
    pytest.param(400, {"error": "invalid_grant"}, SilentError, "not in Stripe's form", id="an error of another API"),
    pytest.param(429, b"", SilentError, "not in Stripe's form", id="nothing at all"),
    pytest.param(200, b'{"id": "re_', SilentError, "not in Stripe's form", id="an answer that breaks off"),
    pytest.param(200, ["re_1"], SilentError, "cannot be read", id="a list"),
    pytest.param(200, None, SilentError, "cannot be read", id="null"),
    pytest.param(200, {"object": "refund"}, SilentError, "amount, created, currency, id, status", id="nearly nothing"),
    pytest.param(302, b"", SilentError, "not in Stripe's form", id="elsewhere"),
]


@pytest.mark.parametrize(("status", "content", "error", "said"), OUTCOMES)
def test_every_answer_means_one_of_four_things(status: int, content: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        on(Canned(content, status)).refund(a_payout())


@pytest.mark.parametrize(("status", "content", "error", "_said"), OUTCOMES)
def test_no_error_repeats_what_came_nor_the_key(
    status: int, content: object, error: type[Exception], _said: str
) -> None:
    with pytest.raises(error) as raised:
        on(Canned(content, status)).refund(a_payout())
    assert "casablanca" not in str(raised.value)
    assert SECRET_KEY not in str(raised.value)
    # The package's own errors hold the body and the request, and would be printed with ours.
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("headers", "wait_ms"),
    [
        pytest.param({"Retry-After": "7"}, 7000, id="seconds"),
        pytest.param({"Retry-After": "999999999"}, 86_400_000, id="years become a day"),
        pytest.param({"Retry-After": "Sat, 21 Nov 2026 20:00:00 GMT"}, None, id="a date"),
        pytest.param({}, None, id="none"),
    ],
)
def test_stripes_wish_for_a_wait_is_passed_on(headers: dict[str, str], wait_ms: int | None) -> None:
    with pytest.raises(DeferredError) as raised:
        on(Canned(a_refusal(), 429, headers)).refund(a_payout())
    assert raised.value.retry_after_ms == wait_ms


def test_words_that_are_not_stripes_codes_are_left_out() -> None:
    refusal = a_refusal(code="casablanca@example.com", param="Rick Blaine")
    with pytest.raises(RefusedError, match=r"\(HTTP 400, invalid_request_error, req_1\)$"):
        on(Canned(refusal, 400, {"request-id": "req_1"})).refund(a_payout())
