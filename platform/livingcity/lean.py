"""A web process as small as it can be: what nobody here calls is not loaded, what is loaded is not looked at again.

Libraries load others only in case they are there: the REST framework `requests` (with `chardet`) for a test client and
`pygments` for a page of its own, redis-py all of OpenTelemetry's SDK, the writer of the API's schema `pydantic`. A web
process of ours calls none of it, and all of it is twenty megabytes in each. An entry of None in `sys.modules` is
Python's way to say "not there". Workers and commands go without nothing.
"""

import gc
import sys

UNUSED = ("requests", "chardet", "pygments", "opentelemetry", "pydantic", "pydantic_core")


def go_without() -> None:
    """Say that the unused libraries are not there; before anything else is imported.

    Garbage is not looked for until all is loaded: loading leaves none, and looking takes a sixth of the time.
    """
    gc.disable()
    for name in UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # None is what the import system asks for


def settle() -> None:
    """Load every address now and take all that is loaded out of the garbage collector's rounds.

    A full round over the whole site takes tenths of a second, in the middle of somebody's request.
    """
    from django.urls import get_resolver  # noqa: PLC0415 Django stands only now

    _ = get_resolver().reverse_dict
    gc.collect()
    gc.freeze()
    gc.enable()
