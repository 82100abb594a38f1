"""Obligations: what laws and frameworks ask, as data, and what a report answers.

A template is a versioned YAML file (`template`, docs/obligations.md): for each item
the article, the question in our own words, the facts of the registry that answer it
(`vocabulary`), and the field that a person may state. `filling` puts a report's
values into it. Nothing here judges: a report supports an answer, somebody else gives
it.
"""

from lineage.audit.obligations.template import fields

__all__ = ["fields"]
