"""The provider's list of refunds against the ledger, both ways: acting where it is certain, naming the rest."""
