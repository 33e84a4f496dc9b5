"""The PDF of statements: its table of objects is right, every name of Europe is whole, text fits its columns."""

import datetime as dt

import pytest

from energy import pdf

from .test_statements import read_pdf

MADE = dt.datetime(2026, 7, 3, 2, 0, tzinfo=dt.UTC)
NAMES = ("Škoda & Łódź", "Ελένη Παπαδοπούλου", "Київ, Žižkov, Győr", "Þórður Ægisson", "Nguyễn (Bố) \\ 5")


def paper() -> pdf.Document:
    return pdf.Document(title="Äiti (1) – Ελένη", made_at=MADE, foot="Łódź \\ (2)", language="fi")


def test_names_of_all_europe_are_read_back() -> None:
    page = paper()
    for i, name in enumerate(NAMES):
        page.line(name, bold=bool(i % 2))
    made = page.bytes()
    assert read_pdf(made) == [*NAMES, "Łódź \\ (2)  1/1"]
    assert b"/Lang (fi)" in made
    assert b"/DisplayDocTitle true" in made
    assert len(made) < 30_000


def test_letters_that_the_face_has_and_lacks() -> None:
    assert pdf.plain("Va\u0308ino\u0308 Łukasz – 12\u202f345,00 € (−3) m₂") == "Väinö Łukasz – 12\u00a0345,00 € (−3) m₂"
    assert pdf.plain("東京 ab") == "\ufffd\ufffd ab"


def test_widths_are_those_of_the_face() -> None:
    """By the advances in the face itself."""
    from fontTools.ttLib import TTFont

    for bold, name in ((False, "Regular"), (True, "Bold")):
        face = TTFont(pdf.FONTS / f"NotoSans-{name}.ttf")
        letters, advances = face.getBestCmap(), face["hmtx"]
        for word in ("Hello", "Łódź", "Ελένη"):
            thousandths = sum(advances[letters[ord(c)]][0] for c in word) * 1000 / face["head"].unitsPerEm
            assert paper().width(word, 10, bold=bold) == pytest.approx(thousandths / 100, abs=0.05)


def test_lines_are_parted_where_they_are_too_wide() -> None:
    page = paper()
    lines = page.wrapped("Power from the grid when the exchange's price is not known", 9.5, 120)
    assert " ".join(lines) == "Power from the grid when the exchange's price is not known"
    assert all(page.width(line, 9.5) <= 120 for line in lines)
    assert page.wrapped("Donaudampfschifffahrtsgesellschaft", 10, 20) == ["Donaudampfschifffahrtsgesellschaft"]


def test_many_lines_make_many_pages_and_the_same_words_the_same_bytes() -> None:
    def made() -> bytes:
        page = paper()
        for i in range(120):
            page.line(f"Line {i}")
        return page.bytes()

    words = read_pdf(made())
    assert [w for w in words if w.startswith("Line")] == [f"Line {i}" for i in range(120)]
    assert [w for w in words if w.startswith("Łódź")] == [f"Łódź \\ (2)  {n}/3" for n in (1, 2, 3)]
    assert made() == made()
