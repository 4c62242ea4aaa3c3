"""A finding: one way in which one session or order line fell below the standard."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

PlaybackKind = Literal["playback_stalls", "slow_start", "playback_failed", "low_quality", "slow_seeks"]
DeliveryKind = Literal["late", "lost", "damaged", "returned", "delivered_not_received", "misdelivered", "wrong_item"]
Kind = PlaybackKind | DeliveryKind
Fault = Literal["service", "cdn", "isp", "device", "carrier", "merchant", "consignee", "customs", "weather", "unknown"]
Scalar = str | int | float | bool | None
Doubt = Literal["beyond_wall_clock", "absurd_figures"]
"""Why what a player reports cannot be so; `detectors.playback.possible` says when."""

_RECENT: Final = 10_000
"""Ids that are remembered: each is asked for again and again while its finding or remedy is decided."""

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_DNS, "makegood.example")


@lru_cache(maxsize=_RECENT, typed=True)
def content_id(**content: Scalar | tuple[str, ...]) -> str:
    """A uuid5 over the canonical JSON of domain content: same content, same id, for ever.

    Content never holds a time, a window or an attempt, so that batch, stream and
    rerun agree; see DESIGN section 3.
    """
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return str(uuid.uuid5(NAMESPACE, canonical))


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: a playback session or an order line."""

    type: Literal["session", "order_line"]
    id: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the telemetry behind a finding is worth. A player's word is a claim; this is what speaks for it or against.

    Times are milliseconds since the epoch on the server's clock and null where
    unknown: the whole visit's, and when the last of its records was received.
    `attested_ms` is the watched time between reports that came closely one after
    the other. `corroborated` is whether the CDN's access log bears the player out,
    null where it cannot tell. `fingerprints` are of the visit's course without its
    names and dates; two visits share one only if one is a copy. `granted_at` is
    when the service allowed the playback; null until remediation has bound the
    session, and where no such permission is known.
    """

    started_at: int | None = None
    ended_at: int | None = None
    received_at: int | None = None
    attested_ms: int | None = None
    signed: bool = False
    corroborated: bool | None = None
    doubts: tuple[Doubt, ...] = ()
    fingerprints: tuple[str, ...] = ()
    granted_at: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One failure of one subject.

    `customer_id` and `content_id` are claims of the telemetry until remediation has
    bound the session to an order line; `order_line_id` is null before that.
    `severity` is 0 (just below the standard) to 1 (nothing worked). `evidence`
    holds the figures on which the rule rested, in the units of their names.
    Times are milliseconds since the epoch on the server's clock. `provenance` is
    empty where no player was asked, as of a delivery.
    """

    kind: Kind
    subject: Subject
    severity: float
    occurred_from: int
    occurred_to: int
    evidence: Mapping[str, Scalar]
    fault: Fault
    detector_version: str
    customer_id: str | None = None
    content_id: str | None = None
    order_line_id: str | None = None
    provenance: Provenance = Provenance()

    @property
    def finding_id(self) -> str:
        """The kind and the subject name a finding; its figures may be corrected by late data."""
        return content_id(kind=self.kind, subject_type=self.subject.type, subject_id=self.subject.id)
