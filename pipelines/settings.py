"""What the command line was told, checked before anything runs; it alone reads the environment and the clock."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path
from typing import Final

REPLAYED: Final = ("telemetry", "tracking", "tracking.jsonl", "contacts", "contacts.jsonl")
"""Where a folder that is replayed may keep telemetry; what a file is, its content says."""

DEFAULT_SENDER: Final = "Customer Service <service@makegood.example>"

HOLDOUT_KEY: Final = "MAKEGOOD_HOLDOUT_KEY"
"""The environment variable with the key that chooses who gets no goodwill."""


class UsageError(Exception):
    """An option cannot mean anything: one sentence that names it and says what to write."""


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Where orders, customers and grants come from: files of each, or a database that holds the three tables.

    Stock always comes from files.
    """

    orders: tuple[str, ...]
    customers: tuple[str, ...]
    grants: tuple[str, ...]
    stock: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NightSettings:
    """One nightly run."""

    telemetry: tuple[str, ...]
    book: OrderBook
    ledger_url: str
    as_of: int  # milliseconds since the epoch
    policy_path: str | None
    out: Path | None
    beam_options: tuple[str, ...] = ()
    now: int | None = None  # by the clock, in milliseconds since the epoch; a replay is made at its own moment
    beacon_keys: str | None = None  # a file of the keys that beacons may be signed with
    holdout_key: str | None = field(default=None, repr=False)

    @property
    def made_at(self) -> int:
        """The moment at which the run is made."""
        return self.as_of if self.now is None else self.now


def epoch_ms(text: str, option: str) -> int:
    """An ISO 8601 time, in milliseconds since the epoch; without a zone it is read as UTC.

    Raises:
      UsageError: The text is no ISO 8601 time.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no ISO 8601 time; write for example 2026-11-22T06:00:00Z") from error
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def folder_of(name: str, option: str, choices: str = "file:DIR") -> Path:
    """The folder of a `file:DIR` gateway or mailer; `choices` is what could have been written instead.

    Raises:
      UsageError: Another scheme, or no folder.
    """
    scheme, _, folder = name.partition(":")
    if scheme != "file" or not folder:
        raise UsageError(f"{option} {name!r} is not known; write {choices}, where DIR is the folder to write to")
    return Path(folder)


def replay_settings(  # noqa: PLR0913, PLR0917 one value an option
    folder: Path, scratch: Path, out: Path | None, as_of: int | None, now: int, beam_options: tuple[str, ...]
) -> NightSettings:
    """The settings for a folder of a fixture's shape, on a ledger in `scratch`.

    The moment is `as_of`, else what the folder's file `as_of` says, else `now`.

    Raises:
      UsageError: The folder has no such shape.
    """
    for name in ("orders.jsonl", "customers.jsonl"):
        if not (folder / name).exists():
            raise UsageError(f"{folder / name} is not there; replay reads telemetry/, orders.jsonl and customers.jsonl")
    telemetry = tuple(str(folder / name) for name in REPLAYED if (folder / name).exists())
    if not telemetry:
        raise UsageError(f"{folder / 'telemetry'} is not there; put beacons, CMCD, scans and contacts into it")
    told = folder / "as_of"
    if as_of is None:
        as_of = epoch_ms(told.read_text(encoding="utf-8").strip(), str(told)) if told.exists() else now
    policy = folder / "policy.toml"
    return NightSettings(
        telemetry=telemetry,
        book=OrderBook(*(_if_there(folder / f"{name}.jsonl") for name in ("orders", "customers", "grants", "stock"))),
        ledger_url=f"sqlite:///{scratch}/ledger.db",
        as_of=as_of,
        policy_path=str(policy) if policy.exists() else None,
        out=out,
        beam_options=beam_options,
        holdout_key=holdout_key(),
    )


def _if_there(path: Path) -> tuple[str, ...]:
    return (str(path),) if path.exists() else ()


def holdout_key() -> str | None:
    """The key that chooses who gets no goodwill, from the environment alone; null where none is set."""
    return os.environ.get(HOLDOUT_KEY)


def sender_parts(environment: Mapping[str, str] = os.environ) -> tuple[str, str, str, str]:
    """Name, address, Reply-To and domain of the mails, from MAKEGOOD_MAIL_FROM and MAKEGOOD_MAIL_REPLY_TO.

    Raises:
      UsageError: A variable holds no address.
    """
    text = environment.get("MAKEGOOD_MAIL_FROM", DEFAULT_SENDER)
    name, address = parseaddr(text)
    _, reply_to = parseaddr(environment.get("MAKEGOOD_MAIL_REPLY_TO", address))
    if "@" not in address or "@" not in reply_to:
        raise UsageError('MAKEGOOD_MAIL_FROM and MAKEGOOD_MAIL_REPLY_TO need the form "Name <address@domain>"')
    return name, address, reply_to, address.rsplit("@", 1)[1]


def repeat_option(arguments: Sequence[str], options: frozenset[str]) -> list[str]:
    """`--telemetry a b c` as `--telemetry a --telemetry b --telemetry c`: a shell glob expands to the former."""
    result: list[str] = []
    current: str | None = None
    for place, argument in enumerate(arguments):
        if argument == "--":
            return result + list(arguments[place:])
        if argument.startswith("-"):
            current = argument if argument in options else None
            result.append(argument)
        elif current and result[-1] != current:
            result += [current, argument]
        else:
            result.append(argument)
    return result
