"""Pages of ours judged by other people's programs: html-validate, and axe-core in Chromium."""

import base64
import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.chromium import Browser, Scheme
from tests.support.stripe_servers import missing

FOLDER: Final = Path(__file__).with_name("web")
PHONE: Final = 360
DESK: Final = 1_280

_MODULES: Final = FOLDER / "node_modules"
_HOW_TO: Final = "html-validate and axe-core are not here: npm ci --prefix tests/support/web (needs Node.js)"
_ASK: Final = """
axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }).then(result => ({
  broken: result.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}`)),
  passed: result.passes.map(rule => rule.id),
  wide: [...document.querySelectorAll("body *")].filter(each => !each.closest(".scroll, svg"))
    .filter(each => each.getBoundingClientRect().right > WIDTH + 0.5).map(each => each.outerHTML.slice(0, 120)),
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
}))
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What axe-core found, by rule and place; which of its rules were met; what is wider than its window."""

    broken: list[str]
    passed: list[str]
    wide: list[str]
    dark: bool


def invalid(html: str) -> list[str]:
    """What html-validate has against a page."""
    command = _tool(".bin/html-validate")
    with _file(html) as page:
        found = page.with_name("found.json")  # written whole, unlike standard output, which ends with the process
        options: list[str | Path] = ["--config", FOLDER / "htmlvalidate.json", "--formatter", f"json={found}"]
        told = subprocess.run([command, *options, page], capture_output=True, check=False, text=True)
        assert found.exists(), told.stderr
        problems = [each for file in json.loads(found.read_text()) for each in file["messages"]]
    return [f"{each['line']}: {each['ruleId']}: {each['message']}" for each in problems]


def judged(browser: Browser, html: str, width: int, scheme: Scheme) -> Judged:
    """The page in a window so many pixels wide, in this colour scheme, with everything unfolded."""
    axe = _tool("axe-core/axe.min.js").read_text(encoding="utf-8")
    with _file(html) as path, browser.page(width, scheme) as page:
        page.open(path)
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        page.evaluate(f"{axe}; true")
        return Judged(**page.evaluate(_ASK.replace("WIDTH", str(width))))


def printed(browser: Browser, html: str) -> bytes:
    """The page as a PDF."""
    with _file(html) as path, browser.page(DESK) as page:
        page.open(path)
        return base64.b64decode(page.call("Page.printToPDF", preferCSSPageSize=True)["data"])


def _tool(name: str) -> Path:
    found = _MODULES / name
    if not found.exists():
        missing(_HOW_TO)
    return found


@contextmanager
def _file(html: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        yield page
