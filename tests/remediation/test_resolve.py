from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from detectors.finding import Finding, Provenance, Scalar
from remediation.book import Entry, Seen
from remediation.imports import adopt_customers, adopt_orders, import_stock
from remediation.ledger.journal import record
from remediation.ledger.resolution import Resolution
from remediation.ledger.run import Run
from remediation.ledger.tables import OUTBOX, REMEDIES
from remediation.orders import Customer, OrderLine
from remediation.policy.load import default_policy
from remediation.policy.model import Policy
from remediation.remedy import Action
from remediation.resolve import resolve
from tests.remediation.ledger.evenings import GENEROUS, json_lines
from tests.remediation.policy.stories import (
    DAY,
    EVENING,
    MORNING,
    MemoryBook,
    a_customer,
    a_failure,
    a_finding,
    a_line,
    a_parcel,
    a_policy,
)

POLICY = default_policy()


def not_there(line_id: str = "line-1", **manner: Scalar) -> Finding:
    known: dict[str, Scalar] = {
        "delivered_at": EVENING - DAY,
        "delivered_date": "2026-11-20",
        "reported_at": EVENING,
        "signals_against": None,
    }
    return replace(a_failure("delivered_not_received", line_id=line_id), evidence=known | manner)


def wrong_again() -> Finding:
    return a_failure("wrong_item", "merchant", wrong_count=2, received_item_id="regular", reported_at=EVENING)


def wrong_once() -> Finding:
    return a_failure("wrong_item", "merchant", wrong_count=1, received_item_id="regular", reported_at=EVENING)


def ilsa(locale: str = "ja-JP") -> Customer:
    return a_customer().model_copy(update={"locale": locale})


def a_book(*lines: OrderLine, locale: str = "ja-JP", corrected: frozenset[str] = frozenset()) -> MemoryBook:
    return MemoryBook(ordered=lines or (a_parcel(),), known=(ilsa(locale),), counted={"runes": 12}, mended=corrected)


def resolved(finding: Finding, *, locale: str = "ja-JP", policy: Policy = POLICY) -> Resolution:
    (resolution,) = resolve([finding], a_book(locale=locale), policy, MORNING)
    return resolution


def mail_text(resolution: Resolution) -> str:
    assert resolution.mail is not None, resolution.remedy
    return resolution.mail.text


class TestHowItIsSaid:
    @pytest.mark.parametrize(
        ("locale", "wrote", "language"),
        [
            pytest.param("ja-JP", "en", "en", id="as the customer wrote"),
            pytest.param("ja-JP", None, "ja", id="as the record says, where nothing was written"),
            pytest.param("ja-JP", "tlh", "ja", id="as the record says, where we do not speak it"),
            pytest.param("ja-JP", "../\x00", "ja", id="as the record says, where it is no language"),
            pytest.param("ja-JP", 7, "ja", id="as the record says, where it is no text"),
        ],
    )
    def test_the_language_is_the_customers_own(self, locale: str, wrote: Scalar, language: str) -> None:
        mail = resolved(not_there(language=wrote), locale=locale).mail
        assert mail is not None
        assert mail.language == language

    def test_the_conventions_stay_the_records_where_the_language_is_the_same(self) -> None:
        same = resolved(not_there(language="en"), locale="en-GB")
        assert mail_text(same) == mail_text(resolved(not_there(), locale="en-GB"))

    def test_the_voice_is_the_one_in_which_the_customer_wrote(self) -> None:
        playful, plain = not_there(voice="playful"), not_there()
        assert mail_text(resolved(playful, locale="en")) != mail_text(resolved(plain, locale="en"))
        assert mail_text(resolved(not_there(voice="rude"), locale="en")) == mail_text(resolved(plain, locale="en"))

    def test_unless_the_policy_has_one_voice_for_all(self) -> None:
        one = a_policy(('voice = "as_chosen"', 'voice = "plain"'))
        assert mail_text(resolved(not_there(voice="playful"), locale="en", policy=one)) == mail_text(
            resolved(not_there(), locale="en", policy=one)
        )

    def test_of_several_contacts_the_latest_says_how(self) -> None:
        first = replace(not_there(language="en"), occurred_to=EVENING)
        then = replace(
            a_failure("late", days_late=1, promised_date="2026-11-19", language="ja"), occurred_to=EVENING + 1
        )
        for findings in ([first, then], [then, first]):
            (resolution,) = resolve(findings, a_book(locale="en"), POLICY, MORNING)
            assert resolution.mail is not None
            assert resolution.mail.language == "ja"

    def test_it_speaks_of_what_is_paid_for_and_not_of_what_the_recipient_did(self) -> None:
        late = a_failure("late", severity=0.1, days_late=1, promised_date="2026-11-19", delivered_date="2026-11-20")
        refused = a_failure("returned", "consignee", severity=1.0, reason="refused", scanned_at=EVENING)
        (both,) = resolve([late, refused], a_book(), POLICY, MORNING)
        assert mail_text(both) == mail_text(resolved(late))

    def test_a_correction_is_named_once_the_ticket_is_done(self) -> None:
        said = {
            corrected: mail_text(resolve([wrong_again()], a_book(locale="en", corrected=corrected), POLICY, MORNING)[0])
            for corrected in (frozenset[str](), frozenset({"another item"}), frozenset({"runes"}))
        }
        assert said[frozenset()] == said[frozenset({"another item"})] != said[frozenset({"runes"})]

    def test_nobody_asks_after_corrections_where_nothing_wrong_came(self) -> None:
        book = a_book()
        resolve([not_there()], book, POLICY, MORNING)
        assert book.asked["corrected"] == 0


class TestALetter:
    def test_the_third_failure_gets_no_mail_but_a_task_for_a_person(self) -> None:
        lines = tuple(a_parcel(line_id=f"line-{n}") for n in (1, 2, 3))
        findings = [not_there(line.order_line_id) for line in lines]
        one, two, three = resolve(findings, a_book(*lines, locale="en"), POLICY, MORNING)
        assert one.mail
        assert two.mail
        assert three.remedy
        assert three.remedy.actions[-1] == Action("letter")
        assert (three.mail, three.not_before) == (None, None)


class TestInTheLedger:
    """What goods demand of ledger and sender: remedies without money, and actions that a person carries out."""

    RUN = Run(MORNING, POLICY.sha256, "1", ())

    def recorded(self, ledger: Engine, *findings: Finding, lines: tuple[OrderLine, ...]) -> dict[str, list[str]]:
        """The kinds of what the outbox holds, by order line."""
        adopt_orders(ledger, lines)
        adopt_customers(ledger, [ilsa("en")])
        stock = json_lines({"item_id": lines[0].item_id, "available": len(lines)})
        import_stock(ledger, stock, "stock.jsonl")
        record(ledger, self.RUN, resolve(findings, a_book(*lines, locale="en"), POLICY, MORNING), GENEROUS)
        query = select(REMEDIES.c.order_line_id, OUTBOX.c.kind).join(OUTBOX).order_by(OUTBOX.c.kind)
        found: dict[str, list[str]] = {}
        with ledger.connect() as connection:
            for row in connection.execute(query):
                found.setdefault(row.order_line_id, []).append(row.kind)
        return found

    def test_an_exchange_moves_no_money(self, ledger: Engine) -> None:
        assert self.recorded(ledger, wrong_once(), lines=(a_parcel(),)) == {"line-1": ["exchange", "mail"]}

    def test_refund_and_shipping_go_back_as_one_and_a_letter_takes_the_place_of_the_mail(self, ledger: Engine) -> None:
        lines = tuple(a_parcel(1_000, line_id=f"line-{n}") for n in (1, 2, 3))
        recorded = self.recorded(ledger, *(not_there(line.order_line_id) for line in lines), lines=lines)
        assert recorded == {
            "line-1": ["mail", "refund", "replacement"],
            "line-2": ["mail", "refund", "replacement"],
            "line-3": ["letter", "refund", "replacement"],
        }


def test_a_film_is_told_as_before() -> None:
    stalls = a_finding(order_line_id="line-1", stall_count=12, stall_ms=250_000, longest_stall_ms=9_000)
    (resolution,) = resolve([stalls], MemoryBook(ordered=(a_line(),), known=(ilsa(),)), POLICY, MORNING)
    assert resolution.mail is not None
    assert resolution.mail.language == "ja"


def test_a_copy_of_another_nights_visit_waits_for_a_person() -> None:
    stalls = a_finding(
        order_line_id="line-1",
        provenance=Provenance(granted_at=EVENING, fingerprints=("m",)),
        stall_count=12,
        stall_ms=250_000,
        longest_stall_ms=9_000,
    )
    book = MemoryBook(ordered=(a_line(),), known=(ilsa(),))
    states = []
    for seen in ((), (Seen("m", "somebody's", EVENING),)):
        (resolution,) = resolve([stalls], replace(book, prints=seen), POLICY, MORNING)
        assert resolution.remedy is not None
        states.append(resolution.remedy.state)
    assert states == ["approved", "held"]


def a_delay(days: int, severity: float) -> Finding:
    figures = {"promised_date": "2026-11-10", "delivered_date": None, "days_late": days}
    return replace(a_failure("late"), severity=severity, evidence=figures, occurred_to=EVENING + days)


def test_a_delay_that_goes_on_is_paid_for_without_another_mail() -> None:
    (first,) = resolve([a_delay(1, 0.09)], a_book(), POLICY, MORNING)
    assert first.mail is not None
    assert first.remedy is not None
    paid = Entry(first.remedy, MORNING, first.evidence_sha256 or "")
    book = replace(a_book(), entries=(paid,))
    (more,) = resolve([a_delay(9, 0.5)], book, POLICY, MORNING + DAY)
    assert more.remedy is not None
    assert (more.remedy.number, more.remedy.state, more.mail) == (2, "approved", None)
    assert more.remedy.amount > 0


def test_a_delay_that_becomes_a_loss_is_told() -> None:
    (first,) = resolve([a_delay(1, 0.09)], a_book(), POLICY, MORNING)
    assert first.remedy is not None
    book = replace(a_book(), entries=(Entry(first.remedy, MORNING, first.evidence_sha256 or ""),))
    figures: dict[str, Scalar] = {"last_scan_at": EVENING, "days_silent": 9, "never_scanned": False, "declared": True}
    lost = replace(a_failure("lost"), evidence=figures)
    (more,) = resolve([lost], book, POLICY, MORNING + DAY)
    assert more.mail is not None
