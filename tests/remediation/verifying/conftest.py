"""One eventful ledger for all: what a test breaks in it is undone afterwards."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine

from remediation.database import open_database
from tests.remediation.verifying.ledgers import an_eventful_ledger, past_the_program
from tests.support.stores import Store


@pytest.fixture(scope="package")
def eventful(store: Store) -> Iterator[Engine]:
    """A ledger on which everything has happened; nobody may commit to it."""
    with store.ledger() as url:
        engine = an_eventful_ledger(open_database(url))
        yield engine
        engine.dispose()


@pytest.fixture
def spoilt(eventful: Engine) -> Iterator[Connection]:
    """A connection to it on which a test may break what it wants."""
    with past_the_program(eventful) as connection:
        yield connection
