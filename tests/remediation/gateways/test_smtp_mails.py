"""Mails over SMTP, as a server that keeps the rules receives them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.gateways.errors import RefusedError, SilentError, UnusableError
from remediation.gateways.file_mails import FileMailer
from remediation.gateways.smtp_settings import Login, Security
from remediation.gateways.targets import TargetError
from remediation.mail import Mail
from remediation.notices.envelope import address
from tests.remediation.gateways.mailing import MAIL, RECIPIENT, a_mailer, whole_text
from tests.remediation.notices.letters import SENDER
from tests.support.examples import examples
from tests.support.real_smtp import LOGIN, Authority, real_server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.in_folder(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize(
    "mail",
    [
        MAIL,
        replace(MAIL, subject="【お詫び】カサブランカ", text="お詫び申し上げます。\n", language="ja"),
        replace(MAIL, text=".\n..\n.hidden\nSorry.\n.\n"),
        replace(MAIL, text=f"{'long ' * 1_000}\n{'x' * 5_000}\n"),
        replace(MAIL, text="One\rtwo\r\nthree\x0bfour\x85five\u2028six"),
    ],
    ids=["English", "Japanese", "dots", "long lines", "odd line ends"],
)
def test_what_arrives_is_byte_for_byte_what_the_file_mailer_writes(mail: Mail, tmp_path: Path) -> None:
    FileMailer(tmp_path, SENDER).send(mail, RECIPIENT)
    with real_server() as server, a_mailer(server.port) as mailer:
        reference = mailer.send(mail, RECIPIENT)

    [received] = server.mails
    assert received.content == (tmp_path / f"{mail.remedy_id}.eml").read_bytes()
    assert received.recipients == (RECIPIENT,)
    assert received.hostname == SENDER.domain
    assert reference == f"<{mail.message_id}@{SENDER.domain}>"


def test_failures_are_reported_to_the_bounce_address() -> None:
    with real_server() as server:
        with a_mailer(server.port) as mailer:
            mailer.send(MAIL, RECIPIENT)
        with a_mailer(server.port, bounce_address="bounces@makegood.example") as mailer:
            mailer.send(MAIL, RECIPIENT)

    assert [mail.bounce_address for mail in server.mails] == [SENDER.address, "bounces@makegood.example"]


@examples(100)
@given(text=st.text(max_size=400), subject=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=80))
def test_no_text_can_end_the_mail_early_or_begin_another(text: str, subject: str) -> None:
    """A dot after a lone CR or LF ends a mail for some servers, and what follows is a mail of the text's own making."""
    wire = bytes(address(replace(MAIL, text=text, html=text, subject=subject), RECIPIENT, SENDER))

    assert wire.endswith(b"\r\n")
    assert b"\r" not in wire.replace(b"\r\n", b"")
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998


@pytest.mark.parametrize("security", list(Security))
def test_every_protection_is_what_it_says(security: Security, authority: Authority) -> None:
    with (
        real_server(security, authority.server_context(), needs_login=True) as server,
        a_mailer(server.port, security, login=LOGIN, ca_file=authority.file) as mailer,
    ):
        mailer.send(MAIL, RECIPIENT)

    [received] = server.mails
    assert received.encrypted is (security is not Security.PLAIN)
    assert received.authenticated


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
def test_a_server_that_only_speaks_plainly_gets_nothing(security: Security, authority: Authority) -> None:
    with (
        real_server() as server,
        a_mailer(server.port, security, login=LOGIN, ca_file=authority.file) as mailer,
        pytest.raises(UnusableError, match=r"no STARTTLS|No TLS can be agreed"),
    ):
        mailer.send(MAIL, RECIPIENT)

    assert (server.mails, server.handler.senders_named) == ([], 0)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.IMPLICIT_TLS])
@pytest.mark.parametrize(
    ("name", "complaint"),
    [("elsewhere.example", "Hostname mismatch"), ("localhost", "unable to get local issuer")],
    ids=["another name", "unknown authority"],
)
def test_a_server_that_is_not_who_it_should_be_gets_nothing(
    security: Security, name: str, complaint: str, authority: Authority, tmp_path: Path
) -> None:
    trusted = Authority.in_folder(tmp_path) if name == "localhost" else authority
    with (
        real_server(security, authority.server_context(name)) as server,
        a_mailer(server.port, security, login=LOGIN, ca_file=trusted.file) as mailer,
        pytest.raises(UnusableError, match=f"certificate .* not to be trusted: {complaint}"),
    ):
        mailer.send(MAIL, RECIPIENT)

    assert (server.mails, server.handler.senders_named) == ([], 0)


@pytest.mark.parametrize(
    ("login", "complaint"),
    [
        (Login(LOGIN.user, "wrong battery"), "refused the login .535 5.7.8.: check user and password"),
        (None, "takes no mail from us .530 5.7.0 to MAIL.: check login"),
    ],
    ids=["wrong", "missing"],
)
def test_without_the_right_login_no_mail_is_tried(login: Login | None, complaint: str, authority: Authority) -> None:
    with (
        real_server(Security.STARTTLS, authority.server_context(), needs_login=True) as server,
        a_mailer(server.port, Security.STARTTLS, login=login, ca_file=authority.file) as mailer,
        pytest.raises(UnusableError, match=complaint) as refusal,
    ):
        mailer.send(MAIL, RECIPIENT)

    assert not server.mails
    assert "battery" not in whole_text(refusal.value)


def test_nobody_listening_is_for_a_person_to_mend() -> None:
    with real_server() as server:
        pass
    with (
        a_mailer(server.port) as mailer,
        pytest.raises(UnusableError, match=r"cannot be reached .ConnectionRefusedError"),
    ):
        mailer.send(MAIL, RECIPIENT)


def test_many_mails_share_a_connection_up_to_a_number() -> None:
    with real_server() as server, a_mailer(server.port, mails_per_connection=2) as mailer:
        for _ in range(5):
            mailer.send(MAIL, RECIPIENT)

    clients = [mail.client for mail in server.mails]
    assert [clients.index(client) for client in clients] == [0, 0, 2, 2, 4]


@pytest.mark.parametrize(
    "recipient", ["リック@example.com", "a@example.com, evil@example.com", "rick", "r@x.example>\r\nRSET"]
)
def test_who_cannot_be_addressed_is_refused_before_any_connection(recipient: str) -> None:
    with (
        real_server() as server,
        a_mailer(server.port) as mailer,
        pytest.raises(RefusedError, match="is not one plain address"),
    ):
        mailer.send(MAIL, recipient)

    assert server.handler.senders_named == 0


def test_a_domain_beyond_ascii_travels_in_idna() -> None:
    with real_server() as server, a_mailer(server.port) as mailer:
        mailer.send(MAIL, "rick@faß.example")

    assert server.mails[0].recipients == ("rick@xn--fa-hia.example",)


def test_nobody_can_say_what_became_of_a_mail() -> None:
    with (
        a_mailer(25) as mailer,
        pytest.raises(SilentError, match=f"remedy {MAIL.remedy_id}: look into the server's log"),
    ):
        mailer.find(MAIL)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda _: a_mailer(25, host="relay.example", login=LOGIN), "not sent unencrypted to another machine"),
        (lambda _: a_mailer(25, bounce_address="a@example.com, b@example.com"), "bounce address is not one plain"),
        (
            lambda folder: a_mailer(587, Security.STARTTLS, ca_file=folder / "missing.pem"),
            "CA file .* holds no certificate",
        ),
        (lambda _: Login("makegood", ""), "must both be set"),
        (lambda _: Login("makegood", "Österreich"), "must both be set, in printable ASCII"),
        (lambda _: Login("make\r\ngood", "x"), "must both be set, in printable ASCII"),
    ],
    ids=["plain password", "bounce address", "CA file", "no password", "umlaut", "line break"],
)
def test_a_set_up_that_cannot_work_is_refused_at_once(
    make: Callable[[Path], object], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match=complaint):
        make(tmp_path)


def test_a_login_never_shows() -> None:
    assert f"{LOGIN!r} {LOGIN}" == "Login() Login()"
