from dataclasses import replace

from remediation.guards.figures import Judged
from remediation.report.failures import MOST_GROUPS, breakdowns, kind_chart, kind_rows
from remediation.report.view import Breakdown
from tests.remediation.guards.nights import a_group, weeks
from tests.remediation.guards.nights import a_night as usual_night
from tests.remediation.report.nights import A_NIGHT, a_backdrop, a_night, a_row


def broken_down(*groups: tuple[str, int, int], dimension: str = "cdn") -> Breakdown:
    found = [a_group(*group, dimension=dimension) for group in groups]
    (part,) = breakdowns(A_NIGHT, usual_night(groups=tuple(found), sessions=Judged(1_000, 20)))
    return part


def test_kinds_stand_beside_what_is_usual_the_commonest_first() -> None:
    night = replace(A_NIGHT, findings_by_kind={"slow_start": 3, "lost": 40})
    backdrop = a_backdrop(earlier=weeks(1, findings_by_kind={"lost": 90}))
    assert [(row.name, row.count, row.usual) for row in kind_rows(night, backdrop)] == [
        ("Lost", "40", "90"),
        ("Slow start", "3", "0"),
    ]
    assert "Lost 40 · usually 90; Slow start 3 · usually 0." in str(kind_chart(night, backdrop))
    assert [row.usual for row in kind_rows(night, None)] == ["", ""]


def test_where_it_failed_is_a_share_of_what_was_there() -> None:
    part = broken_down(("cdn-a", 100, 5), ("cdn-b", 700, 15), ("cdn-c", 200, 0))
    assert [(row.name, row.said) for row in part.rows] == [
        ("cdn-b", "15 of 700 · 2.1 %"),
        ("cdn-a", "5 of 100 · 5.0 %"),
    ]
    assert part.note == "The mark: all sessions: 2.0 %."
    assert part.heading == "CDN"


def test_only_the_worst_values_are_shown_and_the_others_counted() -> None:
    part = broken_down(*((f"as{number}", 90, number) for number in range(20)), dimension="isp")
    assert [row.flagged for row in part.rows] == [str(number) for number in range(19, 19 - MOST_GROUPS, -1)]
    assert "13 more values had failures." in part.note


def test_a_title_is_told_by_its_name() -> None:
    groups = (a_group("film-1", 90, 3, "content_id"), a_group("film-2", 90, 2, "content_id"))
    night = a_night(replace(a_row(title="Casablanca"), item_id="film-1"))
    (part,) = breakdowns(night, usual_night(groups=groups))
    assert [row.name for row in part.rows] == ["Casablanca", "film-2"]


def test_what_may_be_a_persons_is_not_shown() -> None:
    part = broken_down(("tv", 90, 3), ("Anna's phone", 1, 1), ("jane.doe@example.com", 90, 2), dimension="device")
    assert [row.name for row in part.rows] == ["tv", "(not shown)"]
    assert "Anna" not in part.chart


def test_a_night_in_which_nothing_failed_has_no_chart() -> None:
    assert kind_chart(replace(A_NIGHT, findings_by_kind={}), None) is None
    assert breakdowns(A_NIGHT, usual_night(groups=(a_group("cdn-a", 90, 0, "cdn"),))) == ()
