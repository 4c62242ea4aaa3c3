"""The invented evenings of `fixtures/`, told beacon by beacon; `casablanca_night` was recorded and is not here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tests.support.viewing import Beacon, Viewing, a_viewing

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
EVENING: Final = 1_795_287_600_000  # 2026-11-21T19:00:00Z

Happening = Callable[[Viewing], Viewing]


@dataclass(frozen=True, slots=True)
class Visit:
    """One customer's session in a story: who came, when, and what then happened."""

    name: str
    beacons: list[Beacon]

    @property
    def session_id(self) -> str:
        """The session as telemetry and grants name it."""
        return f"session-{self.name}"


def a_visit(name: str, minutes_later: int, happens: Happening, **usual: str | int | bool) -> Visit:
    """A visit that begins some minutes into the evening."""
    usual = {"customer_id": f"customer-{name}", "content_id": f"film-{name}", **usual}
    viewing = a_viewing(f"session-{name}", EVENING + minutes_later * MINUTE, **usual)
    return Visit(name, happens(viewing).beacons)


def watches(minutes: int, wait_ms: int) -> Happening:
    """The picture comes after `wait_ms` and runs to the end."""
    return lambda viewing: viewing.starts(wait_ms).plays(minutes * MINUTE).says("ended")


def spoilt(viewing: Viewing) -> Viewing:
    """Five stalls of eight seconds within three minutes: 40 s stalled of 220.9 s watched."""
    return _stalls_five_times(viewing.starts(900))


def never_starts(viewing: Viewing) -> Viewing:
    """Waits 25 s for a picture, and gets an error instead."""
    return viewing.says("starting").silent(25 * SECOND).says("failed", error_code="network-timeout", fatal=True)


def _stalls_five_times(viewing: Viewing) -> Viewing:
    for _ in range(5):
        viewing.plays(36 * SECOND, bitrate_kbps=3_000).stalls(8 * SECOND)
    return viewing.says("ended")


def _scrubs(viewing: Viewing) -> Viewing:
    viewing.starts(700)
    for _ in range(12):
        viewing.plays(9 * SECOND).seeks(900)
    return viewing.plays(2 * MINUTE).says("ended")


def _pauses_often(viewing: Viewing) -> Viewing:
    viewing.starts(500)
    for minutes in (1, 3, 10, 2, 5, 1):
        viewing.plays(50 * SECOND).pauses(minutes * MINUTE)
    return viewing.plays(MINUTE).says("ended")


def _hides_the_tab(viewing: Viewing) -> Viewing:
    viewing.starts().plays(2 * MINUTE).says(background=True).silent(5 * SECOND)
    viewing.stalls(25 * SECOND, background=True).plays(MINUTE, background=True)
    return viewing.says(background=False).plays(2 * MINUTE).says("ended")


def _sees_an_ad_stall(viewing: Viewing) -> Viewing:
    viewing.says("starting").silent(600).says("playing", ad=True).silent(9 * SECOND)
    viewing.stalls(20 * SECOND, ad=True).silent(9 * SECOND).says("playing", ad=False)
    return viewing.plays(4 * MINUTE).says("ended")


def _closes_the_lid(viewing: Viewing) -> Viewing:
    return viewing.starts().plays(2 * MINUTE).says("stalled").silent(20 * MINUTE).says("playing").plays(3 * MINUTE)


def _is_preloaded(viewing: Viewing) -> Viewing:
    return viewing.says("preloading").silent(25 * SECOND).starts(450).plays(3 * MINUTE).says("ended")


def _is_killed_while_paused(viewing: Viewing) -> Viewing:
    return viewing.starts().plays(3 * MINUTE).says("paused")


def _is_refused_a_licence(viewing: Viewing) -> Viewing:
    return viewing.says("starting").silent(800).says("failed", error_code="drm_license_denied", fatal=True)


UNSPOILT: Final[tuple[tuple[str, Happening], ...]] = (
    ("stalls-once", lambda viewing: viewing.starts().plays(5 * MINUTE).stalls(2_200).plays(5 * MINUTE).says("ended")),
    ("scrubs", _scrubs),
    ("pauses-often", _pauses_often),
    ("hides-the-tab", _hides_the_tab),
    ("sees-an-ad-stall", _sees_an_ad_stall),
    ("closes-the-lid", _closes_the_lid),
    ("is-preloaded", _is_preloaded),
    ("app-killed", lambda viewing: viewing.starts().plays(4 * MINUTE)),
    ("app-killed-while-paused", _is_killed_while_paused),
    ("looks-in", lambda viewing: viewing.starts().plays(4 * SECOND).says("quit")),
    ("changes-mind", lambda viewing: viewing.says("starting").silent(700).says("quit")),
    ("leaves-after-six-seconds", lambda viewing: viewing.says("starting").silent(6 * SECOND).says("quit")),
    ("bot", lambda viewing: viewing.says("starting")),
    ("refused-a-licence", _is_refused_a_licence),
    ("slowest-of-a-hundred", watches(4, 3_400)),
    ("seeks-while-paused", lambda viewing: viewing.starts().plays(MINUTE).says("paused").silent(20_000).seeks(8_000)),
)
"""What looks like trouble, and is none."""


def healthy_day() -> list[Visit]:
    """Forty visits in which nothing is owed: sixteen that look like trouble among twenty-four plain ones."""
    plain = [
        a_visit(f"plain-{number:02d}", number * 2, watches(2 + number % 5, 300 + number * 70)) for number in range(24)
    ]
    odd = [a_visit(name, 1 + number * 3, happens) for number, (name, happens) in enumerate(UNSPOILT)]
    return plain + odd


def sent_twice() -> list[Visit]:
    """One spoilt visit and a good neighbour; what is done to their batches is the fixture's point."""
    return [a_visit("spoilt", 10, spoilt), a_visit("neighbour", 12, watches(3, 800))]


def four_currencies() -> list[Visit]:
    """The same failure four times."""
    return [a_visit(currency, 5, never_starts) for currency in ("usd", "jpy", "kwd", "eur")]


def six_without_a_film() -> list[Visit]:
    """The same failure six times, once in each language that mails speak and once more in English."""
    return [a_visit(name, 5, never_starts) for name in ("anna", "ben", "chie", "dora", "elena", "farid")]


def slow_then_spoilt() -> tuple[list[Visit], list[Visit]]:
    """A slow start, known in the first night, and the stalls that the same player told of in the morning."""
    name, next_morning = "came-late", EVENING + 12 * HOUR
    known = a_visit(name, 15, lambda viewing: viewing.starts(7 * SECOND).plays(2 * MINUTE))
    whole = a_visit(name, 15, lambda viewing: _stalls_five_times(viewing.starts(7 * SECOND).plays(2 * MINUTE)))
    late = [replace(beacon, received_at=next_morning) for beacon in whole.beacons[len(known.beacons) :]]
    return [known, a_visit("neighbour", 20, watches(3, 800))], [Visit(name, late)]
