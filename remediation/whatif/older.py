"""Claims of runs that did not write them down: put together from what the ledger still holds, where it holds it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, select

from detectors.finding import Finding, Provenance
from remediation.ledger.book import SqlBook
from remediation.ledger.sql import chunks
from remediation.ledger.tables import FINDINGS, REMEDY_FINDINGS, RUNS
from remediation.policy.case import evidence_sha256
from remediation.remedy import GOODS, Declined, Remedy
from remediation.report.rows import finding_of
from remediation.whatif.events import PastClaim

_LAST: Final = 10**15
"""A row of the audit log after all others."""

_PLENTY: Final = 10**9


@dataclass(frozen=True, slots=True)
class Undocumented:
    """A remedy of which no claim was written down."""

    run_id: str
    evidence_sha256: str
    remedy: Remedy


def older_claims(  # noqa: PLR0913, PLR0917 - what was decided, and where it stands in the log
    connection: Connection,
    book: SqlBook,
    remedies: Sequence[Undocumented],
    declined: Mapping[tuple[str, str], Declined],
    births: Mapping[str, int],
    judged: Mapping[str, int],
) -> list[tuple[int, str, PastClaim]]:
    """The claims, each with its run and the row of the audit log after which it was decided.

    Their provenance is unknown but for the grant. The findings are there only where
    they are certainly those of then: the digest beside the remedy says so, or no
    later run has brought them up to date.
    """
    of_remedies = _of_remedies(connection, remedies)
    of_declined = _of_declined(connection, declined)
    granted = _granted(book, (*of_remedies.values(), *of_declined.values()))
    first: dict[str, int] = {}
    for each in remedies:
        first[each.run_id] = min(first.get(each.run_id, _LAST), births[each.remedy.remedy_id] - 1)
    claims: list[tuple[int, str, PastClaim]] = []
    placed: set[tuple[str, str]] = set()
    for each in sorted(remedies, key=lambda each: births[each.remedy.remedy_id]):
        remedy, birth = each.remedy, births[each.remedy.remedy_id]
        slot = (each.run_id, remedy.order_line_id)
        # A stream may decide a line twice in one slice: then the second time comes after the first.
        number = birth - 1 if slot in placed else first[each.run_id]
        placed.add(slot)
        findings = _with_grants(of_remedies.get(remedy.remedy_id, ()), granted)
        claims.append((number, each.run_id, _of_remedy(remedy, birth, findings)))
    for (run_id, line_id), refusal in declined.items():
        number = min(first.get(run_id, _LAST), judged.get(run_id, _LAST) - 1)
        findings = _with_grants(of_declined.get(refusal.declined_id, ()), granted)
        claims.append((number, run_id, _bare(line_id, str(refusal.customer_id), findings, refusal)))
    return claims


def _of_remedy(remedy: Remedy, birth: int, findings: tuple[Finding, ...]) -> PastClaim:
    """What was sent was there to be sent; of what was not, nobody knows whether it was."""
    sent = sum(action.kind in GOODS for action in remedy.actions)
    claim = _bare(remedy.order_line_id, remedy.customer_id, findings, remedy)
    return replace(claim, place=birth, available=_PLENTY if sent else None)


def _bare(line_id: str, customer_id: str, findings: tuple[Finding, ...], outcome: Remedy | Declined) -> PastClaim:
    return PastClaim(line_id, customer_id, 0, findings, is_whole=False, available=None, outcome=outcome)


def _of_remedies(connection: Connection, remedies: Iterable[Undocumented]) -> dict[str, tuple[Finding, ...]]:
    digests = {each.remedy.remedy_id: each.evidence_sha256 for each in remedies}
    found: dict[str, list[Finding]] = {}
    query = select(FINDINGS, REMEDY_FINDINGS.c.remedy_id, REMEDY_FINDINGS.c.evidence.label("decided_on"))
    joined = query.join(REMEDY_FINDINGS, REMEDY_FINDINGS.c.finding_id == FINDINGS.c.finding_id)
    for keys in chunks(sorted(digests)):
        for row in connection.execute(joined.where(REMEDY_FINDINGS.c.remedy_id.in_(keys))):
            found.setdefault(row.remedy_id, []).append(finding_of(row, row.decided_on or row.evidence))
    return {key: tuple(each) for key, each in found.items() if evidence_sha256(each) == digests[key]}


def _of_declined(
    connection: Connection, declined: Mapping[tuple[str, str], Declined]
) -> dict[str, tuple[Finding, ...]]:
    moments: dict[str, int] = {}
    for keys in chunks(sorted({run_id for run_id, _ in declined})):
        rows = connection.execute(select(RUNS.c.run_id, RUNS.c.as_of).where(RUNS.c.run_id.in_(keys)))
        moments |= {row.run_id: row.as_of for row in rows}
    known: dict[str, tuple[int, Finding]] = {}
    for keys in chunks(sorted({each for refusal in declined.values() for each in refusal.finding_ids})):
        for row in connection.execute(select(FINDINGS).where(FINDINGS.c.finding_id.in_(keys))):
            known[row.finding_id] = (row.as_of, finding_of(row, row.evidence))
    found: dict[str, tuple[Finding, ...]] = {}
    for (run_id, _), refusal in declined.items():
        of_it = [known[each] for each in refusal.finding_ids if each in known]
        if len(of_it) == len(refusal.finding_ids) and all(as_of == moments[run_id] for as_of, _ in of_it):
            found[refusal.declined_id] = tuple(finding for _, finding in of_it)
    return found


def _granted(book: SqlBook, claims: Iterable[tuple[Finding, ...]]) -> dict[str, int]:
    """When the service allowed each session."""
    sessions = {each.subject.id for findings in claims for each in findings if each.subject.type == "session"}
    found = book.grants(sessions)
    return {session_id: min(grant.granted_at for grant in grants) for session_id, grants in found.items()}


def _with_grants(findings: Iterable[Finding], granted: Mapping[str, int]) -> tuple[Finding, ...]:
    return tuple(
        replace(each, provenance=Provenance(granted_at=granted.get(each.subject.id)))
        if each.subject.type == "session"
        else each
        for each in findings
    )
