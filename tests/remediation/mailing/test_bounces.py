"""What mail servers say of our mails: who must not be written to any more, and of which mail it is said."""

import base64
from dataclasses import replace
from email.message import Message
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.mailing.bounces import MAX_REPORT_BYTES, Bounce, UnreadableBounceError, parse_bounce
from remediation.notices.envelope import address
from tests.remediation.mailing.reports import (
    FAILED,
    MAIL,
    RECIPIENT,
    RETURNED,
    RETURNED_HEADERS,
    a_complaint,
    a_failure,
    a_report,
)
from tests.remediation.notices.letters import SENDER
from tests.support.examples import examples

GONE = Bounce("failed", "5.1.1", MAIL.message_id, RECIPIENT)


def test_a_mailbox_that_does_not_exist_is_not_written_to_again() -> None:
    bounce = parse_bounce(a_failure())

    assert bounce == GONE
    assert bounce is not None
    assert bounce.suppresses


@pytest.mark.parametrize(
    ("action", "status", "suppresses"),
    [
        ("failed", "5.1.1", True),
        ("failed", "5.1.10", True),
        ("failed", "5.2.1", True),
        ("failed", "5.1.2", True),
        ("failed", "5.2.2", False),
        ("failed", "5.7.1", False),
        ("failed", "5.3.4", False),
        ("failed", "4.4.7", False),
        ("failed", "5.0.0", False),
        ("failed", "5.1.100", False),
        ("failed", "unknown", False),
        ("delayed", "4.4.1", False),
        ("delayed", "5.1.1", False),
    ],
)
def test_only_an_address_that_is_gone_is_suppressed(action: str, status: str, suppresses: bool) -> None:  # noqa: FBT001
    bounce = parse_bounce(a_failure(f"Action: {action}\nStatus: {status}"))

    assert bounce is not None
    assert (bounce.kind, bounce.suppresses) == (action, suppresses)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_good_news_is_no_bounce(action: str) -> None:
    assert parse_bounce(a_failure(f"Action: {action}\nStatus: 2.0.0")) is None


def test_a_mail_that_reached_one_of_several_addresses_has_arrived() -> None:
    """The customer's address forwards to others."""
    delayed = "Final-Recipient: rfc822; rick@elsewhere.example\nAction: delayed\nStatus: 4.4.1"
    bounce = parse_bounce(a_failure(FAILED, delayed))

    assert bounce == Bounce("delayed", "4.4.1", MAIL.message_id, "rick@elsewhere.example")
    assert parse_bounce(a_failure(FAILED, "Action: delivered")) is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("Status: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 <rick@example.com>: no", "5.1.1"),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; 550-5.1.1 no", "5.1.1"),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; host mx[192.0.2.25] said: 552 5.2.2. Full", "5.2.2"),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; host mx[10.5.1.1] said: 552 5.2.2 Full", "5.2.2"),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; host mx[5.1.1.9] said: 552 5.2.2 Full", "5.2.2"),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; 421 4.2.0 later", "5.0.0"),
        ("Status: 5.0.0\nDiagnostic-Code: smtp; no", "5.0.0"),
        ("Status: 5.7.1\nDiagnostic-Code: smtp; 550 5.1.1 no", "5.7.1"),
        ("Status: 5.1.1 (bad destination)", "5.1.1"),
        ("Status:\n 5.1.1", "5.1.1"),
        ("STATUS: 5.1.1", "5.1.1"),
        ("Status: 5.1", None),
        ("Status: 9.1.1", None),
        ("Status: 5.1.1.1", None),
        ("Status: 5.1.1234", None),
        ("Status: 5.1.1\nStatus: 5.7.1", "5.1.1"),
        ("X-Status: 5.1.1", None),
    ],
)
def test_the_status_is_the_most_exact_that_is_told(fields: str, status: str | None) -> None:
    bounce = parse_bounce(a_failure(f"Action: failed\n{fields}"))
    assert bounce is not None
    assert bounce.status == status


@pytest.mark.parametrize(
    ("fields", "recipient"),
    [
        ("Final-Recipient: rfc822;rick@example.com", RECIPIENT),
        ("Final-Recipient: RFC822; <rick@example.com>", RECIPIENT),
        ("Final-Recipient: rick@example.com", RECIPIENT),
        ("Final-Recipient: rfc822; rick@old.example\nOriginal-Recipient: rfc822; rick@example.com", RECIPIENT),
        ("Final-Recipient: rfc822; rick@example.com\nOriginal-Recipient: rfc822;", RECIPIENT),
        ("Final-Recipient: rfc822; a@example.com, b@example.com", None),
        ("Final-Recipient: x400; /c=us/admd= /prmd=x/", None),
        ("Final-Recipient: utf-8; リック@example.com", None),
        ("Final-Recipient: rfc822; " + "a" * 5_000 + "@example.com", None),
        ("", None),
    ],
    ids=ascii,
)
def test_the_recipient_is_one_address_or_none(fields: str, recipient: str | None) -> None:
    bounce = parse_bounce(a_failure(f"Action: failed\n{fields}"))
    assert bounce is not None
    assert bounce.recipient == recipient


@pytest.mark.parametrize("kind", ["abuse", "Fraud", "virus", "other", "opt-out"])
def test_who_complains_is_not_written_to_again(kind: str) -> None:
    bounce = parse_bounce(a_complaint(kind))

    assert bounce == Bounce("complaint", None, MAIL.message_id, RECIPIENT)
    assert bounce is not None
    assert bounce.suppresses


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "dmarc"])
def test_other_feedback_is_no_complaint(kind: str) -> None:
    assert parse_bounce(a_complaint(kind)) is None


def test_a_complaint_without_its_recipient_still_names_the_mail() -> None:
    assert parse_bounce(a_complaint(recipient="[redacted]")) == Bounce("complaint", None, MAIL.message_id, None)


GOOD_NEWS = "Content-Type: message/delivery-status\n\nAction: delivered\n"
ENCODED = base64.encodebytes(f"Reporting-MTA: dns; mx\n\n{FAILED}\n".encode()).decode()


@pytest.mark.parametrize(
    "raw",
    [
        a_failure(returned=RETURNED),
        a_failure(returned_type="text/rfc822-headers"),
        a_failure(content_type="multipart/report; boundary=b1"),
        a_failure(content_type="MULTIPART/Report;\n\treport-type={kind};\n\tBoundary=b1"),
        a_failure(content_type='multipart/report; charset="no such; charset"; boundary="b1"'),
        a_failure(end=""),
        a_failure(end="--b1-- \n--b1\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"),
        a_failure(preamble=f"--b1xyz\n{GOOD_NEWS}\n--b\n --b1\n{GOOD_NEWS}"),
        a_failure(preamble=f"--b1\n\n{GOOD_NEWS}"),
        a_failure().replace(b"b1", b"b.1+(x)|?*"),
        a_failure().replace(b"\r\n", b"\n"),
        a_report("delivery-status", ENCODED, RETURNED, encoding="Base64"),
        a_report(
            "delivery-status",
            f"X: =\n\n\n{FAILED}=20".replace("5.1.1", "5.1=2E1"),
            RETURNED,
            encoding="quoted-printable",
        ),
        a_report("global-delivery-status", f"X: y\n\n{FAILED}", RETURNED, returned_type="message/global-headers"),
        a_failure(f"\n\n{FAILED}\n \nX: y\n"),
    ],
    ids=[
        *("whole mail", "headers alone", "no report type", "folded", "odd charset", "cut short", "epilogue"),
        *(
            "boundaries that are none",
            "no header",
            "odd boundary",
            "LF",
            "base64",
            "quoted-printable",
            "global",
            "blank lines",
        ),
    ],
)
def test_however_it_is_written_it_says_the_same(raw: bytes) -> None:
    assert parse_bounce(raw) == GONE


@pytest.mark.parametrize(
    "returned",
    [
        RETURNED_HEADERS.replace(MAIL.message_id, MAIL.message_id.upper()),
        RETURNED_HEADERS.replace(MAIL.message_id, f"{MAIL.message_id}x"),
        RETURNED_HEADERS.replace("Message-ID: <", "Message-ID: =?utf-8?q?<"),
        RETURNED_HEADERS.replace("Message-ID: <", "Message-ID: <other@makegood.example> <"),
        RETURNED_HEADERS.replace(f"@{SENDER.domain}>", f"@{SENDER.domain}> <other@makegood.example>"),
        RETURNED_HEADERS.replace("Message-ID", "X-Message-ID"),
        f"Subject: x\n\n{RETURNED_HEADERS}",
        "",
    ],
    ids=[
        "upper case",
        "longer",
        "encoded word",
        "second",
        "first of two",
        "another header",
        "in the body",
        "nothing returned",
    ],
)
def test_a_mail_that_is_not_ours_is_not_named(returned: str) -> None:
    bounce = parse_bounce(a_failure(returned=returned))
    assert bounce == replace(GONE, message_id=None)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"Subject: I never got my refund\n\nAction: failed\nStatus: 5.1.1\n",
        a_failure().replace(b"multipart/report", b"multipart/mixed"),
        a_report(
            "disposition-notification", "Disposition: automatic-action/MDN-sent-automatically; displayed", RETURNED
        ),
        a_failure(preamble="--b1\nContent-Type: text/plain\n\nThat is all.\n--b1--"),
        a_failure(preamble="--b1\n\n" * 20),
        RETURNED.encode(),
    ],
    ids=["empty", "blank", "a customer", "not a report", "read receipt", "after its end", "many parts", "our own mail"],
)
def test_what_is_no_report_is_left_to_a_person(raw: bytes) -> None:
    assert parse_bounce(raw) is None


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (b"Content-Type: multipart/report; boundary=b1\n\n" + b"a" * MAX_REPORT_BYTES, "longer than 1048576 bytes"),
        (b"Content-Type: multipart/report\n\n--b1\n", "names no parts"),
        (b"Content-Type: multipart/report; boundary=b2\n\n--b1\n", "names no parts"),
        (a_failure("Status: 5.1.1"), "does not say what became of the mail"),
        (a_failure("Action: vanished"), "does not say what became of the mail"),
        (a_failure(FAILED, "Action:"), "does not say what became of the mail"),
        (a_report("delivery-status", "A", RETURNED, encoding="base64"), "does not say what became of the mail"),
        (a_report("feedback-report", "Version: 1", RETURNED), "does not say what the recipient complained of"),
    ],
    ids=["long", "no boundary", "no parts", "no action", "odd action", "empty action", "no base64", "no feedback"],
)
def test_a_report_that_cannot_be_read_is_for_a_person(raw: bytes, complaint: str) -> None:
    with pytest.raises(UnreadableBounceError, match=complaint):
        parse_bounce(raw)


def test_a_bounce_shows_no_address() -> None:
    assert "rick" not in f"{GONE!r} {GONE}"


@pytest.mark.parametrize(
    "raw",
    [
        a_report(
            "delivery-status",
            "",
            "".join(f"--{n}\nContent-Type: multipart/mixed; boundary={n}\n\n" for n in range(15_000)),
        ),
        a_failure(content_type="multipart/report" + "; x=y" * 150_000 + "; boundary=b1"),
        a_failure(content_type="multipart/report; boundary" + " " * 900_000 + "=b1"),
        a_failure(content_type="multipart/report" + ";" * 900_000 + "boundary=b1"),
        a_failure(preamble="--b1 \t" * 150_000),
        a_failure(preamble="--b1\n" * 150_000),
        a_failure("A: b\n" * 150_000),
        a_failure("\n \n" * 150_000),
        a_failure("Action: failed\nStatus: " + "5.1." * 200_000),
        a_failure("Action: failed\nStatus: 5.0.0\nDiagnostic-Code: " + "5.1.1" * 180_000),
        a_failure("Action: failed\nFinal-Recipient: rfc822;" + "<a@" * 300_000),
        a_failure(returned="Message-ID: <" + "a" * 900_000),
        a_report("delivery-status", "=\n" * 300_000, RETURNED, encoding="quoted-printable"),
        b"\n " * 500_000,
        b"\x00" * 1_000_000,
        b":" * 1_000_000,
    ],
    ids=[
        *("nested", "parameters", "spaces", "semicolons", "near boundaries", "parts", "fields", "blank lines"),
        *("status", "diagnostics", "address", "message id", "soft breaks", "folds", "NUL", "colons"),
    ],
)
def test_a_megabyte_of_malice_is_read_in_one_go(raw: bytes) -> None:
    """What is quadratic takes minutes here."""
    assert len(raw) <= MAX_REPORT_BYTES
    read(raw)


SAMPLES = st.sampled_from(
    [a_failure(), a_complaint(), a_report("delivery-status", ENCODED, RETURNED, encoding="base64")]
)
HOSTILE = st.sampled_from(
    [b"\x00", b"\xff", b"\r", b"\n", b"\n\n", b";", b":", b"--b1\n", b"--b1--", b"=?x?b?!?=", b"\xed\xa0\x80"]
)


@examples(300)
@given(
    raw=SAMPLES,
    cuts=st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 60), st.binary(max_size=8) | HOSTILE), max_size=6),
)
def test_however_a_report_is_mangled_there_is_one_way_to_fail(raw: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for start, length, instead in cuts:
        raw = raw[:start] + instead + raw[start + length :]
    read(raw)


@examples(200)
@given(raw=st.binary(max_size=300))
def test_any_bytes_can_be_looked_at(raw: bytes) -> None:
    read(raw)
    read(a_failure().partition(b"--b1")[0] + raw)
    read(a_failure().partition(b"Action")[0] + raw)


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)


@examples(100)
@given(
    local=TOKENS,
    host=TOKENS,
    status=st.tuples(st.sampled_from("45"), st.integers(0, 999), st.integers(0, 999)),
    text=st.text(max_size=200),
)
def test_what_another_library_writes_is_read_as_it_was_meant(
    local: str, host: str, status: tuple[str, int, int], text: str
) -> None:
    """The report is put together by the standard library, whose boundaries, folding and encodings are its own."""
    code = ".".join(map(str, status))
    outcome = Message()
    outcome["Final-Recipient"] = f"rfc822; {local}@{host}.example"
    outcome["Action"] = "failed"
    outcome["Status"] = code
    report = MIMEMultipart("report", report_type="delivery-status")
    report.attach(MIMEText(text, _charset="utf-8"))
    report.attach(delivery_status(Message(), outcome))
    report.attach(MIMEMessage(address(MAIL, RECIPIENT, SENDER)))

    bounce = parse_bounce(report.as_bytes())

    assert bounce == Bounce("failed", code, MAIL.message_id, f"{local}@{host}.example")


def delivery_status(*blocks: Message) -> Message:
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    status.set_payload(list(blocks))
    return status


def read(raw: bytes) -> Bounce | None:
    """What a report says, or None where it says that it cannot be read; every other error is a defect."""
    try:
        return parse_bounce(raw)
    except UnreadableBounceError:
        return None
