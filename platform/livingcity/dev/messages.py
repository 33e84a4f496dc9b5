"""Words and their translations without GNU gettext: find them in the source, keep the .po, write the .mo.

Strings are found in Python by its syntax tree (whatever name a gettext function was imported under) and in templates by
Django's own reader. A .po entry keeps its translation as long as its words stand somewhere in the source; it names the
files without line numbers, so that moving a line changes nothing here.
"""

import ast
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation.template import templatize

FUNCTIONS = frozenset({"gettext", "gettext_lazy", "gettext_noop"})
PLURALS = frozenset({"ngettext", "ngettext_lazy"})
CONTEXTS = frozenset({"pgettext", "pgettext_lazy"})
CONTEXT_PLURALS = frozenset({"npgettext", "npgettext_lazy"})
SKIPPED = frozenset({"node_modules", "var", ".venv", "tests", "migrations", "dist", ".git"})
HEADER = (
    "Project-Id-Version: Living City\nLanguage: {language}\nMIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
    "Plural-Forms: {plurals}\n"
)
PLURAL_FORMS = {"fi": "nplurals=2; plural=(n != 1);", "sv": "nplurals=2; plural=(n != 1);"}
DEFAULT_PLURALS = "nplurals=2; plural=(n != 1);"
_PLACEHOLDER = re.compile(r"%\((\w+)\)[#0\- +]?\d*(?:\.\d+)?[diouxXeEfFgGcrsa]|\{(\w+)\}")

#: (context or None, words)
Key = tuple[str | None, str]


@dataclass
class Message:
    """Words with their plural, where they stand, and their translation (one form, or one for each plural form)."""

    words: str
    context: str | None = None
    plural: str | None = None
    files: set[str] = field(default_factory=set)
    forms: list[str] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """What makes it the same message."""
        return self.context, self.words

    @property
    def translated(self) -> bool:
        """Whether every form has words."""
        return bool(self.forms) and all(self.forms)


# --- finding -----------------------------------------------------------------------------------------------------


def sources(root: Path) -> Iterator[Path]:
    """Every Python file and template of the product."""
    for path in sorted(
        [*root.rglob("*.py"), *root.glob("**/templates/**/*.html"), *root.glob("**/templates/**/*.txt")]
    ):
        if not SKIPPED & set(path.relative_to(root).parts):
            yield path


def found_in(root: Path) -> dict[Key, Message]:
    """All messages of the source, each with its files."""
    messages: dict[Key, Message] = {}
    for path in sources(root):
        text = path.read_text(encoding="utf-8")
        found = python_messages(text) if path.suffix == ".py" else template_messages(text)
        for message in found:
            known = messages.setdefault(message.key, message)
            known.plural = known.plural or message.plural
            known.files.add(path.relative_to(root).as_posix())
    return messages


def python_messages(text: str, *, names: Mapping[str, str] | None = None) -> Iterator[Message]:
    """The messages of a Python module; `names` adds to the names its imports give."""
    tree = ast.parse(text)
    known = {**imported_names(tree), **(names or {})}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        function = known.get(called)
        if function is None:
            continue
        strings = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        message = _message(function, strings)
        if message is not None:
            yield message


def imported_names(tree: ast.Module) -> dict[str, str]:
    """The gettext function behind each name that the module imports."""
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
    }


def _message(function: str, strings: list[str]) -> Message | None:
    if function in FUNCTIONS and strings:
        return Message(strings[0])
    if function in PLURALS and len(strings) >= 2:
        return Message(strings[0], plural=strings[1])
    if function in CONTEXTS and len(strings) >= 2:
        return Message(strings[1], context=strings[0])
    if function in CONTEXT_PLURALS and len(strings) >= 3:
        return Message(strings[1], context=strings[0], plural=strings[2])
    return None


_CALL = re.compile(r"(?<!\w)(_|n?p?gettext)\((?=\s*u?['\"])")


def template_messages(text: str) -> Iterator[Message]:
    """The messages of a template. Django's reader writes the calls; everything else between them is noise."""
    calls = templatize(text)
    for match in _CALL.finditer(calls):
        arguments = _string_arguments(calls, match.end())
        function = "gettext" if match[1] == "_" else match[1]
        message = _message(function, arguments)
        if message is not None:
            yield message


_STRING = re.compile(r"\s*(u?(?:'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"))\s*([,)])", re.DOTALL)


def _string_arguments(calls: str, at: int) -> list[str]:
    strings: list[str] = []
    while match := _STRING.match(calls, at):
        strings.append(str(ast.literal_eval(match[1])))
        at = match.end()
        if match[2] == ")":
            break
    return strings


# --- .po ---------------------------------------------------------------------------------------------------------


def read_po(path: Path) -> dict[Key, Message]:
    """The entries of a .po file without its header; an empty dictionary where there is none."""
    if not path.exists():
        return {}
    entries = (_entry(block) for block in path.read_text(encoding="utf-8").split("\n\n"))
    return {entry.key: entry for entry in entries if entry is not None and entry.words}


def _entry(block: str) -> Message | None:
    fields: dict[str, str] = {}
    now = ""
    for line in block.splitlines():
        if line.startswith("#"):
            continue
        name, quote, rest = line.partition('"')
        if not quote:
            continue
        now = name.strip() or now
        fields[now] = fields.get(now, "") + _unquoted(rest.rstrip().removesuffix('"'))
    if "msgid" not in fields:
        return None
    forms = [text for name, text in sorted(fields.items()) if name.startswith("msgstr")]
    return Message(fields["msgid"], fields.get("msgctxt"), fields.get("msgid_plural"), forms=forms)


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'


def write_po(path: Path, messages: Iterable[Message], language: str) -> None:
    """Entries in the order of their words; a message without translation has empty forms."""
    header = HEADER.format(language=language, plurals=PLURAL_FORMS.get(language, DEFAULT_PLURALS))
    blocks = ['msgid ""\nmsgstr ""\n' + "\n".join(_quoted(line + "\n") for line in header.splitlines())]
    blocks += [_block(message) for message in sorted(messages, key=lambda m: (m.words, m.context or ""))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _block(message: Message) -> str:
    lines = [f"#: {name}" for name in sorted(message.files)]
    if placeholders(message.words):
        lines.append("#, python-format")
    if message.context is not None:
        lines.append(f"msgctxt {_quoted(message.context)}")
    lines.append(f"msgid {_quoted(message.words)}")
    if message.plural is None:
        lines.append(f"msgstr {_quoted(message.forms[0] if message.forms else '')}")
        return "\n".join(lines)
    lines.append(f"msgid_plural {_quoted(message.plural)}")
    forms = message.forms if len(message.forms) == 2 else ["", ""]
    return "\n".join([*lines, *(f"msgstr[{at}] {_quoted(text)}" for at, text in enumerate(forms))])


def merged(found: Mapping[Key, Message], kept: Mapping[Key, Message]) -> list[Message]:
    """What the source holds, with the translations that are known; what is no longer said is dropped."""
    for key, message in found.items():
        old = kept.get(key)
        message.forms = old.forms if old is not None and (old.plural is None) == (message.plural is None) else []
    return list(found.values())


def placeholders(text: str) -> set[str]:
    """The names that a translation must keep: %(name)s and {name}."""
    return {match[1] or match[2] for match in _PLACEHOLDER.finditer(text)}


def faults(messages: Iterable[Message]) -> list[str]:
    """Translations that lost or invented a placeholder, each in a sentence."""
    wrong = []
    for message in messages:
        allowed = placeholders(message.words) | placeholders(message.plural or "")
        for text in filter(None, message.forms):
            here = placeholders(text)
            lost = set() if message.plural else allowed - here
            if here - allowed or lost:
                wrong.append(f"“{message.words}”: “{text}” has {sorted(here)} where the source has {sorted(allowed)}")
    return wrong


# --- .mo ---------------------------------------------------------------------------------------------------------


def compiled(messages: Iterable[Message], language: str) -> bytes:
    """A .mo file (GNU gettext's binary form, revision 0, no hash table): only what is translated."""
    header = HEADER.format(language=language, plurals=PLURAL_FORMS.get(language, DEFAULT_PLURALS))
    pairs = {b"": header.encode()}
    for message in messages:
        if message.translated:
            name = message.words if message.plural is None else f"{message.words}\0{message.plural}"
            name = name if message.context is None else f"{message.context}\x04{name}"
            pairs[name.encode()] = "\0".join(message.forms).encode()
    names = sorted(pairs)
    count = len(names)
    offset = 28 + 16 * count
    tables: tuple[list[bytes], list[bytes]] = ([], [])
    body = b""
    for table, texts in zip(tables, (names, [pairs[name] for name in names]), strict=True):
        for text in texts:
            table.append(struct.pack("<II", len(text), offset + len(body)))
            body += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 28 + 16 * count)
    return head + b"".join(tables[0]) + b"".join(tables[1]) + body
