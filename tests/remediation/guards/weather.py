"""A service's nights as they honestly vary: weekends, growth, an app release, a premiere, luck; the same for a seed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.incidents.cohorts import Lane
from remediation.guards.figures import Figures, Group, Judged, Paid, SourceFigures
from tests.remediation.guards.nights import DAY, FIRST, HOUR

GROWTH: Final = 1.01
WEEKEND: Final = 1.4
RELEASE_DAY: Final = 20
PREMIERE_DAY: Final = 31
PRICE: Final = 399

_DEVICES: Final = {"tv": 0.5, "phone": 0.3, "web": 0.2}
_CDNS: Final = {"cdn-a": 0.7, "cdn-b": 0.3}
_ISPS: Final = {"isp-1": 0.4, "isp-2": 0.3, "isp-3": 0.2, "isp-4": 0.07, "isp-5": 0.03}
_COUNTRIES: Final = {"US": 0.6, "JP": 0.25, "DE": 0.15}
_DEPOTS: Final = {"usps / SPARKS, NV": 0.3, "usps / RENO, NV": 0.3, "ups / OAKLAND, CA": 0.4}


@dataclass
class Weather:
    """A service of `size` sessions a night; `night(day)` draws the nights one after another."""

    seed: int
    size: int = 4_000

    def __post_init__(self) -> None:
        self._luck = np.random.default_rng(self.seed)

    def night(self, day: int) -> Figures:
        luck = self._luck
        moment = FIRST + day * DAY
        busy = GROWTH**day * (WEEKEND if moment // DAY % 7 in {2, 3} else 1) * luck.lognormal(0, 0.08)
        busy *= 1 + 0.5 * 0.6 ** (day - PREMIERE_DAY) if day >= PREMIERE_DAY else 1
        sessions = int(self.size * busy)
        rate = 0.008 * luck.lognormal(0, 0.25)
        groups = tuple(self._sessions(sessions, rate, day))
        flagged = sum(group.judged.flagged for group in groups if group.dimension == "device")
        lines = int(self.size * GROWTH**day)
        parcels = tuple(self._groups("delivery", "carrier+depot", _DEPOTS, lines, 0.04 * luck.lognormal(0, 0.05)))
        late = sum(group.judged.flagged for group in parcels)
        refunds = int(luck.binomial(flagged, 0.7) + luck.binomial(late, 0.05))
        records = sessions * int(luck.normal(100, 2))
        return Figures(
            as_of=moment,
            policy_sha256="a" * 64,
            detector_version="1",
            records=records,
            used=records,
            duplicate=int(records * 0.04 * luck.lognormal(0, 0.4)),
            rejected=int(records * 0.001 * luck.lognormal(0, 0.5)),
            late=int(records * 0.004 * luck.lognormal(0, 0.4)),
            sources=tuple(self._sources(records, sessions, lines)),
            sessions=Judged(sessions, flagged),
            order_lines=Judged(lines, late),
            median_age_ms=int(luck.normal(9 * HOUR, HOUR)),
            findings_by_kind={"playback_stalls": flagged, "late": late},
            remedies_by_state={"approved": refunds},
            payouts=refunds,
            paid=(Paid("USD", refunds, refunds * PRICE, 2_900),) if refunds else (),
            goods=int(luck.binomial(late, 0.01)),
            customers=refunds,
            groups=(*groups, *parcels),
        )

    def nights(self, first: int, last: int) -> Iterator[Figures]:
        yield from map(self.night, range(first, last))

    def _sessions(self, sessions: int, rate: float, day: int) -> Iterator[Group]:
        adopted = 0.97 / (1 + np.exp(-(day - RELEASE_DAY) / 2))
        versions = {"5.1": 1 - adopted, "5.2": adopted}
        films = {"casablanca": 0.1, "gilda": 0.05, "laura": 0.03}
        if day >= PREMIERE_DAY:
            films["premiere"] = 0.3 * 0.8 ** (day - PREMIERE_DAY)
        for dimension, shares in (("app_version", versions), ("content_id", films), ("device", _DEVICES)):
            yield from self._groups("playback", dimension, shares, sessions, rate)
        for dimension, shares in (("cdn", _CDNS), ("isp", _ISPS), ("country", _COUNTRIES)):
            yield from self._groups("playback", dimension, shares, sessions, rate)

    def _groups(
        self, lane: Lane, dimension: str, shares: Mapping[str, float], units: int, rate: float
    ) -> Iterator[Group]:
        for value, share in shares.items():
            inside = int(units * share)
            yield Group(lane, dimension, value, Judged(inside, int(self._luck.binomial(inside, rate))))

    def _sources(self, records: int, sessions: int, lines: int) -> Iterator[SourceFigures]:
        yield _source("telemetry", "beacons-#.jsonl", int(records * 0.8))
        yield _source("telemetry", "tracking-#.jsonl", lines // 5)
        yield _source("telemetry", "cdn-#.log", int(records * 0.2))
        yield _source("telemetry", "contacts-#.jsonl", int(self._luck.poisson(1)))
        yield _source("orders", "orders-#.jsonl", sessions + lines // 10)
        yield _source("grants", "grants-#.jsonl", sessions)


def _source(role: str, name: str, records: int) -> SourceFigures:
    return SourceFigures(role, name, 1, records * 120, records)  # type: ignore[arg-type]
