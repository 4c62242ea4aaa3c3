"""The report as other people's programs see it: a validator, an accessibility audit in a browser, and a printer."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from remediation.ledger.run import Objection
from remediation.report.html import render_report
from tests.remediation.guards.nights import a_group, weeks
from tests.remediation.guards.nights import a_night as usual_night
from tests.remediation.report.nights import A_NIGHT, a_backdrop, a_decline, a_remedy, a_row, a_ticket
from tests.support.browser import DESK, PHONE, invalid, judged, printed
from tests.support.chromium import Browser, Scheme, chromium

pytestmark = pytest.mark.servers

LONG = "Sunrise: A Song of Two Humans, restored from a nitrate print with its first score"
CROWDED = render_report(
    replace(
        A_NIGHT,
        remedies=tuple(
            replace(a_row(a_remedy(f"line-{number}", state="held" if number % 3 else "approved")), title=LONG)
            for number in range(90)
        ),
        declined=(a_decline(), a_decline("s", "review")),
        tickets=tuple(a_ticket(ticket=f"ticket-{number}") for number in range(30)),
        run_state="held",
        objections=(Objection("sessions", "Half of all sessions were flagged."),),
    ),
    a_backdrop(usual_night(groups=(a_group("w" * 60, 90, 9, "content_id"), a_group("cdn-a", 90, 9, "cdn"))), weeks(4)),
)
EMPTY = render_report(
    replace(
        A_NIGHT, remedies=(), declined=(), rejects=(), inputs=(), findings_by_kind={}, sessions=0, flagged_sessions=0
    )
)
PAGES = pytest.mark.parametrize(
    "html", [render_report(A_NIGHT), CROWDED, EMPTY], ids=["first night", "crowded", "empty"]
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@PAGES
def test_the_page_is_valid(html: str) -> None:
    assert invalid(html) == []


@PAGES
@pytest.mark.parametrize("width", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_the_page(browser: Browser, html: str, width: int, scheme: Scheme) -> None:
    found = judged(browser, html, width, scheme)
    assert (found.broken, found.wide, found.dark) == ([], [], scheme == "dark")
    assert {"color-contrast", "heading-order", "scope-attr-valid", "svg-img-alt"} <= {*found.passed, *_absent(html)}


def _absent(html: str) -> set[str]:
    return set() if "<svg" in html else {"svg-img-alt"}


def test_the_page_can_be_printed(browser: Browser) -> None:
    pages = printed(browser, CROWDED).count(b"/Type /Page\n")
    assert 3 <= pages <= 40


def test_the_judges_find_what_is_wrong(browser: Browser) -> None:
    faint = CROWDED.replace("--quiet: #5b626b", "--quiet: #b0b4b9")
    wide = CROWDED.replace("<main>", '<main><div style="width: 900px">wide</div>')
    unordered = re.sub(r"<h2 id=\"glance\">(.*?)</h2>", r'<h5 id="glance">\1</h5>', CROWDED)
    assert any("color-contrast" in each for each in judged(browser, faint, PHONE, "light").broken)
    assert judged(browser, wide, PHONE, "light").wide
    assert any("heading-order" in each for each in judged(browser, unordered, PHONE, "light").broken)
    assert any("heading-level" in each for each in invalid(unordered))
    assert invalid(CROWDED.replace("</table>", "", 1))
