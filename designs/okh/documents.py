"""TOML and YAML of strangers as plain values, each with its line and column; small, shallow, without references.

Nothing here makes objects: no tags, no anchors and aliases (a few lines of them unfold to gigabytes), no merge keys.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import yaml
from django.utils.translation import gettext as _

MAX_BYTES = 200_000
MAX_DEPTH = 12
MAX_VALUES = 20_000
MAX_KEY_PARTS = 12

Value = str | int | float | bool | dt.date | dt.datetime | dt.time | None | list[Any] | dict[str, Any]
Path = tuple[str | int, ...]
Place = tuple[int, int]


class Unreadable(ValueError):
    """The text is no document; `line` and `column` begin at 1, 0 when there is no place."""

    def __init__(self, sentence: str, line: int = 0, column: int = 0) -> None:
        super().__init__(sentence)
        self.sentence, self.line, self.column = sentence, line, column


@dataclass(frozen=True, slots=True)
class Document:
    """Values by key, the place of each, and how its scalars were written (so that version 1.10 stays 1.10)."""

    values: dict[str, Any]
    places: dict[Path, Place] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """The line and column of a value, or of what it is in."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


def text_of(raw: bytes) -> str:
    """Bytes as text: UTF-8, UTF-16 with its mark, else Windows-1252. Raises Unreadable for what is no text."""
    if len(raw) > MAX_BYTES:
        raise Unreadable(_("This has more than %(n)d kB; a manifest is a few kB.") % {"n": MAX_BYTES // 1000})
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", "replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
    if "\0" in text:
        raise Unreadable(_("This is no text: it holds zero bytes."))
    return text


def read_toml(text: str) -> Document:
    """A TOML document. Raises Unreadable with the line."""
    _small(text)
    try:
        places = dict(_toml_places(text))
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", str(fault), re.DOTALL)
        words, line, column = (found[1], found[2], found[3]) if found else (str(fault), None, None)
        last = text.count("\n") + 1
        raise Unreadable(
            _("This is no TOML: %(fault)s.") % {"fault": words[:200]}, int(line or last), int(column or 1)
        ) from None
    except Unreadable:
        raise
    except (RecursionError, ValueError, OverflowError):
        raise Unreadable(_("This TOML cannot be read: a number is too long or it is nested too deep.")) from None
    _count(values)
    return Document(values, places)


def _small(text: str) -> None:
    if len(text) > MAX_BYTES:
        raise Unreadable(_("This has more than %(n)d kB; a manifest is a few kB.") % {"n": MAX_BYTES // 1000})


def _count(value: Any) -> None:
    waiting, seen = [value], 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            raise Unreadable(_("This has more than %(n)d values.") % {"n": MAX_VALUES})
        waiting += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()


#: Closing marks may be missing: a token never fails after a long look ahead, so this is linear whatever the text.
TOKEN = re.compile(
    r'''"""(?:[^\\]|\\.)*?(?:"""|\Z)|'{3}.*?(?:'{3}|\Z)|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?'''
    r"""|#[^\n]*|\n|\[\[|[\[\]{}=]|[^\s"'#\[\]{}=]+|[ \t\r]+|.""",
    re.DOTALL,
)
PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^.\s"\']+')


def _toml_places(text: str) -> Generator[tuple[Path, Place], None, None]:
    """Where each key of a TOML text stands, found without understanding its values. Raises Unreadable when it is nested
    too deep for the parser."""
    depth, line, begin, base = 0, 1, 0, ()  # type: int, int, int, Path
    counts: dict[Path, int] = {}
    left: list[tuple[str, int]] = []
    in_value = False
    for match in TOKEN.finditer(text):
        word, column = match[0], match.start() - begin + 1
        if word.count(".") > MAX_KEY_PARTS and word[0] not in "\"'#":
            raise Unreadable(_("A key has too many parts."), line, column)
        if word in {"[", "[[", "{"}:
            if not left and not in_value and depth == 0 and word != "{":
                base = yield from _table(text, match.start(), counts, (line, column))
            depth += len(word)
        elif word in {"]", "}"}:
            depth = max(0, depth - 1)
        elif word == "=" and depth == 0 and left and not in_value:
            key = _key("".join(piece for piece, _at in left))
            for upto in range(1, len(key) + 1):
                yield (*base, *key[:upto]), (line, left[0][1])
            left, in_value = [], True
        elif word == "\n":
            left, in_value = ([], False) if depth == 0 else (left, in_value)
        elif depth == 0 and not in_value and not word.isspace() and not word.startswith("#"):
            left.append((word, column))
        if depth > MAX_DEPTH:
            raise Unreadable(_("This is nested more than %(n)d deep.") % {"n": MAX_DEPTH}, line, column)
        if "\n" in word:
            line += word.count("\n")
            begin = match.start() + word.rindex("\n") + 1


def _table(text: str, at: int, counts: dict[Path, int], place: Place) -> Generator[tuple[Path, Place], None, Path]:
    """The places of a table's head; what it returns is before every key that follows."""
    head = re.match(r"(\[\[?)([^\]\n]{0,400})\]", text[at : at + 500])
    if head is None:
        return ()
    path: Path = _key(head[2])
    if head[1] == "[[":
        number = counts.get(path, 0)
        counts[path] = number + 1
        yield path, place
        path = (*path, number)
    yield path, place
    return path


def _key(text: str) -> Path:
    words = [word[1:-1] if word[:1] in {'"', "'"} else word for word in PARTS.findall(text[:500])]
    return tuple(words[: MAX_KEY_PARTS + 1])


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
RESOLVER: Any = yaml.resolver.Resolver()
PLAIN = {"tag:yaml.org,2002:str": str, "tag:yaml.org,2002:null": type(None), "tag:yaml.org,2002:bool": bool,
         "tag:yaml.org,2002:int": int, "tag:yaml.org,2002:float": float}  # fmt: skip


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read; `key` is the one whose value comes next."""

    path: Path
    into: dict[str, Any] | list[Any]
    key: str | None = None
    number: int = 0


def read_yaml(text: str) -> Document:
    """A YAML document that is a mapping. Raises Unreadable with the line; anchors, aliases and tags are refused."""
    _small(text)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            builder.take(event)
            if isinstance(event, yaml.DocumentEndEvent):
                break
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = _("This is no YAML: %(fault)s.") % {"fault": (fault.problem or "")[:200]}
        raise Unreadable(problem, line, column) from None
    except Unreadable:
        raise
    except (yaml.YAMLError, RecursionError, ValueError):
        raise Unreadable(_("This is no YAML: it holds a character that no text has.")) from None
    if not isinstance(builder.root, dict):
        raise Unreadable(_("This is no list of “key: value”."), 1, 1)
    return Document(builder.root, builder.places, builder.texts)


class _Builder:
    """Makes a document of YAML's events without recursion."""

    def __init__(self) -> None:
        self.root: Any = None
        self.places: dict[Path, Place] = {}
        self.texts: dict[Path, str] = {}
        self.open: list[_Open] = []
        self.seen = 0

    def take(self, event: Any) -> None:
        """One event. Raises Unreadable."""
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(_("Anchors and aliases (& and *) are not read here; write the value out."), *place)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, place)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if event.tag not in {None, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}:
                raise Unreadable(_("Tags (!) are not read here."), *place)
            self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], place)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.open.pop()

    def _begin(self, into: dict[str, Any] | list[Any], place: Place) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise Unreadable(_("This is nested more than %(n)d deep.") % {"n": MAX_DEPTH}, *place)
        if self.open and isinstance(self.open[-1].into, dict) and self.open[-1].key is None:
            raise Unreadable(_("A key is a word, not a list."), *place)
        path = self._put(into, place)
        self.open.append(_Open(path, into))

    def _scalar(self, event: Any, place: Place) -> None:
        if event.tag is not None and event.tag not in PLAIN:
            raise Unreadable(_("Tags (!) are not read here."), *place)
        holder = self.open[-1] if self.open else None
        if holder is not None and isinstance(holder.into, dict) and holder.key is None:
            if event.value in holder.into:
                raise Unreadable(_("“%(key)s” stands here twice.") % {"key": event.value[:40]}, *place)
            holder.key = event.value
            self.places[*holder.path, event.value] = place
            return
        path = self._put(_scalar(event), place)
        self.texts[path] = event.value

    def _put(self, value: Any, place: Place) -> Path:
        self.seen += 1
        if self.seen > MAX_VALUES:
            raise Unreadable(_("This has more than %(n)d values.") % {"n": MAX_VALUES}, *place)
        if not self.open:
            self.root = value
            return ()
        holder = self.open[-1]
        if isinstance(holder.into, dict):
            path: Path = (*holder.path, holder.key or "")
            holder.into[holder.key or ""] = value
            holder.key = None
        else:
            path = (*holder.path, holder.number)
            holder.number += 1
            holder.into.append(value)
            self.places[path] = place
        return path


def _scalar(event: Any) -> Any:
    """Words, yes and no, numbers and nothing; dates and whatever else YAML knows stay as they are written."""
    if not event.implicit[0]:
        return event.value
    kind = PLAIN.get(RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False)), str)
    if kind is type(None):
        return None
    if kind is bool:
        return event.value.lower() in {"yes", "true", "on"}
    if kind is int and re.fullmatch(r"[-+]?\d{1,15}", event.value):
        return int(event.value)
    if kind is float and re.fullmatch(r"[-+]?[\d_]{0,20}\.?\d{0,20}(e[-+]?\d{1,3})?", event.value, re.IGNORECASE):
        return float(event.value.replace("_", ""))
    return event.value
