"""Invented failures, orders and remedies: one of every way in which a mail tells of a failure."""

from collections.abc import Mapping, Sequence
from typing import Final

from detectors.finding import Finding, Kind, Scalar, Subject
from remediation.orders import OrderLine
from remediation.remedy import Action, Remedy

NINE_IN_THE_EVENING: Final = 1_795_262_640_000
"""2026-11-21 21:04 in Tokyo, 12:04 in London."""

NOVEMBER_12: Final = 1_794_441_600_000
NOVEMBER_20: Final = 1_795_132_800_000
NOVEMBER_21: Final = 1_795_219_200_000
"""At midnight in London, nine in the morning in Tokyo."""

MINUTE: Final = 60_000

ASKED: Final[Mapping[str, Scalar]] = {"reported_at": NOVEMBER_21, "voice": "plain", "language": "en"}
UNASKED: Final[Mapping[str, Scalar]] = dict.fromkeys(ASKED)
"""What a finding says of the customer's own words, and where there are none."""

EVIDENCE: Final[Mapping[Kind, Mapping[str, Scalar]]] = {
    "playback_stalls": {"stall_count": 3, "stall_ms": 250_000},
    "slow_start": {"startup_ms": 12_400},
    "playback_failed": {"error_code": "27"},
    "low_quality": {"low_picture_ms": 725_000, "judged_picture_ms": 1_560_000},
    "slow_seeks": {"stall_after_seek_ms": 25_300},
    "late": {"promised_date": "2026-11-18", "delivered_date": "2026-11-21", "days_late": 3, **UNASKED},
    "lost": {"last_scan_at": NOVEMBER_12, "days_silent": 9, "never_scanned": False, "declared": False, **UNASKED},
    "damaged": {"reason": "damaged", "scanned_at": NOVEMBER_20, **UNASKED},
    "returned": {"reason": "carrier", "scanned_at": NOVEMBER_20},
    "delivered_not_received": {
        "delivered_at": NOVEMBER_20,
        "delivered_date": "2026-11-20",
        **ASKED,
        "proof": "none",
        "distance_m": None,
        "reports_90_days": 1,
        "orders_known": 12,
        "signals_for": "no_photo,first_report",
        "signals_against": "",
    },
    "misdelivered": {"distance_m": 430, "delivered_at": NOVEMBER_20},
    "wrong_item": {"wrong_count": 1, "received_item_id": "coffee-2", "mixup_lines": 0, "mixup_customers": 0, **ASKED},
}
"""What each kind of failure is judged by."""

OTHERWISE: Final[Mapping[str, tuple[Kind, Mapping[str, Scalar]]]] = {
    "late_missing": ("late", {**EVIDENCE["late"], "delivered_date": None}),
    "lost_declared": ("lost", {**EVIDENCE["lost"], "declared": True}),
    "lost_never_scanned": ("lost", {**EVIDENCE["lost"], "last_scan_at": None, "never_scanned": True}),
    "damaged_told": ("damaged", {"reason": None, "scanned_at": None, **ASKED}),
    "wrong_item_again": ("wrong_item", {**EVIDENCE["wrong_item"], "wrong_count": 2, "mixup_lines": 1}),
}
"""Failures of a kind that are told otherwise than the one above."""

PLAYBACK: Final[tuple[Kind, ...]] = ("playback_stalls", "slow_start", "playback_failed", "low_quality", "slow_seeks")

LASTING_MS: Final[Mapping[Kind, int]] = {"slow_start": 12_400, "playback_failed": 23_000}
"""The others lasted from 21:04 to 21:31."""

FILM: Final = {"en": "Casablanca", "ja": "カサブランカ", "ar": "كازابلانكا"}
BOOK: Final = {
    "en": "The Prose Edda",
    "ja": "スノッリのエッダ",
    "de": "Die Prosa-Edda",
    "es": "La Edda prosaica",
    "ar": "الإدا النثرية",
}
DECAF: Final = {
    "en": "Decaf House Blend",
    "ja": "カフェインレス・ハウスブレンド",
    "de": "Hausmischung, entkoffeiniert",
    "es": "Mezcla de la casa, descafeinada",
    "ar": "قهوة البيت منزوعة الكافيين",
}


def a_failure(kind: Kind, evidence: Mapping[str, Scalar] | None = None) -> Finding:
    """A failure of this kind, with the evidence above unless it is told otherwise."""
    return Finding(
        kind=kind,
        subject=Subject("session", "session-1") if kind in PLAYBACK else Subject("order_line", "line-1"),
        severity=0.8,
        occurred_from=NINE_IN_THE_EVENING,
        occurred_to=NINE_IN_THE_EVENING + LASTING_MS.get(kind, 27 * MINUTE),
        evidence=EVIDENCE[kind] if evidence is None else evidence,
        fault="unknown",
        detector_version="1",
        customer_id="customer-1",
        order_line_id="line-1",
    )


def every_failure() -> dict[str, Finding]:
    """One of every way in which a mail tells of a failure, by its name."""
    plain = {str(kind): a_failure(kind) for kind in EVIDENCE}
    return plain | {name: a_failure(kind, evidence) for name, (kind, evidence) in OTHERWISE.items()}


def an_order_line(title: str | Mapping[str, str], order_id: str, currency: str) -> OrderLine:
    """What was bought, an hour before the failure."""
    return OrderLine(
        order_line_id="line-1",
        order_id=order_id,
        customer_id="customer-1",
        kind="rental",
        item_id="casablanca-1942",
        title=title,
        amount_minor=299,
        currency=currency,
        purchased_at=NINE_IN_THE_EVENING - 60 * MINUTE,
    )


def a_remedy(findings: Sequence[Finding], actions: tuple[Action, ...], currency: str) -> Remedy:
    """What was done about it."""
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
