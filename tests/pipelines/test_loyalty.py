"""`makegood loyalty` at the command line: what it refuses, and what it says where nothing has happened yet."""

import json
from pathlib import Path

import pytest

from remediation.database import open_database
from tests.remediation.ledger.evenings import MORNING, an_order, with_orders
from tests.remediation.loyalty.asked import DAY, made_good
from tests.support.command_line import Makegood, command_line
from tests.support.stores import empty_file

KEYS = "MAKEGOOD_SURVEY_KEYS"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return empty_file(tmp_path / "ledger.db")


@pytest.fixture
def makegood(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Makegood:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAKEGOOD_LEDGER", url)
    for name in (KEYS, "MAKEGOOD_SURVEY_URL", "MAKEGOOD_UNSUBSCRIBE_URL"):
        monkeypatch.delenv(name, raising=False)
    return command_line(monkeypatch, capsys)


def test_of_nobody_nothing_is_known(makegood: Makegood) -> None:
    told = makegood("loyalty", "--now", "2027-03-01T00:00:00Z").out
    assert told.startswith("Loyalty up to 2027-03-01 00:00:00 UTC; of orders, none is known\n")
    assert told.count("too few to tell") == 3
    found = json.loads(makegood("loyalty", "--json").out)
    assert (found["everybody"]["customers"], found["orders_until"], found["power"]) == (0, None, 0.8)
    assert makegood("loyalty", "invite").out == "nobody is asked: [survey] is not enabled in the policy\n"


def test_purchases_may_stand_in_the_services_own_order_book(makegood: Makegood, url: str, tmp_path: Path) -> None:
    ledger = open_database(url)
    made_good(ledger, "C-1")
    ledger.dispose()
    shop = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = open_database(shop)
    again = an_order("again", order_id="O-again", customer_id="C-1", purchased_at=MORNING + DAY)
    with_orders(engine, again, an_order("last", customer_id="C-2", purchased_at=MORNING + 30 * DAY))
    engine.dispose()
    now = ("--json", "--now", "2027-03-01T00:00:00Z")
    elsewhere = json.loads(makegood("loyalty", "--orders", shop, *now).out)["everybody"]["returned"]
    assert [(each["counted"], each["returned"], each["not_over"]) for each in elsewhere] == [(1, 1, 0), (0, 0, 1)]
    own = json.loads(makegood("loyalty", *now).out)["everybody"]["returned"]
    assert [(each["counted"], each["not_over"]) for each in own] == [(0, 1), (0, 1)]
    later = json.loads(makegood("loyalty", "--orders", shop, "--since", "2026-11-23", *now).out)
    assert later["everybody"]["customers"] == 0


def test_what_is_missing_is_named(makegood: Makegood, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "answers.csv").write_text("token,score,answered_at\n")
    unkeyed = makegood("loyalty", "import", "answers.csv")
    assert (unkeyed.code, f"set the environment variable {KEYS}" in unkeyed.err) == (2, True)
    monkeypatch.setenv(KEYS, "secret")
    short = makegood("loyalty", "import", "answers.csv")
    assert (short.code, short.err.startswith(f"makegood: {KEYS} must hold keys of 64")) == (2, True)
    monkeypatch.setenv(KEYS, "5a" * 32)
    nowhere = makegood("loyalty", "unsubscribe", "answers.csv", "off.csv")
    assert (nowhere.code, nowhere.err.startswith("makegood: off.csv is no file")) == (2, True)
    assert makegood("loyalty", "import", "answers.csv").out == "answers: 0 taken, 0 known before, 0 rejected\n"
    assert makegood("dispatch").code == 0
    monkeypatch.setenv("MAKEGOOD_SURVEY_URL", "https://shop.example/rate")
    half = makegood("dispatch")
    assert (half.code, "set the environment variable MAKEGOOD_UNSUBSCRIBE_URL" in half.err) == (2, True)
    monkeypatch.delenv("MAKEGOOD_LEDGER")
    unnamed = makegood("loyalty")
    assert (unnamed.code, unnamed.err.startswith("makegood: --ledger is missing")) == (2, True)
