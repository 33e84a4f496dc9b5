"""Scripts of OpenSCAD as text: what they include and which parameters they offer. Nothing is run here."""

import re
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 2_000_000
MAX_PARAMETERS = 200
#: Strings, comments, then what asks for another file; in this order, so that neither of the first two hides a third.
TOKENS = re.compile(
    r'"(?P<string>(?:\\.|[^"\\\n]){0,400})"|//[^\n]*|/\*.*?(?:\*/|\Z)|\b(?:include|use)\s*<(?P<script>[^>\n]{1,400})>',
    re.DOTALL,
)
ASKS = re.compile(r"\b(?:import|surface|import_stl|import_dxf)\s*\(\s*(?:file\s*=\s*)?$")
PARAMETER = re.compile(r"^(\w{1,60})\s*=\s*([^;\n]{1,200});[ \t]*(?://[ \t]*([^\n]{0,200}))?")
GROUP = re.compile(r"^/\*\s*\[([^\]\n]{1,60})\]\s*\*/")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of the customizer: its name, its value as written, what it means, the group it is in."""

    name: str
    value: str
    about: str
    group: str


def asks_for(text: str) -> tuple[str, ...]:
    """The files that a script includes, uses, imports or reads as a surface, as written, each once."""
    found: dict[str, None] = {}
    for token in TOKENS.finditer(text[:MAX_BYTES]):
        if token["script"]:
            found[token["script"].strip()] = None
        elif token["string"] and ASKS.search(text, max(0, token.start() - 60), token.start()):
            found[token["string"]] = None
    return tuple(found)


def parameters(text: str) -> list[Parameter]:
    """What the customizer would offer: values set at the top, before the first module or function."""
    found: list[Parameter] = []
    group = above = ""
    for line in text[:MAX_BYTES].splitlines():
        if re.match(r"\s*(?:module|function)\b", line) or len(found) >= MAX_PARAMETERS:
            break
        if head := GROUP.match(line):
            group, above = head.group(1).strip(), ""
        elif line.startswith("//"):
            above = line[2:].strip()[:200]
        else:
            known = PARAMETER.match(line)
            if (
                known
                and not known.group(1).startswith("$")
                and group.lower() != "hidden"
                and _is_literal(known.group(2))
            ):
                found.append(
                    Parameter(known.group(1), known.group(2).strip(), above or (known.group(3) or "").strip(), group)
                )
            above = ""
    return found


def _is_literal(value: str) -> bool:
    return bool(re.fullmatch(r'\s*(?:-?[\d.]+(?:[eE][-+]?\d+)?|true|false|"[^"]*"|\[[-\d.,\s"\w]*\])\s*', value))


def facts(path: Path) -> dict[str, object]:
    """What a script says of itself, for `Facts.more`."""
    return facts_of(path.read_bytes()[:MAX_BYTES].decode("utf-8", "replace"))


def facts_of(text: str) -> dict[str, object]:
    """The same of its text."""
    return {
        "kind": "script", "uses": list(asks_for(text)), "modules": len(re.findall(r"^\s*module\s", text, re.MULTILINE)),
        "parameters": [
            {"name": one.name, "value": one.value, "about": one.about, "group": one.group} for one in parameters(text)
        ],
    }  # fmt: skip
