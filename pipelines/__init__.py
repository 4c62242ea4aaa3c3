"""Beam wires detectors to the ledger and decides nothing; the command line lives here too."""
