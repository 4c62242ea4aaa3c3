"""A customer is forgotten: the person is gone, the books stand, and nothing that is owed is withheld."""

from typing import Any

import pytest
from sqlalchemy import Engine, insert, update

from remediation.database import writing
from remediation.forgetting import ForgettingError, UnknownCustomerError, forget
from remediation.forgetting.mentions import BLOT
from remediation.ledger.audit import Author, Change, history, note
from remediation.ledger.control_tables import AUDIT, BLOCKS, CLAIMS, FORGOTTEN, SESSION_PRINTS
from remediation.ledger.postings import unbalanced
from remediation.ledger.tables import (
    CONTACTS,
    CUSTOMERS,
    FINDINGS,
    GRANTS,
    MAILS,
    ORDER_LINES,
    OUTBOX,
    REMEDIES,
    REMEDY_FINDINGS,
    SCANS,
)
from remediation.mail import ERASED
from remediation.remedy import Action
from remediation.report.explain import explain
from remediation.report.recorded import recorded_remedies
from remediation.reviewing.verdicts import approve
from remediation.verifying import verify
from tests.remediation.forgetting.persons import ADA, DEPOT, EMAIL, LAT, NAME, a_known_person, astray
from tests.remediation.ledger.evenings import MORNING, count, rows
from tests.remediation.outbox.senders import Gateway, Mailbox, send, states
from tests.remediation.verifying.ledgers import a_due, a_night, item_of, remedy_of, run_of

REQUEST = "request 2026-17"


def of(ledger: Engine, table: Any, column: str, value: str) -> list[dict[str, Any]]:
    return [row for row in rows(ledger, table) if row[column] == value]


def test_what_identifies_her_is_erased_and_somebody_else_stays(ledger: Engine) -> None:
    a_known_person(ledger)
    done = forget(ledger, "C-1", ADA, REQUEST)
    assert done.erased == {
        "customers": 1,
        "contacts": 1,
        "grants": 1,
        "destinations": 1,
        "places of scans": 1,
        "session prints": 1,
        "claims": 3,
        "mails": 2,
        "evidence": 2,
    }
    for table in (CUSTOMERS, CONTACTS, GRANTS, CLAIMS):
        assert [row["customer_id"] for row in rows(ledger, table)] == ["C-2"]
    assert {row["session_id"]: row["customer_id"] for row in rows(ledger, SESSION_PRINTS)} == {
        "S-1": None,
        "S-2": "C-2",
    }
    homes = {row["order_line_id"]: row["ship_to"] and row["ship_to"]["lat"] for row in rows(ledger, ORDER_LINES)}
    assert homes == {"film": None, "held": None, "parcel": None, "else": LAT}
    places = {row["tracking_number"]: (row["lat"], row["depot"]) for row in rows(ledger, SCANS)}
    assert places == {"T-1": (None, None), "T-2": (LAT, DEPOT)}


def test_evidence_keeps_what_the_books_need_and_no_place(ledger: Engine) -> None:
    a_known_person(ledger)
    digests = {row["finding_id"]: row["figures_sha256"] for row in rows(ledger, FINDINGS)}
    forget(ledger, "C-1", ADA, REQUEST)
    kept = {row["order_line_id"]: set(row["evidence"]) for row in rows(ledger, FINDINGS) if row["order_line_id"]}
    assert kept == {"parcel": {"delivered_at"}, "else": {"delivered_at", "distance_m", "voice"}}
    decided_on = {row["remedy_id"]: set(row["evidence"]) for row in rows(ledger, REMEDY_FINDINGS)}
    assert decided_on[remedy_of("parcel")] == {"delivered_at"}
    assert decided_on[remedy_of("film")] == {"stall_ms"}
    assert {row["finding_id"]: row["figures_sha256"] for row in rows(ledger, FINDINGS)} == digests


def test_what_is_owed_is_paid_all_the_same_and_nobody_is_written_to(ledger: Engine) -> None:
    a_known_person(ledger)
    done = forget(ledger, "C-1", ADA, REQUEST)
    assert done.mails_called_off == 2
    approve(ledger, remedy_of("held"), ADA, "seen the recording")
    gateway, mailbox = Gateway(), Mailbox()
    send(ledger, gateway, mailbox, MORNING + 20)
    assert sorted(payout.order_line_id for payout in gateway.made) == ["else", "film", "held", "parcel"]
    assert [recipient for _, recipient in mailbox.taken] == ["c-2@example.com"]
    assert states(ledger).count(("mail", "cancelled")) == 2
    assert unbalanced(ledger) == ()


def test_mails_keep_that_they_were_sent_and_lose_what_they_said(ledger: Engine) -> None:
    a_known_person(ledger)
    send(ledger, Gateway(), Mailbox(), MORNING)
    before = {row["remedy_id"]: (row["message_id"], row["language"]) for row in rows(ledger, MAILS)}
    forget(ledger, "C-1", ADA, REQUEST)
    after = {row["remedy_id"]: row for row in rows(ledger, MAILS)}
    assert remedy_of("held") not in after  # it was never to be sent, and cannot be any more
    for line in ("film", "parcel"):
        mail = after[remedy_of(line)]
        assert (mail["message_id"], mail["language"]) == before[remedy_of(line)]
        assert {mail["subject"], mail["text"], mail["html"]} == {ERASED}
    assert "refunded" in after[remedy_of("else")]["text"]
    assert of(ledger, OUTBOX, "outbox_id", item_of("film", "mail"))[0]["state"] == "sent"


def test_goods_go_on_and_their_mail_is_called_off(ledger: Engine) -> None:
    a_known_person(ledger)
    goods = (Action("replacement", service_level="next_day"),)
    a_night(ledger, a_due("parcel", number=2, actions=goods, findings=(astray(),)), as_of=MORNING + 1)
    forget(ledger, "C-1", ADA, REQUEST)
    (mail,) = of(ledger, MAILS, "remedy_id", remedy_of("parcel", 2))
    assert mail["text"] == ERASED
    ends = {row["kind"]: row["state"] for row in of(ledger, OUTBOX, "remedy_id", remedy_of("parcel", 2))}
    assert ends == {"replacement": "approved", "mail": "cancelled"}


@pytest.mark.parametrize(
    ("state", "retry_at", "left"),
    [
        ("sending", MORNING, "cancelled"),
        ("sending", None, "sending"),
        ("unknown", MORNING, "unknown"),
        ("failed", None, "cancelled"),
        ("manual", None, "cancelled"),
    ],
    ids=["put off", "under way", "unknown", "failed", "with a person"],
)
def test_a_mail_on_its_way_is_left_to_the_sender(ledger: Engine, state: str, retry_at: int | None, left: str) -> None:
    a_known_person(ledger)
    this = OUTBOX.c.outbox_id == item_of("film", "mail")
    with writing(ledger) as connection:
        connection.execute(update(OUTBOX).where(this).values(state=state, retry_at=retry_at, claimed_at=MORNING))
        note(connection, ADA, [Change("outbox", item_of("film", "mail"), "approved", state, "a test")])
    forget(ledger, "C-1", ADA, REQUEST)
    assert of(ledger, OUTBOX, "outbox_id", item_of("film", "mail"))[0]["state"] == left
    mailbox = Mailbox()
    send(ledger, Gateway(), mailbox, MORNING + 20)
    assert [recipient for _, recipient in mailbox.taken] == ["c-2@example.com"]


def test_the_ledger_is_sound_afterwards_and_still_explains(ledger: Engine) -> None:
    a_known_person(ledger)
    send(ledger, Gateway(), Mailbox(), MORNING)
    forget(ledger, "C-1", ADA, REQUEST)
    verdict = verify(ledger, MORNING + 20)
    assert [outcome for outcome in verdict.outcomes if outcome.count] == []
    for known_id in ("film", "parcel", "S-1", remedy_of("held")):
        told = explain(ledger, known_id).as_text()
        assert "2.99 USD" in told
        assert NAME not in told
    assert ERASED in explain(ledger, "film").as_text()
    texts = {row.remedy.order_line_id: row.mail and row.mail.text for row in recorded_remedies(ledger, run_of())}
    assert (texts["film"], texts["held"]) == (ERASED, None)


def test_forgetting_is_written_down_once_with_the_id_alone(ledger: Engine) -> None:
    a_known_person(ledger)
    forget(ledger, "C-1", ADA, f"  {REQUEST}\n")
    logged = count(ledger, AUDIT)
    again = forget(ledger, "C-1", Author("person ben", MORNING + 99), "asked again")
    assert (again.erased, again.mails_called_off, again.logged) == ({}, 0, ())
    assert count(ledger, AUDIT) == logged
    assert rows(ledger, FORGOTTEN) == [{"customer_id": "C-1", "forgotten_at": ADA.at}]
    with ledger.connect() as connection:
        (entry,) = history(connection, "customer", "C-1")
    assert (entry.actor, entry.before, entry.after, entry.reason) == ("person ada", "known", "forgotten", REQUEST)


def test_what_came_in_meanwhile_goes_when_she_is_forgotten_again(ledger: Engine) -> None:
    a_known_person(ledger)
    forget(ledger, "C-1", ADA, REQUEST)
    with writing(ledger) as connection:
        contact = {"contact_id": "K-9", "customer_id": "C-1", "event_time": MORNING, "topic": "other"}
        connection.execute(insert(CONTACTS).values(contact))
    assert forget(ledger, "C-1", ADA, "the night had gone on").erased == {"contacts": 1}
    with ledger.connect() as connection:
        assert [entry.before for entry in history(connection, "customer", "C-1")] == ["known", "forgotten"]


def test_a_customer_of_whom_only_a_grant_is_known_is_forgotten(ledger: Engine) -> None:
    with writing(ledger) as connection:
        connection.execute(insert(GRANTS).values(session_id="S", order_line_id="OL", customer_id="C-9", granted_at=1))
    assert forget(ledger, "C-9", ADA, REQUEST).erased == {"grants": 1}


def test_a_customer_of_whom_nothing_is_known_is_no_customer(ledger: Engine) -> None:
    with pytest.raises(UnknownCustomerError, match=r"^the ledger knows no customer 'C-9': check the id"):
        forget(ledger, "C-9", ADA, REQUEST)
    assert count(ledger, FORGOTTEN) == 0


@pytest.mark.parametrize(
    ("actor", "reason", "said"),
    [
        ("person ada", " ", "for a reason"),
        ("person ada", f"{EMAIL.upper()} asked for it", "names the person"),
        ("person ada", f"{NAME} asked for it", "names the person"),
        (f"person {EMAIL}", REQUEST, "names the person"),
    ],
    ids=["no reason", "her address", "her name", "by herself"],
)
def test_the_log_is_not_told_her_name(ledger: Engine, actor: str, reason: str, said: str) -> None:
    a_known_person(ledger)
    with pytest.raises(ForgettingError, match=said) as caught:
        forget(ledger, "C-1", Author(actor, MORNING), reason)
    assert NAME not in str(caught.value)
    assert count(ledger, CUSTOMERS) == 2


def test_her_name_is_taken_out_of_what_people_wrote(ledger: Engine) -> None:
    a_known_person(ledger)
    said = f"{NAME.upper()} <{EMAIL}> called"
    with writing(ledger) as connection:
        block = insert(BLOCKS).values(order_line_id="film", kind="dispute", since=MORNING, reason=said)
        connection.execute(block)
        connection.execute(update(REMEDIES).values(reason=f"{NAME} saw nothing."))
        note(connection, ADA, [Change("block", "film dispute", "open", "blocked", said)])
    done = forget(ledger, "C-1", ADA, REQUEST)
    assert done.erased["words"] == 6
    assert {row["reason"] for row in rows(ledger, REMEDIES)} == {f"{BLOT} saw nothing."}
    assert [row["reason"] for row in rows(ledger, BLOCKS)] == [f"{BLOT} <{BLOT}> called"]
    # The log is never altered: whoever forgets is told where the name stands in it.
    assert [rows(ledger, AUDIT)[number - 1]["entity"] for number in done.logged] == ["block"]
