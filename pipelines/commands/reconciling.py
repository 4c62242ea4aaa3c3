"""What the provider knows: its list compared with the ledger, and its webhooks heard."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipelines.commands.metering import Metrics, differences, measured
from pipelines.commands.sending import Gateway
from pipelines.commands.shared import Ledger, Now, clock, moment, opened, secret
from pipelines.exits import FAILED
from pipelines.settings import UsageError, epoch_ms

if TYPE_CHECKING:
    from remediation.reconciling.reconcile import Reconciled
    from remediation.webhooks.listener import Listener, Take

SECRETS: Final = "MAKEGOOD_STRIPE_WEBHOOK_SECRETS"


def reconcile(
    ledger: Ledger,
    gateway: Gateway = "file:outbox/refunds",
    since: Annotated[
        str | None, typer.Option(help="How far back, ISO 8601; to what has not ended, and a month at least, if absent")
    ] = None,
    now: Now = None,
    metrics: Metrics = None,
) -> None:
    """Compare the provider's refunds with the ledger, both ways; exit code 1 where they differ."""
    from pipelines.commands.ways import refund_gateway
    from remediation.reconciling.reconcile import reconcile as compare

    since_ms = epoch_ms(since, "--since") if since else None
    with measured("reconcile", metrics, ledger) as metering:
        with opened(ledger) as engine:
            found = compare(engine, refund_gateway(gateway), partial(moment, now), since_ms)
        if metering:
            metering.samples = differences(found)
        typer.echo("\n".join(_lines(found)))
        if found.discrepancies:
            raise typer.Exit(FAILED)


def webhooks(
    ledger: Ledger,
    gateway: Annotated[str, typer.Option(help="stripe: nobody else sends webhooks")] = "stripe",
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where to listen; a proxy with TLS stands before it")
    ] = "127.0.0.1:8787",
) -> None:
    """Hear from the provider that a refund has moved or failed, and ask it for the rest; until interrupted."""
    from pipelines.commands.ways import STRIPE, refund_gateway
    from remediation.webhooks.hints import Hints

    if gateway != STRIPE:
        raise UsageError(f"--gateway {gateway!r} sends no webhooks; write {STRIPE}")
    host, port = _address(listen)
    secrets = _secrets()
    with opened(ledger) as engine:
        hints = Hints(engine, refund_gateway(gateway), secrets, clock)
        with _listener(host, port, hints.take) as listener:
            _stop_when_told(listener)
            typer.echo(f"listening at {listener.url}")
            listener.serve_forever()


def _lines(found: "Reconciled") -> Iterator[str]:
    since = datetime.fromtimestamp(found.since_ms // 1000, UTC).isoformat()
    yield (
        f"provider: {found.seen:,} refunds since {since}: {found.agree:,} agree, {found.others:,} of others, "
        f"{found.differ:,} differ"
    )
    yield (
        f"ledger: {found.completed:,} completed, {found.settled:,} settled, {found.failed:,} failed, "
        f"{found.blocked:,} order lines blocked"
    )
    kinds = Counter(str(each.kind) for each in found.discrepancies)
    yield f"discrepancies: {', '.join(f'{count:,} {kind}' for kind, count in sorted(kinds.items())) or 'none'}"
    for each in found.discrepancies:
        yield f"{each.kind}: {each.told}"


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) >= 2**16:
        raise UsageError(f"--listen {listen!r} is no address; write HOST:PORT, such as 127.0.0.1:8787")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _secrets() -> tuple[str, ...]:
    from remediation.gateways.stripe_events import MIN_SECRET_LENGTH

    secrets = tuple(secret(SECRETS, "--gateway stripe").split())
    if not secrets or min(map(len, secrets)) < MIN_SECRET_LENGTH:
        raise UsageError(f"{SECRETS} holds no signing secret: copy it whole from Stripe, several separated by blanks")
    return secrets


def _listener(host: str, port: int, take: "Take") -> "Listener":
    from remediation.webhooks.listener import Listener

    try:
        return Listener(host, port, take, note=partial(typer.echo, err=True), clock_s=time.monotonic)
    except OSError as error:
        problem = error.strerror or "no such host"
        raise UsageError(f"nothing can listen at {host}:{port} ({problem}): choose another with --listen") from error


def _stop_when_told(listener: "Listener") -> None:
    """What has come in is brought to its end; `shutdown` waits for that, and so has a thread of its own."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=listener.shutdown).start())
