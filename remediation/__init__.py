"""Findings in; remedies, ledger, mails and refunds out. Never Beam."""
