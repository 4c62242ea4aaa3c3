"""`makegood verify`, `forget` and `retain` as a person types them: what they print, and with which code they end."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine, text

from pipelines.commands import keeping
from remediation.database import open_database
from remediation.ledger.tables import CUSTOMERS
from remediation.policy.load import default_text
from tests.remediation.forgetting.persons import EMAIL, NAME, a_known_person
from tests.remediation.ledger.evenings import MORNING, count
from tests.remediation.verifying.ledgers import DAY
from tests.support.command_line import Makegood, Ran, command_line
from tests.support.stores import empty_file

WRONG: Final = "broken: What is set aside of a price is what its remedies need."


@pytest.fixture
def makegood(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Makegood:
    return command_line(monkeypatch, capsys)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that knows somebody."""
    file = tmp_path_factory.mktemp("known") / "ledger.db"
    a_known_person(open_database(empty_file(file))).dispose()
    return file


@pytest.fixture
def book(known: Path, tmp_path: Path) -> Iterator[Engine]:
    """A copy of it."""
    engine = open_database(f"sqlite:///{shutil.copy(known, tmp_path)}")
    yield engine
    engine.dispose()


def of(ledger: Engine) -> tuple[str, str]:
    return "--ledger", str(ledger.url)


def test_a_sound_ledger_says_so_and_gives_its_head(makegood: Makegood, book: Engine) -> None:
    ran = makegood("verify", *of(book))
    assert (ran.code, ran.err) == (0, "")
    said, head = ran.out.splitlines()
    assert said.endswith("invariants, none of them broken")
    kept = head.removeprefix("audit head ")
    again = makegood("verify", *of(book), "--head", kept)
    assert (again.code, again.out.splitlines()[-1]) == (0, head)


def test_what_is_broken_is_named_and_ends_with_1(makegood: Makegood, book: Engine) -> None:
    with book.begin() as connection:
        connection.execute(text("UPDATE order_lines SET owed_minor = 1 WHERE order_line_id = 'film'"))
    ran = makegood("verify", *of(book))
    assert ran.code == 1
    assert ran.out.splitlines()[:3] == [
        WRONG,
        "  order_lines film: owed_minor is 1, and its remedies have 200 set aside",
        "  to do: stop sending (makegood mode off) and compare the row with the last backup",
    ]
    assert "invariants, 1 of them broken" in ran.out


def test_what_needs_somebody_ends_with_0(makegood: Makegood, book: Engine) -> None:
    with book.begin() as connection:
        connection.execute(text("UPDATE runs SET state = 'recording'"))
        connection.execute(text("DROP TRIGGER audit_no_delete"))
        connection.execute(text("DELETE FROM audit WHERE number = (SELECT max(number) FROM audit)"))
    ran = makegood("verify", *of(book), "--now", "2026-12-24T08:00:00Z")
    assert ran.code == 0
    assert ran.out.startswith("needs somebody: Every run comes to its end.\n")
    assert "none of them broken; for somebody to look at: 1" in ran.out


@pytest.mark.parametrize("head", ["7", "7:abc", "seven:" + "a" * 64, "-1:" + "a" * 64])
def test_a_head_that_is_none_is_bad_usage(makegood: Makegood, book: Engine, head: str) -> None:
    ran = makegood("verify", *of(book), f"--head={head}")
    assert (ran.code, ran.out) == (2, "")
    assert "--head is no audit head" in ran.err


def test_a_log_that_was_cut_off_is_found_out(makegood: Makegood, book: Engine) -> None:
    ran = makegood("verify", *of(book), "--head", f"9999:{'a' * 64}")
    assert ran.code == 1
    assert "audit 9999: it is gone" in ran.out


def forget(makegood: Makegood, book: Engine, customer: str = "C-1", reason: str = "request 17") -> Ran:
    return makegood("forget", customer, *of(book), "--actor", "ada", "--reason", reason)


def test_a_customer_is_forgotten_without_being_named(makegood: Makegood, book: Engine) -> None:
    ran = forget(makegood, book)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("erased: customers 1, contacts 1")
    assert "called off: mails and letters 2; refunds, credits and goods go on" in ran.out
    assert NAME not in ran.out
    assert count(book, CUSTOMERS) == 1
    assert forget(makegood, book).out == "nothing was left to erase\n"
    assert makegood("verify", *of(book)).code == 0


def test_whom_nobody_knows_is_told_in_one_sentence(makegood: Makegood, book: Engine) -> None:
    ran = forget(makegood, book, customer="nobody")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "makegood: the ledger knows no customer 'nobody': check the id; nothing was erased\n"


def test_a_reason_that_names_the_person_is_not_repeated(makegood: Makegood, book: Engine) -> None:
    ran = forget(makegood, book, reason=f"{NAME} <{EMAIL}> asked")
    assert ran.code == 1
    assert "the reason names the person" in ran.err
    assert NAME not in ran.err
    assert EMAIL not in ran.err


def test_rows_of_the_log_that_name_the_person_are_told(makegood: Makegood, book: Engine) -> None:
    with book.begin() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET reason = 'ilse.lund@example.com called' WHERE number = 2"))
    assert "the audit log is never altered, and names the person in row 2" in forget(makegood, book).out


def test_a_file_in_use_is_told_of(makegood: Makegood, book: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remediation.forgetting.compact", lambda _engine: False)
    ran = forget(makegood, book)
    assert ran.code == 1
    assert "run this once more when nothing else uses it" in ran.err
    assert count(book, CUSTOMERS) == 1


@pytest.fixture
def years_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "clock", lambda: MORNING + 3_000 * DAY)


@pytest.mark.usefixtures("years_later")
def test_what_is_too_old_goes_by_the_policy_that_is_named(makegood: Makegood, book: Engine, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_bytes(default_text().replace(b"session_prints = 730", b"session_prints = 40"))
    two_months = ("--now", "2027-01-22T08:00:00Z")
    assert makegood("retain", *of(book), *two_months).out == "nothing is too old\n"
    ran = makegood("retain", *of(book), *two_months, "--policy", policy)
    assert (ran.code, ran.out) == (0, "erased: session prints 2\n")


def test_nothing_goes_before_its_time(makegood: Makegood, book: Engine) -> None:
    ran = makegood("retain", *of(book), "--now", "2999-01-01T00:00:00Z")
    assert (ran.code, ran.out) == (2, "")
    assert "--now names a moment to come" in ran.err
