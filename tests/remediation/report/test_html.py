import os
import re
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.ledger.run import Objection, Role, RunInput
from remediation.mail import Mail
from remediation.remedy import Action
from remediation.report.charts import drawing
from remediation.report.html import render_report
from remediation.report.listings import MOST_ROWS, MOST_WHOLE, largest_first
from remediation.report.night import Counts, Night
from remediation.tickets import TicketState
from tests.remediation.guards.nights import a_group, a_source, weeks
from tests.remediation.guards.nights import a_night as usual_night
from tests.remediation.report.nights import (
    A_NIGHT,
    a_backdrop,
    a_decline,
    a_finding,
    a_mail,
    a_night,
    a_reject,
    a_remedy,
    a_row,
    a_ticket,
)
from tests.support.examples import examples
from tests.support.pages import Page, contrast, demand_order, demand_whole, palette

ROOT: Final = Path(__file__).parents[3]
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "</title><svg/onload=alert(1)>",
    "</pre></details><iframe src=//evil.example>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "javascript:alert(1)",
    "' autofocus onfocus=alert(1) x='",
    "<!--",
    "]]><x>",
    "&lt;b&gt;&#x3c;b&#x3e;",
]


def read(night: Night) -> str:
    return Page(render_report(night)).text


def test_a_common_cause_waits_for_a_person_with_its_figures() -> None:
    lines = [f"line-{number:02d}" for number in range(50)]
    text = read(replace(A_NIGHT, tickets=(a_ticket(*lines),), order_lines=300, flagged_order_lines=50))

    assert "Waiting for a person: 1 ticket to confirm." in text
    assert "Order lines flagged 16.7 % 50 of 300" in text
    assert "Of 60 parcels at depot SPARKS, NV 50 are lost. open To do Call the carrier." in text
    assert "failed here 50 of 60, 83.3 % 95 % interval 71.5 % to 91.7 % failed elsewhere 0 of 240, 0.0 %" in text
    assert "times as often" not in text
    assert "50 affected, order lines line-00, line-01" in text
    assert "line-09 and others ticket ticket-1" in text


def test_open_tickets_come_before_those_that_are_dealt_with() -> None:
    done = a_ticket(state=TicketState.DONE, claim="The listing was wrong.", figures=None, ticket="ticket-2")
    small, large = a_ticket(ticket="ticket-3"), a_ticket("line-1", "line-2", ticket="ticket-4")

    night = replace(A_NIGHT, tickets=(done, small, large))
    text = read(night)
    assert text.index("ticket-4") < text.index("ticket-3") < text.index("ticket-2")
    assert "2 tickets to confirm" in text
    assert render_report(night).count('<p class="state wait">open</p>') == 2
    assert '<p class="state">done</p>' in render_report(night)


def test_a_night_without_a_common_cause_says_so() -> None:
    assert "No failures share a cause that stands out." in read(A_NIGHT)


def test_of_very_many_tickets_the_first_are_told_whole() -> None:
    many = tuple(a_ticket(ticket=f"ticket-{number:03d}") for number in range(300))
    html = render_report(replace(A_NIGHT, tickets=many))
    assert html.count('<article class="ticket">') == MOST_WHOLE
    assert "Common causes 300 open" in Page(html).text
    assert all(f"ticket ticket-{number:03d}" in html for number in range(300))
    assert len(html) < 150_000


def test_a_remedy_of_goods_alone_shows_no_sum() -> None:
    exchange = replace(a_remedy(amount=0), actions=(Action("exchange"),))

    text = read(a_night(a_row(exchange), a_row(replace(exchange, order_line_id="line-2", state="held"))))
    assert "no money exchange (the wrong item may be kept) approved" in text
    assert "Made good for 1 customer: goods alone. Waiting for a person: 1 remedy (goods alone)." in text
    assert "To be paid nothing" in text
    assert "0.00" not in text


def test_the_night_at_a_glance() -> None:
    night = replace(
        a_night(
            a_row(a_remedy("line-1", 299)),
            a_row(a_remedy("line-2", 400, "JPY", customer="customer-2")),
            a_row(a_remedy("line-3", 8_990, state="held")),
        ),
        declined=(a_decline(), a_decline("session-10", "review", "several_orders")),
    )

    text = read(night)
    assert "The night up to 22 November 2026, 06:00 UTC" in text
    assert "Made good for 2 customers: 400 JPY and 2.99 USD." in text
    assert "Waiting for a person: 1 remedy (89.90 USD) and 1 case to look at." in text
    assert "Sessions flagged 2.5 % 1 of 40" in text
    assert "To be paid in JPY 400 JPY To be paid in USD 2.99 USD Remedies held for a person 1 89.90 USD" in text
    assert "Waiting for a person 2" in text
    assert "There is no earlier night to compare with." in text
    assert "✓ adds up Records: 1,200 in = 1,190 used + 6 duplicate + 4 rejected + 0 late" in text
    assert "5f" * 32 in text
    assert "beacons.jsonl telemetry 1,200 48,213 " + "ab" * 32 in text


def test_a_remedy_is_told_with_its_evidence_and_its_mail() -> None:
    text = read(A_NIGHT)

    assert "Casablanca 2.99 USD refund of 2.99 USD approved" in text
    assert "Playback stalled stalled 6 times, 10.9 s in all, longest 2.9 s, of 86.2 s watched" in text
    assert "2026-11-21 20:04:31 to 20:05:52 UTC · session session-1" in text
    assert "Why Stalls spoilt the film, so its whole price is given back." in text
    assert "Mail: We are sorry We have refunded 2.99 USD." in text
    assert f"order line line-1 · remedy {a_remedy().remedy_id}" in text


def test_a_held_remedy_waits_above_those_that_are_made_good() -> None:
    held = a_row(a_remedy("line-2", state="held", reason="A second person must agree."), title="Metropolis")

    night = a_night(a_row(), held)
    text = read(night)
    assert text.index("Waiting for a person", 300) < text.index("Metropolis") < text.index("Made good", 300)
    assert '<p class="state wait">held for a person</p>' in render_report(night)
    assert '<p class="state">approved</p>' in render_report(night)


def test_declines_and_reviews_come_with_their_reasons() -> None:
    night = replace(
        A_NIGHT,
        declined=(
            a_decline("session-8", code="nothing_paid", reason="The film was free.", order_line="line-8"),
            a_decline("session-9", "review", "several_orders", "Two orders cover the film."),
        ),
    )

    text = read(night)
    assert "session session-8 order line line-8 The film was free. nothing_paid" in text
    assert "session session-9 Two orders cover the film. several_orders" in text


def test_rejects_alike_are_counted_with_one_example() -> None:
    night = replace(
        A_NIGHT,
        rejects=(
            a_reject(line=9),
            a_reject(line=7, count=2),
            a_reject("unknown_field", scope="field", count=31, reason="The field is not known."),
            a_reject("truncated_file", scope="file", line=None, source="b.gz", reason="The file ends too early."),
        ),
    )

    text = read(night)
    assert "not_json 3 record The line is not JSON. beacons.jsonl:7" in text
    assert "unknown_field bitrate_kbps 31 field; its record is used The field is not known. beacons.jsonl:7" in text
    assert "truncated_file 1 whole file The file ends too early. b.gz, at 120" in text


def test_a_sum_that_fails_can_not_be_overlooked() -> None:
    text = read(replace(A_NIGHT, counts=Counts(records=10, used=8, duplicate=0, rejected=1, late=0)))

    assert "✗ does not add up Records: 10 in ≠ 8 used + 0 duplicate + 1 rejected + 0 late" in text
    assert "Release nothing of this night" in text
    assert "✓" not in text


def test_a_run_that_is_held_can_not_be_overlooked() -> None:
    storm = Objection("sessions", "412 of 1,000 sessions were flagged.")
    page = read(replace(A_NIGHT, run_state="held", objections=(storm,)))
    assert "This run is held: nothing of it is sent until a person releases it." in page
    assert storm.reason in page
    assert "nothing of it is sent" not in read(A_NIGHT)


def test_the_same_night_again_says_so() -> None:
    assert "Nothing changed: this night was already recorded." in read(replace(A_NIGHT, new=False))
    assert "Nothing changed" not in read(A_NIGHT)


def test_a_quiet_night_says_that_there_is_nothing() -> None:
    quiet = replace(a_night(), declined=(), rejects=(), inputs=(), findings_by_kind={}, sessions=0, flagged_sessions=0)

    text = read(quiet)
    assert "Nothing is made good this night. Nothing waits for a person." in text
    assert " flagged, " not in text


def test_of_very_many_remedies_the_largest_are_shown() -> None:
    rows = [a_row(a_remedy(f"line-{number}", number), mailed=False, title="x") for number in range(1, MOST_ROWS + 3)]

    html = render_report(a_night(*rows))
    assert html.count('<article class="remedy">') == MOST_WHOLE
    assert html.count("order line <bdi>") == MOST_ROWS
    assert "The largest are shown; 2 more are in remedies.jsonl." in html
    assert "order line <bdi>line-502</bdi>" in html
    assert "order line <bdi>line-2</bdi>" not in html


def test_the_largest_of_each_currency_come_first() -> None:
    amounts = [(100, "USD"), (300, "USD"), (9_000, "JPY"), (200, "USD"), (8_000, "JPY")]
    rows = [a_row(a_remedy(f"line-{amount}", amount, currency)) for amount, currency in amounts]

    ordered = [(row.remedy.amount, row.remedy.currency) for row in largest_first(rows)]
    assert ordered == [(9_000, "JPY"), (300, "USD"), (8_000, "JPY"), (200, "USD"), (100, "USD")]


def test_the_order_of_the_night_does_not_matter() -> None:
    rows = [a_row(a_remedy(f"line-{number}")) for number in range(5)]
    refused = tuple(a_decline(f"session-{number}") for number in range(5))
    rejects = tuple(a_reject(line=number) for number in range(5))
    night = replace(a_night(*rows), declined=refused, rejects=rejects)
    reversed_night = replace(a_night(*rows[::-1]), declined=refused[::-1], rejects=rejects[::-1])

    assert render_report(night) == render_report(reversed_night)


def full_of(text: str) -> str:
    """The report of a night in which everything that comes from outside is this text."""
    finding = a_finding(text, evidence={text: text, "error_code": text, "stall_count": 1})
    remedy = a_remedy(text, findings=(finding,), reason=text)
    night = replace(
        A_NIGHT,
        run_id=text,
        policy_sha256=text,
        detector_version=text,
        findings_by_kind={text: 1},
        remedies=(
            replace(
                a_row(remedy, finding),
                title=text,
                mail=Mail(remedy.remedy_id, text, text, text, text, text),
                item_id="film-1",
            ),
        ),
        declined=(a_decline(text, code=text, reason=text, order_line=text),),
        rejects=(replace(a_reject(text, source=text, reason=text), field=text),),
        inputs=(RunInput(cast("Role", text), text, 1, text, 1),),
        mail_dir=text,
        tickets=(a_ticket(text, claim=text, action=text, cohort={text: text}, ticket=text),),
        run_state=text,
        objections=(Objection(text, text),),
    )
    return render_report(night)


def surrounded(texts: list[str]) -> str:
    """The report of a usual night among values and sources that are these texts."""
    groups = tuple(a_group(text, 40, 1, dimension) for text in texts for dimension in ("content_id", "cdn"))
    sources = tuple(a_source(name=text, records=9) for text in texts)
    tonight = usual_night(groups=groups, sources=sources)
    return render_report(A_NIGHT, a_backdrop(tonight, [usual_night(-1)]))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_never_obeyed(text: str) -> None:
    hostile, harmless = Page(full_of(text)), Page(full_of("harmless"))

    assert hostile.tags == harmless.tags
    assert text in "".join(hostile.words)


def test_hostile_values_and_sources_are_drawn_and_never_obeyed() -> None:
    hostile, harmless = (
        Page(surrounded(HOSTILE)),
        Page(surrounded([f"harmless {each}" for each in range(len(HOSTILE))])),
    )
    assert hostile.tags == harmless.tags
    assert all("".join(hostile.words).count(text) >= 3 for text in HOSTILE)


@examples(15)
@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=60).filter(str.strip))
def test_no_text_at_all_changes_the_page(text: str) -> None:
    assert Page(full_of(text)).tags == Page(full_of("harmless")).tags


def test_nothing_steers_or_turns_the_text_around() -> None:
    html = full_of("a\x1b[2J\u202eb\u2066c\x00")

    assert not set("\x1b\u202e\x00") & set(html)


def test_no_address_of_a_person_comes_through_an_error_code() -> None:
    finding = a_finding(kind="playback_failed", evidence={"error_code": "jane.doe@example.com"})

    assert "jane.doe" not in render_report(a_night(a_row(None, finding)))


def test_no_customer_is_named_by_an_id() -> None:
    assert "customer-1" not in render_report(A_NIGHT)
    assert "customer-9" not in render_report(A_NIGHT)


WHOLE_NIGHT: Final = replace(A_NIGHT, declined=(a_decline(), a_decline("s", "review")), tickets=(a_ticket(),))
WHOLE: Final = render_report(WHOLE_NIGHT, a_backdrop(earlier=weeks()))
"""A page with all its parts."""


@pytest.mark.parametrize("html", [render_report(A_NIGHT), WHOLE], ids=["first night", "with a backdrop"])
def test_the_page_is_complete_in_itself_and_can_be_read_with_any_tool(html: str) -> None:
    demand_whole(html)
    demand_order(html)
    assert len(html.encode()) < 100_000


def test_the_same_night_gives_the_same_bytes() -> None:
    """Though its charts are drawn anew, after others."""
    drawing.drawn.cache_clear()
    surrounded(["x"])
    assert render_report(WHOLE_NIGHT, a_backdrop(earlier=weeks())) == WHOLE


@pytest.mark.servers
def test_another_process_gives_the_same_bytes() -> None:
    program = "from tests.remediation.report.test_html import WHOLE; import sys; sys.stdout.write(WHOLE)"
    for seed in ("1", "2"):
        command = [sys.executable, "-c", program]
        printed = subprocess.run(
            command, check=True, capture_output=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}
        )
        assert printed.stdout.decode() == WHOLE


def test_a_mail_is_marked_with_its_language() -> None:
    remedy = a_remedy()
    mail = replace(a_mail(remedy), language="ja", subject="【お詫び】", text="返金いたしました。")

    html = render_report(a_night(replace(a_row(remedy), mail=mail)))
    assert '<bdi lang="ja">【お詫び】</bdi>' in html
    assert '<pre lang="ja" dir="auto">返金いたしました。</pre>' in html


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(
    ("front", "ground"),
    [
        ("ink", "page"),
        ("ink", "sheet"),
        ("quiet", "page"),
        ("quiet", "sheet"),
        ("good", "good-ground"),
        ("wait", "wait-ground"),
        ("bad", "bad-ground"),
        ("link", "page"),
        ("wait", "page"),
    ],
)
def test_every_pair_of_colours_can_be_read(scheme: str, front: str, ground: str) -> None:
    colours = palette(_css(), scheme)
    assert contrast(colours[front], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize("front", ["mark", "past", "alert", "ink"])
def test_what_is_drawn_stands_out_from_its_ground(scheme: str, front: str) -> None:
    colours = palette(_css(), scheme)
    assert contrast(colours[front], colours["sheet"]) >= 3
    assert contrast(colours[front], colours["page"]) >= 3
    assert contrast(colours["mark"], colours["alert"]) >= 1.1, "told apart without their hue"


def test_no_colour_is_set_outside_the_palette() -> None:
    rules = re.sub(r"--[\w-]+: #\w+;", "", _css())

    assert not re.search(r"#[0-9a-f]{3,6}\b(?!\s*\{)", rules)


def _css() -> str:
    return (resources.files("templates") / "report" / "night.css").read_text(encoding="utf-8")
