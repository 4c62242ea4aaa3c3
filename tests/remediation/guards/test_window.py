"""Guards on a stream: an hour that slides, against the same hour of earlier days."""

from dataclasses import replace
from typing import Any

import pytest

from remediation.guards.figures import Figures, Judged
from remediation.guards.judge import trips
from remediation.guards.window import WINDOW_MS, Slice, merged, spans, window, windows_before
from tests.remediation.guards.nights import DAY, FIRST, HOUR, RULES, a_group, a_night, a_source, paid

SLICE = 5 * 60_000
LEAST, MOST = RULES.history.min_nights, RULES.history.long_nights


def a_slice(at: int, **changes: Any) -> Figures:
    """Three hundred sessions of which two were flagged."""
    usual: dict[str, Any] = {
        "as_of": at,
        "records": 30_000,
        "used": 30_000,
        "duplicate": 0,
        "rejected": 0,
        "late": 0,
        "sources": (a_source(records=30_000),),
        "sessions": Judged(300, 2),
        "findings_by_kind": {"playback_stalls": 2},
        "remedies_by_state": {"approved": 2},
        "payouts": 2,
        "paid": (paid(2),),
        "goods": 0,
        "customers": 2,
        "groups": (a_group("5.1", 300, 2),),
    }
    return a_night(**(usual | changes))


def slices(since: int, until: int, *, released: bool = True) -> list[Slice]:
    return [Slice(released, a_slice(at)) for at in range(since + SLICE, until + 1, SLICE)]


def test_neighbouring_slices_add_up() -> None:
    one = a_slice(FIRST, paid=(paid(2, 300, largest=400),), groups=(a_group("5.1", 300, 2), a_group("5.2", 10, 0)))
    kinds = {"playback_stalls": 2, "lost": 7}
    one = replace(one, findings_by_kind=kinds)
    other = a_slice(
        FIRST + SLICE, findings_by_kind=kinds, paid=(paid(1, 500), paid(1, 900, "JPY")), order_lines=Judged(3_100, 95)
    )

    both = merged([other, one])

    assert both.as_of == FIRST + SLICE
    assert (both.records, both.used, both.payouts, both.customers) == (60_000, 60_000, 4, 4)
    assert both.sessions == Judged(600, 4)
    assert both.order_lines == Judged(3_100, 95)
    assert both.findings_by_kind == {"lost": 7, "playback_stalls": 4}
    assert [(each.currency, each.refunds, each.amount_minor, each.largest_minor) for each in both.paid] == [
        ("JPY", 1, 900, 900),
        ("USD", 3, 1_100, 500),
    ]
    assert both.groups == (a_group("5.1", 600, 4), a_group("5.2", 10, 0))
    assert [(each.name, each.files, each.records) for each in both.sources] == [("beacons-#.jsonl", 1, 60_000)]


def test_a_slice_alone_is_itself() -> None:
    assert merged([a_slice(FIRST)]) == a_slice(FIRST)


def test_the_window_is_the_last_hour_with_what_was_held() -> None:
    earlier = [*slices(FIRST - 2 * HOUR, FIRST - SLICE, released=False)]

    assert window(a_slice(FIRST), earlier).sessions == Judged(12 * 300, 24)


def test_history_is_the_same_hour_of_earlier_days() -> None:
    earlier = [each for day in range(1, 5) for each in slices(FIRST - day * DAY - HOUR, FIRST - day * DAY)]

    before = windows_before(FIRST, earlier, LEAST, MOST)

    assert [each.as_of for each in before[:-1]] == [FIRST - day * DAY for day in (4, 3, 2, 1)]
    assert {each.sessions.units for each in before} == {3_600}


def test_a_young_stream_is_compared_with_its_own_earlier_hours() -> None:
    before = windows_before(FIRST, slices(FIRST - 4 * HOUR, FIRST - SLICE), LEAST, MOST)

    assert [each.as_of for each in before] == [*(FIRST - hour * HOUR for hour in (3, 2, 1)), FIRST - SLICE]


def test_an_hour_with_a_slice_that_was_held_is_no_history() -> None:
    earlier = slices(FIRST - 5 * HOUR, FIRST - SLICE)
    earlier[14] = replace(earlier[14], released=False)

    assert FIRST - 3 * HOUR not in {each.as_of for each in windows_before(FIRST, earlier, LEAST, MOST)}


def test_without_a_past_there_is_no_history() -> None:
    assert windows_before(FIRST, [], LEAST, MOST) == ()


@pytest.mark.parametrize("flagged", [60, 120])
def test_a_storm_in_small_slices_is_still_a_storm(flagged: int) -> None:
    calm = slices(FIRST - 5 * HOUR, FIRST - HOUR)
    # Each slice by itself is within what few sessions may show by chance.
    storm = [
        Slice(released=True, figures=a_slice(FIRST + at, sessions=Judged(300, flagged // 12)))
        for at in range(-HOUR + SLICE, 0, SLICE)
    ]
    tonight = a_slice(FIRST, sessions=Judged(300, flagged // 12))
    earlier = [*calm, *storm]
    before = windows_before(FIRST, earlier, LEAST, MOST)

    guards = {each.guard for each in trips(window(tonight, earlier), before, RULES, FIRST)}

    assert ("sessions" in guards) == (flagged > 3_600 * RULES.sessions.floor)


def test_a_new_policy_holds_until_one_slice_was_released_under_it() -> None:
    old = slices(FIRST - 5 * HOUR, FIRST - SLICE)
    new = a_slice(FIRST, policy_sha256="b" * 64)

    def guards(tonight: Figures, earlier: list[Slice]) -> set[str]:
        before = windows_before(tonight.as_of, earlier, LEAST, MOST)
        return {each.guard for each in trips(window(tonight, earlier), before, RULES, tonight.as_of)}

    assert "policy" in guards(new, old)
    then = replace(new, as_of=FIRST + SLICE)
    assert "policy" in guards(then, [*old, Slice(released=False, figures=new)])
    assert "policy" not in guards(then, [*old, Slice(released=True, figures=new)])


def test_the_slices_that_are_read_hold_every_window_and_the_day_before() -> None:
    inside = spans(FIRST, most=3)

    assert inside[0] == (FIRST - DAY - HOUR, FIRST - 1)
    assert inside[1:] == ((FIRST - 2 * DAY - HOUR, FIRST - 2 * DAY), (FIRST - 3 * DAY - HOUR, FIRST - 3 * DAY))


def test_the_window_is_an_hour() -> None:
    assert WINDOW_MS == HOUR
