from dataclasses import replace
from typing import Final

import polars as pl
import pytest

from detectors import schemas
from detectors.finding import Finding, Subject
from detectors.incidents import Tally, merged, playback_tally
from remediation.guards.figures import Figures, Group, Judged, Paid, SourceFigures
from remediation.guards.measure import GROUPS, MAX_VALUE, figures_of
from remediation.ledger.run import RunInput
from remediation.remedy import Action, Remedy
from remediation.report.night import Counts, Night
from tests.detectors.incidents import nights as incidents
from tests.remediation.report import nights as reports

HOUR: Final = 3_600_000


def a_session(session: str, hours_before: int = 9, **values: str) -> dict[str, object]:
    return {"session_id": session, "started_at": reports.MORNING - hours_before * HOUR, **values}


def sessions_of(*rows: dict[str, object]) -> pl.DataFrame:
    return schemas.complete(pl.DataFrame(list(rows), infer_schema_length=None), schemas.SESSIONS)


def stalls(session: str) -> Finding:
    return incidents.a_finding(Subject("session", session), "playback_stalls")


def measured(
    *rows: dict[str, object],
    flagged: tuple[str, ...] = (),
    night: Night = reports.A_NIGHT,
    parcels: Tally | None = None,
) -> Figures:
    """The figures of a night with these sessions, of which some are flagged."""
    sessions = sessions_of(*rows)
    tally = playback_tally(sessions, map(stalls, flagged))
    return figures_of(night, sessions, merged([tally, parcels]) if parcels else tally)


def groups(figures: Figures, dimension: str) -> dict[str, tuple[int, int]]:
    found = [group for group in figures.groups if group.dimension == dimension]
    return {group.value: (group.judged.units, group.judged.flagged) for group in found}


def test_what_the_night_knows_is_taken_over() -> None:
    night = replace(
        reports.A_NIGHT,
        counts=Counts(records=100, used=80, duplicate=10, rejected=6, late=4),
        inputs=(RunInput("telemetry", "in/beacons-7.jsonl", 4_000, "ab" * 32, 100),),
        sessions=40,
        flagged_sessions=3,
        order_lines=70,
        flagged_order_lines=2,
        findings_by_kind={"playback_stalls": 3, "lost": 2},
    )
    figures = measured(night=night)
    assert (figures.as_of, figures.policy_sha256) == (reports.MORNING, reports.POLICY)
    assert (figures.records, figures.used, figures.duplicate, figures.rejected, figures.late) == (100, 80, 10, 6, 4)
    assert figures.sources == (SourceFigures("telemetry", "in/beacons-#.jsonl", 1, 4_000, 100),)
    assert (figures.sessions, figures.order_lines) == (Judged(40, 3), Judged(70, 2))
    assert figures.findings_by_kind == {"playback_stalls": 3, "lost": 2}


def test_only_what_would_go_out_by_itself_counts_as_pay_out() -> None:
    remedies = (
        reports.a_remedy("line-1", 299),
        reports.a_remedy("line-2", 500, customer="customer-2"),
        reports.a_remedy("line-3", 9_900, state="held", customer="customer-3"),
        reports.a_remedy("line-4", 400, "JPY"),
        a_replacement("line-5"),
    )
    figures = measured(night=reports.a_night(*map(reports.a_row, remedies)))
    assert figures.paid == (Paid("JPY", 1, 400, 400), Paid("USD", 2, 799, 500))
    assert (figures.payouts, figures.goods, figures.customers) == (4, 1, 2)
    assert figures.remedies_by_state == {"approved": 4, "held": 1}


def a_replacement(line: str) -> Remedy:
    return replace(reports.a_remedy(line, 0), actions=(Action("replacement", service_level="next_day"),))


def test_the_middle_session_says_which_day_it_was() -> None:
    rows = [a_session("one", 8), a_session("two", 11), a_session("three", 600)]
    assert measured(*rows).median_age_ms == 11 * HOUR
    assert measured().median_age_ms is None
    assert measured(a_session("one", -3)).median_age_ms == -3 * HOUR


def test_sessions_are_counted_by_what_they_share() -> None:
    figures = measured(
        a_session("one", app_version="5.1", country="US"),
        a_session("two", app_version="5.1", country="JP"),
        a_session("three", app_version="5.2", content_id="casablanca"),
        a_session("three", app_version="5.2"),
        a_session("four"),
        flagged=("one", "three"),
    )
    assert groups(figures, "app_version") == {"5.1": (2, 1), "5.2": (1, 1)}
    assert groups(figures, "country") == {"US": (1, 1), "JP": (1, 0)}
    assert groups(figures, "content_id") == {"casablanca": (1, 1)}
    assert groups(figures, "device") == {}


def test_parcels_are_counted_by_carrier_depot_and_item() -> None:
    parcels = incidents.a_day(
        incidents.some(5, 2, carrier="usps", depot="RENO, NV", item_id="lamp"),
        incidents.some(4, 0, carrier="usps", depot="SPARKS, NV", item_id="lamp"),
        incidents.some(3, 3, depot="OAKLAND, CA"),
    )
    figures = measured(parcels=parcels)
    assert groups(figures, "carrier+depot") == {"usps / RENO, NV": (5, 2), "usps / SPARKS, NV": (4, 0)}
    assert groups(figures, "carrier") == {"usps": (9, 2)}
    assert groups(figures, "depot") == {"OAKLAND, CA": (3, 3)}
    assert groups(figures, "item_id") == {"lamp": (9, 2)}


def test_a_parcel_named_like_a_session_does_not_flag_it() -> None:
    parcels = incidents.a_day(incidents.some(1, 1, carrier="usps"))
    figures = measured(a_session("T-0-0", cdn="cdn-a"), parcels=parcels)
    assert groups(figures, "cdn") == {"cdn-a": (1, 0)}
    assert groups(figures, "carrier") == {"usps": (1, 1)}


def test_the_largest_and_the_most_flagged_values_are_kept_whatever_the_telemetry_says() -> None:
    once = [a_session(f"s-{number}", app_version=f"small {number:03d}") for number in range(100)]
    twice = [a_session(f"t-{number}", app_version=f"large {number % 100:03d}") for number in range(200)]
    flagged = tuple(f"s-{number}" for number in range(60, 100))
    kept = groups(measured(*once, *twice, flagged=flagged), "app_version")
    small = {f"small {number:03d}": (1, 1) for number in range(60, 60 + GROUPS)}
    large = {f"large {number:03d}": (2, 0) for number in range(GROUPS)}
    assert kept == small | large


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param("v" * 10_000, "v" * MAX_VALUE, id="endless"),
        pytest.param("5.1\x00\n\x1b[31m\u202e", "5.1\ufffd\ufffd\ufffd[31m\ufffd", id="controls"),
    ],
)
def test_no_value_can_do_harm_where_it_is_kept_and_shown(said: str, kept: str) -> None:
    assert groups(measured(a_session("one", app_version=said)), "app_version") == {kept: (1, 0)}


def test_order_changes_nothing() -> None:
    rows = [a_session(f"s-{n}", n % 5, app_version=f"v{n % 3}", cdn=f"cdn-{n % 2}") for n in range(20)]
    remedies = [reports.a_row(reports.a_remedy(f"line-{n}", 100 + n)) for n in range(5)]
    inputs = [RunInput("telemetry", f"beacons-{n}.jsonl", 10, f"{n}" * 64, n) for n in range(3)]
    forward = replace(reports.a_night(*remedies), inputs=tuple(inputs))
    backward = replace(reports.a_night(*remedies[::-1]), inputs=tuple(inputs[::-1]))
    assert measured(*rows, flagged=("s-1", "s-4"), night=forward) == measured(
        *rows[::-1], flagged=("s-4", "s-1"), night=backward
    )


def test_no_person_is_in_the_figures() -> None:
    figures = measured(a_session("session-1", customer_id="customer-1"), flagged=("session-1",))
    for name in ("customer-1", "session-1", "line-1"):
        assert name not in repr(figures)
    assert all(isinstance(group, Group) for group in figures.groups)
