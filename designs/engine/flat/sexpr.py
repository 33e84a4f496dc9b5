"""KiCad's S-expressions as nested lists, read without recursion and within limits."""

import re
from collections.abc import Iterator
from typing import Any

from designs.engine.errors import Unreadable

MAX_DEPTH = 60
MAX_TOKENS = 6_000_000
TOKEN = re.compile(r'"((?:\\.|[^"\\])*)"|([()])|([^\s()"]+)', re.DOTALL)

Node = list[Any]


def read(text: str) -> Node:
    """The first list of a text; atoms are strings. Raises Unreadable."""
    stack: list[Node] = [[]]
    for count, found in enumerate(TOKEN.finditer(text)):
        quoted, bracket, word = found.groups()
        if bracket == "(":
            if len(stack) > MAX_DEPTH:
                raise Unreadable(f"The file nests brackets deeper than {MAX_DEPTH}.")
            stack.append([])
        elif bracket == ")":
            if len(stack) == 1:
                raise Unreadable("A bracket closes that was never opened.")
            done = stack.pop()
            stack[-1].append(done)
            if len(stack) == 1:
                return done
        else:
            stack[-1].append(word if word is not None else re.sub(r"\\(.)", r"\1", quoted))
        if count > MAX_TOKENS:
            raise Unreadable(f"The file has more than {MAX_TOKENS} words.")
    raise Unreadable("The file ends before its last bracket: it is cut off, or no file of KiCad.")


def each(node: Node, *names: str) -> Iterator[Node]:
    """The lists in a list that begin with one of the names."""
    for one in node:
        if isinstance(one, list) and one and one[0] in names:
            yield one


def first(node: Node, name: str) -> Node:
    """The first list in a list that begins with a name, else an empty one."""
    return next(each(node, name), [])


def word(node: Node, place: int = 1) -> str:
    """The atom at a place, or nothing."""
    return node[place] if len(node) > place and isinstance(node[place], str) else ""


def numbers(node: Node, start: int = 1) -> list[float]:
    """The atoms from a place on that are numbers within reason. Raises Unreadable for a number beyond it."""
    found = []
    for one in node[start:]:
        if isinstance(one, str) and re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", one):
            if abs(float(one)) > 1e7:
                raise Unreadable("A number in the file is larger than 10 km.")
            found.append(float(one))
    return found
