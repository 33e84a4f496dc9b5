"""The PDF of statements: its table of objects is right, text fits its columns, letters that it lacks are said so."""

from energy import pdf

from .test_statements import read_pdf


def test_letters_that_the_face_has_and_lacks() -> None:
    assert pdf.plain("Väinö Łukasz Šimková – 12\u202f345,00 € (−3)") == "Väinö ?ukasz Šimková – 12\u00a0345,00 € (–3)"
    assert pdf.plain("ŏ ő ç ß") == "o o ç ß"
    assert pdf.plain("Γεια") == "????"


def test_widths_are_those_of_the_face() -> None:
    """By Adobe's metrics: H 722, e 556, l 222, l 222, o 556."""
    assert pdf.width("Hello", 10) == 22.78
    assert pdf.width("Hello", 10, bold=True) == (722 + 556 + 278 + 278 + 611) / 100
    assert pdf.width("Wä€", 1000) == 944 + 556 + 556
    assert len(pdf.PLAIN) == len(pdf.BOLD) == 95


def test_lines_are_parted_where_they_are_too_wide() -> None:
    lines = pdf.wrapped("Power from the grid when the exchange's price is not known", 9.5, 120)
    assert " ".join(lines) == "Power from the grid when the exchange's price is not known"
    assert all(pdf.width(line, 9.5) <= 120 for line in lines)
    assert pdf.wrapped("Donaudampfschifffahrtsgesellschaft", 10, 20) == ["Donaudampfschifffahrtsgesellschaft"]


def test_many_lines_make_many_pages_and_the_same_words_the_same_bytes() -> None:
    def made() -> bytes:
        page = pdf.Document(title="Äiti (1)", foot="Foot \\ (2)")
        for i in range(120):
            page.line(f"Line {i}")
        return page.bytes()

    words = read_pdf(made())
    assert [w for w in words if w.startswith("Line")] == [f"Line {i}" for i in range(120)]
    assert [w for w in words if w.startswith("Foot")] == [f"Foot \\\\ \\(2\\)  {n}/3" for n in (1, 2, 3)]
    assert made() == made()
