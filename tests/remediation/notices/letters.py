"""One mail in a few words: a test names what matters to it, the rest is the Casablanca night."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from detectors.finding import Finding, Kind, Scalar, Subject
from remediation.mail import Mail
from remediation.notices.envelope import Sender
from remediation.notices.rendering import render
from remediation.orders import OrderLine, Voice
from remediation.preview import samples
from remediation.remedy import Action, Remedy

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
    finding = samples.a_failure(kind, evidence)
    subject = Subject("session", session) if finding.subject.type == "session" else finding.subject
    return replace(finding, severity=severity, subject=subject)


def an_order_line(
    title: str | Mapping[str, str] | None = None, *, order_id: str = "D01-4417205", currency: str = "USD"
) -> OrderLine:
    named = {"en": "Casablanca", "ja": "カサブランカ"} if title is None else title
    return samples.an_order_line(named, order_id, currency)


def a_remedy(
    *findings: Finding, actions: tuple[Action, ...] = (Action("refund", 299),), currency: str = "USD"
) -> Remedy:
    return samples.a_remedy(findings, actions, currency)


def a_mail(  # noqa: PLR0913 - a test names one or two of them
    *findings: Finding,
    locale: str = "en-US",
    timezone: str = "Asia/Tokyo",
    title: str | Mapping[str, str] | None = None,
    order_id: str = "D01-4417205",
    actions: tuple[Action, ...] = (Action("refund", 299),),
    currency: str = "USD",
    voice: Voice = "plain",
    corrected: bool = False,
) -> Mail:
    story = findings or (a_finding(),)
    return render(
        a_remedy(*story, actions=actions, currency=currency),
        story,
        an_order_line(title, order_id=order_id, currency=currency),
        locale,
        timezone,
        voice,
        corrected=corrected,
    )
