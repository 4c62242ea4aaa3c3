"""Figures of small towns whose answers can be counted on two hands."""

from collections.abc import Iterable

import pytest

from remediation.loyalty.measuring import Comparison, Group, measure
from remediation.loyalty.reading import Asked, Known, MadeGood
from remediation.loyalty.telling import as_record, as_text
from remediation.remedy import Arm

DAY = 86_400_000
NOW = 200 * DAY


def made_good(  # noqa: PLR0913, PLR0917 each matters to some story
    who: str, at: int = 0, arm: Arm | None = None, kind: str = "late", remedy: str = "refund", order: str = "spoilt"
) -> MadeGood:
    return MadeGood(f"{who} {at} {kind}", who, order, at, arm, kind, remedy)


def asked(who: str, score: int | None, about: int = 0, kind: str = "late") -> Asked:
    return Asked(f"{who} {about} {kind}", who, about + 7 * DAY, score)


def known(
    cases: Iterable[MadeGood],
    surveys: Iterable[Asked] = (),
    bought: dict[str, list[tuple[str, int]]] | None = None,
    until: int | None = NOW,
) -> Known:
    orders = {who: tuple(each) for who, each in (bought or {}).items()}
    return Known(
        made_good=tuple(sorted(cases, key=lambda each: each.as_of)),
        asked=tuple(sorted(surveys, key=lambda each: each.asked_at)),
        bought=orders,
        orders_until=until,
        forgotten_count=0,
        taken_back_count=0,
        erased_count=0,
    )


def everybody(town: Known) -> Group:
    return measure(town, NOW).everybody


def test_promoters_passives_and_detractors() -> None:
    scores = [0, 6, 7, 8, 9, 10, 10, None]
    group = everybody(known((made_good(str(n)) for n in range(8)), (asked(str(n), s) for n, s in enumerate(scores))))
    assert (group.asked, group.answered) == (8, 7)
    assert (group.promoters, group.passives, group.detractors) == (3, 2, 2)
    assert group.score
    assert group.score.estimate == pytest.approx(1 / 7)
    assert group.response
    assert group.response.estimate == 7 / 8


def test_each_customer_counts_once_by_the_last_survey_that_reached_them() -> None:
    cases = [made_good("rick", 0), made_good("rick", 100 * DAY)]
    group = everybody(known(cases, [asked("rick", 2), asked("rick", 9, 100 * DAY)]))
    assert (group.customers, group.asked, group.promoters, group.detractors) == (1, 1, 1, 0)
    assert everybody(known(cases, [asked("rick", 2), asked("rick", None, 100 * DAY)])).answered == 0


class TestWhoBoughtAgain:
    def within(self, *bought: tuple[str, int], until: int | None = NOW) -> list[tuple[int, int, int]]:
        group = everybody(known([made_good("rick", 10 * DAY)], bought={"rick": list(bought)}, until=until))
        return [(each.counted, each.returned, each.not_over) for each in group.returned]

    def test_within_four_weeks_and_twelve(self) -> None:
        assert self.within(("film", 10 * DAY + 1)) == [(1, 1, 0), (1, 1, 0)]
        assert self.within(("film", 38 * DAY)) == [(1, 1, 0), (1, 1, 0)]
        assert self.within(("film", 38 * DAY + 1)) == [(1, 0, 0), (1, 1, 0)]
        assert self.within(("film", 94 * DAY + 1)) == [(1, 0, 0), (1, 0, 0)]

    def test_not_what_was_bought_before_nor_the_order_that_went_wrong(self) -> None:
        assert self.within(("film", 10 * DAY), ("spoilt", 11 * DAY)) == [(1, 0, 0), (1, 0, 0)]

    def test_whose_weeks_are_not_over_is_neither_back_nor_lost(self) -> None:
        assert self.within(("film", 11 * DAY), until=38 * DAY - 1) == [(0, 0, 1), (0, 0, 1)]
        assert self.within(("film", 11 * DAY), until=38 * DAY) == [(1, 1, 0), (0, 0, 1)]
        assert self.within(until=None) == [(0, 0, 1), (0, 0, 1)]


def test_a_group_a_kind_and_a_remedy() -> None:
    cases = [
        made_good("rick", kind="late"),
        made_good("rick", 5 * DAY, kind="lost", remedy="replacement"),
        made_good("ilsa", kind="lost", remedy="replacement"),
    ]
    surveys = [asked("rick", 9, 5 * DAY, "lost"), asked("ilsa", 3, kind="lost")]
    found = measure(known(cases, surveys, {"rick": [("film", 30 * DAY)]}), NOW)
    assert {name: (group.customers, group.asked) for name, group in found.by_kind.items()} == {
        "late": (1, 0),
        "lost": (2, 2),
    }
    assert {name: group.promoters for name, group in found.by_remedy.items()} == {"refund": 0, "replacement": 1}
    assert found.by_kind["late"].returned[0].returned == 0
    assert found.by_kind["lost"].returned[0].returned == 1


class TestArms:
    def test_a_customer_counts_from_what_drew_them_into_their_arm(self) -> None:
        cases = [
            made_good("rick", 0),
            made_good("rick", 50 * DAY, "goodwill"),
            made_good("ilsa", 50 * DAY, "holdout"),
            made_good("sam", 50 * DAY),
        ]
        surveys = [asked("rick", 0), asked("ilsa", 9, 50 * DAY), asked("sam", 0, 50 * DAY)]
        bought = {"rick": [("film", 10 * DAY)], "ilsa": [("film", 60 * DAY)]}
        arms = measure(known(cases, surveys, bought), NOW).arms
        goodwill, holdout = arms["goodwill"], arms["holdout"]
        assert (goodwill.customers, goodwill.asked, goodwill.returned[0].returned) == (1, 0, 0)
        assert (holdout.customers, holdout.promoters, holdout.returned[0].returned) == (1, 1, 1)

    def test_who_was_in_both_is_in_none_and_is_counted(self) -> None:
        cases = [made_good("rick", 0, "goodwill"), made_good("rick", DAY, "holdout"), made_good("ilsa", 0, "holdout")]
        found = measure(known(cases, [asked("rick", 9)]), NOW)
        assert (found.arms["goodwill"].customers, found.arms["holdout"].customers) == (0, 1)
        assert (found.arms["goodwill"].asked, found.both_arms_count) == (0, 1)

    def test_a_difference_that_numbers_bear_out_is_told(self) -> None:
        found = measure(a_town(goodwill=(400, 240), holdout=(400, 120)), NOW)
        score, four_weeks, _ = found.comparisons
        assert (score.verdict, four_weeks.verdict) == ("too_few", "higher")
        assert four_weeks.difference
        assert four_weeks.difference.estimate == pytest.approx(0.3)
        told = as_text(found)
        assert "bought again within 28 days: +30.0 (+23.3 to +36.3); higher with goodwill" in told

    def test_too_few_say_how_many_it_takes(self) -> None:
        found = measure(a_town(goodwill=(9, 5), holdout=(3, 1)), NOW)
        four_weeks = found.comparisons[1]
        assert four_weeks.verdict == "too_few"
        assert four_weeks.counted == (9, 3)
        assert four_weeks.needed[0] == pytest.approx(3 * four_weeks.needed[1], abs=3)
        assert (
            f"takes {four_weeks.needed[0]:,} and {four_weeks.needed[1]:,} to see 5 points, and there are 9 and 3"
            in as_text(found)
        )

    def test_enough_without_a_difference_is_told_as_such(self) -> None:
        found = measure(a_town(goodwill=(4_000, 1_000), holdout=(4_000, 1_000)), NOW)
        assert found.comparisons[1].verdict == "none_seen"
        assert "no difference seen, and there are enough to see 5 points" in as_text(found)

    def test_less_is_told_too(self) -> None:
        assert measure(a_town(goodwill=(400, 120), holdout=(400, 240)), NOW).comparisons[1].verdict == "lower"

    def test_without_anybody_nothing_is_said(self) -> None:
        found = measure(known([]), NOW)
        assert [each.difference for each in found.comparisons] == [None, None, None]
        assert {each.verdict for each in found.comparisons} == {"too_few"}
        assert all(min(each.needed) > 100 for each in found.comparisons)
        assert "net promoter score: unknown; too few to tell" in as_text(found)


def a_town(goodwill: tuple[int, int], holdout: tuple[int, int]) -> Known:
    """So many of each arm, so many of whom bought again on the next day."""
    cases, bought = [], {}
    arms: tuple[tuple[Arm, tuple[int, int]], ...] = (("goodwill", goodwill), ("holdout", holdout))
    for arm, (total, back) in arms:
        for number in range(total):
            cases.append(made_good(f"{arm} {number}", 0, arm))
            if number < back:
                bought[f"{arm} {number}"] = [("film", DAY)]
    return known(cases, (), bought)


def test_the_record_says_what_the_text_says() -> None:
    found = measure(known([made_good("rick")], [asked("rick", 9)], {"rick": [("film", DAY)]}), NOW)
    record = as_record(found)
    assert (record.everybody.answered, record.everybody.promoters) == (1, 1)
    assert record.by_kind["late"].returned[0].share
    assert record.by_kind["late"].returned[0].share.estimate == 1.0
    assert record.comparisons[0].verdict == "too_few"
    assert "rick" not in repr(record) + as_text(found)


def test_a_comparison_of_equal_figures_is_no_difference() -> None:
    assert Comparison("x", None, (0, 0), 0.1, (5, 5)).verdict == "too_few"
