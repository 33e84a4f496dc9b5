"""Licences as SPDX expressions: which there are, what they allow, and what may be made from what.

`read` and `normalise` take what people write; `is_open` is the one question of the third figure; `rights` and `groups`
are for pages; `derive` compares licences; `files` reads a file's own licence (REUSE).
"""

from designs.licences import derive
from designs.licences.expression import is_open, lists_of
from designs.licences.reading import UNKNOWN, read
from designs.licences.reasons import Reason, reason_of, reasons
from designs.licences.reasons import table as reasons_table
from designs.licences.spelling import normalise
from designs.licences.table import PICKED
from designs.licences.texts import licence_of_text
from designs.licences.words import Choice, Group, Rights, groups, rights, title_of

#: What the forms offer first.
OFFERED = PICKED["open"][:10]

__all__ = [
    "OFFERED",
    "UNKNOWN",
    "Choice",
    "Group",
    "Reason",
    "Rights",
    "derive",
    "groups",
    "is_open",
    "licence_of_text",
    "lists_of",
    "normalise",
    "read",
    "reason_of",
    "reasons",
    "reasons_table",
    "rights",
    "title_of",
]
