"""Sentences that are kept by what they say, so that whoever reads them later has them in their own language.

A notice, the title of a run and what it does now are written by one person or a worker and read by others. What is kept
is the English pattern, which names its translation, and the words that fill it:

    said(gettext_lazy("%(who)s offers a change to %(design)s"), who=person, design=design.name)

The answer is a string in the site's own language, so it passes through anything that takes a string; `keep` lifts out
what is stored beside it, and `spoken` says that again in the language of now.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext

LONGEST_WORD = 400


class Said(str):
    """A sentence in the site's own language that knows its pattern and its words."""

    pattern: str
    words: dict[str, str | int]


def said(pattern: str | Promise, /, **words: object) -> Said:
    """The pattern (lazily translated, or marked for translation) with its words in place."""
    with translation.override(None):
        plain = str(pattern)
    filling = {name: value if isinstance(value, int) else str(value)[:LONGEST_WORD] for name, value in words.items()}
    with translation.override(settings.LANGUAGE_CODE):
        made = Said(gettext(plain) % filling)
    made.pattern, made.words = plain, filling
    return made


def keep(sentence: str | Promise) -> dict[str, Any] | None:
    """What is stored of a sentence beside its text; None for a string that is no more than itself."""
    if isinstance(sentence, Promise):
        sentence = said(sentence)
    return {"says": sentence.pattern, "words": sentence.words} if isinstance(sentence, Said) else None


def spoken(kept: Mapping[str, Any] | None, text: str) -> str:
    """The sentence in the language of now. Where nothing was kept beside `text`, that itself is looked up: engines, who
    know no language, say plain sentences."""
    if not kept:
        return gettext(text) if text else text
    try:
        return str(gettext(kept["says"]) % kept["words"])
    except (KeyError, TypeError, ValueError):
        return text


def language_of(asked: str) -> str:
    """The language that an address asks for, if this city speaks it; the site's own else. For what has no page."""
    return asked if asked in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
