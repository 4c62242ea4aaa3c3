"""Findings of a few customers become resolutions: decided, and the mail written."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from detectors.finding import Finding
from remediation.book import Book
from remediation.ledger.resolution import Resolution
from remediation.mail import Mail
from remediation.notices import NoticeError, render
from remediation.orders import Customer, OrderLine
from remediation.policy.case import Case, cases, evidence_sha256
from remediation.policy.decide import decide
from remediation.policy.model import Policy
from remediation.policy.quiet_hours import UnknownTimezoneError, next_allowed
from remediation.remedy import Declined, Remedy


def resolve(findings: Iterable[Finding], book: Book, policy: Policy, as_of: int) -> tuple[Resolution, ...]:
    """What follows from bound findings, by customer; nothing for what the ledger has already resolved.

    Args:
      findings: As `binding.bind` gives them; all findings of a customer in one call.
      book: Order lines, customers and earlier remedies.
      policy: What is owed.
      as_of: The moment of the decision, in milliseconds since the epoch.
    """
    return tuple(
        _resolution(case, decision, policy, as_of)
        for case in cases(findings, book)
        for decision in decide(case, policy, as_of)
    )


def declined(findings: Iterable[Finding], refusals: Iterable[Declined]) -> tuple[Resolution, ...]:
    """Findings that were bound to nothing, with the reason why."""
    by_id = {finding.finding_id: finding for finding in findings}
    return tuple(
        Resolution(findings=tuple(by_id[finding_id] for finding_id in refusal.finding_ids), declined=refusal)
        for refusal in refusals
    )


def _resolution(case: Case, decision: Remedy | Declined, policy: Policy, as_of: int) -> Resolution:
    line, findings = next(
        (line, findings) for line, findings in case.lines if line.order_line_id == decision.order_line_id
    )
    if isinstance(decision, Declined):
        return Resolution(findings=findings, declined=decision)
    evidence = evidence_sha256(findings)
    if case.customer is None:
        raise ValueError(f"remedy {decision.remedy_id} has no customer: deciding must have sent it to review")
    try:
        mail = _mail(decision, findings, line, case.customer, policy)
        not_before = next_allowed(as_of, case.customer.timezone, policy.mail.from_hour, policy.mail.until_hour)
    except (NoticeError, UnknownTimezoneError) as error:
        # Money without a word is not what is owed: a person mends what the mail lacks, then releases both.
        held = replace(decision, state="held", reason=f"{decision.reason} No mail could be written: {error}")
        return Resolution(findings, held, evidence)
    return Resolution(findings, decision, evidence, mail, not_before)


def _mail(remedy: Remedy, findings: Sequence[Finding], line: OrderLine, customer: Customer, policy: Policy) -> Mail:
    told = [finding for finding in findings if finding.finding_id in remedy.finding_ids]
    return render(remedy, told, line, customer.locale, customer.timezone, policy.mail.voice_for(customer.voice))
