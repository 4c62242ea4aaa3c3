from collections.abc import Iterator

import pytest

from tests.remediation.report.ledgers import Ledger


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    ledger = Ledger()
    yield ledger
    ledger.engine.dispose()
