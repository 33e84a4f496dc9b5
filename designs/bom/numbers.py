"""Numbers as people write them in tables: decimal commas, thousands, units and currencies beside them."""

import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from designs.bom.words import CODES, MASS_G, SYMBOLS

NUMBER = re.compile(r"[-+]?\d[\d.,'’\u00a0\u202f ]*(?:[eE][-+]?\d{1,2})?|[-+]?[.,]\d+")
LONGEST = 24


def comma_is_decimal(cells: Iterable[str], *, semicolons: bool) -> bool:
    """Whether a comma divides the decimals in this table. `1,234` alone says nothing; `12,50` and `1.234,5` do.

    `semicolons`: programs that divide columns by semicolons do it because their commas are in numbers.
    """
    commas = points = 0
    for cell in cells:
        for found in NUMBER.findall(cell[:200]):
            number = found.strip(" .,'’")
            if re.search(r",\d{1,2}$|,\d{4,}$", number) or re.search(r"\.\d{3},", number):
                commas += 1
            elif re.search(r"\.\d{1,2}$|\.\d{4,}$", number) or re.search(r",\d{3}\.", number):
                points += 1
    return commas > points if commas != points else semicolons


def number(text: str, *, comma: bool = False) -> tuple[Decimal | None, str]:
    """(the first number of a cell, the words beside it). None when there is none.

    With both marks in a number, the last one divides the decimals; with one mark, `comma` says what a comma is.
    """
    text = text.strip()[:200]
    found = NUMBER.search(text)
    if found is None:
        return None, text
    rest = f"{text[: found.start()]} {text[found.end() :]}".strip()
    digits = re.sub(r"['’\u00a0\u202f ]", "", found[0]).rstrip(".,")
    if len(digits) > LONGEST:
        return None, text
    if "," in digits and "." in digits:
        decimal = "," if digits.rindex(",") > digits.rindex(".") else "."
    elif digits.count(",") == 1:
        thousands = not comma and bool(re.fullmatch(r"[-+]?\d{1,3},\d{3}", digits))
        decimal = "." if thousands else ","
    elif digits.count(",") > 1:
        decimal = "."
    else:
        thousands = digits.count(".") > 1 or (comma and bool(re.fullmatch(r"[-+]?[1-9]\d{0,2}\.\d{3}", digits)))
        decimal = "," if thousands else "."
    other = "." if decimal == "," else ","
    try:
        return Decimal(digits.replace(other, "").replace(decimal, ".")), rest
    except InvalidOperation:
        return None, text


def finite(value: Decimal | None) -> float | None:
    """As a number of the machine, None where it is none."""
    if value is None:
        return None
    result = float(value)
    return result if math.isfinite(result) else None


def currency_in(words: str) -> str:
    """The ISO code of the currency beside an amount, or nothing."""
    for symbol, code in SYMBOLS.items():
        if code and symbol in words:
            return code
    return next((word for word in re.findall(r"[A-Z]{3}", words.upper()) if word in CODES), "")


def mass_g(text: str, unit: str, *, comma: bool = False) -> float | None:
    """A mass in grams: by the unit in the cell, else by `unit`; None where neither says."""
    value, words = number(text, comma=comma)
    factor = MASS_G.get(words.strip(" .").lower()) or (MASS_G.get(unit.lower()) if not words else None)
    grams = finite(value)
    return None if grams is None or factor is None else grams * factor
