"""Looking up what else is known of the visits of customers whose findings are to be decided."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from detectors.finding import Finding
from remediation.book import Book, FailedVisit, Seen
from remediation.durations import DAY_MS
from remediation.policy.case import Case
from remediation.policy.conduct import Conduct, seen_at
from remediation.policy.trust import Trust


def observed(of_customers: Sequence[Case], book: Book, rules: Trust, as_of: int) -> tuple[Case, ...]:
    """The same cases with the conduct of their customers.

    At most three questions to the book, however many cases there are, and none
    where there are only deliveries.

    Args:
      of_customers: As `case.cases` gives them.
      book: Fingerprints of earlier sessions, findings of earlier runs, and grants.
      rules: For how long back failed visits count.
      as_of: The moment of the run, in milliseconds since the epoch.
    """
    findings = {case.customer_id: _of_sessions(case) for case in of_customers}
    visitors = [customer_id for customer_id, found in findings.items() if found]
    if not visitors:
        return tuple(of_customers)
    copies = _copies([each for found in findings.values() for each in found], book, as_of)
    earlier = _failed_visits(visitors, book, rules, as_of)
    return tuple(
        replace(case, conduct=Conduct(copies & {each.subject.id for each in found}, earlier.get(case.customer_id, ())))
        if (found := findings[case.customer_id])
        else case
        for case in of_customers
    )


def _of_sessions(case: Case) -> list[Finding]:
    return [finding for _, found in case.lines for finding in found if finding.subject.type == "session"]


def _copies(findings: Sequence[Finding], book: Book, as_of: int) -> frozenset[str]:
    """The sessions with a fingerprint that another one had before, or at the very same moment."""
    seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
    mine = [
        Seen(mark, each.subject.id, seen_at(each, as_of)) for each in findings for mark in each.provenance.fingerprints
    ]
    known = book.seen({each.fingerprint for each in mine}) if mine else {}
    # What the book holds goes before what was found again: a session keeps the moment at which it was seen first.
    for each in (*(each for of_mark in known.values() for each in of_mark), *mine):
        seen[each.fingerprint].setdefault(each.session_id, each.first_seen)
    return frozenset(
        each.session_id
        for each in mine
        if any(
            moment <= seen[each.fingerprint][each.session_id]
            for session_id, moment in seen[each.fingerprint].items()
            if session_id != each.session_id
        )
    )


def _failed_visits(
    customer_ids: Sequence[str], book: Book, rules: Trust, as_of: int
) -> Mapping[str, tuple[FailedVisit, ...]]:
    """The failed visits of earlier runs whose word is good enough: with a grant, where the policy asks for one."""
    found = book.failed_visits(customer_ids, as_of - rules.failed_visits.within_days * DAY_MS, as_of)
    if rules.pays_without_person == "claimed" or not found:
        return found
    granted = book.grants({visit.session_id for visits in found.values() for visit in visits})
    return {
        customer_id: tuple(visit for visit in visits if visit.session_id in granted)
        for customer_id, visits in found.items()
    }
