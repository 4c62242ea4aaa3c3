from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from remediation.remedy import Action
from remediation.report.funnel import Stage, funnel, funnel_chart
from remediation.report.night import Counts, Night
from tests.remediation.report.nights import A_NIGHT, a_decline, a_finding, a_night, a_remedy, a_row

COUNTS = st.integers(0, 9)


def stages(night: Night) -> dict[str, Stage]:
    return {f"{stage.unit} {stage.verb}": stage for stage in funnel(night)}


def losses(stage: Stage) -> dict[str, int]:
    return {loss.why: loss.count for loss in stage.losses}


def test_every_record_that_was_not_used_has_its_reason() -> None:
    night = replace(A_NIGHT, counts=Counts(records=20, used=10, duplicate=3, rejected=4, late=2))
    used = stages(night)["records used"]
    assert list(losses(used).values()) == [3, 4, 2, 1]
    assert losses(used)["lost, and nobody knows where"] == 1
    assert used.whole


def test_a_finding_is_paid_for_looked_at_declined_or_was_dealt_with_before() -> None:
    paid, doubtful, refused, both, old = (a_finding(f"session-{number}") for number in range(5))
    night = replace(
        a_night(a_row(a_remedy(findings=(paid, both)), paid)),
        declined=(
            replace(a_decline("session-1", "review", "several_orders"), finding_ids=(doubtful.finding_id,)),
            replace(a_decline("session-2"), finding_ids=(refused.finding_id, both.finding_id)),
        ),
        findings_by_kind={"playback_stalls": 5},
        finding_ids=frozenset(finding.finding_id for finding in (paid, doubtful, refused, both, old)),
    )
    answered = stages(night)["findings answered by a remedy"]
    assert (answered.came, answered.went_on) == (5, 2)
    assert losses(answered) == {
        "declined: no order": 1,
        "to be looked at: several orders": 1,
        "made good or decided in an earlier night": 1,
    }


def test_a_remedy_without_a_mail_says_why() -> None:
    letter = replace(a_remedy("line-2"), actions=(Action("refund", 299), Action("letter")))
    night = a_night(
        a_row(),
        a_row(letter, mailed=False),
        a_row(a_remedy("line-3"), mailed=False),
        a_row(a_remedy("line-4", state="held")),
    )
    found = stages(night)
    assert losses(found["remedies approved"]) == {"held for a person": 1}
    assert losses(found["approved remedies with a mail"]) == {
        "a person writes a letter": 1,
        "no second mail about the same delay": 1,
    }


def test_of_a_run_that_is_held_nothing_goes_on() -> None:
    assert "approved remedies released" not in stages(A_NIGHT)
    held = stages(replace(A_NIGHT, run_state="held"))["approved remedies released"]
    assert (held.went_on, losses(held)) == (0, {"the run is held": 1})


def test_what_nothing_came_into_is_left_out() -> None:
    quiet = replace(a_night(), findings_by_kind={}, sessions=3, flagged_sessions=0)
    assert list(stages(quiet)) == ["records used", "sessions flagged"]
    assert "records used 1,190 of 1,200 and sessions flagged 0 of 3." in funnel_chart(funnel(quiet))


@given(COUNTS, COUNTS, COUNTS, COUNTS, st.integers(0, 99), COUNTS, COUNTS, st.lists(st.sampled_from("ahdr")))
def test_no_stage_loses_anything_without_a_name(  # noqa: PLR0913, PLR0917 a night is nothing less
    used: int, duplicate: int, rejected: int, late: int, sessions: int, flagged: int, lines: int, fates: str
) -> None:
    findings = [a_finding(f"session-{number}") for number in range(len(fates))]
    rows = [
        a_row(a_remedy(f"line-{number}", findings=(finding,), state="approved" if fate == "a" else "held"), finding)
        for number, (fate, finding) in enumerate(zip(fates, findings, strict=True))
        if fate in "ah"
    ]
    night = replace(
        a_night(*rows),
        counts=Counts(used + duplicate + rejected + late, used, duplicate, rejected, late),
        sessions=max(sessions, flagged),
        flagged_sessions=flagged,
        order_lines=lines,
        declined=tuple(
            replace(a_decline(finding.subject.id), finding_ids=(finding.finding_id,))
            for fate, finding in zip(fates, findings, strict=True)
            if fate == "d"
        ),
        findings_by_kind={"playback_stalls": len(findings)},
        finding_ids=frozenset(finding.finding_id for finding in findings),
    )
    assert all(stage.whole for stage in funnel(night))
