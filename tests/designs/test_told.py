"""What engines wrote down in English is said in the reader's language, with its own figures."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

from designs.engine.errors import Unreadable
from designs.engine.load import load
from designs.told import SENTENCES, _shapes, told

DESIGNS = Path(told.__code__.co_filename).parent
WRITERS = [
    *sorted((DESIGNS / "engine").rglob("*.py")),
    *sorted((DESIGNS / "sandbox").rglob("*.py")),
    *(DESIGNS / "services" / name for name in ("previews.py", "diffs.py", "index.py", "makes.py")),
]


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """(line, sentence) of all that a module's code says in whole sentences, with a number for each of its figures;
    not its docstrings, nor what it translates itself."""
    tree, passed = ast.parse(path.read_text()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            passed.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            passed.update(id(part) for part in ast.walk(node) if part is not node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            passed.update(map(id, node.args))
    for node in ast.walk(tree):
        if id(node) in passed or not isinstance(node, ast.JoinedStr | ast.Constant):
            continue
        parts = node.values if isinstance(node, ast.JoinedStr) else [node]
        told_parts = [str(part.value) if isinstance(part, ast.Constant) else None for part in parts]
        said = "".join(f"{700 + at}" if part is None else part for at, part in enumerate(told_parts))
        words = "".join(part or "" for part in told_parts).split()
        if len(words) >= 3 and said.endswith(".") and (said[0].isupper() or said[0].isdigit()):
            yield node.lineno, said


def is_known(sentence: str) -> bool:
    """Whether it has a pattern."""
    return sentence in SENTENCES or any(shape.fullmatch(sentence) for _pattern, shape in _shapes())


def test_every_sentence_that_an_engine_may_write_down_can_be_said_in_other_languages() -> None:
    found = [(path, line, said) for path in WRITERS for line, said in sentences(path)]
    assert len(found) > 100
    assert not is_known("The moon is made of cheese.")
    unknown = [f"{path.relative_to(DESIGNS)}:{line}: {said}" for path, line, said in found if not is_known(said)]
    assert not unknown, "put these into designs/told.py, with their translations"


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
