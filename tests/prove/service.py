"""A small service, night by night, as files: films that are watched and parcels that travel, most of them without harm.

Every figure comes from the seed and the day, so that the same night is the same bytes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from pipelines.settings import NightSettings, OrderBook
from remediation.canonical import canonical_json

SESSIONS: Final = 300
PARCELS: Final = 40
DAYS_BEFORE: Final = 6
"""Parcels were sold on so many days before the first night."""

MORNING: Final = datetime(2026, 11, 22, 6, tzinfo=UTC)
DAY_MS: Final = 86_400_000

_LATE_SHARE: Final = 0.015
_STALL_MS: Final = 20_000
_HEARTBEATS: Final = 6
_SHARES: Final = {
    "app_version": {"5.1": 0.9, "5.2": 0.1},
    "device": {"tv": 0.5, "phone": 0.3, "web": 0.2},
    "cdn": {"cdn-a": 0.7, "cdn-b": 0.3},
    "isp": {"isp-1": 0.5, "isp-2": 0.3, "isp-3": 0.2},
    "country": {"US": 0.7, "DE": 0.3},
    "content_id": {"casablanca": 0.4, "gilda": 0.3, "laura": 0.3},
}
_COURSE: Final = ("picked_up", "in_transit", "delivered")
"""What a parcel's scans say on the first, second and third day after it was bought; it is promised for the third."""


def morning(day: int) -> datetime:
    """The moment of a night."""
    return MORNING + timedelta(days=day)


def epoch_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Service:
    """`folder` holds a folder a night; `stalled_share` of the sessions stall, and all of those that share `broken`."""

    folder: Path
    seed: int
    stalled_share: float = 0.015
    broken: tuple[str, str] | None = None  # a dimension and its value

    def night(self, day: int) -> Path:
        """Writes one night down; the first one with everything that was sold before."""
        folder = self.folder / "service" / f"{morning(day):%Y-%m-%d}"
        (folder / "telemetry").mkdir(parents=True)
        sessions = self._sessions(day)
        sold = [self._parcels(past) for past in range(day - DAYS_BEFORE if day == 0 else day, day + 1)]
        _write(self._beacons(day, sessions), folder / "telemetry" / "beacons.jsonl")
        _write(self._scans(day), folder / "telemetry" / "scans.jsonl")
        _write(pl.concat([_rentals(sessions), *map(_goods, sold)], how="diagonal"), folder / "orders.jsonl")
        _write(_grants(sessions), folder / "grants.jsonl")
        customers = pl.concat([sessions.select("customer_id"), *(part.select("customer_id") for part in sold)])
        _write(customers.with_columns(email=pl.col("customer_id") + "@example.com"), folder / "customers.jsonl")
        return folder

    def _luck(self, what: int, day: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, what, day + DAYS_BEFORE))

    def _sessions(self, day: int) -> pl.DataFrame:
        """Films that were watched in the evening before, each by a customer of its own."""
        luck = self._luck(0, day)
        count = int(SESSIONS * luck.lognormal(0, 0.05))
        evening = epoch_ms(morning(day)) - 11 * 3_600_000
        stalled = luck.random(count) < self.stalled_share
        drawn = {name: luck.choice(list(of), count, p=list(of.values())) for name, of in _SHARES.items()}
        if self.broken:
            dimension, value = self.broken
            stalled |= drawn[dimension] == value
        return pl.DataFrame(
            {
                "session_id": [f"session-{self.seed}-{day}-{number}" for number in range(count)],
                "customer_id": [f"viewer-{self.seed}-{day}-{number}" for number in range(count)],
                "started_at": np.sort(evening + luck.integers(0, 4 * 3_600_000, count)),
                "first_picture_ms": luck.integers(300, 2_000, count),
                "wait_ms": np.where(stalled, _STALL_MS, 0) + luck.integers(0, 300, count),
                **drawn,
            }
        )

    def _beacons(self, day: int, sessions: pl.DataFrame) -> pl.DataFrame:
        """Start, picture, a wait that is short where all is well, heartbeats, end."""
        steps = [(0, 0, 0, "starting"), (0, 1, 0, "playing"), (30_000, 1, 0, "stalled"), (30_000, 1, 1, "playing")]
        beats = [(40_000 + 10_000 * beat, 1, 1, None) for beat in range(_HEARTBEATS)]
        end = [(40_000 + 10_000 * _HEARTBEATS, 1, 1, "ended")]
        course = pl.DataFrame(
            [*steps, *beats, *end], schema=["offset_ms", "after_start", "after_wait", "state"], orient="row"
        ).with_row_index("sequence")
        moment = pl.sum_horizontal(
            "started_at",
            "offset_ms",
            pl.col("first_picture_ms") * pl.col("after_start"),
            pl.col("wait_ms") * pl.col("after_wait"),
        )
        delay = self._luck(1, day).integers(30, 200, sessions.height * course.height)
        beacons = sessions.join(course, how="cross").with_columns(event_time=moment)
        return beacons.with_columns(received_at=pl.col("event_time") + delay, bitrate_kbps=pl.lit(4_500)).select(
            "session_id", "event_time", "received_at", "sequence", "customer_id", "state", "bitrate_kbps", *_SHARES
        )

    def _parcels(self, day: int) -> pl.DataFrame:
        """What was sold on one day; a few will come a day late."""
        luck = self._luck(2, day)
        names = [f"{self.seed}-{day}-{number}" for number in range(PARCELS)]
        return pl.DataFrame(
            {
                "name": names,
                "customer_id": [f"reader-{name}" for name in names],
                "carrier": luck.choice(["usps", "ups"], PARCELS),
                "depot": luck.choice(["RENO, NV", "SPARKS, NV", "OAKLAND, CA"], PARCELS),
                "late_days": (luck.random(PARCELS) < _LATE_SHARE).astype(int),
                "bought_at": [morning(day) - timedelta(hours=12)] * PARCELS,
            }
        )

    def _scans(self, day: int) -> pl.DataFrame:
        """The scans of one day, and in the first night those of all days before."""
        past = range(day - DAYS_BEFORE, day)
        sold = pl.concat([self._parcels(bought) for bought in past])
        course = pl.DataFrame({"status": _COURSE, "days": [1, 2, 3]})
        due = pl.col("days") + pl.when(pl.col("status") == "delivered").then("late_days").otherwise(0)
        scans = sold.join(course, how="cross").with_columns(scanned_at=pl.col("bought_at") + pl.duration(days=due))
        begins = morning(day) - timedelta(days=DAYS_BEFORE if day == 0 else 1)
        return scans.filter(pl.col("scanned_at").is_between(begins, morning(day), closed="left")).select(
            "carrier",
            "status",
            "depot",
            tracking_number=pl.format("PARCEL-{}", "name"),
            event_time=pl.col("scanned_at").dt.timestamp("ms"),
        )


def nightly(folder: Path, ledger_url: str, as_of: datetime, now: datetime | None = None) -> NightSettings:
    """The nightly run of one night's folder, made an hour after its moment unless told otherwise."""
    policy = folder / "policy.toml"
    return NightSettings(
        telemetry=(str(folder / "telemetry"),),
        book=OrderBook(*((str(folder / f"{name}.jsonl"),) for name in ("orders", "customers", "grants"))),
        ledger_url=ledger_url,
        as_of=epoch_ms(as_of),
        policy_path=str(policy) if policy.exists() else None,
        out=None,
        now=epoch_ms(now or as_of + timedelta(hours=1)),
    )


def _rentals(sessions: pl.DataFrame) -> pl.DataFrame:
    return sessions.select(
        "customer_id",
        order_line_id=pl.format("rental of {}", "session_id"),
        order_id=pl.format("order of {}", "session_id"),
        payment_id=pl.format("payment of {}", "session_id"),
        kind=pl.lit("rental"),
        item_id="content_id",
        title=pl.col("content_id").str.to_titlecase(),
        amount_minor=pl.lit(399),
        currency=pl.lit("USD"),
        purchased_at=pl.col("started_at") - 60_000,
    )


def _goods(parcels: pl.DataFrame) -> pl.DataFrame:
    return parcels.select(
        "customer_id",
        "carrier",
        order_line_id=pl.format("book {}", "name"),
        order_id=pl.format("order of book {}", "name"),
        payment_id=pl.format("payment of book {}", "name"),
        kind=pl.lit("goods"),
        item_id=pl.lit("book"),
        title=pl.lit("A Book of Runes"),
        amount_minor=pl.lit(2_000),
        shipping_minor=pl.lit(499),
        currency=pl.lit("USD"),
        purchased_at=pl.col("bought_at").dt.timestamp("ms"),
        promised_date=(pl.col("bought_at") + pl.duration(days=3)).dt.strftime("%Y-%m-%d"),
        tracking_number=pl.format("PARCEL-{}", "name"),
    )


def _grants(sessions: pl.DataFrame) -> pl.DataFrame:
    return sessions.select(
        "session_id", "customer_id", order_line_id=pl.format("rental of {}", "session_id"), granted_at="started_at"
    )


def _write(frame: pl.DataFrame, path: Path) -> None:
    """As JSON Lines; what is not known is left out."""
    path.write_text("".join(_without_nulls(line) for line in frame.iter_rows(named=True)), encoding="utf-8")


def _without_nulls(row: dict[str, object]) -> str:
    return f"{canonical_json({name: value for name, value in row.items() if value is not None})}\n"
