"""One mail in a few words: a test names what matters to it, the rest is the Casablanca night."""

from collections.abc import Mapping
from typing import Final

from detectors.finding import Finding, Kind, Scalar, Subject
from remediation.mail import Mail
from remediation.notices import Sender, render
from remediation.orders import OrderLine, Voice
from remediation.remedy import Action, Remedy

NINE_IN_THE_EVENING: Final = 1_795_262_640_000
"""2026-11-21 21:04 in Tokyo, 12:04 in London."""

MINUTE: Final = 60_000

EVIDENCE: Final[Mapping[Kind, Mapping[str, Scalar]]] = {
    "playback_stalls": {"stall_count": 3, "stall_ms": 250_000},
    "slow_start": {"startup_ms": 12_400},
    "playback_failed": {"error_code": "27"},
    "low_quality": {"low_picture_ms": 725_000, "judged_picture_ms": 1_560_000},
    "slow_seeks": {"stall_after_seek_ms": 25_300},
}
"""What each kind of failure that has a template is judged by."""

LASTING_MS: Final[Mapping[Kind, int]] = {"slow_start": 12_400, "playback_failed": 23_000}
"""The others lasted from 21:04 to 21:31."""

SENDER: Final = Sender(
    name="Makegood Films",
    address="notices@makegood.example",
    reply_to="care@makegood.example",
    domain="makegood.example",
)


def a_finding(
    kind: Kind = "playback_stalls",
    *,
    severity: float = 0.8,
    evidence: Mapping[str, Scalar] | None = None,
    session: str = "session-1",
) -> Finding:
    return Finding(
        kind=kind,
        subject=Subject("session", session),
        severity=severity,
        occurred_from=NINE_IN_THE_EVENING,
        occurred_to=NINE_IN_THE_EVENING + LASTING_MS.get(kind, 27 * MINUTE),
        evidence=EVIDENCE[kind] if evidence is None else evidence,
        fault="unknown",
        detector_version="1",
        customer_id="customer-1",
        order_line_id="line-1",
    )


def an_order_line(
    title: str | Mapping[str, str] | None = None, *, order_id: str = "D01-4417205", currency: str = "USD"
) -> OrderLine:
    return OrderLine(
        order_line_id="line-1",
        order_id=order_id,
        customer_id="customer-1",
        kind="rental",
        item_id="casablanca-1942",
        title={"en": "Casablanca", "ja": "カサブランカ"} if title is None else title,
        amount_minor=299,
        currency=currency,
        purchased_at=NINE_IN_THE_EVENING - 60 * MINUTE,
    )


def a_remedy(
    *findings: Finding, actions: tuple[Action, ...] = (Action("refund", 299),), currency: str = "USD"
) -> Remedy:
    return Remedy(
        order_line_id="line-1",
        number=1,
        customer_id="customer-1",
        finding_ids=tuple(finding.finding_id for finding in findings),
        actions=actions,
        amount=sum(action.amount_minor or 0 for action in actions),
        currency=currency,
        policy_sha256="0" * 64,
        reason="stalled badly",
        state="approved",
    )


def a_mail(  # noqa: PLR0913 - a test names one or two of them
    *findings: Finding,
    locale: str = "en-US",
    timezone: str = "Asia/Tokyo",
    title: str | Mapping[str, str] | None = None,
    order_id: str = "D01-4417205",
    actions: tuple[Action, ...] = (Action("refund", 299),),
    currency: str = "USD",
    voice: Voice = "plain",
) -> Mail:
    story = findings or (a_finding(),)
    return render(
        a_remedy(*story, actions=actions, currency=currency),
        story,
        an_order_line(title, order_id=order_id, currency=currency),
        locale,
        timezone,
        voice,
    )
