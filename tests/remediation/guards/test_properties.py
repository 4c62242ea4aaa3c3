"""What must hold for all nights and all histories."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from remediation.guards.figures import Figures, Group, Judged, Paid, SourceFigures, from_json, to_json
from remediation.guards.judge import readings
from tests.remediation.guards.nights import FIRST, HOUR, RULES, a_night
from tests.support.examples import examples

STEADY = examples(40)
COUNTS = st.integers(0, 10**6)
SMALL = st.integers(0, 5_000)
JUDGED = st.tuples(SMALL, SMALL).map(lambda pair: Judged(max(pair), min(pair)))
GROUPS = st.lists(
    st.builds(
        Group,
        st.sampled_from(["playback", "delivery"]),
        st.sampled_from(["cdn", "app_version", "carrier+depot", "never heard of"]),
        st.sampled_from(["a", "b", "c"]),
        JUDGED,
    ),
    unique_by=lambda group: (group.lane, group.dimension, group.value),
    max_size=8,
).map(tuple)
SOURCES = st.lists(
    st.builds(
        SourceFigures,
        st.sampled_from(["telemetry", "orders"]),
        st.sampled_from(["a", "b"]),
        st.integers(1, 3),
        COUNTS,
        st.integers(0, 3) | COUNTS,
    ),
    unique_by=lambda source: (source.role, source.name),
    max_size=4,
).map(tuple)
PAID = st.lists(
    st.builds(Paid, st.sampled_from(["USD", "JPY", "ISK"]), SMALL, COUNTS, COUNTS),
    unique_by=lambda paid: paid.currency,
    max_size=3,
).map(tuple)
NIGHTS = st.builds(
    a_night,
    st.integers(-40, 3),
    policy_sha256=st.sampled_from(["a" * 64, "b" * 64]),
    records=COUNTS,
    rejected=SMALL,
    late=SMALL,
    duplicate=SMALL,
    sources=SOURCES,
    sessions=JUDGED,
    order_lines=JUDGED,
    median_age_ms=st.none() | st.integers(-HOUR, 100 * HOUR),
    payouts=SMALL,
    paid=PAID,
    groups=GROUPS,
)
HISTORIES = st.lists(NIGHTS, max_size=12)


def held(night: Figures, released: list[Figures]) -> set[str]:
    return {reading.guard for reading in readings(night, released, RULES, FIRST + HOUR) if reading.tripped}


def others(night: Figures, released: list[Figures]) -> list[Figures]:
    """Without the night itself, which is no part of its own history."""
    return [figures for figures in released if figures != night]


def more(judged: Judged, flags: int) -> Judged:
    return Judged(judged.units, min(judged.units, judged.flagged + flags))


@STEADY
@given(NIGHTS, HISTORIES, st.data())
def test_more_flags_never_release_a_night(night: Figures, released: list[Figures], data: st.DataObject) -> None:
    groups = tuple(replace(group, judged=more(group.judged, data.draw(SMALL))) for group in night.groups)
    worse = replace(
        night,
        sessions=more(night.sessions, data.draw(SMALL)),
        order_lines=more(night.order_lines, data.draw(SMALL)),
        groups=groups,
    )
    earlier = others(night, released)
    assert held(night, earlier) <= held(worse, earlier)


@STEADY
@given(NIGHTS, HISTORIES, SMALL, COUNTS)
def test_more_money_never_releases_a_night(night: Figures, released: list[Figures], refunds: int, minor: int) -> None:
    paid = tuple(
        replace(each, amount_minor=each.amount_minor + minor, largest_minor=each.largest_minor + minor)
        for each in night.paid
    )
    earlier, more_paid = others(night, released), replace(night, payouts=night.payouts + refunds, paid=paid)
    assert held(night, earlier) <= held(more_paid, earlier)


@STEADY
@given(NIGHTS, HISTORIES, SMALL)
def test_more_bad_records_never_release_a_night(night: Figures, released: list[Figures], bad: int) -> None:
    worse = replace(night, rejected=night.rejected + bad, late=night.late + bad, duplicate=night.duplicate + bad)
    earlier = others(night, released)
    assert held(night, earlier) <= held(worse, earlier)


@STEADY
@given(NIGHTS, st.lists(NIGHTS, max_size=12, unique_by=lambda night: night.as_of), st.data())
def test_order_changes_nothing(night: Figures, released: list[Figures], data: st.DataObject) -> None:
    def shuffled(figures: Figures) -> Figures:
        return replace(
            figures,
            groups=tuple(data.draw(st.permutations(figures.groups))),
            sources=tuple(data.draw(st.permutations(figures.sources))),
        )

    earlier = others(night, released)
    again = [shuffled(figures) for figures in data.draw(st.permutations(earlier))]
    assert readings(shuffled(night), again, RULES, FIRST) == readings(night, earlier, RULES, FIRST)


@STEADY
@given(NIGHTS, HISTORIES)
def test_a_night_judged_again_after_its_release_is_judged_alike(night: Figures, released: list[Figures]) -> None:
    first = readings(night, released, RULES, FIRST)
    assert readings(night, [*released, from_json(to_json(night))], RULES, FIRST) == first


@STEADY
@given(NIGHTS, HISTORIES)
def test_every_reading_is_one_whole_sentence(night: Figures, released: list[Figures]) -> None:
    for reading in readings(night, released, RULES, FIRST):
        assert not reading.reason[0].islower()
        assert reading.reason.endswith(".")
        assert "\n" not in reading.reason


@STEADY
@given(NIGHTS, HISTORIES)
def test_what_is_far_from_its_limit_never_trips_and_what_is_beyond_it_always_does(
    night: Figures, released: list[Figures]
) -> None:
    for reading in readings(night, released, RULES, FIRST):
        assert reading.near_ratio is None or reading.near_ratio >= 0
        if reading.near_ratio is not None and not math.isclose(reading.near_ratio, 1):
            assert reading.tripped == (reading.near_ratio > 1), reading
