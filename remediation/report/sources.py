"""Which sources came, how much of them, and how much of them usually comes."""

from remediation.guards.figures import SourceFigures
from remediation.guards.reading import Reading
from remediation.report.backdrop import Backdrop
from remediation.report.formats import one_line
from remediation.report.view import SourceRow


def source_rows(backdrop: Backdrop) -> tuple[SourceRow, ...]:
    """One row a source that came or should have come: those that did not first."""
    said = {reading.subject: reading for reading in backdrop.readings if reading.guard == "sources"}
    here = {_key(source): source for source in backdrop.tonight.sources}
    keys = sorted(here.keys() | said.keys(), key=lambda key: (key in here, key))
    return tuple(_source(key, here.get(key), said.get(key), backdrop) for key in keys)


def _source(key: str, source: SourceFigures | None, reading: Reading | None, backdrop: Backdrop) -> SourceRow:
    usual = backdrop.usual(lambda night: next((each.records for each in night.sources if _key(each) == key), None))
    tripped = reading is not None and reading.tripped
    verdict = "did not come" if source is None else "empty" if not source.records else "came"
    return SourceRow(
        role=key.partition(" ")[0],
        name=one_line(key.partition(" ")[2]),
        files=f"{source.files:,}" if source else "0",
        records=f"{source.records:,}" if source else "0",
        usual="" if usual is None else f"{usual.value:,.0f}",
        verdict=f"{verdict}, out of the ordinary" if tripped and source and source.records else verdict,
        wrong=tripped,
    )


def _key(source: SourceFigures) -> str:
    return f"{source.role} {source.name}"
