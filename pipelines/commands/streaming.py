"""The stream's command."""

import time
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.shared import BeaconKeys, BeamOptions, Customers, Grants, Ledger, Orders, PolicyFile, Stock
from pipelines.settings import OrderBook, UsageError, epoch_ms, holdout_key


def stream(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    source: Annotated[str, typer.Option(help="dir:PATH of a folder that grows, or kafka://HOST:PORT/TOPIC,TOPIC")],
    orders: Orders,
    ledger: Ledger,
    customers: Customers = None,
    grants: Grants = None,
    stock: Stock = None,
    policy: PolicyFile = None,
    beacon_keys: BeaconKeys = None,
    out: Annotated[Path | None, typer.Option(help="Folder for tables of sessions, rejects and late records")] = None,
    lateness: Annotated[float, typer.Option(help="Seconds that a record may come late")] = 120,
    tick: Annotated[float, typer.Option(help="Seconds between the moments at which sessions close")] = 5,
    slice_: Annotated[float, typer.Option("--slice", help="Seconds of a slice, which the guards judge as one")] = 300,
    causes: Annotated[float, typer.Option(help="Seconds over which common causes are looked for")] = 3600,
    drain: Annotated[  # noqa: FBT002 typer makes a switch of it
        bool, typer.Option("--drain/--follow", help="End once everything that is there has been read, or go on")
    ] = False,
    until: Annotated[
        str | None, typer.Option(help="With --drain: the moment that the replay reaches, ISO 8601")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Answer Prometheus there; 0 takes a free port")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Where it listens; nothing keeps others out")] = "127.0.0.1",
    beam_options: BeamOptions = None,
) -> None:
    """Find, decide and record while telemetry comes in. Nothing is sent; `dispatch --follow` does that."""
    if until and not drain:
        raise UsageError("--until names the end of a replay: use it with --drain")
    from pipelines.streaming.run import run_stream
    from pipelines.streaming.settings import StreamSettings

    settings = StreamSettings(
        source=source,
        book=OrderBook(*(tuple(each or ()) for each in (orders, customers, grants, stock))),
        ledger_url=ledger,
        policy_path=policy,
        beacon_keys=beacon_keys,
        out=out,
        lateness_ms=_ms(lateness, "--lateness"),
        tick_ms=_ms(tick, "--tick"),
        slice_ms=_ms(slice_, "--slice"),
        wide_ms=_ms(causes, "--causes"),
        until=epoch_ms(until, "--until") if until else None,
        holdout_key=holdout_key(),
    )
    address = None if metrics_port is None else (metrics_host, metrics_port)
    finished = run_stream(settings, tuple(beam_options or ()), typer.echo, drain=drain, metrics=address)
    typer.echo("all that was there has been read" if finished else "stopped; started again, it goes on from here")


def _ms(seconds: float, option: str) -> int:
    if seconds <= 0:
        raise UsageError(f"{option} {seconds:g} is no number of seconds above zero")
    return round(seconds * 1000)


def play(
    telemetry: Annotated[list[str], typer.Argument(help="Text files, folders or globs of the past")],
    into: Annotated[Path, typer.Option(help="The folder that a stream watches")],
    speed: Annotated[float, typer.Option(help="So many times as fast as it once came")] = 60,
) -> None:
    """Play telemetry of the past into a folder, each line when its time is there."""
    if speed <= 0:
        raise UsageError(f"--speed {speed:g} is no speed: write for example --speed 60")
    from pipelines.streaming.playing import lines_in_order
    from pipelines.streaming.playing import play as play_lines

    play_lines(lines_in_order(telemetry), into, speed, time.monotonic, time.sleep)
