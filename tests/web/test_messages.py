"""Finding words, keeping them, and the binary form: against Python's own gettext reader and GNU's rules."""

import gettext
import io
from pathlib import Path

import pytest
from django.conf import settings

from livingcity.dev import messages as m

PO = Path(settings.LOCALE_PATHS[0]) / "fi" / "LC_MESSAGES" / "django.po"


def test_python_words_are_found_whatever_the_function_is_called() -> None:
    text = (
        "from django.utils.translation import gettext as _, gettext_lazy as _lazy, ngettext, pgettext\n"
        "_('a ' 'b'); _lazy('c'); ngettext('one', 'many', n); pgettext('month', 'May'); other('no'); _(variable)\n"
    )
    found = {(w.context, w.words, w.plural) for w in m.python_messages(text)}
    assert found == {(None, "a b", None), (None, "c", None), (None, "one", "many"), ("month", "May", None)}


def test_template_words_are_found() -> None:
    text = (
        '{% load i18n %}<a title="{% translate "A \'quoted\' word" %}">'
        "{% blocktranslate count n=x %}One {{ a }}{% plural %}{{ n }} many"
        '{% endblocktranslate %}{% chip _("demo") "line" %}'
        '{% translate "May" context "month" %}{# {% translate "no" %} #}'
    )
    found = {(w.context, w.words, w.plural) for w in m.template_messages(text)}
    assert found == {
        (None, "A 'quoted' word", None),
        (None, "One %(a)s", "%(n)s many"),
        (None, "demo", None),
        ("month", "May", None),
    }


def test_po_keeps_what_it_was_given(tmp_path: Path) -> None:
    entries = [
        m.Message('say "hi"\\n\nthere', forms=["sano ”hei”\n"], files={"a.py"}),
        m.Message("one", plural="many", forms=["yksi", "monta"]),
        m.Message("May", context="month", forms=["toukokuu"]),
        m.Message("not yet"),
    ]
    m.write_po(tmp_path / "x.po", entries, "fi")
    back = m.read_po(tmp_path / "x.po")
    assert set(back) == {entry.key for entry in entries}
    assert all(back[entry.key].forms == (entry.forms or [""]) for entry in entries)
    m.write_po(tmp_path / "y.po", m.merged({e.key: e for e in entries}, back), "fi")
    assert (tmp_path / "x.po").read_bytes() == (tmp_path / "y.po").read_bytes()


def test_mo_is_read_by_pythons_gettext() -> None:
    entries = [
        m.Message("one %(n)s", plural="many %(n)s", forms=["yksi %(n)s", "monta %(n)s"]),
        m.Message("May", context="month", forms=["toukokuu"]),
        m.Message("May", forms=["saa"]),
        m.Message("empty", forms=[""]),
    ]
    catalogue = gettext.GNUTranslations(io.BytesIO(m.compiled(entries, "fi")))
    assert catalogue.ngettext("one %(n)s", "many %(n)s", 1) == "yksi %(n)s"
    assert catalogue.ngettext("one %(n)s", "many %(n)s", 0) == "monta %(n)s"
    assert catalogue.pgettext("month", "May") == "toukokuu"
    assert catalogue.gettext("May") == "saa"
    assert catalogue.gettext("empty") == "empty"


@pytest.mark.parametrize(
    ("words", "translation", "wrong"),
    [
        ("%(n)s left", "%(n)s jäljellä", False),
        ("%(n)s left", "jäljellä", True),
        ("left", "%(n)s jäljellä", True),
        ("from {n}", "{m}–", True),
    ],
)
def test_lost_and_invented_placeholders_are_seen(words: str, translation: str, wrong: bool) -> None:
    assert bool(m.faults([m.Message(words, forms=[translation])])) is wrong


def test_the_committed_mo_is_made_of_the_committed_po() -> None:
    entries = m.read_po(PO).values()
    assert not m.faults(entries)
    assert PO.with_suffix(".mo").read_bytes() == m.compiled(entries, "fi")
