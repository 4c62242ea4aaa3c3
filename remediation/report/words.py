"""Findings, rules and states in words, shared by the report and the explanation."""

from collections.abc import Callable, Mapping
from typing import Final

from detectors.finding import Fault, Finding, Kind, Scalar, Subject
from remediation.money import Money
from remediation.remedy import Action, Remedy
from remediation.report import deliveries
from remediation.report.figures import labelled, shown, timed, whole
from remediation.report.formats import amount, counted, duration, listed, one_line, span

KINDS: Final[Mapping[Kind, str]] = {
    "playback_stalls": "Playback stalled",
    "slow_start": "Slow start",
    "playback_failed": "Playback failed",
    "low_quality": "Low picture quality",
    "slow_seeks": "Slow after seeking",
    "late": "Late",
    "lost": "Lost",
    "damaged": "Damaged",
    "returned": "Returned",
    "delivered_not_received": "Delivered, not received",
    "misdelivered": "Delivered to the wrong place",
    "wrong_item": "Wrong item",
}

_RULES: Final[Mapping[Kind, str]] = {
    "playback_stalls": "stalls are a failure when their share of the watched time is high, when several come close "
    "together, or when one is long",
    "slow_start": "a start is a failure when the first picture takes longer than the standard allows",
    "playback_failed": "playback is a failure when no picture came, or when it ended for a technical reason",
    "low_quality": "the picture is a failure when it was far below what title and screen promise for most of the time",
    "slow_seeks": "waiting after seeks is a failure as far as it exceeds the time that a seek may take",
    "late": "a delivery is a failure after the promised day",
    "lost": "a parcel is lost when its carrier says so or has not scanned it for too long",
    "damaged": "a parcel that its carrier reports as damaged is a failure",
    "returned": "a parcel that went back to its sender is a failure",
    "delivered_not_received": "a delivery is a failure when the customer says that it is not there",
    "misdelivered": "a delivery is a failure when its proof lies far from the address",
    "wrong_item": "a delivery is a failure when it holds another item than the one ordered",
}

_FAULTS: Final[Mapping[Fault, str]] = {
    "service": "the service",
    "cdn": "the delivery network",
    "isp": "the viewer's network",
    "device": "the device",
    "carrier": "the carrier",
    "merchant": "the merchant",
    "consignee": "the recipient",
    "customs": "customs",
    "weather": "the weather",
    "unknown": "unknown",
}

_ACTIONS: Final = {
    "refund": "refund",
    "shipping_refund": "refund of the shipping",
    "credit": "credit",
    "replacement": "replacement",
    "exchange": "exchange (the wrong item may be kept)",
    "letter": "a letter that a person writes",
}

_SERVICES: Final = {"next_day": "by next-day service", "standard": "by standard service"}


def kind_name(kind: str) -> str:
    """The heading of a finding kind; a kind that is not known yet is named as it is."""
    return next((name for known, name in KINDS.items() if known == kind), one_line(kind))


def fault_words(fault: str) -> str:
    """Who or what is at fault, as far as known."""
    return next((words for known, words in _FAULTS.items() if known == fault), one_line(fault))


def rule(kind: str) -> str:
    """The standard that this kind falls below, as a clause without figures: those stand in the policy."""
    return next((words for known, words in _RULES.items() if known == kind), "the policy names this a failure")


def title_text(title: str | Mapping[str, str]) -> str:
    """A catalogue title as the report shows it: the text, else English, else the first locale's; may be empty."""
    if isinstance(title, str):
        return title
    locales = sorted(title, key=lambda locale: (locale != "en", not locale.lower().startswith(("en-", "en_")), locale))
    return title[locales[0]] if locales else ""


def subject(item: Subject) -> str:
    """What a finding is about: `session s-1`, `order line l-1`."""
    return f"{item.type.replace('_', ' ')} {one_line(item.id)}"


def when(finding: Finding) -> str:
    """The time in which the failure lay."""
    return span(finding.occurred_from, finding.occurred_to)


def evidence(finding: Finding) -> str:
    """One sentence part with the figures on which the finding rests; what is unknown is left out.

    Example: `stalled 6 times, 10.9 s in all, longest 2.9 s, of 86.2 s watched`.
    """
    tell = _SENTENCES.get(finding.kind)
    parts = tell(finding.evidence) if tell else [" ".join(figure) for figure in figures(finding)]
    return ", ".join(part for part in parts if part) or kind_name(finding.kind).lower()


def figures(finding: Finding) -> tuple[tuple[str, str], ...]:
    """Every known figure of the evidence as (label, value), by name; units follow the ending of the name."""
    return labelled(finding.evidence)


def action_name(kind: str) -> str:
    """What is done: `refund`, `exchange (the wrong item may be kept)`."""
    return _ACTIONS.get(kind, one_line(kind))


def action(item: Action, currency: str) -> str:
    """One action: `refund of 2.99 USD`, `replacement by next-day service`."""
    words = action_name(item.kind)
    money = "" if item.amount_minor is None else f" of {amount(Money(item.amount_minor, currency))}"
    level = item.service_level
    service = "" if level is None else f" {_SERVICES.get(level) or f'by the service {one_line(level)}'}"
    return f"{words}{money}{service}"


def actions(remedy: Remedy) -> str:
    """All actions of a remedy."""
    return listed([action(item, remedy.currency) for item in remedy.actions]) or "nothing to do"


def worth(remedy: Remedy) -> str:
    """What a remedy comes to in money, which goods and letters do not."""
    return amount(Money(remedy.amount, remedy.currency)) if remedy.amount else "no money"


def _stalls(known: Mapping[str, Scalar]) -> list[str]:
    count = whole(known, "stall_count")
    return [
        "stalled" if count is None else f"stalled {counted(count, 'time')}",
        timed(known, "stall_ms", "{} in all"),
        timed(known, "longest_stall_ms", "longest {}") if count != 1 else "",
        timed(known, "watched_ms", "of {} watched"),
    ]


def _start(known: Mapping[str, Scalar]) -> list[str]:
    return [timed(known, "startup_ms", "the first picture came after {}") or "the first picture came late"]


def _failure(known: Mapping[str, Scalar]) -> list[str]:
    played, code = whole(known, "played_ms"), known.get("error_code")
    if played == 0 or known.get("exit_before_start") is True:
        story = "no picture came" + timed(known, "watched_ms", " within {}")
    elif played is not None:
        story = f"the picture ended for a technical reason after {duration(played)} of play"
    else:
        story = "playback ended for a technical reason"
    answers = whole(known, "server_error_count")
    return [
        story,
        "" if code is None else f"error code {shown('error_code', code)}",
        counted(answers, "server error") if answers else "",
    ]


def _picture(known: Mapping[str, Scalar]) -> list[str]:
    low = timed(known, "low_picture_ms", " for {}") + timed(known, "judged_picture_ms", " of {} judged")
    mean, top = whole(known, "mean_bitrate_kbps"), whole(known, "top_bitrate_kbps")
    height, screen = whole(known, "mean_height"), whole(known, "player_height")
    offered = "" if top is None else f" where {top:,} kbit/s are offered"
    shown = "" if screen is None else f" on a player of {screen:,}"
    return [
        f"picture far below what was promised{low}",
        "" if mean is None else f"{mean:,} kbit/s on average{offered}",
        "" if height is None else f"{height:,} rows of picture{shown}",
    ]


def _seeks(known: Mapping[str, Scalar]) -> list[str]:
    count = whole(known, "seek_count")
    return [
        timed(known, "stall_after_seek_ms", "waited {} longer than seeks may take") or "waited long after seeks",
        f"over {counted(count, 'seek')}" if count is not None else "",
    ]


_SENTENCES: Final[Mapping[str, Callable[[Mapping[str, Scalar]], list[str]]]] = {
    "playback_stalls": _stalls,
    "slow_start": _start,
    "playback_failed": _failure,
    "low_quality": _picture,
    "slow_seeks": _seeks,
    **deliveries.SENTENCES,
}
