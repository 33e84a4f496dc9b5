"""What is wrong with a manifest, each with its line, and what to write instead."""

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from designs import licences
from designs.okh.documents import Unreadable
from designs.okh.manifest import KEYS, SPELLINGS, Manifest, plain_key
from designs.okh.read import Odd, Reading, read

ERROR, WARNING, HINT = "error", "warning", "hint"
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-[A-Za-z0-9]{5,8})*")
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?([T ].*)?|\d{10}")
OTRL, ODRL = re.compile(r"OTRL-[1-6]"), re.compile(r"ODRL-[1-5](\*)?")
SEMVER = re.compile(r"v?\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?")
MAX_FINDINGS = 200
MAX_LICENCE = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a key: `level` is error, warning or hint; line and column begin at 1, 0 is the whole file."""

    level: str
    line: int
    column: int
    key: str
    sentence: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A manifest with everything that was found; None where the text could not be read at all."""

    manifest: Manifest | None
    findings: tuple[Finding, ...]
    syntax: str = ""

    @property
    def is_good(self) -> bool:
        """Whether nothing is an error."""
        return not any(finding.level == ERROR for finding in self.findings)


def check(raw: bytes, name: str = "", *, has_file: Callable[[str], bool] | None = None, site: str = "") -> Checked:
    """Check a manifest's file. With `has_file` also whether the files that it names are there. Never raises.

    Addresses below `site`, where this city answers, are right as they stand, also on a host without a dot.
    """
    try:
        reading = read(raw, name)
    except Unreadable as fault:
        return Checked(None, (Finding(ERROR, fault.line, fault.column, "", fault.sentence),))
    found = [*_odd(reading), *_missing(reading), *_values(reading, site), *_files(reading, has_file)]
    order = {ERROR: 0, WARNING: 1, HINT: 2}
    found.sort(key=lambda finding: (finding.line, finding.column, order[finding.level]))
    return Checked(reading.manifest, tuple(found[:MAX_FINDINGS]), reading.syntax)


def licence_for(text: str) -> str:
    """The SPDX expression that a licence string means, or nothing where no licence can be told."""
    found = licences.normalise(text[:MAX_LICENCE]) if text.strip() else ""
    return "" if found.startswith("LicenseRef-") else found


def _odd(reading: Reading) -> Iterator[Finding]:
    for odd in reading.odd:
        line, column = reading.document.place(odd.path)
        key = ".".join(str(part) for part in odd.path)
        level, sentence, suggestion = _said(odd, reading)
        yield Finding(level, line, column, key, sentence, suggestion)


def _said(odd: Odd, reading: Reading) -> tuple[str, str, str]:
    word = str(odd.path[0])
    match odd.fault:
        case "unknown":
            return _unknown(word, reading)
        case "twice":
            return (
                WARNING,
                _("“%(key)s” is said already, in another spelling; this one is not read.") % {"key": word},
                "",
            )
        case "blank":
            return (
                WARNING,
                _("“%(text)s” is what the template says; write yours, or leave the line out.") % {"text": odd.text},
                "",
            )
        case "one":
            return HINT, _("“%(key)s” takes one value; only the first is read.") % {"key": word}, ""
        case "number-as-text":
            return WARNING, _("This is a number in quotation marks."), odd.text.strip()
        case _:
            return ERROR, _("“%(key)s” is of the wrong kind.") % {"key": word}, _kinds(odd.text)


def _kinds(kind: str) -> str:
    return {
        "text": _("words in quotation marks"),
        "flag": _("true or false"),
        "number": _("a number that is not below 0"),
        "size": _("width, depth and height, or an OpenSCAD primitive such as cube(size = [400,350,150])"),
        "part": _("a table for each part: [[part]]"),
    }.get(kind, "")


def _unknown(word: str, reading: Reading) -> tuple[str, str, str]:
    known = {key.losh if reading.syntax == "toml" else (key.v1 or key.losh) for key in KEYS.values()}
    near = difflib.get_close_matches(plain_key(word), [*sorted(known), *SPELLINGS], n=1, cutoff=0.75)
    if near:
        key = KEYS[SPELLINGS[near[0]]]
        return (
            WARNING,
            _("No key is called “%(key)s”.") % {"key": word[:60]},
            key.losh if reading.syntax == "toml" else key.v1 or key.losh,
        )
    return HINT, _("“%(key)s” is a key of your own; it is kept and not read.") % {"key": word[:60]}, ""


def _missing(reading: Reading) -> Iterator[Finding]:
    """What the specification asks for and is not there."""
    asker = "losh" if reading.syntax == "toml" else "v1"
    for name, key in KEYS.items():
        if key.need in {asker, "both"} and not getattr(reading.manifest, name):
            word = key.losh if asker == "losh" else key.v1
            place = reading.document.place((reading.used[name],)) if name in reading.used else (0, 0)
            yield Finding(
                ERROR, *place, word, _("“%(key)s” is missing; the specification asks for it.") % {"key": word}
            )
    manifest = reading.manifest
    if asker == "v1" and not manifest.repo and not manifest.documentation_home:
        sentence = _("“project-link” or “documentation-home” is missing; the specification asks for one of them.")
        yield Finding(ERROR, 0, 0, "project-link", sentence)
    if asker == "losh" and not any(plain_key(key) == "okhv" for key in reading.document.values):
        yield Finding(
            WARNING,
            0,
            0,
            "okhv",
            _("“okhv” is missing; it says which specification this follows."),
            'okhv = "OKH-LOSHv1.0"',
        )
    wanted = (("bom", manifest.bom or manifest.parts), ("instructions", manifest.instructions),
              ("sources", manifest.sources or any(part.source for part in manifest.parts)),
              ("images", manifest.images))  # fmt: skip
    for name, there in wanted:
        if not there:
            word = KEYS[name].losh if asker == "losh" else KEYS[name].v1
            yield Finding(HINT, 0, 0, word, _("“%(key)s” would help whoever wants to make it.") % {"key": word})


def _values(reading: Reading, site: str) -> Iterator[Finding]:
    manifest, at = reading.manifest, _places(reading)
    yield from _licence(reading)
    for name, key in KEYS.items():
        value = getattr(manifest, name)
        if key.kind in {"url", "urls"}:
            for address in value if isinstance(value, tuple) else (value,):
                if address and not _is_address(address) and not (site and address.startswith(f"{site}/")):
                    text = _("“%(address)s” is no address; it begins with https:// and names a host.")
                    yield at(name, ERROR, text % {"address": address[:80]}, _mended(address))
    for language in manifest.languages:
        if not LANGUAGE.fullmatch(language):
            text = _("“%(text)s” is no language tag.") % {"text": language[:40]}
            yield at("languages", WARNING, text, _language(language))
    for name, pattern, example in (
        ("technology_readiness", OTRL, "OTRL-4"), ("documentation_readiness", ODRL, "ODRL-3"),
        ("version", SEMVER, "1.0.0"), ("date_created", DATE, "2026-01-31"), ("date_updated", DATE, "2026-01-31"),
    ):  # fmt: skip
        value = getattr(manifest, name)
        if value and not pattern.fullmatch(value) and (reading.syntax == "toml" or not name.endswith("readiness")):
            text = _("“%(text)s” is not in the form that programs read.") % {"text": value[:60]}
            yield at(name, HINT, text, example)


def _places(reading: Reading) -> Callable[[str, str, str, str], Finding]:
    def at(name: str, level: str, sentence: str, suggestion: str) -> Finding:
        word = reading.used.get(name, "")
        line, column = reading.document.place((word,)) if word else (0, 0)
        return Finding(level, line, column, word, sentence, suggestion)

    return at


def _licence(reading: Reading) -> Iterator[Finding]:
    manifest = reading.manifest
    word = reading.used.get("licence", "")
    for text in dict.fromkeys((manifest.licence, manifest.licence_documentation, manifest.licence_software)):
        if not text:
            continue
        meant = licence_for(text)
        if meant == text:
            continue
        line, column = _licence_place(reading, word, text)
        if meant:
            sentence = _("“%(text)s” is not how SPDX spells it.") % {"text": text[:80]}
            yield Finding(WARNING, line, column, word, sentence, meant)
        else:
            sentence = _("“%(text)s” names no licence that SPDX knows, so nobody can tell what it allows.")
            yield Finding(WARNING, line, column, word, sentence % {"text": text[:80]}, "CERN-OHL-S-2.0")


def _licence_place(reading: Reading, word: str, text: str) -> tuple[int, int]:
    for path, written in reading.document.texts.items():
        if path[:1] == (word,) and len(path) > 1 and written.strip() == text:
            return reading.document.place(path)
    return reading.document.place((word,)) if word else (0, 0)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and not re.search(r"\s", text)
    except ValueError:
        return False


def _mended(text: str) -> str:
    tried = f"https://{text}"
    return tried if "://" not in text and re.match(r"[\w-]+(\.[\w-]+)+(/|$)", text) and _is_address(tried) else ""


def _language(text: str) -> str:
    found = re.match(r"[A-Za-z]{2}(?![A-Za-z])", text)
    return found[0].lower() if found else "en"


def _files(reading: Reading, has_file: Callable[[str], bool] | None) -> Iterator[Finding]:
    """Paths of the design that lead nowhere."""
    at = _places(reading)
    for name, path in paths_of(reading.manifest):
        if (path.startswith("/") and ".." in path.split("/")) or re.match(r"[A-Za-z]:\\", path):
            yield at(name, WARNING, _("“%(path)s” leads out of the design.") % {"path": path[:80]}, "")
        elif has_file is not None and not has_file(path.lstrip("/").removeprefix("./").split("#")[0]):
            yield at(name, WARNING, _("There is no file “%(path)s” in this version.") % {"path": path[:80]}, "")


def paths_of(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(field, path) of every file of the design that the manifest names; addresses elsewhere are left out."""
    for name, key in KEYS.items():
        value = getattr(manifest, name)
        if key.kind == "files":
            paths = [item.path for item in value]
        elif name in {"bom", "readme", "contribution_guide"}:
            paths = [value]
        elif name == "images":
            paths = list(value)
        elif name == "parts":
            paths = [path for part in value for path in (part.image, *part.source, *part.export)]
        else:
            continue
        yield from ((name, path) for path in paths if path and "://" not in path)
