"""Jinja templates and their catalogues: no arithmetic, no decision.

A kind of failure is a folder of `email` with a body for text and one for HTML,
a kind of action is a line in `email/done` and a subject in `email/subject`, a
language is one file `locale/<language>/LC_MESSAGES/mails.po`. The English
sentences stand in the templates; `tests/templates` names every sentence that a
language still lacks.
"""
