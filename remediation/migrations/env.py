"""Alembic's own entry: it is handed the connection by `remediation.schema`, and never opens one by itself."""

from alembic import context

from remediation.ledger import control_tables, survey_tables
from remediation.ledger.tables import METADATA

__all__ = ["control_tables", "survey_tables"]  # imported so that METADATA holds their tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
