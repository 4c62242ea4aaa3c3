"""Pages of ours judged by other people's programs: html-validate, and axe-core in a headless Chromium."""

import base64
import html as markup
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.support.stripe_servers import missing

FOLDER: Final = Path(__file__).with_name("web")
PHONE: Final = 360
DESK: Final = 1_280

_MODULES: Final = FOLDER / "node_modules"
_HOW_TO: Final = "html-validate and axe-core are not here: npm ci --prefix tests/support/web (needs Node.js)"
_QUIETLY: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_DARK: Final = "--blink-settings=preferredColorScheme=0"
_FRAME: Final = (
    '<!doctype html><meta charset="utf-8"><title>frame</title><pre id="found"></pre>'
    "<script>addEventListener('message', event => {{ document.getElementById('found').textContent = event.data; }})"
    '</script><iframe style="width: {width}px; height: 900px; border: 0" srcdoc="{page}"></iframe>'
)
_ASK: Final = """
<script>%s</script>
<script>
axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"] }).then(result => {
  const wide = [...document.querySelectorAll("body *")].filter(each => !each.closest(".scroll, svg"))
    .filter(each => each.getBoundingClientRect().right > innerWidth + 0.5).map(each => each.outerHTML.slice(0, 120));
  const broken = result.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}`));
  parent.postMessage(btoa(unescape(encodeURIComponent(JSON.stringify({
    broken, wide, passed: result.passes.map(rule => rule.id), dark: matchMedia("(prefers-color-scheme: dark)").matches,
  })))), "*");
});
</script>
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """What axe-core found, by rule and place; which of its rules were met; what is wider than its window."""

    broken: list[str]
    wide: list[str]
    passed: list[str]
    dark: bool


def invalid(html: str) -> list[str]:
    """What html-validate has against a page."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        command = _MODULES / ".bin" / "html-validate"
        if not command.exists():
            missing(_HOW_TO)
        found = Path(folder) / "found.json"  # written whole, unlike standard output, which ends with the process
        options: list[str | Path] = ["--config", FOLDER / "htmlvalidate.json", "--formatter", f"json={found}"]
        told = subprocess.run([command, *options, page], capture_output=True, check=False, text=True)
        assert found.exists(), told.stderr
        problems = [each for file in json.loads(found.read_text()) for each in file["messages"]]
        return [f"{each['line']}: {each['ruleId']}: {each['message']}" for each in problems]


def judged(html: str, width: int, scheme: Literal["light", "dark"]) -> Judged:
    """The page in a window so many pixels wide, in this colour scheme."""
    source = _MODULES / "axe-core" / "axe.min.js"
    if not source.exists():
        missing(_HOW_TO)
    open_to_scripts = re.sub(r"<meta http-equiv=[^>]*>", "", html, count=1)
    asked = open_to_scripts.replace("</body>", _ASK % source.read_text(encoding="utf-8") + "</body>")
    frame = _FRAME.format(width=width, page=markup.escape(asked))
    size = f"--window-size={width + 40},1000"
    seen = _chromium(frame, size, "--virtual-time-budget=20000", "--dump-dom", *([_DARK] if scheme == "dark" else []))
    (found,) = re.findall(r'<pre id="found">([\w+/=]+)</pre>', seen.decode())
    return Judged(**json.loads(base64.b64decode(found)))


def printed(html: str) -> bytes:
    """The page as a PDF."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "page.pdf"
        _chromium(html, "--no-pdf-header-footer", f"--print-to-pdf={target}")
        return target.read_bytes()


def _chromium(html: str, *options: str) -> bytes:
    with _page(html) as (browser, page, profile):
        command = [browser, *_QUIETLY, f"--user-data-dir={profile}", *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, check=True, timeout=120).stdout


@contextmanager
def _page(html: str) -> Iterator[tuple[str, Path, Path]]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        missing("no Chromium is here: apt-get install chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        yield browser, page, Path(folder) / "profile"
