"""A Manifest as OKH-LOSH TOML or OKH v1 YAML. Reading either gives the same manifest again."""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from designs.okh.manifest import KEYS, LOSH, V1, FileRef, Manifest, Part, Person, Reference, Software
from designs.okh.read import ADDRESSED, LONGEST_NAME

BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(manifest: Manifest) -> str:
    """OKH-LOSH: values first, then tables, as TOML wants it."""
    flat: list[str] = [f"okhv = {_toml(manifest.spec if manifest.spec.startswith('OKH-LOSH') else LOSH)}"]
    tables: list[str] = []
    for key, value in _losh(manifest):
        if isinstance(value, dict):
            tables += ["", f"[{_bare(key)}]", *(f"{_bare(name)} = {_toml(item)}" for name, item in value.items())]
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value) and key in TABLES:
            for item in value:
                tables += ["", f"[[{_bare(key)}]]", *(f"{_bare(name)} = {_toml(part)}" for name, part in item.items())]
        else:
            flat.append(f"{_bare(key)} = {_toml(value)}")
    return "\n".join([*flat, *tables]) + "\n"


TABLES = frozenset({"part", "software"})


def _losh(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    for name, key in KEYS.items():
        value = getattr(manifest, name)
        if value in ("", (), None):
            continue
        yield key.losh, _of_kind(key.kind, value)
    for word, value in manifest.extra.items():
        if (kept := _kept(value)) is not None:
            yield word, kept


def _kept(value: Any) -> Any:
    """A value of a key that we do not know, without the nothings that TOML has no word for."""
    if isinstance(value, dict):
        return {str(key): item for key, item in ((k, _kept(v)) for k, v in value.items()) if item is not None}
    if isinstance(value, list):
        return [item for item in (_kept(item) for item in value) if item is not None]
    return value


def _of_kind(kind: str, value: Any) -> Any:
    if kind == "size":
        return {"unit": value[0], "openSCAD": value[1]}
    if kind in {"software", "parts"}:
        return [ONE[kind](item) for item in value]
    if kind in ONE:
        return _one([ONE[kind](item) for item in value])
    return value


def _one(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def _filled(**words: Any) -> dict[str, Any]:
    return {key.replace("_", "-"): value for key, value in words.items() if value not in ("", None, [], ())}


def _file(file: FileRef) -> Any:
    return _filled(path=file.path, title=file.title) if file.title else file.path


def _person(person: Person) -> Any:
    if person.affiliation or not person.name or (len(person.name) < LONGEST_NAME and ADDRESSED.fullmatch(person.name)):
        return _filled(name=person.name, email=person.email, affiliation=person.affiliation)
    text = f"{person.name} <{person.email}>" if person.email else person.name
    again = ADDRESSED.fullmatch(text) if len(text) < LONGEST_NAME else None
    if person.email and (again is None or (again[1], again[2]) != (person.name, person.email)):
        return _filled(name=person.name, email=person.email)
    return text


def _reference(other: Reference) -> Any:
    if other.web and not other.title and not other.manifest and "://" in other.web:
        return other.web
    return _filled(title=other.title, manifest=other.manifest, web=other.web)


def _program(program: Software) -> dict[str, Any]:
    return _filled(label=program.label, release=program.release, installation_guide=program.guide)


def _part(part: Part) -> dict[str, Any]:
    return _filled(
        name=part.name, image=part.image, quantity=part.quantity, mass_g=part.mass_g, material=part.material,
        process=part.process, tsdc=_listed(part.tsdc), source=_listed(part.source), export=_listed(part.export),
    )  # fmt: skip


def _listed(words: tuple[str, ...]) -> Any:
    return words[0] if len(words) == 1 else list(words)


#: How one of a kind is written.
ONE: dict[str, Callable[[Any], Any]] = {
    "texts": str, "urls": str, "files": _file, "people": _person, "references": _reference, "software": _program,
    "parts": _part,
}  # fmt: skip


def _bare(key: str) -> str:
    return key if BARE.fullmatch(key) else _string(key)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_bare(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return repr(value) if isinstance(value, int | float) else _string(str(value))


ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f"}


def _string(text: str) -> str:
    return '"' + "".join(ESCAPES.get(c) or (f"\\u{ord(c):04x}" if _unprintable(c) else c) for c in text) + '"'


def _unprintable(c: str) -> bool:
    return ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u2028\u2029"


def write_yaml(manifest: Manifest) -> str:
    """OKH v1: its own names, files as {path, title}, people as tables."""
    out: dict[str, Any] = {"okh-version": manifest.spec if not manifest.spec.startswith("OKH-LOSH") else V1}
    for name, key in KEYS.items():
        value = getattr(manifest, name)
        if value in ("", (), None) or not key.v1:
            continue
        out[key.v1] = _licences(manifest) if key.kind == "licence" else _v1(key.kind, value)
    out |= {word: _dated(value) for word, value in manifest.extra.items()}
    return yaml.dump(out, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Plain YAML: nothing is written by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never an anchor: what we write is read by ourselves too."""
        return True


def _licences(manifest: Manifest) -> dict[str, str]:
    own = manifest.licence
    return _filled(
        hardware=own, documentation=manifest.licence_documentation or own, software=manifest.licence_software
    )


def _v1(kind: str, value: Any) -> Any:
    match kind:
        case "files":
            return [_filled(path=item.path, title=item.title) for item in value]
        case "people":
            people = [_filled(name=item.name, email=item.email, affiliation=item.affiliation) for item in value]
            return people[0] if len(people) == 1 else people
        case "references":
            return _one([_filled(title=item.title, manifest=item.manifest, web=item.web) for item in value])
        case "texts" | "urls":
            return list(value)
        case _:
            return _of_kind(kind, value)


def _dated(value: Any) -> Any:
    """Dates as words, which is how they are read again."""
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _dated(item) for key, item in value.items()}
    return [_dated(item) for item in value] if isinstance(value, list) else value
