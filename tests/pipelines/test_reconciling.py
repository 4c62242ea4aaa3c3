"""The commands that compare with the provider and hear from it: what they print, and with which exit code."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from pipelines.commands.reconciling import SECRETS, reconcile, webhooks
from pipelines.settings import UsageError
from remediation.database import open_database
from remediation.gateways.file_refunds import FileGateway
from tests.remediation.ledger.evenings import MORNING
from tests.remediation.outbox.senders import Mailbox, approve, send
from tests.support.examples import first_of
from tests.support.stores import empty_file

SECRET = "whsec_today_is_a_good_day"  # noqa: S105 - it opens nothing
STRIPE = {"MAKEGOOD_STRIPE_KEY": "sk_test_fake", "MAKEGOOD_STRIPE_URL": "http://127.0.0.1:9"}
NOW = "2026-11-22T12:00:00Z"

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return empty_file(tmp_path / "ledger.db")


@pytest.fixture
def ledger(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


Run = Callable[..., Result]


@pytest.fixture
def run(url: str, ledger: Engine) -> Run:  # noqa: ARG001 - it is there
    """Runs a command on the ledger."""

    def invoke(command: Callable[..., None], *arguments: str, **environment: str) -> Result:
        app = typer.Typer()
        app.command()(command)
        return CliRunner().invoke(app, ["--ledger", url, *arguments], env=environment)

    return invoke


def usage(result: Result) -> str:
    assert isinstance(result.exception, UsageError), result
    return str(result.exception)


def test_where_both_agree_the_exit_code_is_0(run: Run, ledger: Engine, tmp_path: Path) -> None:
    approve(ledger, 2)
    send(ledger, FileGateway(tmp_path), Mailbox(), MORNING)
    done = run(reconcile, "--gateway", f"file:{tmp_path}", "--since", "2020-01-01", "--now", NOW)
    assert (done.exit_code, done.output.splitlines()) == (
        0,
        [
            "provider: 2 refunds since 2020-01-01T00:00:00+00:00: 2 agree, 0 of others, 0 differ",
            "ledger: 0 completed, 0 settled, 0 failed, 0 order lines blocked",
            "discrepancies: none",
        ],
    )


def test_where_they_differ_each_difference_is_named_and_the_exit_code_is_1(
    run: Run, ledger: Engine, tmp_path: Path
) -> None:
    approve(ledger, 2)
    send(ledger, FileGateway(tmp_path), Mailbox(), MORNING)
    gone, _ = sorted(tmp_path.glob("*.json"))
    gone.unlink()
    done = run(reconcile, "--gateway", f"file:{tmp_path}", "--now", NOW)
    *_, kinds, told = done.output.splitlines()
    assert (done.exit_code, kinds) == (1, "discrepancies: 1 missing")
    assert told.startswith(f"missing: refund file:{gone.stem} of remedy {gone.stem} is settled here")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--since", "yesterday"], "--since 'yesterday' is no ISO 8601 time"),
        (["--gateway", "paypal"], "--gateway 'paypal' is not known"),
    ],
)
def test_reconcile_says_what_it_cannot_read(run: Run, arguments: list[str], sentence: str) -> None:
    assert sentence in usage(run(reconcile, *arguments))


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        pytest.param(["--gateway", "file:x"], {}, "'file:x' sends no webhooks; write stripe", id="another gateway"),
        pytest.param([], {}, f"set the environment variable {SECRETS}", id="no secret"),
        pytest.param([], {SECRETS: "  "}, f"{SECRETS} holds no signing secret", id="a blank secret"),
        pytest.param([], {SECRETS: f"{SECRET} short"}, f"{SECRETS} holds no signing secret", id="half a secret"),
        pytest.param([], {SECRETS: SECRET}, "set the environment variable MAKEGOOD_STRIPE_KEY", id="no key"),
        pytest.param(["--listen", "8787"], {SECRETS: SECRET}, "'8787' is no address; write HOST:PORT", id="no host"),
        pytest.param(["--listen", "::1:x"], {SECRETS: SECRET}, "is no address", id="no port"),
        pytest.param(["--listen", "127.0.0.1:65536"], {SECRETS: SECRET}, "is no address", id="a port too high"),
    ],
)
def test_webhooks_says_what_is_wrong_before_it_listens(
    run: Run, arguments: list[str], environment: Mapping[str, str], sentence: str
) -> None:
    said = usage(run(webhooks, *arguments, **environment))
    assert sentence in said
    assert SECRET not in said


@pytest.mark.parametrize(("host", "shown"), [("192.0.2.1", "192.0.2.1"), ("[2001:db8::1]", "2001:db8::1")])
def test_an_address_that_is_not_ours_is_named(run: Run, host: str, shown: str) -> None:
    said = usage(run(webhooks, "--listen", f"{host}:80", **{SECRETS: SECRET, **STRIPE}))
    assert said.startswith(f"nothing can listen at {shown}:80 (")


def test_a_port_that_is_taken_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = usage(run(webhooks, "--listen", f"127.0.0.1:{port}", **{SECRETS: SECRET, **STRIPE}))
    assert said.startswith(f"nothing can listen at 127.0.0.1:{port} (")


@contextmanager
def listening(url: str) -> Iterator[subprocess.Popen[str]]:
    code = "import typer; from pipelines.commands.reconciling import webhooks; typer.run(webhooks)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--ledger", url, "--listen", "127.0.0.1:0"],
        env={**os.environ, **STRIPE, SECRETS: f"whsec_of_yesterday_too {SECRET}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", first_of(1, [signal.SIGTERM, signal.SIGINT]))
def test_the_listener_serves_until_it_is_told_to_end(ledger: Engine, url: str, number: int) -> None:
    approve(ledger)
    with listening(url) as process:
        assert process.stdout is not None
        where = process.stdout.readline().split()[-1]
        connection = HTTPConnection(where.removeprefix("http://").removesuffix("/stripe"), timeout=10)
        connection.request("POST", "/stripe", b"{}", {"Stripe-Signature": "t=1,v1=0"})
        assert connection.getresponse().status == 400
        connection.close()
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said.count("\n")) == (0, 1)
    assert said.startswith("refused: The webhook was not signed just now")
