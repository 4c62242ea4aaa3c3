"""Each invariant is broken once, by writing past the program, and the row that breaks it is named."""
# ruff: noqa: S608 - the ids in these statements are our own

from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import Connection, text

from detectors.finding import content_id
from remediation.verifying import books, items, lines, loyalty, mails, order, runs, slots, states, trail
from remediation.verifying.breach import Find
from remediation.verifying.checks import CHECKS
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.loyalty.asked import WEEK_LATER
from tests.remediation.verifying.ledgers import DAY, item_of, remedy_of, rows_named, run_of
from tests.support.stores import STORE

PAID, UNSENT, CALLED_OFF, GOODS = remedy_of("paid"), remedy_of("unsent", 2), remedy_of("called off"), remedy_of("goods")
REFUND, MAIL = item_of("paid", "refund"), item_of("paid", "mail")
OF_PAID = f"WHERE remedy_id = '{PAID}'"
OF_REFUND = f"WHERE outbox_id = '{REFUND}'"
BEGUN = f"entity_id = '{REFUND}' AND after = 'sending'"
MAIL_BEGUN = f"entity_id = '{MAIL}' AND after = 'sending'"
SURVEY = item_of("asked C-9", "survey")
OF_SURVEY = f"WHERE survey_id = '{SURVEY}'"
LATER = WEEK_LATER + 50 * DAY
OTHER: Final = "b" * 64


def transaction(remedy_id: str, event: str) -> str:
    return content_id(remedy_id=remedy_id, event=event)


OF_DEBT = f"WHERE transaction_id = '{transaction(PAID, 'approved')}'"


@dataclass(frozen=True)
class Harm:
    """A statement, and the row that `find` must name for it. `without` is a constraint that would have refused it."""

    find: Find
    statement: str
    row: tuple[str, str]
    problem: str
    without: str = ""


HARMS: Final = {
    "an item in no known state": Harm(
        states.known,
        f"UPDATE outbox SET state = 'lost' {OF_REFUND}",
        ("outbox", REFUND),
        "'lost' is no state of it",
        without="outbox.ck_outbox_state_known",
    ),
    "a mode that there is not": Harm(
        states.known,
        "UPDATE control SET mode = 'on'",
        ("control", "1"),
        "'on' is no mode of it",
        without="control.ck_control_mode_known",
    ),
    "a remedy in another slot": Harm(
        slots.remedy_ids,
        f"UPDATE remedies SET number = 7 {OF_PAID}",
        ("remedies", PAID),
        f"pay-out 7 of order line paid has the id {remedy_of('paid', 7)}",
    ),
    "an item under another key": Harm(
        slots.item_ids,
        f"UPDATE outbox SET outbox_id = 'again' {OF_REFUND}",
        ("outbox", "again"),
        f"the refund of remedy {PAID} has the id {REFUND}",
    ),
    "a remedy of another amount": Harm(
        items.sums,
        f"UPDATE remedies SET amount = 201 {OF_PAID}",
        ("remedies", PAID),
        "its amount is 201, and its actions come to 200",
    ),
    "an action of half a cent": Harm(
        items.sums,
        f"""UPDATE remedies SET amount = 0, actions = '[{{"kind": "refund", "amount_minor"\\: 2.5}}]' {OF_PAID}""",
        ("remedies", PAID),
        "its amount is 0, and an action's is no whole number",
    ),
    "another currency than was paid in": Harm(
        items.owners,
        "UPDATE order_lines SET currency = 'EUR' WHERE order_line_id = 'paid'",
        ("remedies", PAID),
        "it is approved, and its order line paid was paid in EUR, and the remedy is in USD",
    ),
    "somebody else's order line": Harm(
        items.owners,
        "UPDATE order_lines SET customer_id = 'C-2' WHERE order_line_id = 'paid'",
        ("remedies", PAID),
        "it is approved, and its order line paid is another customer's",
    ),
    "a credit for who is held out": Harm(
        loyalty.arms,
        f"UPDATE remedies SET arm = 'holdout', withheld_minor = 60 WHERE remedy_id = '{remedy_of('credit')}'",
        ("remedies", remedy_of("credit")),
        "its arm is holdout, and it has a credit and 60 withheld",
    ),
    "goodwill that was never given": Harm(
        loyalty.arms,
        f"UPDATE remedies SET arm = 'goodwill' {OF_PAID}",
        ("remedies", PAID),
        "its arm is goodwill, and it has no credit and 0 withheld",
    ),
    "goodwill withheld from who is in no arm": Harm(
        loyalty.arms,
        f"UPDATE remedies SET withheld_minor = 60 {OF_PAID}",
        ("remedies", PAID),
        "its arm is none, and it has no credit and 60 withheld",
        without="remedies.ck_remedies_withheld_from_holdouts",
    ),
    "more than was paid": Harm(
        lines.within_paid,
        "UPDATE order_lines SET owed_minor = 300 WHERE order_line_id = 'paid'",
        ("order_lines", "paid"),
        "its refunds come to 300 of 299 USD minor units paid",
        without="order_lines.ck_order_lines_owed_within_paid",
    ),
    "less set aside than is needed": Harm(
        lines.set_aside,
        "UPDATE order_lines SET owed_minor = 199 WHERE order_line_id = 'paid'",
        ("order_lines", "paid"),
        "owed_minor is 199, and its remedies have 200 set aside",
    ),
    "more set aside than is needed": Harm(
        lines.set_aside,
        "UPDATE order_lines SET owed_minor = 1 WHERE order_line_id = 'called off'",
        ("order_lines", "called off"),
        "owed_minor is 1, and its remedies have 0 set aside",
    ),
    "a refund that is not set aside": Harm(
        lines.reserves,
        f"UPDATE remedies SET refund_reserved = false {OF_PAID}",
        ("remedies", PAID),
        "it is approved, and its refund is not set aside",
    ),
    "a refund set aside for nothing": Harm(
        lines.reserves,
        f"UPDATE remedies SET refund_reserved = true WHERE remedy_id = '{CALLED_OFF}'",
        ("remedies", CALLED_OFF),
        "it is rejected, and its refund is still set aside",
    ),
    "an item that is gone": Harm(
        items.are_there,
        f"DELETE FROM outbox WHERE outbox_id = '{MAIL}'",
        ("remedies", PAID),
        "it is approved, and its mail is not in the outbox",
    ),
    "an item that nobody decided": Harm(
        items.belong,
        f"UPDATE outbox SET kind = 'credit' WHERE outbox_id = '{MAIL}'",
        ("outbox", MAIL),
        "this credit is sent, and its remedy is approved and does not lead to it",
    ),
    "an item of what was called off": Harm(
        items.belong,
        f"UPDATE outbox SET state = 'approved' WHERE outbox_id = '{item_of('called off', 'refund')}'",
        ("outbox", item_of("called off", "refund")),
        "this refund is approved, and its remedy is rejected and does not lead to it",
    ),
    "an item of another amount": Harm(
        items.amounts,
        f"UPDATE outbox SET amount_minor = 201 {OF_REFUND}",
        ("outbox", REFUND),
        "this refund is of 201 USD, and its remedy's of 200 USD",
    ),
    "an item in another currency": Harm(
        items.amounts,
        f"UPDATE outbox SET currency = 'KWD' {OF_REFUND}",
        ("outbox", REFUND),
        "this refund is of 200 KWD, and its remedy's of 200 USD",
    ),
    "a transaction that does not balance": Harm(
        books.balanced,
        f"UPDATE postings SET amount_minor = 201 {OF_DEBT} AND amount_minor > 0",
        ("postings", transaction(PAID, "approved")),
        "its postings sum to 1",
    ),
    "a transaction in another currency": Harm(
        books.balanced,
        f"UPDATE postings SET currency = 'EUR' {OF_DEBT}",
        ("postings", transaction(PAID, "approved")),
        "it is in another currency than its remedy",
    ),
    "a debt for another order line": Harm(
        books.accounts,
        f"UPDATE postings SET account = 'owed\\:held' {OF_DEBT} AND amount_minor < 0",
        ("postings", transaction(PAID, "approved")),
        "it is posted on owed:held, and its remedy is for order line paid",
    ),
    "a refund that was never posted": Harm(
        books.posted,
        f"DELETE FROM postings WHERE transaction_id = '{transaction(PAID, 'sent')}'",
        ("remedies", PAID),
        "its refund of 200 is settled, and the books have 200 as owed and 0 as paid",
    ),
    "a refund of which nothing was ever posted": Harm(
        books.posted,
        f"DELETE FROM postings {OF_PAID}",
        ("remedies", PAID),
        "its refund of 200 is settled, and the books have 0 as owed and 0 as paid",
    ),
    "a refund that failed and is not owed again": Harm(
        books.posted,
        f"DELETE FROM postings WHERE transaction_id = '{transaction(remedy_of('failed'), 'failed')}'",
        ("remedies", remedy_of("failed")),
        "its refund of 200 is failed, and the books have 0 as owed and 200 as paid",
    ),
    "a refund that is owed and not posted": Harm(
        books.posted,
        f"DELETE FROM postings WHERE transaction_id = '{transaction(UNSENT, 'approved')}'",
        ("remedies", UNSENT),
        "its refund of 60 is approved, and the books have 0 as owed and 0 as paid",
    ),
    "a dropped refund that is still owed": Harm(
        books.posted,
        f"DELETE FROM postings WHERE transaction_id = '{transaction(remedy_of('dropped'), 'dropped')}'",
        ("remedies", remedy_of("dropped")),
        "its refund of 200 is cancelled, and the books have 200 as owed and 0 as paid",
    ),
    "a budget that forgot something": Harm(
        books.spent,
        "UPDATE budgets SET spent = 98 WHERE spent = 99",
        ("budgets", "day:2026-11-23:USD"),
        "spent is 98, and 99 was taken from it",
    ),
    "a budget beyond its cap": Harm(
        books.spent,
        "UPDATE budgets SET cap = 98 WHERE spent = 99",
        ("budgets", "day:2026-11-23:USD"),
        "spent is 99, of a cap of 98",
        without="budgets.ck_budgets_spent_within_cap",
    ),
    "a pay-out that no budget counted": Harm(
        books.counted,
        f"DELETE FROM spendings {OF_PAID}",
        ("remedies", PAID),
        "a run approved it by itself, and no budget counted it",
    ),
    "records that vanished": Harm(
        runs.balanced,
        f"""UPDATE runs SET counts = '{{"records"\\: 10, "used"\\: 9}}' WHERE run_id = '{run_of()}'""",
        ("runs", run_of()),
        "10 records came in, and 9 are accounted for",
    ),
    "a run released before its end": Harm(
        runs.balanced,
        f"UPDATE runs SET counts = '{{}}' WHERE run_id = '{run_of()}'",
        ("runs", run_of()),
        "it is released, and has no counts, as if it had never come to its end",
    ),
    "a policy that is not kept": Harm(
        runs.policies_kept,
        f"UPDATE runs SET policy_sha256 = '{OTHER}' WHERE run_id = '{run_of()}'",
        ("runs", run_of()),
        f"its policy {OTHER} is not in the ledger",
    ),
    "a policy that was altered": Harm(
        runs.policies_whole,
        f"UPDATE policies SET policy_sha256 = '{OTHER}'",
        ("policies", OTHER),
        "its figures have another digest",
    ),
    "a remedy under another policy": Harm(
        runs.one_policy,
        f"UPDATE remedies SET policy_sha256 = '{OTHER}' {OF_PAID}",
        ("remedies", PAID),
        f"its policy {OTHER} is not that of its run {run_of()}",
    ),
    "a row of the log that was altered": Harm(
        trail.chain,
        "UPDATE audit SET reason = 'a better one' WHERE number = 5",
        ("audit", "5"),
        "audit row 5 was altered after it was written",
    ),
    "a row of the log that is gone": Harm(
        trail.chain, "DELETE FROM audit WHERE number = 5", ("audit", "5"), "audit row 5 is missing"
    ),
    "an item without a birth": Harm(
        trail.births,
        f"DELETE FROM audit WHERE entity_id = '{REFUND}' AND before IS NULL",
        ("outbox", REFUND),
        "the audit log does not tell how it came into being",
    ),
    "a run that was never judged": Harm(
        trail.births,
        f"DELETE FROM audit WHERE entity_id = '{run_of()}'",
        ("runs", run_of()),
        "the audit log does not tell how it came into being",
    ),
    "a state of which the log does not know": Harm(
        trail.last_words,
        f"UPDATE remedies SET state = 'held' {OF_PAID}",
        ("remedies", PAID),
        "is held, and row {birth} of the audit log left it approved",
    ),
    "a remedy that is gone": Harm(
        trail.last_words,
        f"DELETE FROM remedies {OF_PAID}",
        ("remedies", PAID),
        "is gone, and row {birth} of the audit log left it approved",
    ),
    "a step from somewhere else": Harm(
        trail.steps,
        f"UPDATE audit SET number = 1000, before = 'unknown' WHERE entity_id = '{MAIL}' AND after = 'sent'",
        ("audit", "1000"),
        f"it takes outbox {MAIL} from unknown to sent, and it was sending before",
    ),
    "a step that there is not": Harm(
        trail.steps,
        f"UPDATE audit SET number = 1000, after = 'approved' WHERE entity_id = '{run_of(MORNING + 2 * DAY)}'"
        " AND after = 'withdrawn'",
        ("audit", "1000"),
        f"it takes run {run_of(MORNING + 2 * DAY)} from held to approved, and it was held before",
    ),
    "an item begun before its run was released": Harm(
        order.released_first,
        f"UPDATE audit SET number = -1 WHERE {BEGUN}",
        ("outbox", REFUND),
        f"row -1 of the audit log began to send it, and its run {run_of()} had not been released",
    ),
    "an item begun under the kill switch": Harm(
        order.mode_obeyed,
        f"UPDATE audit SET number = 1000 WHERE {BEGUN}",
        ("outbox", REFUND),
        "row 1000 of the audit log began to send it, and the mode was off",
    ),
    "an item begun on a blocked line": Harm(
        order.blocks_obeyed,
        "DELETE FROM audit WHERE entity = 'block' AND after = 'open';"
        "UPDATE audit SET entity_id = 'paid dispute' WHERE entity = 'block';"
        f"UPDATE audit SET number = -1 WHERE {MAIL_BEGUN}",
        ("outbox", REFUND),
        "row {begun} of the audit log began to send it, and order line paid dispute was blocked",
    ),
    "a mail before its money": Harm(
        order.deeds_before_words,
        f"UPDATE audit SET number = -1 WHERE {MAIL_BEGUN}",
        ("outbox", MAIL),
        "row -1 of the audit log began to send this mail, and the refund of which it tells had not been made",
    ),
    "a survey without its item": Harm(
        loyalty.belong,
        f"DELETE FROM outbox WHERE outbox_id = '{SURVEY}'",
        ("surveys", SURVEY),
        "its item is not in the outbox",
    ),
    "a survey of somebody else": Harm(
        loyalty.belong,
        f"UPDATE surveys SET customer_id = 'C-6' {OF_SURVEY}",
        ("surveys", SURVEY),
        "its remedy is another customer's",
    ),
    "a survey that lost its text": Harm(
        loyalty.written,
        f"DELETE FROM surveys {OF_SURVEY};UPDATE outbox SET state = 'approved' WHERE outbox_id = '{SURVEY}'",
        ("outbox", SURVEY),
        "this survey is approved, and its text is gone",
    ),
    "a customer asked again after fifty days": Harm(
        loyalty.once_a_period,
        f"UPDATE surveys SET customer_id = 'C-8', asked_at = {LATER}, period = {LATER // (90 * DAY)} {OF_SURVEY}",
        ("surveys", SURVEY),
        "it came 50 days after another, and 90 were to pass",
    ),
    "a survey before its apology": Harm(
        loyalty.after_the_apology,
        f"UPDATE audit SET number = -1 WHERE entity_id = '{SURVEY}' AND after = 'sending'",
        ("outbox", SURVEY),
        "row -1 of the audit log began to send this survey, and its apology had not been sent",
    ),
    "an answer of which the log does not tell": Harm(
        loyalty.replied,
        "DELETE FROM audit WHERE entity = 'survey' AND after = 'answered'",
        ("surveys", item_of("asked C-7", "survey")),
        "it is answered, and the audit log does not tell of it",
    ),
    "an unsubscription from what was never sent": Harm(
        loyalty.replied,
        f"DELETE FROM audit WHERE entity_id = '{item_of('asked C-8', 'survey')}' AND after = 'sending'",
        ("surveys", item_of("asked C-8", "survey")),
        "it is unsubscribed, and it was never sent",
    ),
    "a text of another amount": Harm(
        mails.amounts,
        f"UPDATE mails SET text = 'We have refunded $12.00 and 2.001, not 200.' {OF_PAID}",
        ("mails", PAID),
        "its text does not name 200 USD minor units",
    ),
    "a page of another amount": Harm(
        mails.amounts,
        f"UPDATE mails SET html = '<style>p {{width\\: 2.00px}}</style><body><p title=\"2.00\">Sorry</p>' {OF_PAID}",
        ("mails", PAID),
        "its html does not name 200 USD minor units",
    ),
    "a subject of another amount": Harm(
        mails.amounts,
        f"UPDATE mails SET subject = 'Your refund of $1.60' WHERE remedy_id = '{remedy_of('credit')}'",
        ("mails", remedy_of("credit")),
        "its subject does not name 100 USD minor units",
    ),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS.keys())
def test_what_is_broken_is_named(spoilt: Connection, harm: Harm) -> None:
    assert harm.find in {check.find for check in CHECKS}
    assert rows_named(spoilt, harm.find) == []
    numbers = {"birth": number_of(spoilt, PAID, "approved"), "begun": number_of(spoilt, REFUND, "sending")}
    if harm.without:
        loosen(spoilt, harm.without)
    for statement in harm.statement.split(";"):
        spoilt.execute(text(statement))
    table, key = harm.row
    problem = harm.problem.format(**numbers) if "{" in harm.problem else harm.problem
    assert rows_named(spoilt, harm.find) == [(table, key, problem)]


def test_a_run_that_was_never_released_names_all_that_was_begun_of_it(spoilt: Connection) -> None:
    spoilt.execute(text(f"DELETE FROM audit WHERE entity_id = '{run_of()}'"))
    begun = {key for _, key, _ in rows_named(spoilt, order.released_first)}
    assert {REFUND, MAIL, item_of("failed", "refund")} <= begun
    assert item_of("goods", "mail") not in begun


def test_a_run_that_broke_off_may_be_released_by_a_person(spoilt: Connection) -> None:
    spoilt.execute(text(f"UPDATE runs SET counts = '{{}}' WHERE run_id = '{run_of(MORNING + 3 * DAY)}'"))
    assert rows_named(spoilt, runs.balanced) == []


def test_what_a_person_dropped_need_not_be_set_aside(spoilt: Connection) -> None:
    spoilt.execute(text("UPDATE remedies SET refund_reserved = false WHERE order_line_id = 'dropped'"))
    assert rows_named(spoilt, lines.reserves) == []


def test_goods_of_no_amount_are_items_without_one(spoilt: Connection) -> None:
    actions = """[{"kind": "shipping_refund", "amount_minor": 499}, {"kind": "replacement", "amount_minor": 0}]"""
    spoilt.execute(
        text("UPDATE remedies SET actions = :actions WHERE remedy_id = :goods"), {"actions": actions, "goods": GOODS}
    )
    assert rows_named(spoilt, items.amounts) == []


def number_of(connection: Connection, entity_id: str, after: str) -> int:
    row = text("SELECT number FROM audit WHERE entity_id = :entity_id AND after = :after")
    return int(connection.execute(row, {"entity_id": entity_id, "after": after}).scalar_one())


def loosen(connection: Connection, constraint: str) -> None:
    """Takes a constraint away, where that can be done; elsewhere they are not looked at anyhow."""
    table, _, name = constraint.partition(".")
    if STORE == "postgresql":
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
