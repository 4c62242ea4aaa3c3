import pytest

from remediation.gateways.smtp_settings import Security, SmtpSettings, smtp_target
from remediation.gateways.targets import Target, TargetError, target
from tests.remediation.gateways.mailing import whole_text

PORTS = {"https": 443, "http": 80}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://shop.example", Target("https", "shop.example", 443, "")),
        ("HTTPS://Shop.Example:8443/a/b?c=d", Target("https", "shop.example", 8443, "/a/b?c=d")),
        ("http://127.0.0.1:80/", Target("http", "127.0.0.1", 80, "/")),
        ("http://[::1]:8080", Target("http", "::1", 8080, "")),
        ("https://xn--fa-hia.example?x", Target("https", "xn--fa-hia.example", 443, "?x")),
    ],
)
def test_a_url_in_its_parts(url: str, expected: Target) -> None:
    assert target(url, "shop", PORTS) == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "cannot be read"),
        ("https://shop.example\n", "cannot be read"),
        ("https://shop.\texample", "cannot be read"),
        ("https://shop example", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://faß.example", "cannot be read"),
        ("shop.example", "must begin with one of: https://, http://"),
        ("javascript:alert(1)", "must begin with one of"),
        ("https://", "names no host"),
        ("https:///path", "names no host"),
        ("https://-shop.example", "names no host"),
        ("https://shop..example", "names no host"),
        ("https://a_b.example", "names no host"),
        (f"https://{'a' * 254}", "names no host"),
        ("https://shop.example:0", "port that is not a number from 1 to 65535"),
        ("https://shop.example:65536", "port that is not a number"),
        ("https://shop.example:x", "port that is not a number"),
        ("https://rick:s3cret@shop.example", "holds a login"),
        ("https://:s3cret@shop.example", "holds a login"),
        ("https://s3cret@shop.example", "holds a login"),
        ("https://shop.example/#s3cret", "holds a #"),
    ],
    ids=ascii,
)
def test_what_is_no_target_is_refused_without_repeating_it(url: str, complaint: str) -> None:
    with pytest.raises(TargetError, match=f"URL of the shop .*{complaint}") as refusal:
        target(url, "shop", PORTS)
    assert "s3cret" not in whole_text(refusal.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("[::ffff:10.0.0.1]", False),
        ("10.0.0.1", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, loopback: bool) -> None:  # noqa: FBT001
    assert target(f"http://{host}", "shop", PORTS).loopback is loopback


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://mail.example", Security.STARTTLS, 587),
        ("smtps://mail.example", Security.IMPLICIT_TLS, 465),
        ("smtp+plain://localhost", Security.PLAIN, 25),
        ("smtp+plain://localhost:1025/", Security.PLAIN, 1025),
    ],
)
def test_the_scheme_of_a_mail_server_says_how_it_is_protected(url: str, security: Security, port: int) -> None:
    server = smtp_target(url)
    assert (SmtpSettings(server).security, server.port) == (security, port)


@pytest.mark.parametrize("url", ["smtp://mail.example/inbox", "smtp://mail.example?tls=no", "imap://mail.example"])
def test_a_mail_server_is_a_host_and_a_port(url: str) -> None:
    with pytest.raises(
        TargetError, match=r"ends with its port|must begin with one of: smtp://, smtps://, smtp\+plain://"
    ):
        smtp_target(url)
