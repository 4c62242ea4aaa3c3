"""Whose word is enough: what a player reports is a claim, and how far it may move money without a person.

A finding of too little trust, or one that something speaks against, is never
refused: what it owes waits for a person. Where findings whose word is good come to
the same, the others are of no matter.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from detectors.finding import Doubt, Finding, Provenance
from remediation.binding import CLOCK_SLACK_MS
from remediation.book import Entry
from remediation.durations import DAY_MS
from remediation.orders import OrderLine
from remediation.policy.case import Case
from remediation.policy.conduct import Conduct
from remediation.policy.shares import Section
from remediation.remedy import Remedy

Level = Literal["claimed", "granted", "signed", "corroborated"]
"""How far a player's word is backed, the least first.

`claimed`: it names a customer whose order fits. `granted`: the service itself
allowed this customer the playback. `signed`: and who was allowed it signed every
report. `corroborated`: and the CDN's access log bears the failure out.
"""

_LEVELS: Final[tuple[Level, ...]] = get_args(Level)

_LACKS: Final[Mapping[Level, str]] = {
    "granted": "only the player says whose visit this was: our own records hold no permission to play for it",
    "signed": "the player's reports are not signed, which the policy asks for",
    "corroborated": "the CDN's access log does not bear the player out, which the policy asks for",
}
_DOUBTS: Final[Mapping[Doubt, str]] = {
    "beyond_wall_clock": "the parts of the visit that the player reports add up to more time than it took",
    "absurd_figures": "the player reports figures that no player can have",
}
_AGAINST: Final = "the CDN's access log speaks against what the player reports"
_TOO_MUCH: Final = "the player reports more watching than there was time for since the playback was allowed"
_BEFORE_GRANT: Final = "the failure is said to have been over before the playback was allowed"
_BEFORE_ORDER: Final = "the failure is said to have been over before the order was paid"
_FUTURE: Final = "part of the visit is said to have been after this run was made, so that some clock is wrong"
_COPY: Final = "an earlier visit took exactly the same course, so that this one may be a copy of it"


class Frequency(Section):
    """How often is too often: more than these within so many days, and a person decides."""

    within_days: Annotated[int, Field(ge=1, le=366)]
    per_customer: Annotated[int, Field(ge=0)]
    per_order_line: Annotated[int, Field(ge=0)]


class Trust(Section):
    """The section `[trust]` of the policy."""

    pays_without_person: Level
    visits_at_once: Annotated[int, Field(ge=1)]
    failed_visits: Frequency
    payouts: Frequency


def level(provenance: Provenance) -> Level:
    """How far the word of a session is backed."""
    if provenance.granted_at is None:
        return "claimed"
    if provenance.corroborated:
        return "corroborated"
    return "signed" if provenance.signed else "granted"


def is_enough(finding: Finding, rules: Trust) -> bool:
    """Whether the policy takes the finding's word without a person."""
    return _LEVELS.index(level(finding.provenance)) >= _LEVELS.index(rules.pays_without_person)


def doubts(finding: Finding, line: OrderLine, conduct: Conduct, rules: Trust, as_of: int) -> tuple[str, ...]:
    """Why a person must look before money rests on this finding, in words; empty where nobody must.

    Args:
      finding: A failure of playback that is bound to `line`.
      line: What was paid for.
      conduct: What else is known of the customer's visits.
      rules: Whose word is enough.
      as_of: The moment of the run, in milliseconds since the epoch.
    """
    told = finding.provenance
    wanted = rules.pays_without_person
    missing: Level = "granted" if told.granted_at is None else wanted
    lacks = () if is_enough(finding, rules) else (_LACKS[missing],)
    against = (_AGAINST,) if told.corroborated is False else ()
    copied = (_COPY,) if finding.subject.id in conduct.copies else ()
    return (*lacks, *against, *(_DOUBTS[doubt] for doubt in told.doubts), *_times(finding, line, as_of), *copied)


def _times(finding: Finding, line: OrderLine, as_of: int) -> Iterator[str]:
    """What cannot have been at that time, by the service's own clock."""
    told = finding.provenance
    allowed_at = max(line.purchased_at, told.granted_at or 0)
    if told.received_at is not None and told.attested_ms is not None:
        passed = told.received_at - allowed_at
        if told.attested_ms > max(passed, 0) + CLOCK_SLACK_MS:
            yield _TOO_MUCH
    if told.granted_at is not None and finding.occurred_to < told.granted_at - CLOCK_SLACK_MS:
        yield _BEFORE_GRANT
    elif finding.occurred_to < line.purchased_at - CLOCK_SLACK_MS:
        yield _BEFORE_ORDER
    latest = max(finding.occurred_to, told.ended_at or 0, told.received_at or 0)
    if latest > as_of + CLOCK_SLACK_MS:
        yield _FUTURE


def visit_reasons(case: Case, order_line_id: str, rules: Trust, as_of: int) -> tuple[str, ...]:
    """Why a person must look at whatever this order line is owed for its visits, in words; empty where nobody must.

    Visits whose word is not good enough do not count: else a stranger could keep a
    customer waiting.
    """
    believed = [
        (line.order_line_id, finding)
        for line, findings in case.lines
        for finding in findings
        if finding.subject.type == "session" and is_enough(finding, rules)
    ]
    here = [finding for line_id, finding in believed if line_id == order_line_id]
    if not here:
        return ()
    often = rules.failed_visits
    since = as_of - often.within_days * DAY_MS
    earlier = [each for each in case.conduct.failed_visits if each.occurred_at > since]
    visits = {
        *((line_id, each.subject.id) for line_id, each in believed if each.occurred_from > since),
        *((each.order_line_id, each.session_id) for each in earlier),
    }
    on_line = sum(line_id == order_line_id for line_id, _ in visits)
    days = f"in {often.within_days} days"
    return (
        *_above(_at_once(here), rules.visits_at_once, "visits on this order line ran at the same time"),
        *_above(len(visits), often.per_customer, f"visits of this customer failed {days}"),
        *_above(on_line, often.per_order_line, f"visits on this order line failed {days}"),
    )


def payout_reasons(
    order_line_id: str, history: Iterable[Entry], decided: Iterable[Remedy], rules: Trust, as_of: int
) -> tuple[str, ...]:
    """Why one more pay-out is too many within the policy's days, in words; empty where it is not.

    The limits of a calendar month alone would let twice as many out where two of
    them meet. As there, what waits for a person does not count.

    Args:
      order_line_id: The line that is decided.
      history: Every remedy of the customer that the ledger holds.
      decided: What this run has decided on the customer's other lines.
      rules: How often is too often.
      as_of: The moment of the run, in milliseconds since the epoch.
    """
    often = rules.payouts
    since = as_of - often.within_days * DAY_MS
    remedies = [*(entry.remedy for entry in history if entry.as_of > since), *decided]
    paid = [remedy for remedy in remedies if remedy.state != "held"]
    on_line = sum(remedy.order_line_id == order_line_id for remedy in paid)
    days = f"in {often.within_days} days"
    return (
        *_above(len(paid) + 1, often.per_customer, f"pay-outs would go to this customer {days}"),
        *_above(on_line + 1, often.per_order_line, f"pay-outs would go to this order line {days}"),
    )


def _above(count: int, most: int, what: str) -> tuple[str, ...]:
    return (f"{count:,} {what}, more than {most:,}",) if count > most else ()


def _at_once(findings: Iterable[Finding]) -> int:
    """The most visits that ran at the same time."""
    visits = {each.subject.id: each.provenance for each in findings}
    begun = ((visit.started_at, 1) for visit in visits.values() if visit.started_at is not None)
    over = ((visit.ended_at, -1) for visit in visits.values() if visit.ended_at is not None)
    # Who ends as another begins makes room: minus one sorts first.
    return max(accumulate(step for _, step in sorted([*begun, *over])), default=0)
