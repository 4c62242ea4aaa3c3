"""The commands for people, in this process: what they print, what they refuse, and with which exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from pipelines.commands.ways import goods_desk, mail_server, refund_gateway
from pipelines.settings import UsageError
from remediation.database import open_database
from remediation.ledger.run import Objection
from tests.remediation.ledger.evenings import a_remedy, a_run, an_order, owed, record_night, with_orders
from tests.remediation.mailing.reports import a_failure
from tests.support.command_line import Makegood, command_line
from tests.support.stores import empty_file

SAID = ("--actor", "ada", "--reason", "seen the recording")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return empty_file(tmp_path / "ledger.db")


@pytest.fixture
def ledger(url: str) -> Engine:
    """One approved refund and one held one, of a released run."""
    engine = open_database(url)
    with_orders(engine, an_order("OL-1"), an_order("OL-2"))
    record_night(engine, owed(a_remedy("OL-1")), owed(a_remedy("OL-2", state="held")))
    return engine


@pytest.fixture
def makegood(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, ledger: Engine
) -> Makegood:
    """Runs a command on the ledger, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    ledger.dispose()

    return command_line(monkeypatch, capsys, "--ledger", url)


HELD = a_remedy("OL-2").remedy_id


def test_what_waits_is_listed_read_and_approved(makegood: Makegood) -> None:
    listed = makegood("review", "list")
    assert listed.out.startswith(HELD)
    assert "2.99 USD" in listed.out
    assert "The picture stood still" in makegood("review", "show", HELD).out
    assert makegood("review", "approve", HELD, *SAID).out == "approved\n"
    assert makegood("review", "list").out == "nothing waits for a person\n"
    assert "refunds: 2 sent" in makegood("dispatch").out


def test_a_verdict_needs_somebody_and_a_reason(makegood: Makegood) -> None:
    assert makegood("review", "approve", HELD, "--reason", "x").code == 2
    nobody = makegood("review", "approve", HELD, "--actor", " ", "--reason", "x")
    assert (nobody.code, nobody.err) == (
        2,
        "makegood: --actor names nobody; write who decides, for example --actor ada\n",
    )
    assert "for a reason" in makegood("review", "approve", HELD, "--actor", "ada", "--reason", " ").err


def test_a_rejected_remedy_is_gone_from_the_list(makegood: Makegood) -> None:
    assert makegood("review", "reject", HELD, *SAID).out == "rejected\n"
    assert makegood("review", "list").out == "nothing waits for a person\n"
    again = makegood("review", "reject", HELD, *SAID)
    assert (again.code, "see makegood review list" in again.err) == (1, True)


def test_the_switch_is_shown_and_turned(makegood: Makegood) -> None:
    assert makegood("mode").out == "normal\n"
    assert makegood("mode", "off", *SAID).out == "off\n"
    assert "0 sent, 1 waiting" in makegood("dispatch", "--now", "2026-11-22T12:00:00Z").out
    assert makegood("mode", "canary", "--percent", "3", *SAID).out == "canary 3 %\n"
    assert makegood("mode", "off").code == 2
    assert makegood("mode", "sideways", *SAID).code == 2


def test_a_blocked_line_is_not_paid_until_it_is_let_go(makegood: Makegood) -> None:
    assert makegood("block", "OL-1", "--kind", "dispute", *SAID).out == "blocked\n"
    assert "refunds: 0 sent, 1 waiting" in makegood("dispatch", "--now", "2026-11-22T12:00:00Z").out
    assert makegood("block", "OL-1", "--kind", "dispute", "--lift", *SAID).out == "let go\n"
    assert "refunds: 1 sent" in makegood("dispatch", "--now", "2026-11-22T12:00:00Z").out


def test_a_held_run_is_released(makegood: Makegood, url: str) -> None:
    engine = open_database(url)
    with_orders(engine, an_order("OL-3"))
    storm = Objection("flag_rate", "Half of all sessions were flagged.")
    record_night(engine, owed(a_remedy("OL-3")), as_of=1, objections=[storm])
    engine.dispose()
    run_id = a_run(1).run_id
    assert "Half of all sessions" in makegood("review", "list").out
    assert makegood("release", run_id, *SAID).out == "released\n"
    assert makegood("release", run_id, *SAID).code == 1


def test_what_cannot_be_sent_is_done_by_hand(makegood: Makegood) -> None:
    other = Path("outbox/refunds") / f"{a_remedy('OL-1').remedy_id}.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    assert "refunds: 0 sent, 1 failed" in makegood("dispatch", "--now", "2026-11-22T12:00:00Z").out
    item = next(line.split()[0] for line in makegood("review", "list").out.splitlines() if "refund" in line)
    assert "use review done or review drop" in makegood("review", "reject", item, *SAID).err
    assert makegood("review", "done", item, "--reference", "transfer 17", *SAID).out == "done\n"
    assert "mails: 1 sent" in makegood("dispatch", "--now", "2026-11-22T12:00:00Z").out


def test_what_will_not_be_done_is_dropped(makegood: Makegood) -> None:
    other = Path("outbox/refunds") / f"{a_remedy('OL-1').remedy_id}.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    makegood("dispatch", "--now", "2026-11-22T12:00:00Z")
    item = next(line.split()[0] for line in makegood("review", "list").out.splitlines() if "refund" in line)
    assert makegood("review", "drop", item, *SAID).out == "dropped\n"
    assert "mails: 0 sent" in makegood("dispatch", "--now", "2026-11-22T12:00:00Z").out


def test_reports_of_mail_servers_are_read_and_what_is_none_is_told(makegood: Makegood) -> None:
    folder = Path("reports")
    folder.mkdir()
    (folder / "1.eml").write_bytes(a_failure())
    (folder / "2.eml").write_bytes(b"Subject: hello\r\n\r\nIs anybody there?\r\n")
    said = makegood("bounces", folder)
    assert said.out == "0 addresses suppressed, 0 mails came back, 2 for a person to read\n"
    assert said.err.count("it is about no mail of ours") == 2


def test_a_customer_is_left_alone_and_written_to_again(makegood: Makegood) -> None:
    assert makegood("suppress", "C-1", *SAID).out == "suppressed\n"
    assert makegood("suppress", "C-1", *SAID).out == "it was suppressed before\n"
    assert makegood("suppress", "C-1", "--lift", *SAID).out == "written to again\n"
    assert "there is no customer C-9" in makegood("suppress", "C-9", *SAID).err


def test_a_ledger_goes_down_and_up(makegood: Makegood) -> None:
    assert makegood("migrate", "--to", "0001").out == "from version 0006 to 0001\n"
    refused = makegood("dispatch")
    assert (refused.code, "run makegood migrate" in refused.err) == (1, True)
    assert makegood("migrate").out == "from version 0001 to 0006\n"
    assert makegood("migrate").out == "version 0006\n"


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_a_pace_that_is_none_is_refused(makegood: Makegood, rate: str) -> None:
    assert "is no number of calls a second" in makegood("dispatch", "--rate", rate).err


def test_one_moment_and_going_on_do_not_fit(makegood: Makegood) -> None:
    assert makegood("dispatch", "--follow", "--now", "2026-11-22T12:00:00Z").code == 2


@pytest.mark.parametrize(
    ("choose", "name", "environment", "sentence"),
    [
        (refund_gateway, "paypal", {}, "write file:DIR or stripe"),
        (refund_gateway, "stripe", {}, "MAKEGOOD_STRIPE_KEY"),
        (mail_server, "pigeon:", {}, r"write file:DIR or smtp://HOST"),
        (mail_server, "smtp://mail.example", {"MAKEGOOD_SMTP_USER": "u"}, "MAKEGOOD_SMTP_PASSWORD"),
        (
            mail_server,
            "file:mail",
            {"MAKEGOOD_MAIL_FROM": "Play\x01house <care@example.com>"},
            "cannot be used: The name",
        ),
        (goods_desk, "warehouse", {}, "write file:DIR or webhook"),
        (goods_desk, "webhook", {}, "MAKEGOOD_GOODS_URL"),
        (goods_desk, "webhook", {"MAKEGOOD_GOODS_URL": "https://w.example"}, "MAKEGOOD_GOODS_SECRETS"),
    ],
)
def test_a_way_out_that_cannot_be_used_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
    choose: Callable[[str], object],
    name: str,
    environment: dict[str, str],
    sentence: str,
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=sentence):
        choose(name)


def test_the_ways_out_are_what_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEGOOD_STRIPE_KEY", "sk_test_abc")
    monkeypatch.setenv("MAKEGOOD_SMTP_USER", "u")
    monkeypatch.setenv("MAKEGOOD_SMTP_PASSWORD", "p")
    monkeypatch.setenv("MAKEGOOD_GOODS_URL", "https://warehouse.example/orders")
    monkeypatch.setenv("MAKEGOOD_GOODS_SECRETS", "whsec_" + "QUFB" * 8)
    ways = (refund_gateway("stripe"), mail_server("smtps://mail.example"), goods_desk("webhook"))
    assert [type(way).__name__ for way in ways] == ["StripeGateway", "SmtpMailer", "WebhookDesk"]
    assert "sk_test_abc" not in json.dumps([repr(way) for way in ways])
