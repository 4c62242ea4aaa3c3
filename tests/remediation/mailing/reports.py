"""Reports as mail servers write them; a test names what matters to it."""

from collections.abc import Sequence
from typing import Final

from remediation.notices.envelope import address
from tests.remediation.notices.letters import SENDER, a_mail

MAIL: Final = a_mail()
RECIPIENT: Final = "rick@example.com"
RETURNED: Final = bytes(address(MAIL, RECIPIENT, SENDER)).decode("ascii")
RETURNED_HEADERS: Final = RETURNED.partition("\r\n\r\n")[0]

FAILED: Final = """\
Final-Recipient: rfc822; rick@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user"""


def a_failure(*outcomes: str, returned: str = RETURNED_HEADERS, **how: str) -> bytes:
    """A delivery status report on the mail, with one group of fields an address."""
    status = "\n\n".join(["Reporting-MTA: dns; mx.example.net", *(outcomes or (FAILED,))])
    return a_report("delivery-status", status, returned, **how)


def a_complaint(kind: str = "abuse", *, recipient: str = "<rick@example.com>", **how: str) -> bytes:
    """A complaint about the mail."""
    feedback = f"Feedback-Type: {kind}\nUser-Agent: Loop/1.0\nVersion: 1\nOriginal-Rcpt-To: {recipient}"
    return a_report("feedback-report", feedback, RETURNED, **how)


def a_report(  # noqa: PLR0913 - a test names one or two of them
    kind: str,
    body: str,
    returned: str,
    *,
    content_type: str = 'multipart/report; report-type={kind}; boundary="b1"',
    encoding: str = "7bit",
    returned_type: str = "message/rfc822",
    preamble: str = "This is a MIME message.",
    end: str = "--b1--\n",
) -> bytes:
    lines: Sequence[str] = (
        "From: MAILER-DAEMON@mx.example.net",
        f"Content-Type: {content_type.format(kind=kind)}",
        "",
        preamble,
        "--b1",
        "Content-Type: text/plain",
        "",
        "We are sorry. Status: 5.2.2, Action: delayed, it says here.",
        "--b1",
        f"Content-Type: message/{kind}",
        f"Content-Transfer-Encoding: {encoding}",
        "",
        body,
        "",
        "--b1",
        f"Content-Type: {returned_type}",
        "",
        returned,
        end,
    )
    return "\n".join(lines).replace("\r\n", "\n").replace("\n", "\r\n").encode()
