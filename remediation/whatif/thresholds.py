"""Findings under other thresholds, as far as what they kept can tell.

A threshold decides which sessions become findings. Of those that did, the figures
say what a stricter one would have made of them. What a laxer one would have found
besides, only the telemetry knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from detectors.finding import Finding, PlaybackKind
from detectors.playback.failures import again
from remediation.policy.delivery import count
from remediation.policy.model import Policy

_PLAYBACK: Final[tuple[PlaybackKind, ...]] = get_args(PlaybackKind)

_LAXER: Final[Mapping[str, int]] = {
    "playback.stalls.bad_ratio": -1,
    "playback.stalls.bad_ratio_min_stall_ms": -1,
    "playback.stalls.burst_count": -1,
    "playback.stalls.long_stall_ms": -1,
    "playback.start.slow_ms": -1,
    "playback.start.very_slow_ms": 0,
    "playback.failure.abandoned_ms": -1,
    "playback.picture.share_of_play": -1,
    "playback.picture.min_play_ms": -1,
    "playback.seeks.slow_ms": -1,
    "delivery.late.grace": -1,
}
"""The thresholds that a finding's own figures answer, and in which direction each finds more; 0 is in none."""

_STANDARDS: Final = ("playback.", "delivery.")


@dataclass(frozen=True, slots=True)
class Changed:
    """A figure of the policy that is another one; null where one of the policies has none of that name."""

    name: str
    before: object
    after: object

    @property
    def finds_more(self) -> bool:
        """Whether it is a threshold that would also flag what is not in the ledger."""
        direction = _LAXER.get(self.name, 0)
        numbers = isinstance(self.before, int | float) and isinstance(self.after, int | float)
        return numbers and direction * (self.after - self.before) > 0  # type: ignore[operator]

    @property
    def needs_telemetry(self) -> bool:
        """Whether it acts on telemetry or scans in a way that no finding can answer."""
        return self.name.startswith(_STANDARDS) and self.name not in _LAXER


def changes(before: Policy, after: Policy) -> tuple[Changed, ...]:
    """The figures that differ, in the order of the policy; how long something is kept is none of them."""
    old, new = (dict(_leaves(policy.model_dump(mode="json", exclude={"retention"}))) for policy in (before, after))
    names = dict.fromkeys((*old, *new))
    return tuple(Changed(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def _leaves(content: Mapping[str, object], path: str = "") -> Iterator[tuple[str, object]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value


@dataclass(frozen=True, slots=True)
class Rejudged:
    """The findings that are left of those given, each with its new severity; and how many could not be judged."""

    findings: tuple[Finding, ...]
    unsure: int


def rejudge_each(claims: Sequence[Sequence[Finding]], before: Policy, after: Policy) -> list[Rejudged]:
    """As `rejudge`, of the findings of many claims at once: one frame a kind serves them all."""
    every = [finding for claim in claims for finding in claim]
    left = iter(_judged(every, before, after))
    judged = [[next(left) for _ in claim] for claim in claims]
    return [
        Rejudged(
            tuple(finding for finding, _ in claim if finding is not None), sum(is_unsure for _, is_unsure in claim)
        )
        for claim in judged
    ]


def rejudge(findings: Sequence[Finding], before: Policy, after: Policy) -> Rejudged:
    """What `after` would have found where `before` found these; the same object each where nothing concerns it."""
    (judged,) = rejudge_each([findings], before, after)
    return judged


def _judged(findings: Sequence[Finding], before: Policy, after: Policy) -> list[tuple[Finding | None, bool]]:
    """What becomes of each finding, null where nothing would have been found; and whether nobody can say."""
    judged: list[tuple[Finding | None, bool]] = [(each, False) for each in findings]
    grace = after.delivery.late.grace
    if before.delivery.late.grace != grace:
        early = [
            place for place, each in enumerate(findings) if each.kind == "late" and count(each, "days_late") <= grace
        ]
        for place in early:
            judged[place] = (None, False)
    for kind in _PLAYBACK if before.playback != after.playback else ():
        places = [place for place, each in enumerate(findings) if each.kind == kind]
        found = [findings[place] for place in places]
        for place, then, now in zip(places, _again(kind, found, before), _again(kind, found, after), strict=True):
            judged[place] = _anew(findings[place], then, now)
    return judged


def _anew(
    finding: Finding, then: tuple[bool, float | None], now: tuple[bool, float | None]
) -> tuple[Finding | None, bool]:
    """A finding whose figures do not come to what was made of them then cannot be judged by them."""
    fails, severity = now
    if then != (True, finding.severity):
        return finding, True
    if not fails or severity is None:
        return None, False
    return (finding if severity == finding.severity else replace(finding, severity=severity)), False


def _again(kind: PlaybackKind, findings: Sequence[Finding], policy: Policy) -> list[tuple[bool, float | None]]:
    return again(kind, [finding.evidence for finding in findings], policy.playback) if findings else []
