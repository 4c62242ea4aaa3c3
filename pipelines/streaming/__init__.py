"""The nightly graph, unbounded: the same kernel, the same decisions, minutes after a session ends."""
