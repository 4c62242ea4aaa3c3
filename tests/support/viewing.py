"""Beacons as a player would send them, told as what happened to its viewer."""

from dataclasses import asdict, dataclass, replace
from typing import Final, Self

import msgspec

HEARTBEAT_MS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """One canonical playback event; what is not known is None and is left out when written."""

    session_id: str
    event_time: int
    received_at: int
    sequence: int
    customer_id: str | None = None
    content_id: str | None = None
    state: str | None = None
    bitrate_kbps: int | None = None
    top_bitrate_kbps: int | None = None
    height: int | None = None
    player_height: int | None = None
    error_code: str | None = None
    fatal: bool | None = None
    background: bool | None = None
    ad: bool | None = None
    device: str | None = None
    app_version: str | None = None

    def line(self) -> bytes:
        """The beacon as one line of JSON Lines."""
        known = {name: value for name, value in asdict(self).items() if value is not None}
        return msgspec.json.encode(known) + b"\n"


class Viewing:
    """A playback session that grows by what happens; each step returns the viewing, so that a story is one chain.

    `usual` is what every beacon of it says; heartbeats come every ten seconds while
    the picture moves. Each beacon arrives 80 ms after it was made.
    """

    def __init__(self, usual: Beacon) -> None:
        self._usual = usual
        self._now = usual.event_time
        self._beacons: list[Beacon] = []

    @property
    def beacons(self) -> list[Beacon]:
        """All beacons so far, in order."""
        return list(self._beacons)

    def says(self, state: str | None = None, **also: str | int | bool) -> Self:
        """One beacon now."""
        beacon = replace(
            self._usual,
            event_time=self._now,
            received_at=self._now + 80,
            sequence=self._usual.sequence + len(self._beacons),
            state=state,
            **also,  # type: ignore[arg-type]  # a misspelt or ill-typed field fails in `replace` or in the decoder
        )
        self._beacons.append(beacon)
        return self

    def silent(self, duration_ms: int) -> Self:
        """Time passes without a word."""
        self._now += duration_ms
        return self

    def starts(self, wait_ms: int = 600) -> Self:
        """Asks for the film, and has the picture after `wait_ms`."""
        return self.says("starting").silent(wait_ms).says("playing")

    def plays(self, duration_ms: int, **also: str | int | bool) -> Self:
        """Watches, with heartbeats that carry the picture's quality unless told otherwise."""
        for _ in range(duration_ms // HEARTBEAT_MS):
            self.silent(HEARTBEAT_MS).says(None, **{"bitrate_kbps": 4_500, "height": 1_080, **also})
        return self.silent(duration_ms % HEARTBEAT_MS)

    def stalls(self, duration_ms: int, **also: str | int | bool) -> Self:
        """The picture stands still, then goes on."""
        return self.says("stalled", **also).silent(duration_ms).says("playing", **also)

    def seeks(self, wait_ms: int) -> Self:
        """Jumps elsewhere, and waits for the picture there."""
        return self.says("seeking").silent(40).says("waiting").silent(wait_ms).says("playing")

    def pauses(self, duration_ms: int) -> Self:
        """Pauses, then goes on."""
        return self.says("paused").silent(duration_ms).says("playing")


def a_viewing(session_id: str, at: int, **usual: str | int | bool) -> Viewing:
    """A viewing of `session_id` that begins `at` (ms since the epoch), on a television-sized player."""
    every = {"top_bitrate_kbps": 6_000, "player_height": 1_080, **usual}
    first = Beacon(session_id=session_id, event_time=at, received_at=at, sequence=0)
    return Viewing(replace(first, **every))  # type: ignore[arg-type]  # as in `Viewing.says`
