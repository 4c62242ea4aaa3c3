"""Debian's Chromium without a window, driven by its DevTools protocol over a pipe: no driver, no port, no library.

with chromium() as browser, browser.page(width=320, scheme="dark") as page:
    page.open(path)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.screenshot(out)
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

from tests.support.stripe_servers import missing

HOW_TO: Final = "chromium is not here: apt-get install chromium fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji"
TALL: Final = 16_000
"""Pixels of height above which Chromium no longer paints a picture as a whole."""

Scheme = Literal["light", "dark"]

_ARGUMENTS: Final = (
    "--headless=new",
    "--no-sandbox",  # of the machine that runs the tests; the pages are our own files
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
)


class BrowserError(RuntimeError):
    """The browser refused something, or ended."""


class Browser:
    """One browser process. Its calls wait for their answers, one after the other."""

    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands = commands
        self._answers = answers
        self._count = 0
        self._read = b""
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, /, **parameters: object) -> dict[str, Any]:
        """One command of the protocol, and what it gives back."""
        self._count += 1
        message: dict[str, object] = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (answer := self._next()).get("id") != self._count:
            self._events.append(answer)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error'].get('message')}")
        result: dict[str, Any] = answer["result"]
        return result

    def wait_for(self, event: str, session: str) -> None:
        """Returns once `event` has come to `session` since the last call of `forget`."""
        while not any(seen.get("method") == event and seen.get("sessionId") == session for seen in self._events):
            self._events.append(self._next())

    def forget(self) -> None:
        """What has come so far is no longer waited for."""
        self._events.clear()

    @contextmanager
    def page(self, width: int, scheme: Scheme = "light", height: int = 800, scale: float = 1) -> Iterator["Page"]:
        """A new tab of `width` CSS pixels; below 600 it says that it is a phone."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, width, height, scale)
        page.call("Page.enable")
        page.resize(width, height)
        page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        try:
            yield page
        finally:
            self.call("Target.closeTarget", targetId=target)

    def _next(self) -> dict[str, Any]:
        """The next message, an answer or an event; a zero byte ends each."""
        while b"\0" not in self._read:
            chunk = os.read(self._answers.fileno(), 1 << 20)
            if not chunk:
                raise BrowserError("the browser has ended")
            self._read += chunk
        message, _, self._read = self._read.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed


@dataclass
class Page:
    """One tab."""

    browser: Browser
    session: str
    width: int
    height: int
    scale: float

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command of the protocol to this tab."""
        return self.browser.call(method, self.session, **parameters)

    def resize(self, width: int, height: int) -> None:
        """The size of the window, in CSS pixels."""
        phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=self.scale,
            mobile=phone,
        )
        self.width, self.height = width, height

    def open(self, path: Path) -> None:
        """Loads a file, and waits until it and its fonts are there."""
        self.browser.forget()
        answer = self.call("Page.navigate", url=path.resolve().as_uri())
        if "errorText" in answer:
            raise BrowserError(f"{path}: {answer['errorText']}")
        self.browser.wait_for("Page.loadEventFired", self.session)
        self.evaluate("document.fonts.ready.then(() => true)")

    def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def screenshot(self, out: Path | None = None) -> bytes:
        """The whole page as PNG, however long it is."""
        height = self.evaluate("Math.ceil(document.documentElement.getBoundingClientRect().height)")
        clip = {"x": 0, "y": 0, "width": self.width, "height": min(max(height, 1), TALL), "scale": 1}
        answer = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        picture = base64.b64decode(answer["data"])
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(picture)
        return picture


@contextmanager
def chromium(environment: Mapping[str, str] | None = None) -> Iterator[Browser]:
    """A browser with a profile of its own, which goes with it. `environment` is added to ours."""
    program = shutil.which("chromium")
    if program is None:
        missing(HOW_TO)
    with ExitStack() as made:
        profile = made.enter_context(
            tempfile.TemporaryDirectory(prefix="makegood-chromium-", ignore_cleanup_errors=True)
        )
        from_us, to_browser = os.pipe()
        from_browser, to_us = os.pipe()
        process = subprocess.Popen(
            [
                "bash",
                "-c",
                f'exec 3<&{from_us} 4>&{to_us}; exec "$@"',
                "-",
                program,
                *_ARGUMENTS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(from_us, to_us),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": profile, **(environment or {})},
        )
        made.callback(_end, process)
        os.close(from_us)
        os.close(to_us)
        commands = made.enter_context(os.fdopen(to_browser, "wb", buffering=0))
        answers = made.enter_context(os.fdopen(from_browser, "rb", buffering=0))
        browser = Browser(commands, answers)
        yield browser
        with suppress(BrowserError, BrokenPipeError):
            browser.call("Browser.close")


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    process.kill()
    process.wait()
