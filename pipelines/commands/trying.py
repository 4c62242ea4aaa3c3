"""Trying a policy on the past, before anything rests on it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.commands.shared import Ledger, opened, opened_orders
from pipelines.settings import UsageError

if TYPE_CHECKING:
    from remediation.policy.model import Policy


def whatif(  # noqa: PLR0913, PLR0917 a command has as many parameters as options
    ledger: Ledger,
    policy: Annotated[Path, typer.Option(help="The policy file to try")],
    nights: Annotated[int, typer.Option(help="The runs of so many days, up to the newest")] = 30,
    orders: Annotated[str | None, typer.Option(help="URL of the database of orders, if the runs read one")] = None,
    list_: Annotated[
        Literal["more", "less", "otherwise", "waits", "no_longer", "helped"] | None,
        typer.Option("--list", help="Name the customers who would fare so, a line each"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as one JSON object")] = False,  # noqa: FBT002 a switch
) -> None:
    """Replay the findings of past runs under another policy, without any effect, and say what would be different."""
    if nights < 1:
        raise UsageError(f"--nights {nights} is no number from 1 on")
    from remediation.whatif.answer import what_if
    from remediation.whatif.telling import as_json as to_json
    from remediation.whatif.telling import as_text, listing

    tried = _policy(policy)
    with opened(ledger, read_only=True) as engine, opened_orders(orders) as shop:
        answer = what_if(engine, shop, tried, nights)
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
    else:
        typer.echo(as_text(answer), nl=False)
    for line in listing(answer.difference, list_) if list_ else ():
        typer.echo(line)


def _policy(file: Path) -> "Policy":
    """Read without Beam, which takes longer to import than most replays do.

    Raises:
      UsageError: The file cannot be read.
      PolicyError: It is no policy.
    """
    from remediation.policy.load import load_policy

    try:
        return load_policy(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"--policy {file} cannot be read ({error.strerror}): name the policy file to try") from error
