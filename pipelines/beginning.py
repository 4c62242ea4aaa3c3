"""The beginning of a night: everything it needs is there and readable, and the ledger knows of it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine

from detectors import DETECTOR_VERSION
from detectors.telemetry.keys import KeyRing
from pipelines.inputs import (
    BookFiles,
    database_url,
    find_book,
    import_book,
    read_holdout,
    read_keys,
    read_policy,
    telemetry_manifest,
)
from pipelines.resolving import Resolving
from pipelines.settings import NightSettings
from pipelines.sources import Source, find, total_bytes
from remediation.database import open_order_book
from remediation.ledger.policies import keep_policy
from remediation.ledger.run import Run, RunInput, start_run
from remediation.loyalty.holdout import Holdout
from remediation.policy.model import Policy
from remediation.report.night import RejectRow
from remediation.spans import span

_LOG: Final = logging.getLogger(__name__)

Tell = Callable[[str], None]


def silently(_step: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a night needs beside the ledger; `telemetry` and `rules` are its part of the manifest."""

    settings: NightSettings
    policy: Policy
    keys: KeyRing | None
    holdout: Holdout | None
    sources: tuple[Source, ...]
    book: BookFiles
    orders_url: str | None
    telemetry: tuple[RunInput, ...]
    rules: tuple[RunInput, ...]


@dataclass(frozen=True, slots=True)
class Begun:
    """A night that the ledger knows of; `is_new` says that it did not before."""

    prepared: Prepared
    resolving: Resolving
    rejects: tuple[RejectRow, ...]
    is_new: bool


def prepare(settings: NightSettings) -> Prepared:
    """Reads what a night is told to read, as far as that needs no ledger.

    Raises:
      SourceError: A source is missing or unreadable.
      PolicyError: The policy file is none.
      KeyRingError: The file of beacon keys is none.
      UsageError: The policy holds customers out, and no key says which.
      DatabaseUnusableError: The order book cannot be opened.
    """
    policy, policy_input = read_policy(settings.policy_path)
    keys, key_inputs = read_keys(settings.beacon_keys)
    holdout, holdout_inputs = read_holdout(policy, settings.holdout_key)
    sources = find(settings.telemetry)
    book = find_book(settings.book)
    manifest = telemetry_manifest(sources)
    orders_url = database_url(settings.book)
    if orders_url:
        open_order_book(orders_url).dispose()
    rules = (policy_input, *key_inputs, *holdout_inputs)
    return Prepared(settings, policy, keys, holdout, sources, book, orders_url, manifest, rules)


def begin_night(prepared: Prepared, engine: Engine, tell: Tell = silently) -> Begun:
    """Imports the order book and writes the night down, for who holds `nightly.NIGHTS`.

    Raises:
      SourceError: A file of the order book cannot be read.
    """
    settings, policy = prepared.settings, prepared.policy
    tell("importing orders, customers, grants and stock")
    with span("import orders"):
        book_inputs, rejects = import_book(engine, prepared.book)
    read = (*prepared.telemetry, *book_inputs, *prepared.rules)
    this_run = Run(settings.as_of, policy.sha256, DETECTOR_VERSION, read)
    keep_policy(engine, policy)
    is_new = start_run(engine, this_run)
    size = {"files": len(prepared.sources), "bytes": total_bytes(prepared.sources)}
    _LOG.info("night begun", extra={"run_id": this_run.run_id, "as_of": settings.as_of, **size})
    resolving = Resolving(settings.ledger_url, prepared.orders_url, policy, this_run, prepared.keys, prepared.holdout)
    return Begun(prepared, resolving, rejects, is_new)
