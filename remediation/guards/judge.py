"""All guards over one night. Each trip holds the night; none merely warns."""

from collections.abc import Iterable, Sequence

from remediation.guards.change import change_readings
from remediation.guards.clock import clock_readings
from remediation.guards.completeness import completeness_readings
from remediation.guards.concentration import concentration_readings
from remediation.guards.figures import Figures
from remediation.guards.history import History
from remediation.guards.payouts import payout_readings
from remediation.guards.reading import Reading
from remediation.guards.rules import GuardRules
from remediation.guards.shares import share_readings
from remediation.guards.window import Slice, window, windows_before


def readings(tonight: Figures, released: Iterable[Figures], rules: GuardRules, now_ms: int) -> tuple[Reading, ...]:
    """What every guard reads of a night, whether or not it trips.

    Args:
      tonight: The figures of the night that is judged.
      released: Those of released nights, in any order; of nights with one moment,
        in the order of their release. The last `rules.history.long_nights` suffice.
        A night that was held or rejected is none of them: a storm must not become
        the usual weather.
      rules: The section `[guards]` of the policy.
      now_ms: The clock, in milliseconds since the epoch.
    """
    history = History.before(tonight, released, rules.history)
    return (
        *change_readings(tonight, history),
        *clock_readings(tonight, history, rules, now_ms),
        *completeness_readings(tonight, history, rules),
        *share_readings(tonight, history, rules),
        *concentration_readings(tonight, history, rules),
        *payout_readings(tonight, history, rules),
    )


def trips(tonight: Figures, released: Iterable[Figures], rules: GuardRules, now_ms: int) -> tuple[Reading, ...]:
    """Those of `readings` that hold the night; empty where it may be released."""
    return tuple(reading for reading in readings(tonight, released, rules, now_ms) if reading.tripped)


def slice_trips(tonight: Figures, earlier: Sequence[Slice], rules: GuardRules, now_ms: int) -> tuple[Reading, ...]:
    """What holds a slice of a stream: the guards see the window that ends with it.

    `earlier` are the slices within `window.spans` of its moment.
    """
    before = windows_before(tonight.as_of, earlier, rules.history.min_nights, rules.history.long_nights)
    return trips(window(tonight, earlier), before, rules, now_ms)
