"""The city speaks Finnish: its pages have Finnish titles, and no translation loses what its source holds."""

import datetime as dt
import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format

from commons.web.numbers import day
from livingcity.dev import messages as m

PO = Path(settings.LOCALE_PATHS[0]) / "fi" / "LC_MESSAGES" / "django.po"
ENTRIES = [entry for entry in m.read_po(PO).values() if entry.translated]

_SPEC = re.compile(r"%(?:\(\w+\))?[#0\- +]?\d*(?:\.\d+)?[diouxXeEfFgGcrsa%]|\{\w+\}")
_TAG = re.compile(r"</?\w+[^>]*>")


def pairs(entry: m.Message) -> list[tuple[str, str]]:
    """Each form beside the words that it says: one, or the singular and the plural."""
    return list(zip([entry.words, entry.plural or entry.words], entry.forms, strict=False))


def shape(text: str) -> tuple[Counter[str], Counter[str], bool, bool]:
    """What a translation may not change: placeholders with their kind, HTML, and the blanks at both ends."""
    return Counter(_SPEC.findall(text)), Counter(_TAG.findall(text)), text[:1].isspace(), text[-1:].isspace()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/fi/", "Uusi kaupunki"),
        ("/fi/designs/", "Suunnitelmat"),
        ("/fi/labs/", "Pajat"),
        ("/fi/energy/", "Energia"),
        ("/fi/twin/", "Kaksonen"),
    ],
)
def test_the_rooms_have_finnish_titles(client: Client, address: str, title: str) -> None:
    answer = client.get(address)
    page = answer.content.decode()
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert answer.status_code == 200
    assert '<html lang="fi"' in page
    assert found is not None
    assert unescape(found[1]).split(" · ")[0].strip() == title


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/designs/", "/labs/", "/energy/", "/twin/"])
def test_english_is_not_answered_in_finnish(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert '<html lang="en"' in page
    assert "Suunnitelmat" not in page


def test_every_translation_keeps_placeholders_html_and_blanks() -> None:
    changed = [(source, text) for entry in ENTRIES for source, text in pairs(entry) if shape(source) != shape(text)]
    assert len(ENTRIES) > 1000
    assert not changed


def test_every_translation_can_be_filled_in() -> None:
    class Threes(dict[str, int]):
        """Any name is 3, which every kind of placeholder can write."""

        def __missing__(self, name: str) -> int:
            return 3

    for entry in ENTRIES:
        for text in entry.forms if m.placeholders(entry.words) else []:
            filled = text.format_map(Threes()) if "{" in _braced(entry.words) else text % Threes()
            assert "%(" not in filled, entry.words


def _braced(words: str) -> str:
    """The words if {name} stands in them and %(name)s does not."""
    return words if "%(" not in words else ""


def test_our_words_do_not_take_those_of_the_calendar() -> None:
    sunday, june = dt.date(2026, 11, 22), dt.date(2026, 6, 30)
    with translation.override("fi"):
        assert [date_format(sunday, letter) for letter in ("D", "l", "F")] == ["su", "sunnuntai", "marraskuu"]
        assert day(june, dt.date(2026, 7, 1)) == "30. kesäkuuta"
        assert day(june, dt.date(2027, 7, 1)) == "30. kesäkuuta 2026"
