"""What a night reads beside telemetry: the policy, and the order book brought into the ledger; and the manifest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

from sqlalchemy import Engine

from detectors.telemetry.keys import KeyRing
from pipelines.settings import HOLDOUT_KEY, OrderBook, UsageError
from pipelines.sources import Source, SourceError, find, open_source, read_key_ring, sha256
from remediation.database import is_database_url
from remediation.imports import Imported, import_customers, import_grants, import_orders, import_stock
from remediation.ledger.run import Role, RunInput
from remediation.loyalty.holdout import Holdout, HoldoutKeyError
from remediation.policy.load import default_policy, default_text, load_policy
from remediation.policy.model import Policy
from remediation.report.night import RejectRow

Importer = Callable[[Engine, BinaryIO, str], Imported]

BUILT_IN_POLICY: Final = "the built-in policy"


@dataclass(frozen=True, slots=True)
class BookFiles:
    """The order book's files, found but not yet read, by role."""

    customers: tuple[Source, ...]
    orders: tuple[Source, ...]
    grants: tuple[Source, ...]
    stock: tuple[Source, ...]


def database_url(book: OrderBook) -> str | None:
    """The database to read instead of files, if `--orders` names one."""
    return next(filter(is_database_url, book.orders), None)


def find_book(book: OrderBook) -> BookFiles:
    """The files that the order book names; none where a database holds it.

    Raises:
      SourceError: A named file is missing.
    """
    files = () if database_url(book) else book.orders
    patterns = (book.customers, files, book.grants, book.stock)
    return BookFiles(*(find(each) if each else () for each in patterns))


def import_book(engine: Engine, files: BookFiles) -> tuple[tuple[RunInput, ...], tuple[RejectRow, ...]]:
    """Brings the files into the ledger, customers first; gives the manifest and the rows that cannot be used.

    Raises:
      SourceError: A file cannot be read.
    """
    steps: tuple[tuple[Role, tuple[Source, ...], Importer], ...] = (
        ("customers", files.customers, import_customers),
        ("orders", files.orders, import_orders),
        ("grants", files.grants, import_grants),
        ("stock", files.stock, import_stock),
    )
    inputs: list[RunInput] = []
    rejects: list[RejectRow] = []
    for role, sources, importer in steps:
        for source in sources:
            imported = _imported(engine, source, importer)
            inputs.append(_input(role, source, imported.rows))
            rejects += (
                RejectRow(row.source, row.line, None, "record", f"bad_{role}_row", row.field, row.reason, 1)
                for row in imported.rejects
            )
    return tuple(inputs), tuple(rejects)


def telemetry_manifest(sources: Iterable[Source]) -> tuple[RunInput, ...]:
    """The telemetry files with their digests; how many records each holds is known after the run.

    Raises:
      SourceError: A file cannot be read.
    """
    return tuple(_input("telemetry", source, 0) for source in sources)


def read_policy(path: str | None) -> tuple[Policy, RunInput]:
    """The policy of a file, or the built-in one.

    Raises:
      SourceError: The file is missing or cannot be read.
      PolicyError: It is no policy.
    """
    if path is None:
        return default_policy(), RunInput("policy", BUILT_IN_POLICY, len(default_text()), default_policy().sha256, 1)
    (source, *others) = find([path])
    if others:
        raise SourceError(f"{path}: names {1 + len(others)} files; a run has one policy")
    with open_source(source.path) as stream:
        policy = load_policy(stream.read(), source.path)
    return policy, _input("policy", source, 1)


def read_keys(path: str | None) -> tuple[KeyRing | None, tuple[RunInput, ...]]:
    """The keys that beacons may be signed with, and their entry in the manifest, from which no secret can be found.

    Raises:
      SourceError: The file cannot be read.
      KeyRingError: It holds no key ring.
    """
    keys = read_key_ring(path)
    if keys is None or path is None:
        return None, ()
    return keys, (RunInput("keys", path, 0, keys.sha256, len(keys.keys)),)


def read_holdout(policy: Policy, key: str | None) -> tuple[Holdout | None, tuple[RunInput, ...]]:
    """Who gets no goodwill, and the entry of the key in the manifest, from which it cannot be found.

    Raises:
      UsageError: The policy holds customers out, and there is no key to choose them by.
    """
    if not policy.goodwill.is_compared:
        return None, ()
    if not key:
        raise UsageError(
            f"the policy holds {policy.goodwill.holdout_percent} % out from goodwill: set the environment variable "
            f"{HOLDOUT_KEY} to the key that chooses them, or holdout_percent to 0"
        )
    try:
        holdout = Holdout.of(policy.goodwill.holdout_percent, key)
    except HoldoutKeyError as error:
        raise UsageError(f"{HOLDOUT_KEY} {error}") from None
    return holdout, (RunInput("keys", HOLDOUT_KEY, 0, holdout.sha256, 1),)


def _imported(engine: Engine, source: Source, importer: Importer) -> Imported:
    with open_source(source.path) as stream:
        try:
            return importer(engine, stream, source.path)
        except OSError as error:
            raise SourceError(f"{source.path}: cannot be read ({error}); check the disk") from error


def _input(role: Role, source: Source, rows: int) -> RunInput:
    return RunInput(role, source.path, source.bytes, sha256(source.path), rows)
