"""One message to one recipient: headers that nobody can bend, and bytes that arrive as they were sent."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.notices.envelope import Sender, address, recipients
from remediation.notices.errors import NoticeError
from remediation.preview.samples import NINE_IN_THE_EVENING
from tests.remediation.notices.letters import SENDER, a_mail
from tests.support.examples import examples

RECIPIENT = "rick@example.com"


def test_the_message_names_who_writes_and_who_answers() -> None:
    message = received(address(a_mail(), RECIPIENT, SENDER))

    assert message["From"] == "Makegood Films <notices@makegood.example>"
    assert message["To"] == RECIPIENT
    assert message["Reply-To"] == "care@makegood.example"
    assert message["Subject"] == "Our apology for “Casablanca”, and your refund of $2.99"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "en"


def test_text_and_html_travel_as_alternatives_text_first() -> None:
    mail = a_mail(locale="ja")
    message = received(address(mail, RECIPIENT, SENDER))

    assert message.get_content_type() == "multipart/alternative"
    plain, page = message.iter_parts()
    assert (plain.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().replace("\r\n", "\n") == mail.text
    assert page.get_content().replace("\r\n", "\n").rstrip() == mail.html.rstrip()


@pytest.mark.parametrize("locale", ["en", "ja", "ar"])
def test_the_wire_carries_seven_bits_in_short_lines_under_100_kilobytes(locale: str) -> None:
    wire = bytes(address(a_mail(locale=locale), RECIPIENT, SENDER))

    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 78
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert len(wire) < 100_000


def test_the_same_mail_is_the_same_bytes() -> None:
    assert bytes(address(a_mail(), RECIPIENT, SENDER)) == bytes(address(a_mail(), RECIPIENT, SENDER))


def test_a_short_line_of_japanese_travels_in_seven_bits_too() -> None:
    assert bytes(address(replace(a_mail(), text="短い\n", html="<p>短い</p>\n"), RECIPIENT, SENDER)).isascii()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (b"To: a@example.com", ("a@example.com",)),
        (b"To: a@example.com, b@example.com", ("a@example.com", "b@example.com")),
        (b"To: a@example.com\r\nBcc: b@example.com", ("a@example.com", "b@example.com")),
        (b"Subject: none", ()),
    ],
)
def test_whom_a_message_goes_to_is_read_off_its_bytes(headers: bytes, expected: tuple[str, ...]) -> None:
    assert recipients(headers + b"\r\n\r\nSorry.") == expected


def test_the_message_id_is_short_and_the_remedys_own() -> None:
    message = address(a_mail(), RECIPIENT, SENDER)

    assert message["Message-ID"] == f"<{a_mail().message_id}@makegood.example>"
    assert len(message["Message-ID"]) <= 60


def test_the_date_is_the_senders_to_give() -> None:
    assert address(a_mail(), RECIPIENT, SENDER)["Date"] is None
    dated = address(a_mail(), RECIPIENT, SENDER, sent_at=NINE_IN_THE_EVENING)
    assert dated["Date"] == "Sat, 21 Nov 2026 12:04:00 +0000"


def test_a_domain_beyond_ascii_is_written_in_idna() -> None:
    assert address(a_mail(), "rick@faß.example", SENDER)["To"] == "rick@xn--fa-hia.example"


def test_a_senders_name_may_be_japanese() -> None:
    japanese = replace(SENDER, name="メイクグッド映画, 係")
    sent = received(address(a_mail(), RECIPIENT, japanese))["From"].addresses

    assert [mailbox.display_name for mailbox in sent] == ["メイクグッド映画, 係"]


@pytest.mark.parametrize(
    "recipient",
    [
        "",
        "nobody",
        "a@example.com, evil@example.com",
        '"a@example.com, evil"@example.com',
        "a@example.com;evil@example.com",
        "a@example.com evil@example.com",
        "Rick <rick@example.com>",
        "<rick@example.com>",
        "rick@example.com\r\nBcc: evil@example.com",
        "rick@example.com\n",
        "rick@example.com\x00",
        "rick@example.com\u2028",
        "rick@[127.0.0.1]",
        "rick(comment)@example.com",
        "group: rick@example.com;",
        "リック@example.com",
        "rick\udcff@example.com",
    ],
    ids=ascii,
)
def test_anything_but_one_plain_address_is_refused_without_repeating_it(recipient: str) -> None:
    with pytest.raises(NoticeError, match=r"recipient of remedy .* is not one plain address") as refusal:
        address(a_mail(), recipient, SENDER)

    error: BaseException | None = refusal.value
    while error is not None:
        assert not recipient or recipient not in str(error)
        assert "evil" not in str(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("sender", "complaint"),
    [
        (replace(SENDER, address="a@example.com, b@example.com"), "The sender is not one plain address"),
        (replace(SENDER, reply_to="nobody"), "reply_to of the sender is not one plain address"),
        (replace(SENDER, name="Films\r\nBcc: evil@example.com"), "name of the sender holds a line break"),
        (replace(SENDER, name="Films\x00"), "name of the sender holds a line break"),
        (replace(SENDER, domain="example.com>\r\nBcc: evil@example.com"), "domain of the sender"),
        (replace(SENDER, domain="localhost"), "domain of the sender"),
        (replace(SENDER, domain=f"{'a' * 40}.example"), "at most 31 characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_sender_that_would_break_a_header_is_refused(sender: Sender, complaint: str) -> None:
    with pytest.raises(NoticeError, match=complaint):
        address(a_mail(), RECIPIENT, sender)


@pytest.mark.parametrize("subject", ["Sorry\r\nBcc: evil@example.com", "Sorry\nX: y", "Sorry\x00", "Sorry\u2029Bcc: x"])
def test_a_subject_never_becomes_a_second_header(subject: str) -> None:
    with pytest.raises(NoticeError, match=r"subject of remedy .* holds a line break"):
        address(replace(a_mail(), subject=subject), RECIPIENT, SENDER)


@examples(60)
@given(title=st.text(min_size=1, max_size=300).map("A{}".format))
def test_whatever_the_title_there_is_one_recipient_and_one_subject(title: str) -> None:
    mail = a_mail(title=title)
    message = received(address(mail, RECIPIENT, SENDER))

    assert message["Subject"] == mail.subject
    assert sorted(name for name in message.keys() if name != "MIME-Version") == [  # noqa: SIM118 - a repeated header counts twice
        *("Auto-Submitted", "Content-Language", "Content-Type", "From", "Message-ID", "Reply-To", "Subject", "To")
    ]
    assert [mailbox.addr_spec for mailbox in message["To"].addresses] == [RECIPIENT]


def received(message: EmailMessage) -> EmailMessage:
    """The message as the other side reads it."""
    read = message_from_bytes(bytes(message), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_what_looks_like_an_encoded_word_stays_a_text() -> None:
    """The standard library decodes it, and folds the line break that was in it as a line break."""
    hidden = "=?utf-8?B?DQpCY2M6IHRoaWVmQGV2aWwuZXhhbXBsZQ==?= <thief@evil.example>"
    message = received(address(replace(a_mail(), subject=f"“Casablanca {hidden}”, and your refund"), RECIPIENT, SENDER))
    assert message["Bcc"] is None
    assert message["Subject"] == f"“Casablanca {hidden.replace('=?', '= ?')}”, and your refund"
