"""The ledger: what was found, what is owed, what was done, in SQL."""
