"""Sending what is approved; nothing here imports Beam."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.metering import Metrics, measured
from pipelines.commands.shared import Ledger, clock, moment, opened
from pipelines.settings import UsageError

if TYPE_CHECKING:
    from remediation.outbox.breaker import Pace
    from remediation.outbox.dispatch import Dispatched
    from remediation.outbox.worker import Passed

Gateway = Annotated[str, typer.Option(help="file:DIR writes each refund as a file; stripe makes it there")]
Mails = Annotated[str, typer.Option(help="file:DIR writes each mail as a file; smtp://HOST, smtps://HOST send it")]
Goods = Annotated[str, typer.Option(help="file:DIR writes each order of goods as a file; webhook posts it")]


def dispatch(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    ledger: Ledger,
    mailer: Mails = "file:outbox/mail",
    gateway: Gateway = "file:outbox/refunds",
    goods: Goods = "file:outbox/goods",
    follow: Annotated[  # noqa: FBT002 typer makes a switch of it
        bool, typer.Option("--follow/--once", help="Go on until interrupted, or make one pass and end")
    ] = False,
    rate: Annotated[float | None, typer.Option(help="At most so many calls a second to each gateway")] = None,
    now: Annotated[str | None, typer.Option(help="The moment of sending, ISO 8601; the clock if absent")] = None,
    metrics: Metrics = None,
) -> None:
    """Send what is approved and released: refunds and goods first, then the mails that are due."""
    from pipelines.commands.ways import goods_desk, mail_server, refund_gateway, survey_links
    from remediation.outbox.dispatch import POLL_S, Ways
    from remediation.outbox.dispatch import dispatch as send
    from remediation.outbox.dispatch import follow as keep_sending

    if follow and now:
        raise UsageError("--now names one moment and --follow goes on: use one of them")
    if rate is not None and rate <= 0:
        raise UsageError(f"--rate {rate} is no number of calls a second: write for example --rate 20")
    ways = Ways(refund_gateway(gateway), mail_server(mailer), goods_desk(goods), survey_links())
    names = (gateway, goods, mailer)

    def tell(done: "Dispatched") -> None:
        typer.echo("\n".join(_lines(done, names)))

    pace, at = _pace(rate), clock if follow else partial(moment, now)

    def once() -> "Dispatched":
        with measured("dispatch", metrics, ledger):
            return send(engine, ways, at, pace)

    with opened(ledger) as engine:
        if follow:
            keep_sending(once, tell, partial(_interrupted(), POLL_S))
        else:
            tell(once())


def _pace(rate: float | None) -> "Pace | None":
    from remediation.outbox.breaker import Pace

    return Pace(rate, time.monotonic, time.sleep) if rate else None


def _interrupted() -> Callable[[float], bool]:
    """Waits for so many seconds, or until the process is told to end; says whether it was."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop.wait


def _lines(done: "Dispatched", names: Sequence[str]) -> Iterator[str]:
    """What one pass did, a line for each way out."""
    refunds, goods, mails = names
    yield _line("refunds", done.refunds, refunds)
    yield _line("goods", done.goods, goods)
    yield _line("mails", done.mails, mails)
    if any(asdict(done.surveys).values()):
        yield _line("surveys", done.surveys, mails)


def _line(label: str, passed: "Passed", name: str) -> str:
    counts = asdict(passed)
    figures = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count or what == "sent")
    return f"{label}: {figures} ({name.removeprefix('file:')})"
