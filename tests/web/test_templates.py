"""Rules that hold for every template and style sheet of the repository."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from commons.web.island_words import island_words
from commons.web.states import icon_names
from commons.web.templatetags.city import ICON_ALIASES

ROOT = Path(settings.ROOT)
STYLES = ROOT / "platform" / "frontend" / "src"
TEMPLATES = sorted(p for p in ROOT.glob("**/templates/**/*.html") if "node_modules" not in p.parts and "var" not in p.parts)
TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def names(paths: list[Path]) -> list[str]:
    return [p.relative_to(ROOT).as_posix() for p in paths]


@pytest.fixture(scope="module")
def known_classes() -> set[str]:
    """Every class that a style sheet knows, or that an island looks for."""
    css = "".join(p.read_text(encoding="utf-8") for p in STYLES.rglob("*.css"))
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", css))


def classes_of(text: str) -> set[str]:
    """The classes that a template writes; what a variable completes is left out."""
    found: set[str] = set()
    for value in re.findall(r'\bclass="((?:[^"{]|\{[^%{]|\{%.*?%\}|\{\{.*?\}\})*)"', text):
        whole = TAG.sub(" ", re.sub(r"[\w-]*\{\{.*?\}\}[\w-]*", " ", value))
        found |= {name for name in whole.split() if re.fullmatch(r"[a-zA-Z][\w-]*", name) and not name.endswith("-")}
    return found


def test_there_are_templates_to_look_at() -> None:
    assert len(TEMPLATES) > 40


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_no_inline_style_or_script(path: Path) -> None:
    text = TAG.sub("", path.read_text(encoding="utf-8"))
    assert not re.search(r"<[^>]*\sstyle\s*=", text), "a style attribute; use a class (amounts.css carries numbers)"
    assert "<style" not in text
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "an inline event handler; write an island or use htmx"
    assert "javascript:" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script or 'type="application/json"' in script, f"an inline script: {script}"


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_classes_are_those_of_the_style_sheet(path: Path, known_classes: set[str]) -> None:
    assert classes_of(path.read_text(encoding="utf-8")) <= known_classes


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"""<(?:script|img|iframe|source|link)\b[^>]*(?:src|href)=["'](?:https?:)?//""", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=names(TEMPLATES))
def test_every_template_can_be_read(path: Path) -> None:
    get_template(path.as_posix().split("/templates/", 1)[1])


def test_icons_that_are_asked_for_exist() -> None:
    known = {*icon_names(), *ICON_ALIASES}
    for path in TEMPLATES:
        asked = set(re.findall(r"\{% icon \"([\w-]+)\"", path.read_text(encoding="utf-8")))
        assert asked <= known, path
    assert set(ICON_ALIASES.values()) <= set(icon_names())


def test_islands_say_only_words_that_can_be_translated() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in STYLES.rglob("*.ts"))
    said = set(re.findall(r'\bword\(\s*"((?:[^"\\]|\\.)+)"', source))
    said |= {words for pair in re.findall(r'\bword\([^"()]+\? "([^"]+)" : "([^"]+)"', source) for words in pair}
    module = Path(island_words.__code__.co_filename).read_text(encoding="utf-8")
    assert len(said) > 25
    assert {words for words in said if f'"{words}"' not in module} == set()


def test_colours_sizes_and_shadows_stand_in_the_tokens_alone() -> None:
    for path in (STYLES / "styles").rglob("*.css"):
        if path.name in {"tokens.css", "fonts.css"}:
            continue
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        hexes = set(re.findall(r"#[0-9a-fA-F]{3,8}\b", text)) - {"#fff"}
        assert not hexes, f"{path.name} writes colours by hand: {hexes}"
