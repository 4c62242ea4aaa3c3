"""Two servers in Stripe's image that others wrote, started here: npm's `stripe-stateful-mock`, and `stripe-mock`.

The first remembers charges, refunds and keys; the second knows the names and types of
all fields, from Stripe's own description, and remembers nothing.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NoReturn

import pytest

FOLDER: Final = Path(__file__).with_name("stripe_mock")
REQUIRED: Final = "MAKEGOOD_REQUIRE_SERVERS"
"""Set to 1 where a server that is missing is a failure, not a reason to skip."""

_STATEFUL: Final = FOLDER / "node_modules" / "stripe-stateful-mock"
_STATEFUL_HOW_TO: Final = "stripe-stateful-mock is not here: npm ci --prefix tests/support/stripe_mock (needs Node.js)"
# Its own command listens on every interface, on a port that the caller must know to be free.
_STATEFUL_START: Final = """
const server = require("stripe-stateful-mock").createExpressApp().listen(0, "127.0.0.1", () => {
  console.log(`at 127.0.0.1:${server.address().port}`);
});
process.stdin.on("end", () => process.exit()).resume();
"""
_SCHEMA: Final = FOLDER / "bin" / "stripe-mock"
_SCHEMA_HOW_TO: Final = (
    "stripe-mock is not here: GOBIN=$PWD/tests/support/stripe_mock/bin go install "
    "github.com/stripe/stripe-mock@v0.203.0 (needs Go)"
)
_ADDRESS: Final = re.compile(r"(?:^| )(127\.0\.0\.1:[0-9]+)$")


@contextmanager
def stateful_mock() -> Iterator[str]:
    """The URL of a `stripe-stateful-mock` with nothing in it."""
    node = shutil.which("node")
    if node is None or not _STATEFUL.exists():
        missing(_STATEFUL_HOW_TO)
    with _serving([str(node), "-e", _STATEFUL_START]) as url:
        yield url


@contextmanager
def schema_mock() -> Iterator[str]:
    """The URL of a `stripe-mock`."""
    if not _SCHEMA.exists():
        missing(_SCHEMA_HOW_TO)
    with _serving([str(_SCHEMA), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"]) as url:
        yield url


@contextmanager
def _serving(command: list[str]) -> Iterator[str]:
    """Runs a server that prints its address, for as long as the context lasts."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=FOLDER
    ) as process:
        try:
            assert process.stdout is not None
            addresses = (_ADDRESS.search(line.strip()) for line in process.stdout)
            first = next(filter(None, addresses), None)
            if first is None:
                missing(f"{Path(command[0]).name} ended before it served: run it by hand to see why")
            else:
                yield f"http://{first[1]}"
        finally:
            process.kill()


def missing(how_to: str) -> NoReturn:
    """Skips the test, or fails it where everything must be here."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(how_to)
    pytest.skip(how_to)
