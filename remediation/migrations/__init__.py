"""Migrations of the ledger: one file a step, up and down, the same on SQLite and PostgreSQL."""
