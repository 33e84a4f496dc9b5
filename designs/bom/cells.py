"""A row of named cells as a line, whatever it was written in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.translation import gettext as _

from designs.bom import numbers
from designs.bom.lines import Finding, Line
from designs.bom.words import MASS_G, plain

LONGEST = 300
REFERENCE = re.compile(r"([A-Za-z0-9][\w-]{0,38})/([A-Za-z0-9][\w-]{0,59})(?:@([\w][\w./+-]{0,99}))?")


@dataclass(slots=True)
class Reading:
    """How a list is read: what a comma is, the units that its headings name, whose addresses are designs (`site`, a
    host), and what was found so far."""

    comma: bool = False
    units: Mapping[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    site: str = ""

    def say(self, level: str, row: int, sentence: str) -> None:
        """Note something about a row; at most 200."""
        if len(self.findings) < 200:
            self.findings.append(Finding(level, row, sentence))


def line_of(cells: Mapping[str, str], row: int, reading: Reading) -> Line | None:
    """The line, or None for one without a name and without anything that could stand for it."""
    words = {name: " ".join(text.split())[: LONGEST if name != "designators" else 5000] for name, text in cells.items()}
    design, version = _reference(words, reading.site)
    if design and "design" not in words:
        words["source_url"] = ""
    name = words.get("name") or words.get("supplier_ref") or words.get("designators") or words.get("path") or design
    if not name:
        reading.say("warning", row, _("This line names no part and is left out."))
        return None
    quantity, unit = _quantity(words, row, reading)
    cost, currency = _cost(words, quantity, row, reading)
    return Line(
        name=name,
        quantity=quantity,
        unit=words.get("unit", "") or unit,
        mass_g=_mass(words, quantity, row, reading),
        cost=cost,
        currency=currency,
        source_url=_address(words.get("source_url", ""), row, reading),
        supplier_ref=words.get("supplier_ref", ""),
        path=words.get("path", "").removeprefix("./"),
        design=design,
        version=words.get("version", "") if design and not version else version,
        designators=words.get("designators", ""),
        material=words.get("material", ""),
        note=words.get("note", ""),
        row=row,
    )


def _quantity(words: Mapping[str, str], row: int, reading: Reading) -> tuple[float | None, str]:
    text = words.get("quantity", "")
    if not text:
        marks = [mark for mark in re.split(r"[,;\s]+", words.get("designators", "")) if mark]
        return (float(len(marks)) if marks else 1.0), ""
    value, rest = numbers.number(text, comma=reading.comma)
    found = numbers.finite(value)
    if found is None or found < 0:
        reading.say("warning", row, _("“%(text)s” is no quantity; write a number.") % {"text": text[:40]})
        return None, ""
    unit = rest.strip(" .×")
    return found, "" if unit.lower() in {"x", "pcs", "pc", "stk", "st", "kpl"} else unit[:20]


def _cost(words: Mapping[str, str], quantity: float | None, row: int, reading: Reading) -> tuple[Decimal | None, str]:
    for name in ("cost", "cost_total"):
        text = words.get(name, "")
        value, rest = numbers.number(text, comma=reading.comma)
        if value is None:
            if text and plain(text) not in {"", "n a", "tbd"}:
                reading.say("warning", row, _("“%(text)s” is no price; write a number.") % {"text": text[:40]})
            continue
        if value < 0:
            reading.say("warning", row, _("A price below nothing is not counted."))
            continue
        currency = numbers.currency_in(rest) or numbers.currency_in(words.get("currency", "")) or reading.units.get(
            name, reading.units.get("cost", "")
        )  # fmt: skip
        currency = currency if currency.upper() not in {unit.upper() for unit in MASS_G} else ""
        if name == "cost_total":
            if not quantity:
                continue
            value = value / Decimal(str(quantity))
        if not currency and value:
            reading.say("hint", row, _("The price names no currency; write it as “12.50 EUR” or into the heading."))
        return value, currency
    return None, ""


def _mass(words: Mapping[str, str], quantity: float | None, row: int, reading: Reading) -> float | None:
    for name in ("mass_g", "mass_total"):
        text = words.get(name, "")
        if not text:
            continue
        grams = numbers.mass_g(text, reading.units.get(name, ""), comma=reading.comma)
        if grams is None or grams < 0:
            reading.say("warning", row, _("“%(text)s” is no mass; write a number with g or kg.") % {"text": text[:40]})
        elif name == "mass_g":
            return grams
        elif quantity:
            return grams / quantity
    return None


def _address(text: str, row: int, reading: Reading) -> str:
    if not text:
        return ""
    tried = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(tried)
        good = parts.scheme in {"http", "https"} and "." in (parts.hostname or "") and " " not in tried
    except ValueError:
        good = False
    if not good and "://" in text:
        reading.say("warning", row, _("“%(text)s” is no address of a web page.") % {"text": text[:60]})
    return tried if good else ""


def _reference(words: Mapping[str, str], site: str) -> tuple[str, str]:
    """(`owner/slug`, version) of a sub-assembly: from its own column or an address that leads to a design."""
    for text in (words.get("design", ""), words.get("source_url", "")):
        found = design_in(text, site=site)
        if found[0]:
            return found
    return "", ""


def design_in(text: str, *, site: str = "") -> tuple[str, str]:
    """(`owner/slug`, version) in `owner/slug@version`, in `/designs/owner/slug/?ref=version`, or in the full address of
    a design on `site` (its host, with the port if it has one). Nothing in anything else."""
    text = text.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return "", ""
    if parts.scheme in {"http", "https"} or text.startswith("/"):
        place = re.fullmatch(r"(?:/[a-z]{2})?/designs/(.+?)(?:\.git)?/?", unquote(parts.path))
        ours = parts.netloc.lower() in {"", site.lower()}
        found = REFERENCE.match(place[1]) if place and ours else None
        ref = parse_qs(parts.query).get("ref", [""])[0]
        return (f"{found[1].lower()}/{found[2].lower()}", ref[:100]) if found else ("", "")
    exact = REFERENCE.fullmatch(text)
    return (f"{exact[1].lower()}/{exact[2].lower()}", exact[3] or "") if exact else ("", "")
