"""Nothing that opens a door goes into a log: tokens, passwords, codes and links are masked where lines are written.

The formatter is the last to see a line, with its arguments and the traceback of an exception, so what any library logs
goes through here too. It masks by form: our tokens bear a prefix, the rest stands after a name that says what it is.
"""

import logging
import re

MASK = "…"
#: Tokens of people, devices and sign-in links keep the letters by which their owners tell them apart.
OUR_TOKENS = re.compile(r"\b(lc[a-z]_[0-9A-Za-z]{4})[0-9A-Za-z]{8,}")
#: `Authorization: Bearer …`, also as a header in a dictionary.
BEARER = re.compile(r"(?i)\b(bearer|basic|token)(\s+)([A-Za-z0-9+/=_.~-]{12,})")
#: `password=…`, `"secret": "…"`, `'api_key': '…'`, in queries, JSON and Python's own words.
NAMED = re.compile(
    r"""(?ix) ( ["']? \b [\w-]* (?:passw(?:or)?d|passwd|secret|api[_-]?key|access[_-]?token|csrfmiddlewaretoken
    |sessionid|__Host-session|private[_-]?key|enrolment[_-]?code|oldpassword) \w* ["']? \s* [=:] \s* )
    ( "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s,;&'"(){}\[\]]+ )"""
)
#: `redis://name:password@host`.
IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)([^@/\s]+)(@)")


def masked(text: str) -> str:
    """The text without what opens doors."""
    text = OUR_TOKENS.sub(rf"\1{MASK}", text)
    text = IN_ADDRESS.sub(rf"\1{MASK}\3", text)
    text = BEARER.sub(rf"\1\2{MASK}", text)
    return NAMED.sub(rf"\1{MASK}", text)


class MaskedFormatter(logging.Formatter):
    """A formatter whose lines are masked."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, with its traceback."""
        return masked(super().format(record))
