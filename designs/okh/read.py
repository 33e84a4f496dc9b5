"""OKH-LOSH TOML and OKH v1 YAML into a Manifest. What is of the wrong kind is left out and found, never fatal."""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from designs.okh.documents import Document, Path, Unreadable, read_toml, read_yaml, text_of
from designs.okh.manifest import (
    KEYS,
    LOSH,
    SPELLINGS,
    V1,
    FileRef,
    Manifest,
    Part,
    Person,
    Reference,
    Software,
    plain_key,
)

ADDRESSED = re.compile(r"(.*?)\s*<\s*([^<>\s@]+@[^<>\s@]+)\s*>", re.DOTALL)
#: Longer words are no name with an address.
LONGEST_NAME = 300
#: Keys that say which language this is; they are no field.
MARKS = frozenset({"okhv", "okh-version", "okh", "manifest-version"})
#: What templates leave to be filled in.
BLANK = frozenset({"value", "[value]", "xxx", "todo", "tbd", "n/a", "null", "none"})
#: What a part's table calls its fields.
PART_KEYS = {
    "name": "name", "title": "name", "label": "name", "image": "image", "quantity": "quantity", "count": "quantity",
    "amount": "quantity", "material": "material", "process": "process", "manufacturing-process": "process",
    "printing-process": "process", "tsdc": "tsdc", "tsdc-id": "tsdc", "source": "source", "export": "export",
    "mass": "mass", "mass-g": "mass", "mass-kg": "mass-kg",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Odd:
    """Something that was not as it should be: which kind of fault, where, and what stands there."""

    fault: str
    path: Path
    text: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A manifest with where its keys stand and what was odd; `syntax` is toml or yaml."""

    manifest: Manifest
    document: Document
    syntax: str
    odd: tuple[Odd, ...] = ()
    used: dict[str, str] = field(default_factory=dict)


def read(raw: bytes, name: str = "") -> Reading:
    """A manifest's file. The name's ending says the language; without one, the text does. Raises Unreadable."""
    text = text_of(raw)
    syntax = syntax_of(text, name)
    document = read_toml(text) if syntax == "toml" else read_yaml(text)
    return understand(document, syntax)


def syntax_of(text: str, name: str = "") -> str:
    """toml or yaml."""
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if ending in {"toml", "yml", "yaml"}:
        return "toml" if ending == "toml" else "yaml"
    for line in text.splitlines()[:400]:
        if re.match(r"\s*[\w\"'-]+\s*=|\s*\[\[?[\w.-]+\]\]?\s*$", line):
            return "toml"
        if re.match(r"[\w\"' -]+:(\s|$)", line):
            return "yaml"
    return "yaml"


def understand(document: Document, syntax: str) -> Reading:
    """The manifest in a document of either language."""
    reader = _Reader(document)
    found: dict[str, Any] = {"spec": _spec(document, syntax)}
    extra: dict[str, Any] = {}
    used: dict[str, str] = {}
    for key, value in document.values.items():
        plain = plain_key(key)
        if plain in MARKS:
            continue
        name = _field(plain, value, syntax)
        if name is None:
            extra[key] = value
            reader.note("unknown", (key,), key)
        elif name in used:
            reader.note("twice", (key,), key)
        elif value is None:
            continue
        elif name == "licence":
            used[name] = key
            found |= reader.licences(value, (key,), found)
        else:
            used[name] = key
            result = reader.value(KEYS[name].kind, value, (key,))
            if result is not None:
                found[name] = result
    if found.get("licence_documentation") == found.get("licence"):
        found.pop("licence_documentation", None)
    return Reading(Manifest(**found, extra=extra), document, syntax, tuple(reader.odd), used)


def _spec(document: Document, syntax: str) -> str:
    for key, value in document.values.items():
        if plain_key(key) in MARKS and isinstance(value, str | float | int):
            return document.texts.get((key,), str(value)).strip()[:40] or LOSH
    return LOSH if syntax == "toml" else V1


def _field(plain: str, value: Any, syntax: str) -> str | None:
    if plain == "tags" and not isinstance(value, list | str):
        return None
    if plain == "documentation" and not isinstance(value, str):
        return None
    if plain == "parts" and isinstance(value, str):
        return "bom"
    return SPELLINGS.get(plain)


class _Reader:
    """Makes values of a kind; remembers what did not fit."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.odd: list[Odd] = []

    def note(self, fault: str, path: Path, text: str = "") -> None:
        """Something odd; at most 300."""
        if len(self.odd) < 300:
            self.odd.append(Odd(fault, path, text[:120]))

    def value(self, kind: str, value: Any, path: Path) -> Any:
        """A value of the kind, or None when there is none in it."""
        whole = {"texts": self.texts, "urls": self.texts, "flag": self.flag, "number": self.number, "size": self.size}
        each = {"files": self.file, "people": self.person, "references": self.reference, "software": self.program,
                "parts": self.part}  # fmt: skip
        if kind in each:
            return tuple(self._each(value, path, each[kind]))
        read_it: Callable[[Any, Path], Any] = whole.get(kind, self.text)
        return read_it(value, path)

    def _each(self, value: Any, path: Path, one: Any) -> Iterator[Any]:
        items = value if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            made = one(item, (*path, number) if isinstance(value, list) else path)
            if made is not None:
                yield made

    def text(self, value: Any, path: Path) -> str | None:
        """Words; a number is taken as it was written; a list of one is that one."""
        if isinstance(value, list) and len(value) >= 1 and not isinstance(value[0], list | dict):
            if len(value) > 1:
                self.note("one", path)
            return self.text(value[0], (*path, 0))
        if isinstance(value, list | dict):
            if isinstance(value, dict) and isinstance(value.get("path") or value.get("url"), str):
                return self.text(value.get("path") or value.get("url"), path)
            if value:
                self.note("kind", path, "text")
            return None
        if value is None:
            return None
        text = self.document.texts.get(path) if not isinstance(value, str) else value
        text = (str(value) if text is None else text).strip()
        if text.lower() in BLANK:
            self.note("blank", path, text)
            return None
        return text or None

    def texts(self, value: Any, path: Path) -> tuple[str, ...]:
        """Several words; those of v1's standards by their title."""
        found = []
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            at = (*path, number) if isinstance(value, list) else path
            named = _called(item) if isinstance(item, dict) else item
            text = self.text(named, at) if named is not None else None
            found += [text] if text else []
        return tuple(found)

    def flag(self, value: Any, path: Path) -> bool | None:
        """Yes or no."""
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in {"true", "yes", "false", "no"}:
            return value.strip().lower() in {"true", "yes"}
        self.note("kind", path, "flag")
        return None

    def number(self, value: Any, path: Path) -> float | None:
        """A finite number that is not below nothing."""
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,12}(\.\d{1,12})?\s*(g)?\s*", value):
            self.note("number-as-text", path, value)
            value = float(value.strip().removesuffix("g"))
        sound = isinstance(value, int | float) and not isinstance(value, bool)
        if sound and 0 <= value < 1e15 and math.isfinite(value):
            return float(value)
        self.note("kind", path, "number")
        return None

    def size(self, value: Any, path: Path) -> tuple[str, str] | None:
        """(unit, OpenSCAD primitive), from width, depth and height too."""
        if isinstance(value, str):
            return "mm", value.strip()
        if not isinstance(value, dict):
            self.note("kind", path, "size")
            return None
        plain = {plain_key(str(key)): item for key, item in value.items()}
        shape = plain.get("open-scad") or plain.get("openscad")
        unit = str(plain.get("unit") or "mm").strip()
        if isinstance(shape, str):
            return unit, shape.strip()
        sides = [self.number(plain[side], (*path, side)) for side in ("width", "depth", "height") if side in plain]
        if len(sides) != 3 or None in sides:
            self.note("kind", path, "size")
            return None
        return unit, f"cube(size = [{','.join(f'{side:g}' for side in sides)}])"

    def file(self, value: Any, path: Path) -> FileRef | None:
        """A path, or {path, title}."""
        if isinstance(value, dict):
            plain = {plain_key(str(key)): item for key, item in value.items()}
            where = self.text(plain.get("path") or plain.get("url") or plain.get("link"), path)
            return FileRef(where, self.text(plain.get("title"), path) or "") if where else None
        text = self.text(value, path)
        return FileRef(text) if text else None

    def person(self, value: Any, path: Path) -> Person | None:
        """`Name <mail>`, or {name, email, affiliation}."""
        if isinstance(value, dict):
            plain = {plain_key(str(key)): item for key, item in value.items()}
            words = [self.text(plain.get(key), path) or "" for key in ("name", "email", "affiliation")]
            return Person(*words) if any(words) else None
        text = self.text(value, path)
        if not text:
            return None
        addressed = ADDRESSED.fullmatch(text) if len(text) < LONGEST_NAME else None
        return Person(addressed[1], addressed[2]) if addressed else Person(text)

    def reference(self, value: Any, path: Path) -> Reference | None:
        """An address, or {title, manifest, web}."""
        if isinstance(value, dict):
            plain = {plain_key(str(key)): item for key, item in value.items()}
            words = [self.text(plain.get(key), path) or "" for key in ("title", "manifest", "web")]
            return Reference(*words) if any(words) else None
        text = self.text(value, path)
        if not text:
            return None
        return Reference(web=text) if "://" in text else Reference(title=text)

    def program(self, value: Any, path: Path) -> Software | None:
        """An address, {label, release, installation-guide} or v1's {path, title}."""
        if isinstance(value, dict):
            plain = {plain_key(str(key)): item for key, item in value.items()}
            label, release = plain.get("label") or plain.get("title"), plain.get("release") or plain.get("path")
            words = [self.text(item, path) or "" for item in (label, release, plain.get("installation-guide"))]
            return Software(*words) if any(words) else None
        text = self.text(value, path)
        return Software(release=text) if text else None

    def part(self, value: Any, path: Path) -> Part | None:
        """A table that describes a part."""
        if not isinstance(value, dict):
            self.note("kind", path, "part")
            return None
        found: dict[str, Any] = {}
        for key, item in value.items():
            known, at = PART_KEYS.get(plain_key(str(key))), (*path, key)
            if known in {"tsdc", "source", "export"}:
                found[known] = self.texts(item, at)
            elif known == "quantity":
                found[known] = self.number(item, at)
            elif known in {"mass", "mass-kg"}:
                mass = self.number(item, at)
                found["mass_g"] = mass * 1000 if mass is not None and known == "mass-kg" else mass
            elif known is not None:
                found.setdefault(known, self.text(item, at) or "")
        return Part(**found) if found else None

    def licences(self, value: Any, path: Path, found: dict[str, Any]) -> dict[str, Any]:
        """One licence, or v1's {hardware, documentation, software}: the first that is there is the thing's own."""
        if not isinstance(value, dict):
            text = self.text(value, path)
            return {"licence": text} if text else {}
        plain = {plain_key(str(key)): (key, item) for key, item in value.items()}
        texts = {name: self.text(item, (*path, key)) for name, (key, item) in plain.items()}
        own = texts.get("hardware") or texts.get("documentation") or texts.get("software") or texts.get("spdx") or ""
        made = {"licence": own}
        for name in ("documentation", "software"):
            other = texts.get(name)
            if other and other != own:
                made[f"licence_{name}"] = other
        return made if own else {}


def _called(item: dict[str, Any]) -> Any:
    """The words by which v1 names a standard."""
    return item.get("standard-title") or item.get("reference") or item.get("name") or item.get("path")


__all__ = ["Reading", "Unreadable", "read", "syntax_of", "understand"]
