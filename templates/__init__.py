"""Jinja templates and their catalogues: no arithmetic, no decision.

A kind of failure is a folder of `email`, with a body for text and one for HTML
for each way in which it is told. A kind of action is a line in `email/done`, and
`email/note` follows it; `email/subject` has the subjects. A language is one file
`locale/<language>/LC_MESSAGES/mails.po`, with the sentences of the warm and the
playful voice under their names. The English sentences of the plain voice stand
in the templates; `tests/templates` names every sentence that a language lacks.
"""
