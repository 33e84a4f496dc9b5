"""What engines wrote down in English is said in the reader's language, with its own figures."""

import re
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

from designs.engine.errors import Unreadable
from designs.engine.load import load
from designs.told import SENTENCES, told


def told_in(language: str, sentence: str) -> str:
    with translation.override(language):
        return told(sentence)


def _refusal(path: Path, content: bytes, file_format: str) -> str:
    path.write_bytes(content)
    with pytest.raises(Unreadable) as refused:
        load(path, file_format)
    return str(refused.value)


def test_a_real_refusal_is_said_in_finnish(tmp_path: Path) -> None:
    short = _refusal(tmp_path / "short.stl", b"\0" * 12, "stl")
    with translation.override("fi"):
        assert told(short) == "Tiedosto päättyy 12 tavun jälkeen; tyhjässäkin STL:ssä on 84."
        shown = Template("{% load told %}{{ reason|told }}").render(Context({"reason": short}))
    assert shown == told_in("fi", short)
    assert told_in("en", short) == short


@pytest.mark.parametrize("pattern", SENTENCES)
def test_each_sentence_has_its_own_words_and_keeps_its_figures(pattern: str) -> None:
    names = re.findall(r"%\((\w+)\)s", pattern)
    figures = {name: str(701 + at) for at, name in enumerate(names)}
    sentence = pattern % figures if names else pattern
    assert told_in("en", sentence) == sentence
    finnish = told_in("fi", sentence)
    assert finnish != sentence
    assert all(figure in finnish for figure in figures.values())


def test_a_side_of_a_comparison_is_said_with_its_reason() -> None:
    said = told_in("fi", "The file before the change: The file is empty.")
    assert said == "Tiedosto ennen muutosta: Tiedosto on tyhjä."


def test_what_nobody_knows_stays_as_it_was_kept() -> None:
    assert told_in("fi", "Anything else 5.") == "Anything else 5."
