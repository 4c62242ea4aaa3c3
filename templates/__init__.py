"""Jinja templates and their catalogues: no arithmetic, no decision."""
