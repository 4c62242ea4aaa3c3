"""Findings of a few customers become resolutions: decided, and the mail written."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from detectors.finding import Finding
from remediation.book import Book
from remediation.ledger.resolution import Basis, Resolution
from remediation.loyalty.holdout import Holdout
from remediation.notices.catalogues import languages
from remediation.notices.errors import NoticeError
from remediation.notices.locales import language_of, subtags
from remediation.notices.rendering import render
from remediation.observing import observed
from remediation.orders import Customer, OrderLine, Voice
from remediation.policy.case import Case, cases, evidence_sha256, standing
from remediation.policy.claim import Claim, claims
from remediation.policy.decide import Decision, decide
from remediation.policy.delivery import PAYABLE
from remediation.policy.model import Policy
from remediation.policy.quiet_hours import UnknownTimezoneError, next_allowed
from remediation.remedy import Declined, Remedy

NO_MAIL: Final = "No mail could be written"
"""How the reason goes on where a remedy is held for its mail alone."""

_VOICES: Final[dict[str, Voice]] = {voice: voice for voice in get_args(Voice)}


def resolve(
    findings: Iterable[Finding], book: Book, policy: Policy, as_of: int, holdout: Holdout | None = None
) -> tuple[Resolution, ...]:
    """What follows from bound findings, by customer; nothing for what the ledger has already resolved.

    Where the findings of an order line say more than before, and nothing follows from
    that, the resolution says so: under another policy something might.

    Args:
      findings: As `binding.bind` gives them; all findings of a customer in one call.
      book: Order lines, customers, earlier remedies and what else is known of their visits.
      policy: What is owed.
      as_of: The moment of the decision, in milliseconds since the epoch.
      holdout: Who gets no goodwill, for comparison; null where everybody gets it who has earned it.
    """
    of_customers = decided(findings, book, policy, as_of, holdout)
    corrected = _corrected((case for case, _ in of_customers), book)
    return tuple(
        resolution
        for case, decisions in of_customers
        for resolution in _resolutions(case, decisions, policy, as_of, corrected)
    )


def decided(
    findings: Iterable[Finding], book: Book, policy: Policy, as_of: int, holdout: Holdout | None = None
) -> tuple[tuple[Case, tuple[Decision, ...]], ...]:
    """As `resolve`, but without a mail: each customer's case, and what is decided on it."""
    of_customers = observed(cases(findings, book), book, policy.trust, as_of)
    if holdout:
        of_customers = tuple(replace(case, arm=holdout.arm_of(case.customer_id)) for case in of_customers)
    return tuple((case, decide(case, policy, as_of)) for case in of_customers)


def declined(findings: Iterable[Finding], refusals: Iterable[Declined]) -> tuple[Resolution, ...]:
    """Findings that were bound to nothing, with the reason why."""
    by_id = {finding.finding_id: finding for finding in findings}
    return tuple(
        Resolution(findings=tuple(by_id[finding_id] for finding_id in refusal.finding_ids), declined=refusal)
        for refusal in refusals
    )


def _corrected(of_customers: Iterable[Case], book: Book) -> frozenset[str]:
    """The items whose listing has been corrected, of those that somebody got another item for."""
    found = [pair for case in of_customers for pair in case.lines]
    items = {line.item_id for line, findings in found if any(each.kind == "wrong_item" for each in findings)}
    return book.corrected(items) if items else frozenset()


def _resolutions(
    case: Case, decisions: Sequence[Decision], policy: Policy, as_of: int, corrected: frozenset[str]
) -> Iterator[Resolution]:
    by_line = {decision.order_line_id: decision for decision in decisions}
    for claim in claims(case):
        decision = by_line.get(claim.line.order_line_id)
        if decision is None and claim.is_known:
            continue
        available = case.stock.get(claim.line.item_id)
        basis = Basis(claim.line.order_line_id, case.customer_id, evidence_sha256(claim.findings), available)
        if isinstance(decision, Remedy):
            yield replace(_carried_out(case, claim, decision, policy, as_of, corrected), basis=basis)
        else:
            yield Resolution(claim.findings, declined=decision, basis=basis)


def _carried_out(  # noqa: PLR0913, PLR0917 - whose, what, and how and when it is told
    case: Case, claim: Claim, decision: Remedy, policy: Policy, as_of: int, corrected: frozenset[str]
) -> Resolution:
    """The remedy with its mail, where one is written."""
    line, findings = claim.line, claim.findings
    evidence = evidence_sha256(findings)
    if case.customer is None:
        raise ValueError(f"remedy {decision.remedy_id} has no customer: deciding must have sent it to review")
    if any(action.kind == "letter" for action in decision.actions) or _is_the_same_delay(decision, findings, case):
        return Resolution(findings, decision, evidence)
    told = _told(decision, findings, line)
    tone = _tone(told, case.customer, policy)
    try:
        mail = render(
            decision,
            told,
            line,
            tone.locale,
            case.customer.timezone,
            tone.voice,
            corrected=line.item_id in corrected,
        )
        not_before = next_allowed(as_of, case.customer.timezone, policy.mail.from_hour, policy.mail.until_hour)
    except (NoticeError, UnknownTimezoneError) as error:
        # Money without a word is not what is owed: a person mends what the mail lacks, then releases both.
        held = replace(decision, state="held", reason=f"{decision.reason} {NO_MAIL}: {error}")
        return Resolution(findings, held, evidence)
    return Resolution(findings, decision, evidence, mail, not_before)


def _is_the_same_delay(remedy: Remedy, findings: Sequence[Finding], case: Case) -> bool:
    """Whether the customer has been written to about this, and only more days have passed.

    One incident has one mail: the money for a longer delay follows without another
    apology, since repeated ones do worse than silence (Uber, 1.5 million riders).
    """
    kinds = {finding.kind for finding in findings if finding.finding_id in remedy.finding_ids}
    told = {
        finding_id
        for entry in standing(case.history)
        if entry.remedy.order_line_id == remedy.order_line_id
        for finding_id in entry.remedy.finding_ids
    }
    return kinds == {"late"} and told.issuperset(remedy.finding_ids)


def _told(remedy: Remedy, findings: Sequence[Finding], line: OrderLine) -> list[Finding]:
    """What the mail may speak of: a parcel that came late and was refused is paid for the delay alone."""
    named = [finding for finding in findings if finding.finding_id in remedy.finding_ids]
    return [finding for finding in named if finding.fault in PAYABLE] if line.kind == "goods" else named


@dataclass(frozen=True, slots=True)
class _Tone:
    """How a mail speaks."""

    locale: str
    voice: Voice


def _tone(findings: Sequence[Finding], customer: Customer, policy: Policy) -> _Tone:
    """As the customer last wrote to us, where that is known; else as the customer's record says."""
    locale, voice = customer.locale, customer.voice
    for finding in sorted(findings, key=lambda each: (each.occurred_to, each.finding_id)):
        wrote = str(finding.evidence.get("language") or "")
        # A language without a catalogue would end in English, which may suit the customer less than their record.
        if language_of(wrote, languages(), default=""):
            locale = customer.locale if subtags(wrote)[-1] == subtags(customer.locale)[-1] else wrote
        voice = _VOICES.get(str(finding.evidence.get("voice")), voice)
    return _Tone(locale, policy.mail.voice_for(voice))
