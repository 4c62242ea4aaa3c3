"""Telemetry of any known format becomes `schemas.EVENTS`, and what cannot be used becomes `schemas.REJECTS`."""
