"""An OKH manifest as one type, whichever of its two languages it was written in."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LOSH = "OKH-LOSHv1.0"
V1 = "OKHv1.0"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or an organisation."""

    name: str = ""
    email: str = ""
    affiliation: str = ""


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of the design (relative to the manifest, or from its root with `/`) or an address elsewhere."""

    path: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another thing, by its manifest or its page."""

    title: str = ""
    manifest: str = ""
    web: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the thing. `mass_g` of one."""

    name: str = ""
    image: str = ""
    quantity: float | None = None
    mass_g: float | None = None
    material: str = ""
    process: str = ""
    tsdc: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    export: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Software:
    """A program that the thing needs."""

    label: str = ""
    release: str = ""
    guide: str = ""


Kind = Literal["text", "url", "texts", "urls", "files", "people", "flag", "number", "references", "parts", "software",
               "licence", "size", "date"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """How a field is spelled: in OKH-LOSH, in OKH v1, and otherwise in the wild.

    `need` says whose specification asks for it: losh, v1, both, or nobody's.
    """

    losh: str
    v1: str
    kind: Kind
    also: tuple[str, ...] = ()
    need: str = ""


def _is(losh: str, v1: str, kind: Kind, *also: str, need: str = "", default: Any = dataclasses.MISSING) -> Any:
    """A field with its spellings; its empty value follows from its kind."""
    empty: dict[str, Any] = {"text": "", "url": "", "date": "", "licence": "", "flag": None, "number": None}
    value = empty.get(kind, ()) if default is dataclasses.MISSING else default
    return field(default=value, metadata={"key": Key(losh, v1, kind, also, need)})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an OKH manifest says. `extra` keeps keys that we do not know, so that nothing is lost on the way through."""

    spec: str = LOSH
    name: str = _is("name", "title", "text", "project-name", need="both")
    repo: str = _is("repo", "project-link", "url", "repository", "repo-url", need="losh")
    version: str = _is("version", "version", "text", need="losh")
    release: str = _is("release", "archive-download", "url", "release-url", "archive")
    licence: str = _is("license", "license", "licence", "licence", "hardware-license", "hardware-licence", need="both")
    licence_documentation: str = _is("documentation-license", "", "licence", "documentation-licence")
    licence_software: str = _is("software-license", "", "licence", "software-licence")
    licensors: tuple[Person, ...] = _is("licensor", "licensor", "people", "licensors", "licencor", need="losh")
    organisations: tuple[str, ...] = _is("organization", "organization", "texts", "organisation", "organisations")
    contact: tuple[Person, ...] = _is("contact", "contact", "people")
    contributors: tuple[Person, ...] = _is("contributors", "contributors", "people", "contributor", "authors", "author")
    manifest_author: tuple[Person, ...] = _is("manifest-author", "manifest-author", "people")
    function: str = _is("function", "description", "text", "summary", need="both")
    intended_use: str = _is("intended-use", "intended-use", "text")
    keywords: tuple[str, ...] = _is("keywords", "keywords", "texts", "keyword", "tags", "tag")
    documentation_home: str = _is("documentation-home", "documentation-home", "url", "documentation", "homepage")
    readme: str = _is("readme", "readme", "text", "read-me")
    images: tuple[str, ...] = _is("image", "image", "texts", "images", "picture")
    languages: tuple[str, ...] = _is("documentation-language", "documentation-language", "texts", "language")
    manifest_language: str = _is("manifest-language", "manifest-language", "text")
    technology_readiness: str = _is("technology-readiness-level", "development-stage", "text", "otrl", "trl")
    documentation_readiness: str = _is("documentation-readiness-level", "documentation-readiness-level", "text", "odrl")
    timestamp: str = _is("timestamp", "timestamp", "date")
    date_created: str = _is("date-created", "date-created", "date")
    date_updated: str = _is("date-updated", "date-updated", "date")
    attestations: tuple[str, ...] = _is("attestation", "attestation", "urls", "attestations")
    publications: tuple[str, ...] = _is("publication", "publication", "urls", "publications")
    standards: tuple[str, ...] = _is("standard-compliance", "standards-used", "texts", "standards")
    patent_class: str = _is("cpc-patent-class", "cpc-patent-class", "text", "cpc")
    tsdc: tuple[str, ...] = _is("tsdc", "tsdc", "texts", "tsdc-id")
    made: bool | None = _is("made", "made", "flag")
    made_independently: bool | None = _is("made-independently", "made-independently", "flag")
    safety_notice: str = _is("health-safety-notice", "health-safety-notice", "text", "safety-notice")
    bom: str = _is("bom", "bom", "text", "bill-of-materials", "parts-list")
    tools: tuple[FileRef, ...] = _is("tool-list", "tool-list", "files", "tools")
    instructions: tuple[FileRef, ...] = _is(
        "manufacturing-instructions", "making-instructions", "files", "assembly-instructions", "instructions",
        "contribution-instructions",
    )  # fmt: skip
    manuals: tuple[FileRef, ...] = _is("user-manual", "operating-instructions", "files", "user-manuals", "manual")
    contribution_guide: str = _is("contribution-guide", "contribution-guide", "text", "contributing")
    sources: tuple[FileRef, ...] = _is("source", "design-files", "files", "sources", "design-file")
    exports: tuple[FileRef, ...] = _is("export", "manufacturing-files", "files", "exports", "manufacturing-file")
    auxiliaries: tuple[FileRef, ...] = _is("auxiliary", "auxiliary", "files")
    schematics: tuple[FileRef, ...] = _is("schematics", "schematics", "files", "schematic")
    risks: tuple[FileRef, ...] = _is("risk-assessment", "risk-assessment", "files")
    tool_settings: tuple[FileRef, ...] = _is("tool-settings", "tool-settings", "files")
    quality: tuple[FileRef, ...] = _is("quality-instructions", "quality-instructions", "files")
    maintenance: tuple[FileRef, ...] = _is("maintenance-instructions", "maintenance-instructions", "files")
    disposal: tuple[FileRef, ...] = _is("disposal-instructions", "disposal-instructions", "files")
    mass_g: float | None = _is("mass", "mass", "number", "mass-g", "weight")
    size: tuple[str, str] | tuple[()] = _is("outer-dimensions", "outer-dimensions", "size", "outer-dimension")
    derivative_of: tuple[Reference, ...] = _is("fork-of", "derivative-of", "references", "derived-from", "forked-from")
    variant_of: tuple[Reference, ...] = _is("variant-of", "variant-of", "references")
    sub: tuple[Reference, ...] = _is("sub", "sub", "references", "sub-components", "has-component")
    software: tuple[Software, ...] = _is("software", "software", "software")
    parts: tuple[Part, ...] = _is("part", "part", "parts", "parts")
    extra: Mapping[str, Any] = field(default_factory=dict)


#: Field of a manifest and its spellings, in the order in which they are written.
KEYS: dict[str, Key] = {f.name: f.metadata["key"] for f in dataclasses.fields(Manifest) if "key" in f.metadata}


def plain_key(key: str) -> str:
    """`documentationLanguage`, `Documentation_language` and `documentation-language` are one key."""
    divided = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", key.strip())
    return re.sub(r"[_ -]+", "-", divided).lower()


#: Every spelling of a field.
SPELLINGS: dict[str, str] = {}
for _name, _key in KEYS.items():
    for _word in (_key.losh, _key.v1, *_key.also):
        if _word:
            SPELLINGS.setdefault(_word, _name)
