"""Why one customer was paid, or was not: evidence, rule, amounts, mail and where the money stands, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, get_args

from sqlalchemy import Engine

from detectors.finding import Finding
from remediation.money import Money
from remediation.remedy import RemedyState
from remediation.report import words
from remediation.report.fact import Fact
from remediation.report.formats import amount, amounts, block, counted, day, listed, moment, one_line, sums
from remediation.report.lookup import look_up
from remediation.report.parcel import parcel_facts, promise
from remediation.report.story import Payout, Posting, Sending, Story

_LABEL_WIDTH: Final = 11

_SENDING: Final = {
    "proposed": "proposed",
    "held": "held until a person releases it",
    "approved": "approved, not sent yet",
    "sending": "being sent",
    "sent": "sent",
    "settled": "sent and settled",
    "unknown": "unknown: the other side has to be asked whether it arrived",
    "failed": "failed",
    "manual": "left to a person",
    "rejected": "rejected by a person",
    "cancelled": "cancelled",
}


@dataclass(frozen=True, slots=True)
class Section:
    """Facts that belong together."""

    heading: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the ledger says about an id. It holds no name, no address and nothing that steers a terminal."""

    heading: str
    sections: tuple[Section, ...]

    def as_text(self) -> str:
        """The explanation as plain text, ending in a line feed."""
        parts = [self.heading, *(_section_text(section) for section in self.sections)]
        return "\n\n".join(parts) + "\n"


def explain(engine: Engine, known_id: str) -> Explanation:
    """Explains a remedy, finding, order line, order or session by its id; only reads.

    Raises:
      UnknownIdError: The ledger has nothing under this id.
    """
    with engine.connect() as connection:
        found = look_up(connection, known_id)
    sections = tuple(section for story in found.stories for section in _sections(story))
    return Explanation(f"Asked about {listed(found.kinds)} {one_line(known_id)}", sections)


def _sections(story: Story) -> Iterator[Section]:
    yield Section(_headed(words.subject(story.subject)), tuple(_bought(story)))
    if story.scans or story.contacts:
        yield Section("On its way", tuple(parcel_facts(story)))
    for payout in story.payouts:
        heading = f"Pay-out {payout.remedy.number}: {words.worth(payout.remedy)}"
        yield Section(heading, tuple(_payout(payout)))
    if story.findings or story.declined:
        yield Section("Without a pay-out", tuple(_unpaid(story)))


def _bought(story: Story) -> Iterator[Fact]:
    line = story.line
    if line is not None:
        yield Fact("order", f"{one_line(line.order_id)}, {line.kind}, bought {moment(line.purchased_at)}")
        yield Fact("title", one_line(line.title) or "none")
        shipping = f" and {amount(line.shipping)} shipping" if line.shipping.minor else ""
        yield Fact("paid", f"{amount(line.paid)}{shipping}")
        if line.kind == "goods":
            yield Fact("promised", promise(line))
    elif story.subject.type == "order_line":
        yield Fact("order", "this order line is not among the orders that were read")
    else:
        yield Fact("order", "bound to no order line")
    yield from _totals(story)
    for cause in story.causes:
        yield Fact("cause", f"{one_line(cause.claim, limit=1_000)}\n{cause.state}, ticket {one_line(cause.ticket_id)}")


def _totals(story: Story) -> Iterator[Fact]:
    for state in get_args(RemedyState):
        remedies = [payout.remedy for payout in story.payouts if payout.remedy.state == state]
        if remedies:
            total = amounts(sums(Money(remedy.amount, remedy.currency) for remedy in remedies))
            yield Fact(state, f"{total} in {counted(len(remedies), 'pay-out')}")
    if not story.payouts and not story.findings and not story.declined:
        yield Fact("found", "no finding is recorded")


def _payout(payout: Payout) -> Iterator[Fact]:
    remedy = payout.remedy
    for finding in payout.findings:
        yield from _evidence(finding)
    versions = tuple(sorted({one_line(finding.detector_version) for finding in payout.findings}))
    yield Fact(
        "judged by", f"policy {one_line(remedy.policy_sha256)}, detector version {listed(versions) or 'unknown'}"
    )
    yield Fact("amount", f"{words.actions(remedy)}\n{one_line(remedy.reason, limit=1_000)}")
    yield Fact("decided", f"{remedy.state} in the night up to {day(payout.as_of)}, run {one_line(payout.run_id)}")
    yield Fact("mail", _mail(payout))
    for sending in payout.sendings:
        yield Fact("outbox", f"{one_line(sending.kind)}: {_sending(sending)}")
    if not payout.sendings:
        yield Fact("outbox", "nothing is to be sent")
    for _, postings in groupby(payout.postings, key=lambda posting: posting.transaction_id):
        yield Fact("booked", _booking(tuple(postings)))


def _unpaid(story: Story) -> Iterator[Fact]:
    for finding in story.findings:
        yield from _evidence(finding)
    for item in story.declined:
        text = f"{one_line(item.reason, limit=1_000)} ({one_line(item.code)}, {words.subject(item.subject)})"
        yield Fact("to review" if item.outcome == "review" else "declined", text)


def _evidence(finding: Finding) -> Iterator[Fact]:
    where = f"{words.subject(finding.subject)}, {words.when(finding)}"
    judged = f"severity {finding.severity:.2f} of 1, fault {words.fault_words(finding.fault)}"
    yield Fact("evidence", f"{words.kind_name(finding.kind)}: {words.evidence(finding)}\n{where}\n{judged}")
    yield Fact("rule", words.rule(finding.kind))


def _mail(payout: Payout) -> str:
    mail = payout.mail
    if mail is None:
        return "none is written"
    subject = " ".join(block(mail.subject).split())
    quoted = "\n".join(f"| {line}".rstrip() for line in block(mail.text).strip().split("\n"))
    return f"{subject} ({one_line(mail.language)})\n{quoted}"


def _sending(sending: Sending) -> str:
    parts = [_SENDING.get(sending.state, one_line(sending.state))]
    if sending.not_before and sending.state in {"proposed", "held", "approved"}:
        parts.append(f"not before {moment(sending.not_before)}")
    if sending.attempts:
        parts.append(counted(sending.attempts, "attempt"))
    if sending.provider_reference is not None:
        parts.append(f"reference {one_line(sending.provider_reference)}")
    if sending.settled_at is not None:
        parts.append(f"settled {moment(sending.settled_at)}")
    return ", ".join(parts)


def _booking(postings: tuple[Posting, ...]) -> str:
    sides = (
        f"{'debit' if posting.amount.minor > 0 else 'credit'} {one_line(posting.account)}"
        f" {amount(Money(abs(posting.amount.minor), posting.amount.currency))}"
        for posting in postings
    )
    return "\n".join((moment(postings[0].posted_at), *sides))


def _headed(text: str) -> str:
    """The text with a capital at its start alone: an id keeps its own case."""
    return text[:1].upper() + text[1:]


def _section_text(section: Section) -> str:
    facts = (f"  {fact.label:<{_LABEL_WIDTH}} {_hanging(fact.text)}" for fact in section.facts)
    return "\n".join((section.heading, *facts))


def _hanging(text: str) -> str:
    return text.replace("\n", "\n" + " " * (_LABEL_WIDTH + 3))
