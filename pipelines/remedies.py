"""Findings become what the ledger holds: bound to orders, decided a customer at a time, recorded."""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import apache_beam as beam
import msgspec
from apache_beam.pvalue import TaggedOutput
from sqlalchemy import Engine

from detectors.finding import Finding
from pipelines.resolving import LedgerFn, Resolving
from remediation.binding import bind
from remediation.imports import adopt_customers, adopt_orders
from remediation.ledger.book import SqlBook
from remediation.ledger.journal import record
from remediation.ledger.resolution import Resolution
from remediation.resolve import declined, resolve

CUSTOMER_SHARDS: Final = 64
"""Customers are decided in so many groups: enough to spread over workers, few enough for look-ups in batches."""

FINDINGS: Final = "findings"
RESOLUTIONS: Final = "resolutions"
WRITTEN: Final = "written"

RECORDED: Final = "recorded"
"""The count of rows that are new in the ledger."""


class Bound(NamedTuple):
    """(customer shard, finding) for what has an order line; resolutions for what has none; (name, all as JSON)."""

    findings: beam.PCollection
    declined: beam.PCollection
    written: beam.PCollection


@dataclass
class BindToOrders(beam.PTransform[beam.PCollection, Bound]):
    """(name, findings) to findings with customer and order line, and the declined."""

    resolving: Resolving

    def expand(self, findings: beam.PCollection) -> Bound:
        """A partition's findings are looked up together."""
        bound = findings | "Bind" >> beam.ParDo(_Bind(self.resolving)).with_outputs(FINDINGS, RESOLUTIONS, WRITTEN)
        return Bound(bound[FINDINGS], bound[RESOLUTIONS], bound[WRITTEN])


@dataclass
class DecidePerCustomer(beam.PTransform[beam.PCollection, beam.PCollection]):
    """(customer shard, finding) to tuples of resolutions, mails rendered."""

    resolving: Resolving

    def expand(self, findings: beam.PCollection) -> beam.PCollection:
        """All findings of a customer meet, since limits are per customer."""
        return findings | "GroupByCustomerShard" >> beam.GroupByKey() | "Decide" >> beam.ParDo(_Decide(self.resolving))


@dataclass
class RecordInLedger(beam.PTransform[beam.PCollection, beam.PCollection]):
    """Tuples of resolutions to (table, rows written). Idempotent: a bundle that runs twice writes once."""

    resolving: Resolving

    def expand(self, resolutions: beam.PCollection) -> beam.PCollection:
        """One transaction a tuple."""
        return resolutions | "Record" >> beam.ParDo(_Record(self.resolving))


class _Bind(LedgerFn):
    def process(self, named: tuple[str, tuple[Finding, ...]]) -> Iterator[TaggedOutput]:
        name, findings = named
        bound = bind(findings, self.book, self.resolving.run.as_of)
        for finding in bound.findings:
            shard = zlib.crc32(str(finding.customer_id).encode()) % CUSTOMER_SHARDS
            yield TaggedOutput(FINDINGS, (shard, finding))
        if bound.declined:
            yield TaggedOutput(RESOLUTIONS, declined(findings, bound.declined))
        owned = {finding.finding_id: finding for finding in (*findings, *bound.findings)}
        yield TaggedOutput(WRITTEN, (name, msgspec.json.encode(tuple(owned.values()))))


class _Decide(LedgerFn):
    def process(self, group: tuple[int, Iterable[Finding]]) -> Iterator[tuple[Resolution, ...]]:
        _, findings = group
        resolving = self.resolving
        yield resolve(findings, self.book, resolving.policy, resolving.run.as_of, resolving.holdout)


class _Record(LedgerFn):
    def process(self, resolutions: tuple[Resolution, ...]) -> Iterator[tuple[str, int]]:
        yield RECORDED, write(resolutions, self.ledger, self.book, self.resolving)


def write(resolutions: tuple[Resolution, ...], ledger: Engine, book: SqlBook, resolving: Resolving) -> int:
    """Records resolutions and returns how many rows were new.

    Where orders are another database's, the order lines and customers of remedies
    come along into the ledger: the sender knows only that.
    """
    if resolving.orders_url:
        remedies = [resolution.remedy for resolution in resolutions if resolution.remedy]
        lines = book.order_lines({remedy.order_line_id for remedy in remedies})
        customers = book.customers({remedy.customer_id for remedy in remedies})
        adopt_orders(ledger, [lines[key] for key in sorted(lines)])
        adopt_customers(ledger, [customers[key] for key in sorted(customers)])
    recorded = record(ledger, resolving.run, resolutions, resolving.caps)
    return recorded.findings + recorded.remedies + recorded.declined
