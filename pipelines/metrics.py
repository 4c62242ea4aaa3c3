"""Metrics for Prometheus: their names, labels and types are a contract with whoever has alerts on them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from remediation.ledger.measures import OutboxMeasures, RunMeasures

if TYPE_CHECKING:
    from prometheus_client.core import Metric


@dataclass(frozen=True, slots=True)
class Kind:
    """One metric: what it is, what it says, and by which labels."""

    type: str
    says: str
    labels: tuple[str, ...] = ()


METRICS: Final[Mapping[str, Kind]] = {
    "makegood_records_total": Kind("counter", "Records of telemetry by what became of them", ("run", "fate")),
    "makegood_telemetry_bytes_total": Kind("counter", "Size of the telemetry files of judged nights", ("run",)),
    "makegood_sessions_total": Kind("counter", "Playback sessions judged", ("run",)),
    "makegood_findings_total": Kind("counter", "Failures found by kind", ("run", "kind")),
    "makegood_runs": Kind("gauge", "Nights or slices by state", ("run", "state")),
    "makegood_held_runs": Kind("gauge", "Runs that wait for a person, by the guard that holds them", ("run", "guard")),
    "makegood_remedies": Kind("gauge", "Remedies by state", ("run", "state", "currency")),
    "makegood_remedies_minor_units": Kind(
        "gauge", "What remedies come to, in minor units of their currency", ("run", "state", "currency")
    ),
    "makegood_newest_run_timestamp_seconds": Kind("gauge", "The moment of the latest judged night or slice", ("run",)),
    "makegood_outbox_items": Kind("gauge", "Refunds, goods and mails by state", ("kind", "state")),
    "makegood_outbox_oldest_timestamp_seconds": Kind(
        "gauge", "Since when the oldest item has been due that is not done", ("kind",)
    ),
    "makegood_refunded_minor_units_total": Kind(
        "counter", "Refunds that the provider has taken on, in minor units", ("currency",)
    ),
    "makegood_discrepancies": Kind("gauge", "Differences between provider and ledger, by kind", ("kind",)),
    "makegood_last_run_timestamp_seconds": Kind("gauge", "When the command ended last, however it did", ("command",)),
    "makegood_last_success_timestamp_seconds": Kind("gauge", "When the command last ended well", ("command",)),
    "makegood_run_duration_seconds": Kind("gauge", "How long the command took when it ran last", ("command",)),
    "makegood_last_exit_code": Kind("gauge", "The command's last exit code", ("command",)),
    "makegood_ledger_up": Kind("gauge", "Whether the ledger could be read"),
}

Sample = tuple[str, tuple[str, ...], float]
"""A metric's name, the values of its labels, and its own."""


def of_runs(found: RunMeasures) -> Iterator[Sample]:
    """What one kind of run has come to."""
    run = str(found.kind)
    yield from (("makegood_records_total", (run, fate), count) for fate, count in found.records.items())
    yield "makegood_telemetry_bytes_total", (run,), found.bytes
    yield "makegood_sessions_total", (run,), found.sessions
    yield from (("makegood_findings_total", (run, kind), count) for kind, count in found.findings.items())
    yield from (("makegood_runs", (run, state), count) for state, count in sorted(found.runs.items()))
    yield from (("makegood_held_runs", (run, guard), count) for guard, count in sorted(found.held.items()))
    for (state, currency), (count, minor) in found.remedies.items():
        yield "makegood_remedies", (run, state, currency), count
        yield "makegood_remedies_minor_units", (run, state, currency), minor
    if found.newest_as_of is not None:
        yield "makegood_newest_run_timestamp_seconds", (run,), found.newest_as_of / 1000


def of_outbox(found: OutboxMeasures) -> Iterator[Sample]:
    """What is to be sent, and what was."""
    yield from (("makegood_outbox_items", key, count) for key, count in found.items.items())
    yield from (
        ("makegood_outbox_oldest_timestamp_seconds", (kind,), since / 1000)
        for kind, since in sorted(found.oldest.items())
    )
    yield from (
        ("makegood_refunded_minor_units_total", (currency,), minor) for currency, minor in found.refunded.items()
    )


def families(samples: Iterable[Sample]) -> "list[Metric]":
    """The samples as `prometheus_client` wants them, by metric."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    by_name: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
    for name, labels, value in samples:
        kind = METRICS[name]
        make = CounterMetricFamily if kind.type == "counter" else GaugeMetricFamily
        family = by_name.setdefault(name, make(name, kind.says, labels=kind.labels))
        family.add_metric(labels, value)
    return list(by_name.values())
