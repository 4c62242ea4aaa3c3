"""A small night to tell reports of: every builder shows only what its test is about."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from detectors.finding import Fault, Finding, Kind, Scalar, Subject
from detectors.incidents import Affected, Figures
from remediation.durations import DAY_MS
from remediation.guards.figures import Figures as GuardFigures
from remediation.guards.judge import readings
from remediation.ledger.run import RunInput
from remediation.mail import Mail
from remediation.remedy import Action, Declined, Outcome, Remedy, RemedyState
from remediation.report.backdrop import Backdrop, EarlierNight
from remediation.report.night import Counts, Night, RejectRow, RejectScope, RemedyRow
from remediation.tickets import Ticket, TicketState
from tests.remediation.guards.nights import RULES
from tests.remediation.guards.nights import a_night as usual_night

EVENING: Final = 1_795_291_471_000  # 2026-11-21T20:04:31Z
MORNING: Final = 1_795_327_200_000  # 2026-11-22T06:00:00Z
POLICY: Final = "5f" * 32

STALLS: Final[Mapping[str, Scalar]] = {
    "stall_count": 6,
    "stall_ms": 10_900,
    "longest_stall_ms": 2_900,
    "watched_ms": 86_200,
}


SPARKS: Final = Figures(
    units=60,
    failures=50,
    rate=0.833,
    rate_low=0.715,
    rate_high=0.917,
    rest_units=240,
    rest_failures=0,
    baseline=0.0,
    ratio=None,
    ratio_low=52.1,
    ratio_high=None,
    q_value=3.2e-41,
)


def a_finding(  # noqa: PLR0913 - a builder names what a test may care about
    session: str = "session-1",
    kind: Kind = "playback_stalls",
    *,
    evidence: Mapping[str, Scalar] = STALLS,
    severity: float = 0.72,
    fault: Fault = "unknown",
    order_line: str | None = "line-1",
    lasting_ms: int = 81_000,
) -> Finding:
    return Finding(
        kind=kind,
        subject=Subject("session", session),
        severity=severity,
        occurred_from=EVENING,
        occurred_to=EVENING + lasting_ms,
        evidence=evidence,
        fault=fault,
        detector_version="1",
        customer_id="customer-1",
        content_id="film-1",
        order_line_id=order_line,
    )


def a_remedy(  # noqa: PLR0913 - a builder names what a test may care about
    order_line: str = "line-1",
    amount: int = 299,
    currency: str = "USD",
    *,
    customer: str = "customer-1",
    state: RemedyState = "approved",
    number: int = 1,
    findings: tuple[Finding, ...] = (),
    reason: str = "Stalls spoilt the film, so its whole price is given back.",
) -> Remedy:
    return Remedy(
        order_line_id=order_line,
        number=number,
        customer_id=customer,
        finding_ids=tuple(finding.finding_id for finding in findings),
        actions=(Action("refund", amount_minor=amount),),
        amount=amount,
        currency=currency,
        policy_sha256=POLICY,
        reason=reason,
        state=state,
    )


def a_mail(remedy: Remedy, text: str = "We have refunded 2.99 USD.", subject: str = "We are sorry") -> Mail:
    return Mail(remedy.remedy_id, f"remedy.{remedy.remedy_id}", "en", subject, text, f"<p>{text}</p>")


def a_row(
    remedy: Remedy | None = None, *findings: Finding, title: str = "Casablanca", mailed: bool = True
) -> RemedyRow:
    remedy = remedy or a_remedy()
    return RemedyRow(remedy, findings or (a_finding(),), title, a_mail(remedy) if mailed else None)


def a_decline(
    session: str = "session-9",
    outcome: Outcome = "declined",
    code: str = "no_order",
    reason: str = "No order of this customer covers what was watched.",
    order_line: str | None = None,
) -> Declined:
    return Declined((), Subject("session", session), outcome, code, reason, order_line, "customer-9")


def a_reject(  # noqa: PLR0913 - a builder names what a test may care about
    code: str = "not_json",
    *,
    line: int | None = 7,
    scope: RejectScope = "record",
    source: str = "beacons.jsonl",
    count: int = 1,
    reason: str = "The line is not JSON.",
) -> RejectRow:
    field = "bitrate_kbps" if scope == "field" else None
    return RejectRow(source, line, 120, scope, code, field, reason, count)


def a_ticket(  # noqa: PLR0913 - a builder names what a test may care about
    *lines: str,
    claim: str = "Of 60 parcels at depot SPARKS, NV 50 are lost.",
    state: TicketState = TicketState.OPEN,
    cohort: Mapping[str, str] = MappingProxyType({"depot": "SPARKS, NV"}),
    figures: Figures | None = SPARKS,
    action: str = "Call the carrier.",
    ticket: str = "ticket-1",
) -> Ticket:
    named = lines or ("line-1",)
    return Ticket(
        ticket_id=ticket,
        incident_id="incident-1",
        number=1,
        kind="depot",
        cohort=cohort,
        failure_kinds=("lost",),
        claim=claim,
        fault="carrier",
        figures=figures,
        affected_count=len(named),
        confirmed_by_customers=0,
        suggested_action=action,
        state=state,
        opened_at=MORNING,
        as_of=MORNING,
        closed_at=None,
        lines=tuple(Affected(Subject("order_line", line), EVENING) for line in named),
        order_line_ids=named,
        changes=(),
    )


A_NIGHT: Final = Night(
    run_id="run-1",
    as_of=MORNING,
    policy_sha256=POLICY,
    detector_version="1",
    new=True,
    counts=Counts(records=1_200, used=1_190, duplicate=6, rejected=4, late=0),
    sessions=40,
    flagged_sessions=1,
    findings_by_kind={"playback_stalls": 1},
    remedies=(a_row(),),
    declined=(a_decline(),),
    rejects=(a_reject(),),
    inputs=(RunInput("telemetry", "beacons.jsonl", 48_213, "ab" * 32, 1_200),),
    mail_dir="out/mail",
    report_path="out/report.html",
)


def a_night(*rows: RemedyRow) -> Night:
    """The small night, with these remedies instead of its own."""
    return replace(A_NIGHT, remedies=rows)


def a_backdrop(
    tonight: GuardFigures | None = None, earlier: Sequence[GuardFigures] = (), held: Container[int] = ()
) -> Backdrop:
    """A usual night before so many others, of which those that were so many nights ago were held."""
    tonight = tonight or usual_night()
    nights = tuple(
        EarlierNight(ago, ago not in held, figures)
        for figures in sorted(earlier, key=lambda night: night.as_of)
        for ago in [(tonight.as_of - figures.as_of) // DAY_MS]
    )
    released = [night.figures for night in nights if night.released]
    return Backdrop(tonight, readings(tonight, released, RULES, tonight.as_of), nights)
