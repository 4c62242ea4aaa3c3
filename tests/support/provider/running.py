"""Starting, killing and steering a provider that runs in a process of its own."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.support.provider.control import PATH
from tests.support.provider.model import EVENING, Effect, Fault, Status

ROOT: Final = Path(__file__).parents[3]
TIMEOUT_S: Final = 30


class RunningProvider:
    """A provider's process and its controls, which are those of `Provider`. `url` stays the same over a restart."""

    def __init__(self, store: Path, now_ms: int) -> None:
        self._store = store
        self._now_ms = now_ms
        self._port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Starts the process, which must not run yet, on the store as it is."""
        arguments = [str(self._store), str(self._port), str(self._now_ms)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.provider", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline()
        assert port, "the provider's process ended before it served: see its error above"
        self._port = int(port)

    def kill(self) -> None:
        """Ends the process as `kill -9` does, at whatever it is doing."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()

    def restart(self) -> None:
        """Kills it and starts it anew on the same store."""
        self.kill()
        self.start()

    def charge(self, charge_id: str, amount: int, currency: str = "usd", payment_intent: str | None = None) -> None:
        """As `Provider.charge`."""
        self._ask("charge", charge_id=charge_id, amount=amount, currency=currency, payment_intent=payment_intent)

    def script(self, faults: Mapping[int, Fault]) -> None:
        """As `Provider.script`."""
        self._ask("script", faults={str(call): str(fault) for call, fault in faults.items()})

    def draw(self, seed: int, share: float) -> None:
        """As `Provider.draw`."""
        self._ask("draw", seed=seed, share=share)

    def calm(self) -> None:
        """As `Provider.calm`."""
        self._ask("calm")

    def advance(self, ms: int) -> None:
        """As `Provider.advance`."""
        self._ask("advance", ms=ms)

    def refunds_become(self, status: Status) -> None:
        """As `Provider.refunds_become`."""
        self._ask("refunds_become", status=status)

    def move(self, refund_reference: str, status: Status) -> None:
        """As `Provider.move`."""
        self._ask("move", refund_reference=refund_reference, status=status)

    def calls(self) -> int:
        """As `Provider.calls`."""
        return int(self._ask("calls"))

    def effects(self) -> list[Effect]:
        """As `Provider.effects`."""
        return [Effect(**{**effect, "status": Status(effect["status"])}) for effect in self._ask("effects")]

    def deliver(self, url: str, secret: str, copies: int = 1, seed: int | None = None) -> list[int]:
        """Posts `Provider.deliveries` to a URL; the status codes that came back."""
        codes: list[int] = self._ask("deliver", url=url, secret=secret, copies=copies, seed=seed)
        return codes

    def _ask(self, name: str, **given: object) -> Any:
        request = urllib.request.Request(f"{self.url}{PATH}{name}", json.dumps(given).encode())  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - likewise
            return json.load(answer)


@contextmanager
def running_provider(store: Path, now_ms: int = EVENING) -> Iterator[RunningProvider]:
    """A provider's process on this store for as long as the context lasts."""
    provider = RunningProvider(store, now_ms)
    provider.start()
    try:
        yield provider
    finally:
        provider.kill()
