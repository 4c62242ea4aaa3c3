"""Delivery: what was promised, what was scanned and what customers say becomes findings."""
