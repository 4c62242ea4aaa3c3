"""Bugs that a good engineer could make in the money code, each one wrong line, and the tests that must find them."""

from dataclasses import dataclass
from typing import Final

WORKER: Final = "remediation/outbox/worker.py"
CLAIMS: Final = "remediation/outbox/claims.py"
STRIPE: Final = "remediation/gateways/stripe_refunds.py"
BUDGETS: Final = "remediation/ledger/budgets.py"
OWED: Final = "remediation/ledger/owed.py"
JOURNAL: Final = "remediation/ledger/journal.py"
VERDICTS: Final = "remediation/reviewing/verdicts.py"
MAILER: Final = "remediation/mailer.py"

CRASHES: Final = "tests/prove/test_crashes.py"
FAULTS: Final = "tests/prove/test_provider_faults.py"
MODEL: Final = "tests/prove/test_money_model.py"
PAYER_TESTS: Final = "tests/remediation/test_payer.py"
MAILER_TESTS: Final = "tests/remediation/test_mailer.py"
CLAIMS_TESTS: Final = "tests/remediation/outbox/test_claims.py"
DISPATCH_TESTS: Final = "tests/remediation/outbox/test_dispatch.py"
BUDGETS_TESTS: Final = "tests/remediation/ledger/test_budgets.py"
CONTROL_TESTS: Final = "tests/remediation/ledger/test_control.py"
JOURNAL_TESTS: Final = "tests/remediation/ledger/test_journal.py"

SUITE: Final = (
    "tests/remediation/ledger",
    "tests/remediation/outbox",
    "tests/remediation/reviewing",
    "tests/remediation/reconciling",
    "tests/remediation/webhooks",
    "tests/remediation/gateways",
    "tests/remediation/test_hearing.py",
    "tests/remediation/test_money.py",
    MAILER_TESTS,
    PAYER_TESTS,
    CRASHES,
    FAULTS,
    MODEL,
)
"""What a bug that its own tests miss has to get past."""


@dataclass(frozen=True)
class SeededBug:
    """`right` stands once in the file, and becomes `wrong`."""

    name: str
    file: str
    right: str
    wrong: str
    caught_by: str

    def seeded(self, source: str) -> str:
        """The source with the bug in it."""
        assert source.count(self.right) == 1, f"{self.file} has changed: write the bug '{self.name}' anew"
        return source.replace(self.right, self.wrong)


EVERY_CHANGE: Final = (
    SeededBug(
        "the key changes with every attempt",
        STRIPE,
        "key=payout.remedy_id,",
        'key=__import__("uuid").uuid4().hex,',
        FAULTS,
    ),
    SeededBug(
        "the mail goes before the money",
        CLAIMS,
        "return and_(_is_open(), _deeds_are_done())",
        "return _is_open()",
        MAILER_TESTS,
    ),
    SeededBug(
        "what broke off is sent again without asking",
        CLAIMS,
        "advance(connection, item, State.UNKNOWN, author, reason, retry_at=author.at)",
        "put_off(connection, item, author.at, reason)",
        CRASHES,
    ),
    SeededBug(
        "the money is posted before it is known to be sent",
        WORKER,
        "        with writing(self._engine) as connection:\n            if done.state is State.FAILED:",
        "        with writing(self._engine) as connection:\n"
        "            self._errand.done(connection, item, author.at)\n"
        "        with writing(self._engine) as connection:\n            if done.state is State.FAILED:",
        CRASHES,
    ),
    SeededBug(
        "a key of any age is used again",
        WORKER,
        "if lifetime is None:",
        "if lifetime is None or item:",
        FAULTS,
    ),
    SeededBug(
        "the ceiling of an order line forgets what was promised before",
        OWED,
        "line.owed_minor + entry.refund.minor <= line.amount_minor + line.shipping_minor,",
        "entry.refund.minor <= line.amount_minor + line.shipping_minor,",
        JOURNAL_TESTS,
    ),
    SeededBug(
        "a run is sent although the guards hold it",
        CLAIMS,
        'RUNS.c.state == "released"',
        'RUNS.c.state.in_(("released", "held"))',
        "tests/remediation/ledger/test_run.py",
    ),
    SeededBug(
        "a refund that failed after all stays paid in the books",
        "remediation/settling.py",
        "post(connection, [return_of(payout_of(connection, item.outbox_id), gateway, author.at)])",
        "pass",
        FAULTS,
    ),
    SeededBug(
        "a change of state is not logged",
        CLAIMS,
        'note(connection, author, [Change("outbox", item.outbox_id, str(item.state), str(state), reason)])',
        "pass",
        CRASHES,
    ),
    SeededBug(
        "the same night takes its budgets twice",
        JOURNAL,
        "asked = [entry for entry in entries if entry.remedy.remedy_id in new]",
        "asked = entries",
        JOURNAL_TESTS,
    ),
)

RELEASE: Final = (
    SeededBug(
        "a state is left whatever it is by now",
        CLAIMS,
        ".where(OUTBOX.c.outbox_id == item.outbox_id, OUTBOX.c.state == item.state)",
        ".where(OUTBOX.c.outbox_id == item.outbox_id)",
        CLAIMS_TESTS,
    ),
    SeededBug(
        "the unknown is done again instead of asked for",
        WORKER,
        "if item.state is State.UNKNOWN or not self._key_is_alive(item):",
        "if not self._key_is_alive(item):",
        MAILER_TESTS,
    ),
    SeededBug(
        "what broke off is never taken up again",
        CLAIMS,
        "items = [item_of(row) for row in connection.execute(broken_off)]",
        "items: list[Item] = []",
        CRASHES,
    ),
    SeededBug(
        "the ladder has no end",
        WORKER,
        "if item.attempts < MAX_ATTEMPTS:",
        "if item.attempts > 0:",
        PAYER_TESTS,
    ),
    SeededBug(
        "each attempt makes the key young again",
        CLAIMS,
        ".values(attempts=OUTBOX.c.attempts + 1, retry_at=None)",
        ".values(attempts=OUTBOX.c.attempts + 1, retry_at=None, claimed_at=_NOW)",
        FAULTS,
    ),
    SeededBug(
        "a key from the future is young",
        WORKER,
        "-HOUR_MS < self._clock() - item.claimed_at < lifetime",
        "self._clock() - item.claimed_at < lifetime",
        PAYER_TESTS,
    ),
    SeededBug(
        "put off counts as done",
        WORKER,
        "self._put_off(item, now + wait_ms, words(error))",
        "self._move(item, State.SENT, words(error))",
        FAULTS,
    ),
    SeededBug(
        "put off counts as refused",
        WORKER,
        "self._put_off(item, now + wait_ms, words(error))",
        "self._move(item, State.FAILED, words(error))",
        PAYER_TESTS,
    ),
    SeededBug(
        "the provider's own wish for patience is passed over",
        WORKER,
        "wait_ms = max(rest_ms(item.attempts), error.retry_after_ms or 0)",
        "wait_ms = rest_ms(item.attempts)",
        MAILER_TESTS,
    ),
    SeededBug(
        "a silent gateway is asked for ever",
        "remediation/outbox/breaker.py",
        "TRIPS_AFTER: Final = 3",
        "TRIPS_AFTER: Final = 1_000",
        PAYER_TESTS,
    ),
    SeededBug(
        "the debt is never paid in the books",
        WORKER,
        "self._errand.done(connection, sent, author.at)",
        "pass",
        CRASHES,
    ),
    SeededBug(
        "a refund that was given up counts as sent",
        WORKER,
        "            if done.state is State.FAILED:\n                advance(",
        "            if done.state is State.CANCELLED:\n                advance(",
        PAYER_TESTS,
    ),
    SeededBug(
        "a second attempt asks neither switch nor block",
        CLAIMS,
        "allowed = or_(OUTBOX.c.state == State.UNKNOWN, _may_leave(kind))",
        "allowed = OUTBOX.c.kind == kind",
        MAILER_TESTS,
    ),
    SeededBug(
        "what was not done after all is sent whatever the switch says",
        WORKER,
        "elif may_be_sent(self._engine, item):",
        "elif item:",
        CONTROL_TESTS,
    ),
    SeededBug(
        "blocks stop nothing",
        CLAIMS,
        "not_(blocked.exists()))",
        "or_(blocked.exists(), not_(blocked.exists())))",
        CONTROL_TESTS,
    ),
    SeededBug(
        "the canary's share is one too large",
        CLAIMS,
        "OUTBOX.c.canary_percentile < CONTROL.c.canary_percent",
        "OUTBOX.c.canary_percentile <= CONTROL.c.canary_percent",
        CONTROL_TESTS,
    ),
    SeededBug(
        "everybody can work out whom the canary serves",
        "remediation/ledger/control.py",
        "hmac.new(salt.encode(), customer_id.encode(), hashlib.sha256)",
        'hmac.new(b"salt", customer_id.encode(), hashlib.sha256)',
        CONTROL_TESTS,
    ),
    SeededBug(
        "mails go out at night",
        MAILER,
        "if wait_ms > 0:",
        "if wait_ms > 86_400_000:",
        MAILER_TESTS,
    ),
    SeededBug(
        "who wants no mail gets one",
        MAILER,
        "if reason := suppression(connection, row.email):",
        'if reason := "":',
        MAILER_TESTS,
    ),
    SeededBug(
        "a budget is never used up",
        BUDGETS,
        ".where(row.budget_id == budget.budget_id, row.spent + budget.amount <= row.cap)",
        ".where(row.budget_id == budget.budget_id)",
        BUDGETS_TESTS,
    ),
    SeededBug(
        "a budget is used up one too early",
        BUDGETS,
        "row.spent + budget.amount <= row.cap",
        "row.spent + budget.amount < row.cap",
        BUDGETS_TESTS,
    ),
    SeededBug(
        "what does not fit one budget stays taken from the others",
        BUDGETS,
        "                _give_back(connection, each)",
        "                pass",
        BUDGETS_TESTS,
    ),
    SeededBug(
        "budgets of all currencies are one",
        BUDGETS,
        'f"day:{day}:{currency}"',
        'f"day:{day}"',
        BUDGETS_TESTS,
    ),
    SeededBug(
        "a refund in another currency than was paid",
        OWED,
        "            line.currency == remedy.currency,\n",
        "",
        JOURNAL_TESTS,
    ),
    SeededBug(
        "the ceiling of an order line is one too high",
        OWED,
        "line.owed_minor + entry.refund.minor <= line.amount_minor + line.shipping_minor,",
        "line.owed_minor + entry.refund.minor <= line.amount_minor + line.shipping_minor + 1,",
        JOURNAL_TESTS,
    ),
    SeededBug(
        "stock is promised to everybody",
        OWED,
        "update(STOCK).where(of_item, promised <= STOCK.c.available)",
        "update(STOCK).where(of_item)",
        "tests/remediation/outbox/test_goods.py",
    ),
    SeededBug(
        "what is held is sent",
        "remediation/outbox/items.py",
        'if entry.remedy.state != "approved":',
        'if entry.remedy.state == "rejected":',
        DISPATCH_TESTS,
    ),
    SeededBug(
        "what is rejected keeps its part of the price",
        VERDICTS,
        "    give_back(connection, remedy, _refund(remedy))\n",
        "",
        "tests/remediation/reviewing/test_verdicts.py",
    ),
    SeededBug(
        "what has begun to be sent can still be rejected",
        VERDICTS,
        "UNSENT: Final = frozenset({State.APPROVED, State.MANUAL, State.HELD})",
        "UNSENT: Final = frozenset(State)",
        "tests/remediation/reviewing/test_verdicts.py",
    ),
    SeededBug(
        "one person is enough for any sum",
        VERDICTS,
        "if endorsed_by <= {author.actor}:",
        "if not endorsed_by:",
        "tests/remediation/reviewing/test_verdicts.py",
    ),
    SeededBug(
        "an answer about another amount is believed",
        STRIPE,
        '("amount", money.minor == payout.amount_minor),',
        '("amount", money.minor > 0),',
        FAULTS,
    ),
    SeededBug(
        "a failed refund hides the one that was made after it",
        STRIPE,
        "min(reversed(ours), key=lambda refund: refund.standing is RefundStatus.FAILED)",
        "ours[-1]",
        "tests/remediation/gateways/test_stripe_refunds.py",
    ),
    SeededBug(
        "webhooks of anybody are believed",
        "remediation/gateways/stripe_events.py",
        "if not any(hmac.compare_digest(one, claimed) for one in expected for claimed in signatures):",
        "if not expected or not signatures:",
        "tests/remediation/gateways/test_stripe_events.py",
    ),
    SeededBug(
        "whoever reconciles completes what a sender is working on",
        "remediation/hearing.py",
        "if now.retry_at is None or now.retry_at != before.retry_at:",
        "if now.retry_at is None and before.retry_at is None:",
        "tests/remediation/test_hearing.py",
    ),
    SeededBug(
        "two senders work at once",
        "remediation/locks.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB",
        "fcntl.LOCK_SH | fcntl.LOCK_NB",
        DISPATCH_TESTS,
    ),
    SeededBug(
        "fractions are always rounded up",
        "remediation/money.py",
        "(2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)",
        "-(-abs(exact.numerator) // exact.denominator)",
        "tests/remediation/test_money.py",
    ),
    SeededBug(
        "what a person has paid is not in the books",
        "remediation/reviewing/by_hand.py",
        'post(connection, [payment(payout_of(connection, outbox_id), BY_HAND, author.at, "done by hand")])',
        "pass",
        "tests/remediation/reviewing/test_by_hand.py",
    ),
)
