"""Tokens cannot be guessed, altered or read; links lead where they were told to."""

import base64
import hashlib
import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.gateways.targets import TargetError
from remediation.loyalty.links import Links, SurveyKeyError, Tokens
from tests.remediation.loyalty.asked import TOKENS

SURVEY = "5e1a3d2c-0f5b-5c7e-9a51-0c2a4b6d8e10"
OTHER = Tokens.of("cd" * 32)


def test_a_token_is_what_its_description_says() -> None:
    named = uuid.UUID(SURVEY).bytes
    mark = hmac.new(bytes.fromhex("ab" * 32), b"survey" + named, hashlib.sha256).digest()[:16]
    assert TOKENS.token(SURVEY) == base64.urlsafe_b64encode(named + mark).decode().rstrip("=")


@given(st.uuids())
def test_a_token_is_known_again_and_by_no_other_key(survey: uuid.UUID) -> None:
    token = TOKENS.token(str(survey))
    assert len(token) == 43
    assert TOKENS.survey_id(token) == str(survey)
    assert OTHER.survey_id(token) is None


@given(st.integers(0, 42), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
def test_an_altered_token_is_nobodys(place: int, character: str) -> None:
    token = TOKENS.token(SURVEY)
    altered = token[:place] + character + token[place + 1 :]
    assert TOKENS.survey_id(altered) == (SURVEY if altered == token else None)


@given(st.text(max_size=60))
def test_garbage_is_nobodys(text: str) -> None:
    assert TOKENS.survey_id(text) is None


def test_while_keys_are_exchanged_both_are_known_and_the_first_one_signs() -> None:
    both = Tokens.of(f"{'cd' * 32} {'ab' * 32}")
    assert both.token(SURVEY) == OTHER.token(SURVEY)
    assert both.survey_id(TOKENS.token(SURVEY)) == both.survey_id(OTHER.token(SURVEY)) == SURVEY


@pytest.mark.parametrize("text", ["", " ", "secret", "ab" * 31, f"{'ab' * 32} {'zz' * 32}"])
def test_a_key_that_could_be_guessed_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SurveyKeyError, match="64 to 256 hexadecimal digits") as refused:
        Tokens.of(text)
    assert not text.strip() or text not in str(refused.value)
    assert "ab" * 32 not in repr(TOKENS)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/off",
        "mailto:off@shop.example",
        "https://ada:secret@shop.example/off",
        "https://shop.example/off#now",
        "https://shop.example/o f",
        "https://shop.example/\r\nBcc: x@y",
        f"https://shop.example/{'a' * 300}",
    ],
)
def test_a_link_is_https_whole_and_short(url: str) -> None:
    fine = "https://shop.example/rate"
    for page, unsubscribe in ((url, fine), (fine, url)):
        with pytest.raises(TargetError) as refused:
            Links.of(page, unsubscribe, TOKENS)
        assert "secret" not in str(refused.value)
