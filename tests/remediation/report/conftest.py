from collections.abc import Iterator

import pytest

from tests.remediation.report.ledgers import Ledger
from tests.support.stores import empty_ledger


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with empty_ledger() as empty:
        yield Ledger(empty)
