"""Read an Open Know-Where document: YAML or JSON, one facility or a list, fields in any of the spellings in use."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from designs.okh.documents import Document, Path, Unreadable, read_yaml, text_of
from labs.okw import opening, vocabulary
from labs.okw.facility import Agent, Equipment, Facility, Finding, Reading

ACCESS = {
    "public": "public", "membership": "membership", "sharedspace": "shared", "restricted": "restricted",
    "restrictedwithpublichours": "restricted-public-hours",
}  # fmt: skip
STATUS = {
    "active": "active", "planned": "planned", "temporaryclosure": "temporary-closure", "closed": "closed",
}  # fmt: skip
#: Where a document of several facilities keeps them.
LISTS = ("facilities", "manufacturingfacilities", "labs")
BROKEN = frozenset({"broken", "outoforder", "inrepair", "notworking", "outofservice"})
MOST = 500
BOX = ("buildvolume", "workingvolume", "workingsurface", "bedsize")
TRAVEL = ("xtravel", "ytravel", "ztravel")


def plain(name: str) -> str:
    """A field's name without its spelling: `Facility Status`, `facilityStatus` and `facility_status` are the same."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def read(raw: bytes) -> Reading:
    """The labs of a document with what is wrong in it, by line and field. Never raises because of what it says."""
    shift = 0
    try:
        text, shift = _as_mapping(text_of(raw))
        document = read_yaml(text)
    except Unreadable as fault:
        return Reading((), (Finding("error", max(fault.line - shift, 1), "", fault.sentence),))
    reader = _Reader(document, shift)
    facilities = reader.facilities()
    return Reading(tuple(facilities), tuple(reader.findings))


def _as_mapping(text: str) -> tuple[str, int]:
    """The text with its list, if it is one, under a name; and how many lines that has put before it."""
    body = text.lstrip("\ufeff \n\r\t")
    if body.startswith("["):
        return f'{{"facilities": {text}}}', 0
    if body.startswith("- "):
        return f"facilities:\n{text}", 1
    return text, 0


class _Fields:
    """The fields of a mapping by their plain names, with the path of each; those that nobody asked for are left."""

    def __init__(self, reader: "_Reader", values: Mapping[str, Any], path: Path) -> None:
        self.reader, self.path = reader, path
        self.known = {plain(key): (key, value) for key, value in values.items()}
        self.asked: set[str] = set()

    def get(self, *names: str) -> Any:
        """The value of the first of these fields that is there."""
        for name in names:
            if name in self.known:
                self.asked.add(name)
                value = self.known[name][1]
                if value not in (None, "", [], {}):
                    return value
        return None

    def at(self, *names: str) -> Path:
        """The path of the first of these fields."""
        return (*self.path, next((self.known[name][0] for name in names if name in self.known), ""))

    def text(self, *names: str, most: int = 4000) -> str:
        """A field as text; a number is text too, a list is joined."""
        value = self.get(*names)
        if value is None:
            return ""
        if isinstance(value, list):
            value = ", ".join(str(one) for one in value if not isinstance(one, list | dict))
        if isinstance(value, dict):
            self.reader.say("warning", self.at(*names), _("This should be text; it is left out."))
            return ""
        text = str(value).strip()
        if len(text) > most:
            self.reader.say("warning", self.at(*names), _("This is cut after %(n)d characters.") % {"n": most})
        return text[:most]

    def number(self, *names: str, least: float = 0.0, most: float = 1e9) -> float | None:
        """A field as a number, perhaps with a unit behind it; None with a warning when it is none."""
        value = self.get(*names)
        if value is None:
            return None
        found = _number(value)
        if found is None or not least <= found <= most:
            self.reader.say(
                "warning",
                self.at(*names),
                _("“%(text)s” is no number here; it is left out.") % {"text": str(value)[:40]},
            )
            return None
        return found

    def left(self) -> dict[str, Any]:
        """What nobody asked for, as it was written."""
        return {key: value for name, (key, value) in self.known.items() if name not in self.asked}


class _Reader:
    def __init__(self, document: Document, shift: int) -> None:
        self.document, self.shift, self.findings = document, shift, list[Finding]()

    def say(self, level: str, path: Path, sentence: str) -> None:
        """Write something down about a place."""
        line, _column = self.document.place(path)
        self.findings.append(
            Finding(level, max(line - self.shift, 1), ".".join(str(step) for step in path if step != ""), sentence)
        )

    def facilities(self) -> list[Facility]:
        """The facilities of the document."""
        values = self.document.values
        name = next((key for key in values if plain(key) in LISTS), None)
        if name is None:
            found = self.facility(values, ())
            return [found] if found else []
        rows = values[name]
        if not isinstance(rows, list) or len(rows) > MOST:
            self.say("error", (name,), _("Here a list of at most %(n)d facilities is expected.") % {"n": MOST})
            return []
        read_ones = [self.facility(row, (name, n)) for n, row in enumerate(rows)]
        return [one for one in read_ones if one is not None]

    def facility(self, values: Any, path: Path) -> Facility | None:
        """One facility; None when it has no name."""
        if not isinstance(values, dict):
            self.say("error", path, _("A facility is a set of fields with their values."))
            return None
        fields = _Fields(self, values, path)
        name = fields.text("name", "facilityname", most=120)
        if not name:
            self.say("error", path, _("The facility has no name; give it a field “name”."))
            return None
        address, lat, lon, directions, place = self.location(fields)
        contact = self.agent_fields(fields, "contact")
        owner = self.agent_name(fields.get("owner"))
        equipment = self.equipment_of(fields)
        told = Facility(
            name=name,
            about=fields.text("description", "about", "bio"),
            address=address,
            lat=lat,
            lon=lon,
            directions=directions,
            week=self.week(fields),
            access=self.choice(fields, ACCESS, "accesstype", "access"),
            status=self.choice(fields, STATUS, "facilitystatus", "status"),
            wheelchair=fields.text("wheelchairaccessibility", "wheelchair", most=200),
            email=contact["email"],
            phone=contact["phone"],
            website=contact["website"],
            languages=tuple(contact["languages"]),
            owner=owner,
            agents=tuple(self.agents(fields)),
            equipment=tuple(equipment),
        )
        fields.get("manufacturingprocesses", "typicalmaterials")
        return replace(told, more=fields.left() | place)

    def location(self, fields: _Fields) -> tuple[str, float | None, float | None, str, dict[str, Any]]:
        """Address, latitude, longitude, directions and what was left, from the class Location or from plain fields."""
        value = fields.get("location")
        inner = _Fields(self, value, fields.at("location")) if isinstance(value, dict) else fields
        address = value.strip()[:200] if isinstance(value, str) else ""
        told = inner.get("address")
        if isinstance(told, dict):
            parts = {plain(key): str(text).strip() for key, text in told.items() if text not in (None, "")}
            street = " ".join(p for p in (parts.get("street", ""), parts.get("number", "")) if p)
            town = " ".join(p for p in (parts.get("postcode", ""), parts.get("city", "")) if p)
            rest = [parts.get(key, "") for key in ("district", "region", "country")]
            address = ", ".join(p for p in (street, town, *rest) if p)[:200]
        elif told is not None:
            address = str(told).strip()[:200]
        lat, lon = self.position(inner)
        directions = inner.text("directions", most=2000)
        left: dict[str, Any] = {}
        if inner is not fields and (others := inner.left()):
            left["location"] = others
        if isinstance(told, dict):
            left["address"] = told
        return address, lat, lon, directions, left

    def position(self, fields: _Fields) -> tuple[float | None, float | None]:
        """Latitude and longitude in decimal degrees, both or neither."""
        names = ("gpscoordinates", "coordinates", "gps")
        value = fields.get(*names)
        if isinstance(value, dict):
            inner = _Fields(self, value, fields.at(*names))
            pair = [inner.number("latitude", "lat", least=-90, most=90),
                    inner.number("longitude", "lon", "lng", least=-180, most=180)]  # fmt: skip
        elif isinstance(value, list):
            pair = [_number(one) for one in value[:2]]
        elif value is not None:
            pair = [_number(one) for one in re.split(r"[,;\s]+", str(value).strip())[:2]]
        else:
            pair = [fields.number("latitude", "lat", least=-90, most=90),
                    fields.number("longitude", "lon", "lng", least=-180, most=180)]  # fmt: skip
        if len(pair) != 2 or pair[0] is None or pair[1] is None:
            if value is not None:
                self.say("warning", fields.at(*names), _("A position is written as 60.1669, 24.9366; it is left out."))
            return None, None
        if not (-90 <= pair[0] <= 90 and -180 <= pair[1] <= 180):
            self.say("warning", fields.at(*names), _("There is no such place on Earth; latitude comes first."))
            return None, None
        return pair[0], pair[1]

    def week(self, fields: _Fields) -> "dict[str, list[list[str]]] | None":
        """The opening hours, if the line can be read."""
        text = fields.text("openinghours")
        if not text:
            return None
        try:
            return opening.read(text)
        except ValueError as piece:
            words = {"piece": str(piece)[:60]}
            sentence = _("The hours “%(piece)s” cannot be read; write Mo-Fr 09:00-21:00; Sa 10:00-16:00.")
            self.say("warning", fields.at("openinghours"), sentence % words)
            fields.asked.discard("openinghours")
            return None

    def choice(self, fields: _Fields, known: Mapping[str, str], *names: str) -> str:
        """One of the words that the standard knows, as we call it."""
        text = fields.text(*names, most=80)
        if not text:
            return ""
        found = known.get(plain(text.split("(")[0]))
        if found is None:
            words = {"text": text, "known": ", ".join(known.values())}
            self.say("warning", fields.at(*names), _("“%(text)s” is none of %(known)s; it is left out.") % words)
        return found or ""

    def agent_fields(self, fields: _Fields, name: str) -> dict[str, Any]:
        """How to reach the facility, from its contact or from its own fields."""
        value = fields.get(name)
        inner = _Fields(self, value, fields.at(name)) if isinstance(value, dict) else fields
        ways = inner.get("contact")
        deep = _Fields(self, ways, inner.at("contact")) if isinstance(ways, dict) else inner
        languages = inner.get("languages") or fields.get("languages") or []
        words = re.split(r"[,;\s]+", languages) if isinstance(languages, str) else [str(one) for one in languages]
        email = deep.text("email", most=254) or fields.text("email", most=254)
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            self.say(
                "warning",
                deep.at("email"),
                _("“%(text)s” is no e-mail address; it is left out.") % {"text": email[:60]},
            )
            email = ""
        return {
            "email": email,
            "phone": deep.text("landline", "mobile", "phone", "telephone", most=40),
            "website": self.url(
                inner.text("website", "url", most=200) or fields.text("website", "url", most=200), inner
            ),
            "languages": [word.lower()[:16] for word in words if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", word)],
        }

    def url(self, text: str, fields: _Fields) -> str:
        """A web address, or nothing with a warning."""
        if text and not re.fullmatch(r"https?://[^\s<>\"]+", text):
            self.say(
                "warning",
                fields.at("website", "url"),
                _("“%(text)s” is no web address; it is left out.") % {"text": text[:60]},
            )
            return ""
        return text

    def agent_name(self, value: Any) -> str:
        """The name of an agent, written alone or with its properties."""
        if isinstance(value, dict):
            value = next((text for key, text in value.items() if plain(key) == "name"), "")
        return str(value or "").strip()[:120]

    def agents(self, fields: _Fields) -> list[Agent]:
        """Affiliations, partners and funders."""
        found = []
        for names, part in ((("affiliation", "affiliations"), "affiliation"),
                            (("partnerfunder", "partnersfunders", "partners", "partner"), "partner"),
                            (("funder", "funders"), "funder")):  # fmt: skip
            value = fields.get(*names)
            for one in value if isinstance(value, list) else [value] if value else []:
                name = self.agent_name(one)
                web = (
                    next((str(v) for k, v in one.items() if plain(k) in {"website", "url"}), "")
                    if isinstance(one, dict)
                    else ""
                )
                if name:
                    found.append(Agent(name, self.url(web[:200], fields), part))
        return found[:50]

    def equipment_of(self, fields: _Fields) -> list[Equipment]:
        """The equipment; one that is named alone is of that type."""
        value = fields.get("equipment")
        path = fields.at("equipment")
        rows = value if isinstance(value, list) else [value] if value else []
        if len(rows) > MOST:
            self.say("error", path, _("A facility has at most %(n)d pieces of equipment here.") % {"n": MOST})
            return []
        found: list[Equipment] = []
        for n, row in enumerate(rows):
            one = self.machine(row, (*path, n) if isinstance(value, list) else path)
            if one is not None:
                found.append(one)
        return found

    def machine(self, row: Any, path: Path) -> Equipment | None:
        """One piece of equipment; its class from its type, else from its process."""
        if isinstance(row, str):
            row = {"equipment_type": row}
        if not isinstance(row, dict):
            self.say("error", path, _("A piece of equipment is a set of fields with their values."))
            return None
        fields = _Fields(self, row, path)
        kind = fields.text("equipmenttype", "type", "class", most=200)
        ways = fields.get("manufacturingprocess", "manufacturingprocesses", "process", "processes")
        listed = [str(one) for one in ways] if isinstance(ways, list) else [str(ways)] if ways else []
        process = next((known for one in listed if (known := vocabulary.process_of(one))), "")
        cls = vocabulary.class_of(kind)
        make, model = fields.text("make", most=120), fields.text("model", most=120)
        label = kind.rsplit("/", 1)[-1].replace("_", " ")
        name = fields.text("name", "title", most=120) or " ".join(w for w in (make, model) if w)[:120] or label[:120]
        if not name:
            self.say("error", path, _("The equipment has no name, type, make or model; give it one of them."))
            return None
        if kind and not cls and not process:
            self.say(
                "warning",
                path,
                _("“%(kind)s” is no class of machine that we know; it becomes another machine.") % {"kind": kind[:80]},
            )
        x, y, z = self.box(fields)
        quantity = fields.number("quantity", least=1, most=100) or 1
        power = fields.number("powerrating", "powerratingw", "power", most=1_000_000)
        materials = fields.get("materialsworked", "materials")
        condition = fields.text("condition", most=80)
        told = Equipment(
            name=name,
            cls=cls,
            process=process,
            make=make,
            model=model,
            notes=fields.text("notes", "description"),
            power_w=round(power) or None if power else None,
            x_mm=x,
            y_mm=y,
            z_mm=z,
            tolerance_mm=fields.number("tolerancemm", least=0.0001, most=100),
            materials=tuple(self.material(one) for one in materials) if isinstance(materials, list)
            else tuple(w.strip() for w in str(materials).split(",")) if materials else (),
            working=plain(condition) not in BROKEN,
            quantity=round(quantity),
        )  # fmt: skip
        more = fields.left() | ({"condition": condition} if condition and told.working else {})
        if kind and not cls:
            more["equipment_type"] = kind
        return replace(told, more=more)

    def material(self, one: Any) -> str:
        """A material, written alone or with its properties."""
        if isinstance(one, dict):
            one = next((v for k, v in one.items() if plain(k) in {"materialtype", "name", "material"}), "")
        return str(one).strip()[:80]

    def box(self, fields: _Fields) -> tuple[float | None, float | None, float | None]:
        """Width, depth and height in mm: of a volume or a bed, else of the travel of the axes."""
        for name in BOX:
            value = fields.get(name)
            if value is None:
                continue
            if isinstance(value, dict):
                inner = _Fields(self, value, fields.at(name))
                sides = [
                    inner.number(*names, most=1e6)
                    for names in (("x", "width"), ("y", "depth", "length"), ("z", "height"))
                ]
            elif isinstance(value, list):
                sides = [_number(one) for one in value]
            else:
                sides = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", str(value))]
            sides = [side for side in sides if side]
            if len(sides) >= 2:
                return sides[0], sides[1], sides[2] if len(sides) > 2 else None
            self.say(
                "warning",
                fields.at(name),
                _("Write a size as 250 × 210 × 220, in mm; one number does not tell the sides."),
            )
            fields.asked.discard(name)
        x, y, z = (fields.number(name, least=0.001, most=1e6) for name in TRAVEL)
        return (x, y, z) if x and y else (None, None, None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    found = re.fullmatch(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*(?:[a-zA-Z°²³^0-9]*)\s*", str(value))
    return float(found[1].replace(",", ".")) if found else None
