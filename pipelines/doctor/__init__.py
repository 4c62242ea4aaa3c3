"""Looks at everything that a night, a sender or a stream needs before one of them does, and changes nothing."""
