import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.mailing.addresses import AddressError, address_digest, comparable
from remediation.mailing.suppression import address_is_gone

SALT = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("address", "spelling"),
    [
        ("rick@example.com", "rick@example.com"),
        ("Rick@EXAMPLE.com", "rick@example.com"),
        ("rick@faß.example", "rick@xn--fa-hia.example"),
        ("rick@XN--FA-HIA.example", "rick@xn--fa-hia.example"),
        ("r.i.c.k+films@example.com", "r.i.c.k+films@example.com"),
    ],
)
def test_one_mailbox_has_one_spelling(address: str, spelling: str) -> None:
    assert comparable(address) == spelling


def test_a_digest_is_the_same_for_every_spelling_and_for_no_other_mailbox() -> None:
    digests = {address_digest(address, SALT) for address in ("rick@example.com", "RICK@Example.COM")}

    assert len(digests) == 1
    assert digests.isdisjoint(address_digest(other, SALT) for other in ("rick+x@example.com", "ilsa@example.com"))
    assert address_digest("rick@example.com", SALT[::-1]) not in digests


def test_a_digest_stays_what_it_was() -> None:
    """The ledger keeps it: a changed digest would let mails through again."""
    assert (
        address_digest("Rick@example.com", SALT) == "78eb4a0ae50c637f9271819e80650fe6dd48634bf5932f37501575d1868052f8"
    )


@pytest.mark.parametrize(
    "address", ["", "rick", "a@example.com, b@example.com", "Rick <rick@example.com>", "リック@example.com"]
)
def test_what_is_no_address_has_no_digest_and_is_not_repeated(address: str) -> None:
    with pytest.raises(AddressError, match="is not one plain address") as refusal:
        address_digest(address, SALT)
    assert not address or address not in str(refusal.value)
    assert refusal.value.__context__ is None


def test_a_long_text_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.mailing.addresses.validate_email", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(AddressError):
        comparable(f"{'a' * 309}@example.com")


@given(text=st.text(max_size=100))
def test_any_text_has_a_digest_or_one_error(text: str) -> None:
    try:
        digest = address_digest(text, SALT)
    except AddressError:
        return
    assert digest == address_digest(comparable(text), SALT)


def test_a_short_salt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        address_digest("rick@example.com", SALT[:15])


@pytest.mark.parametrize(
    ("status", "gone"),
    [
        ("5.1.1", True),
        ("5.1.6", True),
        ("5.2.1", True),
        ("5.2.2", False),
        ("5.7.1", False),
        ("4.1.1", False),
        (None, False),
    ],
)
def test_only_what_lasts_and_is_the_addresss_own_means_that_it_is_gone(status: str | None, gone: bool) -> None:  # noqa: FBT001
    assert address_is_gone(status) is gone
