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
BEARER = re.compile(r"(?i)\b(bearer|basic|token)(\s{1,4})([A-Za-z0-9+/=_.~-]{12,})")
#: What stands after a name: quoted (also in a text that is quoted itself), in a list of values, or up to the next sign.
_VALUE = r"""(\\{1,4}"[^"\\]*\\{1,4}" | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \[[^\[\]]*\] | [^\s,;&'"(){}\[\]\\]+)"""
_QUOTE, _SPACE = r"""(?:\\{0,4}["'])""", r"\s{0,4}"
#: `password=…`, `"secret": "…"`, `'api_key': ['…']`, in queries, JSON and Python's own words. Every repetition before
#: the value is bounded: lines hold what strangers send, and must not take long.
NAMED = re.compile(
    rf"""(?ix) ((?:passw(?:or)?d|passwd|secret|api[_-]?key|csrftoken|csrfmiddlewaretoken|private[_-]?key|sessionid
    |(?:access|refresh|security|private|auth)[_-]?token|__Host-session|__Host-csrf|enrolment[_-]?code)
    \w{{0,40}} {_QUOTE}? {_SPACE} [=:] {_SPACE}) {_VALUE}"""
)
#: `token=…` and `"token": "…"`, but not words about a token: they go on after a colon.
TOKEN = re.compile(rf"(?ix) (token (?: {_SPACE} = | {_QUOTE} {_SPACE} [=:]) {_SPACE}) {_VALUE}")
#: `redis://name:password@host`.
IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^/\s:@]{0,200}:)([^@/\s]{1,1000})(@)")


def masked(text: str) -> str:
    """The text without what opens doors."""
    text = OUR_TOKENS.sub(rf"\1{MASK}", text)
    text = IN_ADDRESS.sub(rf"\1{MASK}\3", text)
    text = BEARER.sub(rf"\1\2{MASK}", text)
    return TOKEN.sub(rf"\1{MASK}", NAMED.sub(rf"\1{MASK}", text))


def is_secret(name: str) -> bool:
    """Whether what bears this name is masked."""
    return masked(f"{name}=x") != f"{name}=x"


class MaskedFormatter(logging.Formatter):
    """A formatter whose lines are masked."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, with its traceback."""
        return masked(super().format(record))
