"""The catalogue of what is open, by DCAT-AP 3: as a list of statements, written as JSON-LD and as Turtle.

Source: DCAT-AP 3.0 (SEMIC), with DCAT 3 (W3C). Every class and property that DCAT-AP calls mandatory is there, and of
the recommended ones what we know.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from commons.opendata import licences
from commons.sockets import PublicData

PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "locn": "http://www.w3.org/ns/locn#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_EU = "http://publications.europa.eu/resource/authority/"
_GSP_WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
#: Media types by the codes of the EU's list of file types, where it has one.
_FILE_TYPES = {
    "text/csv": "CSV",
    "application/geo+json": "GEOJSON",
    "application/city+json": "JSON",
    "application/jsonl": "JSON",
    "application/vnd.apache.parquet": "PARQUET",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A thing with an address, or without (a blank one, by its number)."""

    name: str


@dataclass(frozen=True, slots=True)
class Word:
    """A value: text with a language or a type."""

    text: str
    kind: str = ""
    language: str = ""


Statement = tuple[Node, str, Node | Word]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written."""

    path: str
    media_type: str
    title: str
    bytes: int
    sha256: str


@dataclass(slots=True)
class Catalogue:
    """Statements about datasets and their files, made one dataset at a time. `site` is the city's address without a
    stroke at its end; files stand under `files`."""

    site: str
    files: str
    title: str
    publisher: str
    made_at: dt.datetime
    statements: list[Statement] = field(default_factory=list)
    _blank: int = 0
    _services: set[Node] = field(default_factory=set)

    def __post_init__(self) -> None:
        own = self.own
        self.say(own, "rdf:type", "dcat:Catalog")
        self.say(own, "dct:title", Word(self.title, language="en"))
        self.say(
            own, "dct:description", Word("What this city gives away, with licence and attribution.", language="en")
        )
        self.say(own, "dct:publisher", self._maker)
        self.say(own, "dct:modified", _moment(self.made_at))
        self.term(own, "dct:language", Node(f"{_EU}language/ENG"), "dct:LinguisticSystem")
        self.say(own, "foaf:homepage", Node(f"{self.site}/data/"))
        self.say(Node(f"{self.site}/data/"), "rdf:type", "foaf:Document")
        self.term(own, "dcat:themeTaxonomy", Node(f"{_EU}data-theme"), "skos:ConceptScheme")
        self.say(self._maker, "rdf:type", "foaf:Agent")
        self.say(self._maker, "foaf:name", Word(self.publisher, language="en"))

    @property
    def own(self) -> Node:
        """The catalogue itself."""
        return Node(f"{self.site}/data/catalog")

    @property
    def _maker(self) -> Node:
        return Node(f"{self.site}/#city")

    def say(self, of: Node, what: str, value: "Node | Word | str") -> None:
        """One statement; a plain text names a class."""
        self.statements.append((of, what, Node(value) if isinstance(value, str) else value))

    def term(self, of: Node, what: str, value: Node, kind: str) -> None:
        """One statement with a term of somebody's list, and what kind of term that is."""
        self.say(of, what, value)
        self.say(value, "rdf:type", kind)

    def blank(self) -> Node:
        """A thing without an address."""
        self._blank += 1
        return Node(f"_:b{self._blank}")

    def add(self, data: PublicData, files: Iterable[Written]) -> None:
        """A dataset with its files."""
        of = Node(f"{self.site}/data/catalog#{data.slug}")
        self.say(self.own, "dcat:dataset", of)
        self.say(of, "rdf:type", "dcat:Dataset")
        self.say(of, "dct:title", Word(str(data.title), language="en"))
        self.say(of, "dct:description", Word(str(data.description or data.title), language="en"))
        self.say(of, "dct:identifier", Word(data.slug))
        self.say(of, "dct:publisher", self._maker)
        self.term(of, "dcat:theme", Node(f"{_EU}data-theme/{data.theme}"), "skos:Concept")
        self.term(of, "dct:accrualPeriodicity", Node(f"{_EU}frequency/WEEKLY"), "dct:Frequency")
        self.term(of, "dct:accessRights", Node(f"{_EU}access-right/PUBLIC"), "dct:RightsStatement")
        for word in data.keywords:
            self.say(of, "dcat:keyword", Word(word, language="en"))
        if data.modified:
            self.say(of, "dct:modified", _moment(data.modified))
        if data.page:
            page = Node(f"{self.site}/{data.page.lstrip('/')}")
            self.say(of, "dcat:landingPage", page)
            self.say(page, "rdf:type", "foaf:Document")
        self._where(of, data)
        self._when(of, data)
        for file in files:
            self._file(of, data, file)
        for door in data.doors:
            self._door(of, data, door.path, str(door.title), door.conforms_to)

    def _where(self, of: Node, data: PublicData) -> None:
        if data.box:
            west, south, east, north = data.box
            place = self.blank()
            ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
            self.say(of, "dct:spatial", place)
            self.say(place, "rdf:type", "dct:Location")
            self.say(place, "dcat:bbox", Word(f"POLYGON(({ring}))", kind=_GSP_WKT))

    def _when(self, of: Node, data: PublicData) -> None:
        if data.begins:
            time = self.blank()
            self.say(of, "dct:temporal", time)
            self.say(time, "rdf:type", "dct:PeriodOfTime")
            self.say(time, "dcat:startDate", _moment(data.begins))
            if data.ends:
                self.say(time, "dcat:endDate", _moment(data.ends))

    def _file(self, of: Node, data: PublicData, file: Written) -> None:
        address = f"{self.files}/{file.path}"
        one = Node(f"{address}#file")
        self.say(of, "dcat:distribution", one)
        self.say(one, "rdf:type", "dcat:Distribution")
        self.say(one, "dct:title", Word(f"{data.title}: {file.title}", language="en"))
        self.say(one, "dcat:accessURL", Node(address))
        self.say(one, "dcat:downloadURL", Node(address))
        self.term(
            one,
            "dcat:mediaType",
            Node(f"http://www.iana.org/assignments/media-types/{file.media_type}"),
            "dct:MediaType",
        )
        self.term(
            one,
            "dct:format",
            Node(f"{_EU}file-type/{_FILE_TYPES.get(file.media_type, 'BIN')}"),
            "dct:MediaTypeOrExtent",
        )
        self.say(one, "dcat:byteSize", Word(str(file.bytes), kind="xsd:nonNegativeInteger"))
        self.say(one, "dct:modified", _moment(self.made_at))
        self.term(one, "adms:status", Node(f"{_EU}distribution-status/COMPLETED"), "skos:Concept")
        self._rights(one, data)
        sum_ = self.blank()
        self.say(one, "spdx:checksum", sum_)
        self.say(sum_, "rdf:type", "spdx:Checksum")
        self.say(sum_, "spdx:algorithm", "spdx:checksumAlgorithm_sha256")
        self.say(sum_, "spdx:checksumValue", Word(file.sha256, kind="xsd:hexBinary"))

    def _rights(self, of: Node, data: PublicData) -> None:
        named = licences.named(data.licence)
        if len(named) == 1:
            self.say(of, "dct:license", Node(named[0][1]))
            self.say(Node(named[0][1]), "rdf:type", "dct:LicenseDocument")
        rights = self.blank()
        words = f"Licence: {data.licence or 'not stated'}. Attribution: {data.attribution or 'none asked'}."
        self.say(of, "dct:rights", rights)
        self.say(rights, "rdf:type", "dct:RightsStatement")
        self.say(rights, "dct:description", Word(words, language="en"))

    def _door(self, of: Node, data: PublicData, path: str, title: str, standard: str) -> None:
        address = f"{self.site}/{path.lstrip('/')}"
        service = Node(f"{address}#service")
        self.say(service, "dcat:servesDataset", of)
        if service in self._services:
            return
        self._services.add(service)
        self.say(self.own, "dcat:service", service)
        self.say(service, "rdf:type", "dcat:DataService")
        self.say(service, "dct:title", Word(title, language="en"))
        self.say(service, "dcat:endpointURL", Node(address))
        self.say(service, "dct:conformsTo", Node(standard))
        self.say(Node(standard), "rdf:type", "dct:Standard")
        self._rights(service, data)


def _moment(at: dt.datetime) -> Word:
    return Word(at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"), kind="xsd:dateTime")


# --- written -----------------------------------------------------------------------------------------------------


def json_ld(statements: Sequence[Statement]) -> bytes:
    """JSON-LD 1.1, one object for each thing; the context stands in the document, nothing is fetched."""
    things: dict[str, dict[str, list[object]]] = {}
    for of, what, value in statements:
        kind = what == "rdf:type"
        values = things.setdefault(of.name, {}).setdefault("@type" if kind else what, [])
        told: object = _short(value) if kind else _as_json(value)
        if told not in values:
            values.append(told)
    graph = [{"@id": name, **about} for name, about in things.items()]
    return json.dumps({"@context": PREFIXES, "@graph": graph}, ensure_ascii=False, indent=1).encode()


def _short(value: "Node | Word") -> str:
    return value.name if isinstance(value, Node) else value.text


def _as_json(value: "Node | Word") -> object:
    if isinstance(value, Node):
        return {"@id": value.name}
    if value.kind:
        return {"@value": value.text, "@type": value.kind}
    return {"@value": value.text, "@language": value.language} if value.language else value.text


def turtle(statements: Sequence[Statement]) -> bytes:
    """Turtle, the statements about a thing together."""
    return "".join(_turtle(statements)).encode()


def _turtle(statements: Sequence[Statement]) -> Iterator[str]:
    for prefix, address in PREFIXES.items():
        yield f"@prefix {prefix}: <{address}> .\n"
    things: dict[Node, list[str]] = {}
    for of, what, value in statements:
        things.setdefault(of, []).append(f"{what} {_as_turtle(value)}")
    for of, said in things.items():
        yield f"\n{_as_turtle(of)}\n    " + " ;\n    ".join(dict.fromkeys(said)) + " .\n"


def _as_turtle(value: "Node | Word") -> str:
    if isinstance(value, Node):
        plain = value.name.startswith("_:") or value.name.partition(":")[0] in PREFIXES
        return value.name if plain else f"<{_address(value.name)}>"
    text = json.dumps(value.text, ensure_ascii=False)
    if value.language:
        return f"{text}@{value.language}"
    if value.kind:
        return f"{text}^^{_as_turtle(Node(value.kind))}"
    return text


def _address(name: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in '<>"{}|^`\\ ' or c < " " else c for c in name)
