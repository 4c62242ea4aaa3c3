"""A mail server that breaks off, refuses or talks nonsense at every point of the dialogue.

Each time two things are compared: what the mailer says of the mail, and whether
the server took it. A mail that was lost must never be reported as sent, and one
that was taken must never be reported as not taken: it would come twice.
"""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.gateways.errors import DeferredError, RejectedMailError
from remediation.gateways.smtp_mails import SmtpMailer
from remediation.gateways.smtp_opening import open_session
from remediation.gateways.smtp_session import Reply, Session
from remediation.gateways.smtp_settings import SmtpSettings, smtp_target
from remediation.gateways.smtp_transaction import hand_over
from remediation.mail import Mail
from tests.remediation.gateways.mailing import MAIL, RECIPIENT, Outcome, a_mailer, outcome, whole_text
from tests.support.examples import examples
from tests.support.real_smtp import LOGIN
from tests.support.scripted_smtp import HANGS_UP, RESETS, WAITS, Act, Point, Script, scripted_server

HASTE_MS = 80
"""How soon a server is given up of which a test knows that it will not answer."""

NONSENSE = {
    "garbage": Act(b"\x00\xff what?\r\n"),
    "an empty line": Act(b"\r\n"),
    "two digits": Act(b"25\r\n"),
    "four digits": Act(b"2500 fine\r\n"),
    "the letter O": Act(b"25O fine\r\n"),
    "a code of no class": Act(b"199 fine\r\n"),
    "half a code": Act(b"25", then="hangs up"),
    "half a line": Act(b"250 fi", then="hangs up"),
    "half a reply": Act(b"250-fine\r\n", then="hangs up"),
    "two codes in one reply": Act(b"250-fine\r\n550 or not\r\n"),
    "an endless line": Act(b"250 " + b"a" * 100_000 + b"\r\n"),
    "an endless reply": Act(b"250-fine\r\n" * 10_000 + b"250 fine\r\n"),
}
BREAKS = {
    "hangs up": HANGS_UP,
    "resets": RESETS,
    "says nothing": WAITS,
    "shuts down": Act(b"421 4.3.2 bye\r\n", then="hangs up"),
}
LATER = {"450": Act(b"450 4.2.0 later\r\n"), "a long 451": Act(b"451-4.7.1 grey\r\n451-4.7.1 list\r\n451 4.7.1 ed\r\n")}
NEVER = {"550": Act(b"550 5.1.1 no such user\r\n"), "a bare 554": Act(b"554\r\n")}
NO_LOGIN = {"530": Act(b"530 5.7.0 log in\r\n"), "535": Act(b"535 5.7.8 who?\r\n")}

UP_TO_THE_MAIL: Sequence[Point] = ("banner", "EHLO", "MAIL", "RCPT", "DATA")


@pytest.mark.parametrize("point", UP_TO_THE_MAIL)
@pytest.mark.parametrize("act", [*BREAKS.values(), *NONSENSE.values()], ids=[*BREAKS, *NONSENSE])
def test_what_breaks_before_the_mail_was_sent_may_be_tried_again(point: Point, act: Act) -> None:
    assert what_becomes_of_a_mail({point: act}) == ("deferred", 0)


@pytest.mark.parametrize("point", UP_TO_THE_MAIL)
@pytest.mark.parametrize("act", LATER.values(), ids=LATER)
def test_a_server_that_asks_for_patience_before_the_mail_gets_it(point: Point, act: Act) -> None:
    assert what_becomes_of_a_mail({point: act, "HELO": act}) == ("deferred", 0)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ("banner", "unusable"),
        ("EHLO", "unusable"),
        ("MAIL", "unusable"),  # Our own address is refused: no mail would get further.
        ("RCPT", "rejected"),
        ("DATA", "rejected"),
        ("end", "rejected"),
    ],
)
@pytest.mark.parametrize("act", NEVER.values(), ids=NEVER)
def test_a_refusal_is_the_mails_own_once_its_recipient_is_named(point: Point, expected: Outcome, act: Act) -> None:
    assert what_becomes_of_a_mail({point: act, "HELO": act}) == (expected, 0)


@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA", "end"])
@pytest.mark.parametrize("act", NO_LOGIN.values(), ids=NO_LOGIN)
def test_a_missing_login_is_never_taken_for_a_refused_recipient(point: Point, act: Act) -> None:
    assert what_becomes_of_a_mail({point: act}) == ("unusable", 0)


@pytest.mark.parametrize("says", [b"250 fine\r\n", b"354 go ahead\r\n"], ids=["250", "354"])
@pytest.mark.parametrize("point", ["MAIL", "RCPT", "DATA"])
def test_an_answer_to_another_question_ends_the_conversation(point: Point, says: bytes) -> None:
    expected = "sent" if says.startswith(b"250") is (point != "DATA") else "deferred"
    assert what_becomes_of_a_mail({point: Act(says)}) == (expected, int(expected == "sent"))


@pytest.mark.parametrize(
    "act",
    [
        HANGS_UP,
        RESETS,
        Act(b"421 4.3.2 bye\r\n", then="hangs up"),
        Act(b"421 4.3.2 bye\r\n"),
        Act(b"250 taken, already\r\n"),
    ],
    ids=["hangs up", "resets", "shuts down", "shuts down and listens", "claims to have it"],
)
def test_what_breaks_within_the_mail_may_be_tried_again(act: Act) -> None:
    """The mail is longer than all buffers on the way, so that its end cannot have been sent when the server speaks."""
    assert what_becomes_of_a_mail({"body": act}, size=5_000_000) == ("deferred", 0)


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
@pytest.mark.parametrize(
    "act",
    [HANGS_UP, RESETS, WAITS, *NONSENSE.values(), Act(b"354 go ahead\r\n")],
    ids=["hangs up", "resets", "says nothing", *NONSENSE, "354"],
)
def test_without_an_answer_to_the_whole_mail_nobody_can_tell(act: Act, taken: bool) -> None:  # noqa: FBT001
    assert what_becomes_of_a_mail({"end": replace(act, accepts=taken)}) == ("silent", int(taken))


@pytest.mark.parametrize("act", [*LATER.values(), BREAKS["shuts down"]], ids=[*LATER, "421"])
def test_a_mail_that_is_put_off_at_its_end_may_be_tried_again(act: Act) -> None:
    assert what_becomes_of_a_mail({"end": act}) == ("deferred", 0)


@pytest.mark.parametrize(
    "says",
    [
        b"250\r\n",
        b"250 2.0.0 taken\n",
        b"250-2.0.0 taken\r\n250-2.0.0 really\r\n250 2.0.0 thanks\r\n",
        b"251 on its way\r\n",
    ],
    ids=["bare", "LF", "three lines", "251"],
)
def test_a_mail_that_is_taken_is_sent(says: bytes) -> None:
    assert what_becomes_of_a_mail({"end": Act(says, accepts=True)}) == ("sent", 1)


def test_a_mail_is_sent_although_the_server_forgets_to_say_goodbye() -> None:
    assert what_becomes_of_a_mail({"QUIT": HANGS_UP}) == ("sent", 1)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"AUTH": Act(b"454 4.7.0 later\r\n")}, "deferred"),
        ({"AUTH": HANGS_UP}, "deferred"),
        ({"AUTH": Act(b"535 5.7.8 no\r\n")}, "unusable"),
        ({"AUTH": Act(b"334 A\r\n")}, "unusable"),
        ({"EHLO": Act(b"250-mail.example\r\n250 AUTH GSSAPI\r\n")}, "unusable"),
        ({"EHLO": Act(b"250 mail.example\r\n")}, "unusable"),
    ],
    ids=["later", "hangs up", "refused", "no challenge", "no way we know", "no logins"],
)
def test_a_login_that_fails_sends_nothing(script: Script, expected: Outcome) -> None:
    with scripted_server(script) as server, a_mailer(server.port, login=LOGIN) as mailer:
        said, error = outcome(mailer)

    assert (said, server.accepted) == (expected, [])
    assert "MAIL" not in server.dialogues[0]
    assert LOGIN.password not in whole_text(error)


def test_a_refused_recipient_tells_why_and_leaves_the_connection_to_others() -> None:
    with (
        scripted_server({"RCPT": Act(b"550-5.1.1 no\r\n550 5.1.1 such user\r\n")}) as server,
        a_mailer(server.port) as mailer,
    ):
        with pytest.raises(RejectedMailError, match=r"answered 550 5.1.1 to RCPT: the mail was not sent") as refusal:
            mailer.send(MAIL, RECIPIENT)
        [dialogue] = server.dialogues
        said, _ = outcome(mailer)

    assert refusal.value.status == "5.1.1"
    assert said == "rejected"
    assert dialogue == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "QUIT"]


@pytest.mark.parametrize(
    ("says", "status"),
    [
        (b"550 5.1.10 null MX\r\n", "5.1.10"),
        (b"550 4.2.1 not of this class\r\n", None),
        (b"550 5.1 too short\r\n", None),
        (b"550 mailbox 5.1.1\r\n", None),
        (b"550 5.1.1.1 too long\r\n", None),
    ],
    ids=str,
)
def test_a_status_is_read_only_where_it_stands(says: bytes, status: str | None) -> None:
    with (
        scripted_server({"RCPT": Act(says)}) as server,
        a_mailer(server.port) as mailer,
        pytest.raises(RejectedMailError) as refusal,
    ):
        mailer.send(MAIL, RECIPIENT)

    assert refusal.value.status == status


@pytest.mark.parametrize("point", ["banner", "MAIL", "RCPT", "DATA", "end"])
@pytest.mark.parametrize("code", [421, 450, 530, 550])
def test_what_a_server_repeats_goes_no_further(point: Point, code: int) -> None:
    act = Act(f"{code} <{RECIPIENT}>: Rick does not live here\r\n".encode())
    with scripted_server({point: act}) as server, a_mailer(server.port) as mailer:
        _, error = outcome(mailer)

    assert error is not None
    assert "rick" not in whole_text(error).lower()
    assert str(code) in str(error)


@pytest.mark.parametrize(
    "act",
    [HANGS_UP, RESETS, Act(b"421 4.4.2 idle\r\n", then="hangs up"), Act(b"502 what?\r\n"), *NONSENSE.values()],
    ids=["closed", "reset", "421", "502", *NONSENSE],
)
def test_a_connection_that_went_stale_is_opened_anew(act: Act) -> None:
    with scripted_server({"RSET": act}) as server, a_mailer(server.port) as mailer:
        assert [outcome(mailer)[0] for _ in range(3)] == ["sent", "sent", "sent"]

    assert len(server.accepted) == 3
    assert len(server.dialogues) == 2


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ({"RCPT": Act(b"421 4.3.2 bye, I still listen\r\n")}, "deferred"),
        ({"DATA": Act(b"250 fine\r\n")}, "deferred"),
        ({"end": Act(b"354 go on\r\n", accepts=True)}, "silent"),
        ({"end": Act(b"250 taken\r\n250 taken indeed\r\n", accepts=True)}, "sent"),
    ],
    ids=["421", "250 to DATA", "354 to the mail", "a reply too many"],
)
def test_a_connection_out_of_step_is_not_used_again(script: Script, said: Outcome) -> None:
    """Its next reply would be taken for the answer to another command."""
    with scripted_server(script) as server, a_mailer(server.port) as mailer:
        assert [outcome(mailer)[0] for _ in range(2)] == [said, "sent"]

    assert [dialogue.count("MAIL") for dialogue in server.dialogues] == [1, 1]


@pytest.mark.parametrize(
    "act",
    [
        Act(b"250 taken\r\n", then="hangs up", accepts=True),
        Act(b"250 taken\r\n", then="resets", accepts=True),
        Act(b"250 taken\r\n421 4.4.2 idle\r\n", then="hangs up", accepts=True),
    ],
    ids=["closed", "reset", "said so"],
)
def test_a_server_that_ended_an_idle_connection_costs_no_mail(act: Act) -> None:
    with scripted_server({"end": act}) as server, a_mailer(server.port) as mailer:
        assert [outcome(mailer)[0] for _ in range(2)] == ["sent", "sent"]

    assert len(server.accepted) == 2


def test_a_pass_that_breaks_off_does_not_wait_for_a_goodbye() -> None:
    with (
        scripted_server({"QUIT": WAITS}) as server,
        contextlib.suppress(KeyboardInterrupt),
        a_mailer(server.port) as mailer,
    ):
        mailer.send(MAIL, RECIPIENT)
        raise KeyboardInterrupt

    assert server.dialogues == [["EHLO", "MAIL", "RCPT", "DATA", ""]]


def test_only_the_answer_to_the_whole_mail_may_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    patience: list[tuple[str, float | None]] = []
    ask = Session.ask

    def overheard(session: Session, command: str) -> Reply | None:
        assert session.sock is not None
        patience.append((command[:4], session.sock.gettimeout()))
        return ask(session, command)

    monkeypatch.setattr(Session, "ask", overheard)
    with scripted_server() as server, a_mailer(server.port, timeout_ms=2_000, acceptance_timeout_ms=9_000) as mailer:
        mailer.send(MAIL, RECIPIENT)

    assert patience == [("MAIL", 2), ("RCPT", 2), ("DATA", 2), (".", 9), ("QUIT", 2)]


def test_the_end_of_a_mail_is_not_held_back_until_its_body_is_acknowledged() -> None:
    with scripted_server() as server, a_session(server.port) as session:
        assert session.sock is not None
        assert session.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_mail_whose_end_was_not_sent_is_not_added_to() -> None:
    """Whatever followed would be its next line."""
    bye = Act(b"354 go ahead\r\n421 4.3.2 or rather not\r\n")
    with scripted_server({"DATA": bye}) as server, a_session(server.port) as session:
        with pytest.raises(DeferredError, match="before the end of the mail was sent"):
            hand_over(session, SmtpSettings(smtp_target("smtp://x")), "a@example.com", RECIPIENT, b"Sorry.\r\n")
        assert session.sock is None


def honest(script: Script) -> Script:
    """A server that takes no mail which it refuses, and says nothing within a mail unless it breaks it off."""
    refusals = [*LATER.values(), *NEVER.values(), BREAKS["shuts down"]]
    return {
        point: replace(act, accepts=act.accepts and not any(act.says == refusal.says for refusal in refusals))
        for point, act in script.items()
        if point != "body" or act.then in {"hangs up", "resets"}
    }


ACTS = st.sampled_from([HANGS_UP, RESETS, *NONSENSE.values(), *LATER.values(), *NEVER.values(), BREAKS["shuts down"]])
POINTS = st.sampled_from([*UP_TO_THE_MAIL, "body", "end", "RSET"])
SCRIPTS = st.dictionaries(POINTS, st.builds(replace, ACTS, accepts=st.booleans()), max_size=2).map(honest)


@examples(60)
@given(scripts=st.lists(SCRIPTS, max_size=4))
def test_however_servers_fail_no_mail_is_lost_and_none_comes_twice(scripts: list[Script]) -> None:
    mails = [replace(MAIL, text=f"mail {number}\n") for number in range(3)]
    with scripted_server(*scripts) as server, a_mailer(server.port) as mailer:
        said = [insist(mailer, mail) for mail in mails]

    for number, word in enumerate(said):
        copies = sum(f"mail {number}".encode() in content for content in server.accepted)
        assert copies in {"sent": {1}, "silent": {0, 1}}.get(word, {0})


def insist(mailer: SmtpMailer, mail: Mail) -> Outcome:
    """What the mailer says in the end, where a mail is tried again for as long as that is called safe."""
    for _ in range(10):
        said, _error = outcome(mailer, mail)
        if said != "deferred":
            return said
    return "deferred"


def what_becomes_of_a_mail(script: Script, size: int = 0) -> tuple[Outcome, int]:
    """What the mailer says of one mail, and how often the server took it."""
    mail = replace(MAIL, text=f"{'a' * 75}\n" * (size // 76)) if size else MAIL
    waits = {point for point, act in script.items() if act.then == "waits"}
    timeout_ms = HASTE_MS if waits - {"end"} else 5_000
    acceptance_timeout_ms = HASTE_MS if "end" in waits else 5_000
    with (
        scripted_server(script) as server,
        a_mailer(server.port, timeout_ms=timeout_ms, acceptance_timeout_ms=acceptance_timeout_ms) as mailer,
    ):
        said, _ = outcome(mailer, mail)
    return said, len(server.accepted)


@contextlib.contextmanager
def a_session(port: int) -> Iterator[Session]:
    """A connection that is ready to take mails."""
    settings = SmtpSettings(smtp_target(f"smtp+plain://localhost:{port}"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.closing(open_session(settings, context, "makegood.example", None)) as session:
        yield session
