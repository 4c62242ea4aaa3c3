from itertools import product

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from detectors import schemas
from detectors.finding import Fault, Subject
from detectors.incidents import Incident, IncidentRules, Tally, incidents, merged, playback_tally
from tests.detectors.incidents.nights import (
    EVENING,
    NO_MIXUPS,
    RULES,
    Part,
    a_day,
    a_finding,
    a_night,
    a_report,
    found,
    sessions_of,
    some,
    spoilt_sessions,
)

DIMENSIONS = {"cdn": 3, "isp": 12, "content_id": 40, "app_version": 5, "device": 6, "player": 3}


def a_usual_night(seed: int, sessions: int = 1_500, share: float = 0.04) -> Tally:
    """Failures that have nothing to do with anything, at the rate of real streams."""
    chance = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "session_id": [f"S-{number}" for number in range(sessions)],
            "started_at": np.full(sessions, EVENING),
            **{name: chance.zipf(1.6, sessions) % count for name, count in DIMENSIONS.items()},
        }
    )
    spoilt = np.flatnonzero(chance.random(sessions) < share)
    findings = [a_finding(Subject("session", f"S-{number}"), "playback_stalls") for number in spoilt]
    return playback_tally(schemas.complete(frame, schemas.SESSIONS), findings)


def cohorts(told: tuple[Incident, ...]) -> list[dict[str, str]]:
    return [dict(incident.cohort) for incident in told]


DEPOT_ON_FIRE = (
    some(60, 50, carrier="ups", depot="memphis", item_id="cup"),
    some(640, 4, carrier="ups", depot="dallas", item_id="cup"),
    some(700, 3, carrier="ups", depot="reno", item_id="pot"),
    some(600, 3, carrier="usps", depot="boston", item_id="cup"),
)


def test_a_depot_on_fire_is_one_incident_and_not_fifty() -> None:
    (fire,) = found(a_day(*DEPOT_ON_FIRE))
    assert (fire.kind, fire.cohort) == ("depot", {"carrier": "ups", "depot": "memphis"})
    assert (fire.affected_count, fire.confirmed_by_customers, fire.fault) == (50, 50, "carrier")
    assert fire.claim == (
        "Lost: 50 of 60 parcels with carrier ups and depot memphis (83.3%), against 10 of 1,940 others (0.5%)."
    )
    assert fire.suggested_action.startswith("Call the carrier about carrier ups and depot memphis")
    assert {affected.subject.id for affected in fire.affected} == {f"L-0-{number}" for number in range(50)}


def test_the_figures_of_an_incident_are_those_of_its_cohort_against_the_rest() -> None:
    (fire,) = found(a_day(*DEPOT_ON_FIRE))
    figures = fire.figures
    assert figures is not None
    assert (figures.units, figures.failures, figures.rest_units, figures.rest_failures) == (60, 50, 1_940, 10)
    assert (figures.rate_low, figures.rate, figures.rate_high) == (0.7148, 0.8333, 0.9171)
    assert figures.baseline == 0.005155
    assert figures.ratio == 161.7
    assert figures.ratio_high is not None
    assert figures.ratio_low < figures.ratio < figures.ratio_high
    assert 0 < figures.q_value < 1e-60


def test_a_rest_without_a_failure_bounds_no_ratio() -> None:
    (fire,) = found(a_day(some(60, 50, carrier="ups"), some(600, 0, carrier="usps")))
    assert fire.figures is not None
    assert (fire.figures.ratio, fire.figures.ratio_high) == (None, None)
    assert fire.figures.ratio_low > 50


def test_a_carrier_that_loses_parcels_everywhere_is_itself_the_cause() -> None:
    depots = [some(100, 15, carrier="ups", depot=f"depot-{number}") for number in range(6)]
    (lost,) = found(a_day(*depots, some(900, 9, carrier="usps", depot="boston")))
    assert (lost.kind, lost.cohort, lost.affected_count) == ("carrier", {"carrier": "ups"}, 90)


def test_two_causes_are_two_incidents_the_clearer_one_first() -> None:
    night = a_night(
        some(300, 150, cdn="a", isp="x", app_version="1"),
        some(300, 6, cdn="b", isp="x", app_version="1"),
        some(300, 8, cdn="c", isp="x", app_version="1"),
        some(100, 30, cdn="b", isp="y", app_version="2"),
        some(300, 5, cdn="b", isp="z", app_version="1"),
    )
    told = found(night)
    assert cohorts(told)[0] == {"cdn": "a"}
    assert cohorts(told)[1] in ({"isp": "y"}, {"app_version": "2"})
    assert len(told) == 2


def test_a_graver_cause_does_not_hide_a_lesser_one() -> None:
    usual = [some(300, 3, cdn=cdn, isp=f"{cdn}-line", content_id="f") for cdn in "bcd"]
    lesser = some(60, 6, cdn="b", isp="b-line", content_id="casablanca")
    graver = some(1_000, 500, cdn="a", isp="a-line", content_id="f")
    assert cohorts(found(a_night(*usual, lesser, graver)))[1:] == [{"content_id": "casablanca"}]


def test_several_kinds_of_failure_of_one_cohort_are_one_incident() -> None:
    parts = [some(100, 40, "playback_stalls", cdn="a"), some(100, 40, "slow_start", cdn="a"), some(900, 9, cdn="b")]
    (broken,) = found(a_night(*parts))
    assert broken.failure_kinds == ("playback_stalls", "slow_start")
    assert broken.affected_count == 80


def test_failures_of_a_title_on_one_cdn_name_both() -> None:
    titles = [some(60, 1, cdn=cdn, content_id=title) for cdn, title in product("ab", ("f", "g", "h"))]
    night = a_night(
        *titles, some(60, 45, cdn="a", content_id="casablanca"), some(60, 1, cdn="b", content_id="casablanca")
    )
    (broken,) = found(night)
    assert (broken.kind, broken.cohort) == ("title", {"content_id": "casablanca", "cdn": "a"})


@pytest.mark.parametrize(
    ("units", "failures"),
    [(24, 24), (100, 2), (1_000, 50)],
    ids=["too few units", "too few failures", "less than three times the rest"],
)
def test_what_is_small_rare_or_slight_is_no_incident(units: int, failures: int) -> None:
    assert found(a_night(some(units, failures, cdn="a"), some(10_000, 200, cdn="b"))) == ()


def test_a_cohort_needs_a_rest_to_be_compared_with() -> None:
    assert found(a_night(some(1_000, 500, cdn="a"))) == ()
    assert found(a_night(some(1_000, 500, cdn="a"), some(24, 0, cdn="b"))) == ()


def test_one_viewer_with_a_bad_line_is_no_incident() -> None:
    parts = [some(40, 20, content_id="casablanca"), some(2_000, 20, content_id="f")]
    sessions, findings = sessions_of(parts), spoilt_sessions(parts)
    assert len(incidents(playback_tally(sessions, findings), NO_MIXUPS, RULES)) == 1
    twice = [
        a_finding(each.subject, "playback_stalls", customer_id=f"C-{number % 2}")
        for number, each in enumerate(findings)
    ]
    assert incidents(playback_tally(sessions, twice), NO_MIXUPS, RULES) == ()


@pytest.mark.servers  # Not for a server, but for its time.
def test_usual_nights_raise_fewer_false_alarms_than_the_rate_that_bounds_them() -> None:
    # Without the other thresholds, so that the test alone is judged: of 40 nights at five per cent, two are to be
    # expected at most, and seven or more would come up once in 300 times.
    alone = IncidentRules(min_units=1, min_failures=1, min_ratio=1.0, q_value=0.05)
    alarmed = sum(bool(incidents(a_usual_night(seed, sessions=1_000), NO_MIXUPS, alone)) for seed in range(40))
    assert alarmed < 7


def test_under_the_policys_thresholds_usual_nights_raise_no_alarm() -> None:
    assert [seed for seed in range(10) if found(a_usual_night(1_000 + seed))] == []


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_cause_is_found_on_a_usual_night_and_alone(seed: int) -> None:
    planted = some(40, 14, cdn="0", isp="3", app_version="bad", device="2", player="1", content_id="5")
    (bad,) = found(merged([a_usual_night(seed), a_night(planted)]))
    assert bad.cohort == {"app_version": "bad"}


def test_neither_the_order_nor_the_partition_of_the_input_changes_anything() -> None:
    parts = [some(300, 150, cdn="a", isp="x"), some(300, 6, cdn="b", isp="x"), some(200, 40, cdn="b", isp="y")]
    sessions, findings = sessions_of(parts), spoilt_sessions(parts)
    whole = incidents(playback_tally(sessions, findings), NO_MIXUPS, RULES)
    assert len(whole) == 2
    chance = np.random.default_rng(7)
    for partitions in (2, 5, 11):
        findings = [findings[place] for place in chance.permutation(len(findings))]
        mine = pl.col("session_id").hash(partitions) % partitions
        split = [
            playback_tally(sessions.sample(fraction=1, shuffle=True, seed=partitions).filter(mine == part), findings)
            for part in range(partitions)
        ]
        assert incidents(merged(reversed(split)), NO_MIXUPS, RULES) == whole


def test_both_lanes_are_looked_at_together() -> None:
    night = a_night(some(100, 50, cdn="a"), some(900, 9, cdn="b"))
    assert {incident.kind for incident in found(merged([night, a_day(*DEPOT_ON_FIRE)]))} == {"cdn", "depot"}


def test_nothing_seen_is_no_incident() -> None:
    assert found(merged([])) == ()


def several(dimension: str, *values: str, failures: int = 30, fault: Fault = "unknown", **shared: str) -> list[Part]:
    return [some(60, failures, None, fault, **shared, **{dimension: value}) for value in values]


@pytest.mark.parametrize(
    ("spoilt", "fault"),
    [
        (several("isp", "x", "y", "z", cdn="a"), "service"),
        (several("isp", "x", cdn="a"), "unknown"),
        (several("isp", "x", "y", "z", cdn="a", fault="cdn"), "cdn"),
        (several("isp", "x", "y", "z", content_id="casablanca"), "service"),
        ([some(60, 50, isp="x", content_id="casablanca"), some(20, 2, isp="y", content_id="casablanca")], "unknown"),
        (several("cdn", "a", "b", isp="bad"), "isp"),
        (several("cdn", "a", isp="bad"), "unknown"),
        (several("isp", "x", "y", "z", device="tv", fault="device"), "device"),
        (several("isp", "x", "y", "z", device="tv"), "unknown"),
        (several("isp", "x", "y", "z", app_version="2"), "unknown"),
    ],
    ids=[
        "a CDN across networks",
        "a CDN on one network only",
        "servers that answer with errors",
        "a title across networks",
        "a title of which nearly all is watched on one network",
        "a network across CDNs",
        "a network with one CDN only",
        "a device that does not decode",
        "a device without a sign of its own",
        "an app version may only report wrongly",
    ],
)
def test_blame_goes_down_the_ladder(spoilt: list[Part], fault: Fault) -> None:
    usual = [
        some(60, 1, cdn=cdn, isp=isp, content_id="f", device="phone", app_version="1")
        for cdn, isp in product("abc", ("x", "y", "z"))
    ]
    told = found(a_night(*usual, *usual, *spoilt))
    assert [incident.fault for incident in told] == [fault]


def test_an_item_that_breaks_with_every_carrier_is_packed_badly() -> None:
    usual = [some(200, 2, carrier=carrier, item_id="cup") for carrier in ("ups", "usps")]
    vases = [some(50, 20, "damaged", "carrier", carrier=carrier, item_id="vase") for carrier in ("ups", "usps")]
    (vase,) = found(a_day(*usual, *vases))
    assert (vase.kind, vase.cohort, vase.fault) == ("item", {"item_id": "vase"}, "merchant")


def test_an_incident_names_its_latest_subjects_and_counts_all() -> None:
    (broken,) = found(a_night(some(2_000, 1_200, cdn="a"), some(2_000, 10, cdn="b")))
    assert (len(broken.affected), broken.affected_count) == (1_000, 1_200)
    latest = sorted(f"S-0-{number}" for number in range(1_200))[200:]  # of one moment, by name
    assert [affected.subject.id for affected in broken.affected] == latest


def test_an_incident_is_named_by_its_cohort_and_not_by_its_figures() -> None:
    (yesterday,), (today,) = (found(a_night(some(100, spoilt, cdn="a"), some(900, 9, cdn="b"))) for spoilt in (50, 60))
    assert yesterday.incident_id == today.incident_id
    (other,) = found(a_night(some(100, 50, cdn="c"), some(900, 9, cdn="b")))
    assert other.incident_id != today.incident_id


class TestMixups:
    def told(self, *reports: pl.DataFrame) -> tuple[Incident, ...]:
        return found(merged([]), pl.concat([NO_MIXUPS, *reports]))

    def test_the_same_wrong_item_twice_is_a_listing_to_check(self) -> None:
        (listing,) = self.told(a_report("L-1", came="coffee"), a_report("L-2", came="coffee"))
        assert (listing.kind, listing.fault, listing.figures) == ("listing", "merchant", None)
        assert listing.cohort == {"item_id": "decaf", "received_item_id": "coffee"}
        assert listing.confirmed_by_customers == 2
        assert [affected.subject.id for affected in listing.affected] == ["L-1", "L-2"]
        assert listing.claim == (
            "In place of item decaf came item coffee: 2 reports, on 2 order lines of 2 customers."
            " The listing may name the wrong item."
        )

    def test_the_same_wrong_item_again_in_the_exchange_is_one_customers_word(self) -> None:
        again = a_report("L-1", came="coffee", contact_id="K-2", event_time=EVENING + 9)
        (listing,) = self.told(a_report("L-1", came="coffee"), again)
        assert (listing.confirmed_by_customers, listing.affected_count) == (1, 1)
        assert listing.affected[0].occurred_at == EVENING + 9

    def test_one_report_read_twice_is_one_report(self) -> None:
        assert self.told(a_report("L-1", came="coffee"), a_report("L-1", came="coffee")) == ()

    @pytest.mark.parametrize("came", ["tea", "decaf", None], ids=["something else", "the right one", "not known"])
    def test_another_pair_confirms_nothing(self, came: str | None) -> None:
        assert self.told(a_report("L-1", came="coffee"), a_report("L-2", came=came)) == ()
        assert self.told(a_report("L-1", came=None), a_report("L-2", came=None)) == ()

    def test_what_a_listing_explains_is_not_an_incident_of_the_item_as_well(self) -> None:
        day = a_day(some(60, 6, "wrong_item", "merchant", item_id="decaf"), some(2_000, 3, "wrong_item", item_id="cup"))
        assert [incident.kind for incident in found(day)] == ["item"]
        reports = [a_report(f"L-0-{number}", came="coffee") for number in range(6)]
        assert [incident.kind for incident in found(day, pl.concat(reports))] == ["listing"]


def test_a_parcel_that_still_fails_for_another_reason_stays_a_unit() -> None:
    wrong = a_day(some(30, 30, "wrong_item", "merchant", item_id="decaf"), some(900, 9, item_id="cup"))
    late = a_day(some(30, 30, "late", item_id="decaf"))
    day = merged([wrong, Tally(merged([]).units, late.failing)])
    reports = pl.concat([a_report(f"L-0-{number}", came="coffee") for number in range(30)])
    told = found(day, reports)
    assert [(incident.kind, incident.failure_kinds) for incident in told] == [
        ("listing", ("wrong_item",)),
        ("item", ("late",)),
    ]


@pytest.mark.parametrize(
    "wrong", [{"min_units": 0}, {"q_value": 0.0}, {"q_value": 1.0}, {"min_ratio": 0.5}, {"more": 1}], ids=str
)
def test_figures_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        IncidentRules.model_validate({**RULES.model_dump(), **wrong})
