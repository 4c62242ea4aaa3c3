"""Is everything there that a night, a sender or a stream needs?"""

import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.sending import Gateway, Goods, Mails
from pipelines.commands.shared import BeaconKeys, Ledger, OutFolder, PolicyFile, clock
from pipelines.exits import FAILED

if TYPE_CHECKING:
    from pipelines.doctor.lines import Line, Look


def doctor(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    ledger: Ledger,
    policy: PolicyFile = None,
    beacon_keys: BeaconKeys = None,
    mailer: Mails = "file:outbox/mail",
    gateway: Gateway = "file:outbox/refunds",
    goods: Goods = "file:outbox/goods",
    out: OutFolder = None,
    source: Annotated[str | None, typer.Option(help="Look at what a stream needs, too: dir:PATH or kafka://…")] = None,
    runner: Annotated[str, typer.Option(help="With --source: the engine, PrismRunner or FlinkRunner")] = "PrismRunner",
    as_json: Annotated[bool, typer.Option("--json", help="For machines")] = False,  # noqa: FBT002 a switch
) -> None:
    """Look at everything that runs need, and send and change nothing; exit code 1 where something would fail."""
    from pipelines.doctor.lines import State, looked_at

    looks = {
        **_setup(policy, beacon_keys),
        **_ledger(ledger),
        **_ways(gateway, goods, mailer),
        **_machine(ledger, out),
        **(_stream(source, runner) if source else {}),
    }
    lines: list[Line] = []
    for check, look in looks.items():
        found = looked_at(check, look)
        lines += found
        if not as_json:
            typer.echo("\n".join(text for line in found for text in _text(line)), nl=bool(found))
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2, ensure_ascii=False))
    if any(line.state is State.FAIL for line in lines):
        raise typer.Exit(FAILED)


def _setup(policy: str | None, beacon_keys: str | None) -> "dict[str, Look]":
    from pipelines.doctor.setup import environment_lines, key_lines, policy_lines

    return {
        "environment": partial(environment_lines, os.environ),
        "policy": partial(policy_lines, policy),
        "beacon keys": partial(key_lines, beacon_keys),
    }


def _ledger(ledger: str) -> "dict[str, Look]":
    from pipelines.doctor.ledger import ledger_lines

    return {"ledger": partial(ledger_lines, ledger, clock)}


def _ways(gateway: str, goods: str, mailer: str) -> "dict[str, Look]":
    from pipelines.commands.ways import goods_desk, mail_server, refund_gateway, survey_links
    from pipelines.doctor.lines import Line, State

    def refunds() -> Iterator[Line]:
        yield Line("refunds", State.OK, refund_gateway(gateway).try_out())

    def orders() -> Iterator[Line]:
        yield Line("goods", State.OK, goods_desk(goods).try_out())

    def mails() -> Iterator[Line]:
        yield Line("mails", State.OK, mail_server(mailer).try_out())

    def surveys() -> Iterator[Line]:
        if survey_links():
            yield Line("surveys", State.OK, "their links and keys can be used")

    return {"refunds": refunds, "goods": orders, "mails": mails, "surveys": surveys}


def _machine(ledger: str, out: Path | None) -> "dict[str, Look]":
    from pipelines.doctor.machine import clock_lines, disk_lines, kernel_is_in_step, zone_lines

    def disks() -> "Iterator[Line]":
        from remediation.database import ledger_file

        file = ledger_file(ledger)
        folders = [("batches on their way", Path(tempfile.gettempdir()))]
        folders += [("ledger", file.parent)] if file else []
        folders += [("tables, mails and report", out)] if out else []
        return disk_lines(folders)

    return {
        "clock": lambda: clock_lines(clock(), kernel_is_in_step()),
        "time zones": zone_lines,
        "disk": disks,
    }


def _stream(source: str, runner: str) -> "dict[str, Look]":
    from pipelines.doctor.streams import engine_lines, source_lines

    return {"source": partial(source_lines, source), "engine": partial(engine_lines, runner)}


def _text(line: "Line") -> Iterator[str]:
    from remediation.report.formats import one_line

    yield f"{line.state:<5} {line.check}: {one_line(line.said, 500)}"
    if line.to_do:
        yield f"      to do: {line.to_do}"
