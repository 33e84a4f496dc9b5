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
TEMPLATES = sorted(
    path
    for package in ("platform", *settings.ROOMS)
    for path in (ROOT / package).glob("**/templates/**/*.html")
    if "node_modules" not in path.parts
)
BY_NAME = {p.relative_to(ROOT).as_posix(): p for p in TEMPLATES}
TAG = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)


@pytest.fixture(scope="module")
def known_classes() -> set[str]:
    """Every class that a style sheet knows, or that an island looks for."""
    css = "".join(p.read_text(encoding="utf-8") for p in STYLES.rglob("*.css"))
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", css))


def classes_of(text: str) -> set[str]:
    """The classes that a template writes; what a variable completes is left out."""
    found: set[str] = set()
    for value in re.findall(r'\bclass="((?:[^"{]|\{[^%{]|\{%.*?%\}|\{\{.*?\}\})*)"', text):
        whole = re.sub(r"[\w-]+-(?:\{%.*?%\}[\w-]*)+", " ", value)  # c-{% if … %}good{% else %}bad{% endif %}
        whole = TAG.sub(" ", re.sub(r"[\w-]*\{\{.*?\}\}[\w-]*", " ", whole))
        found |= {name for name in whole.split() if re.fullmatch(r"[a-zA-Z][\w-]*", name) and not name.endswith("-")}
    return found


def test_there_are_templates_to_look_at() -> None:
    assert len(TEMPLATES) > 40


def inline(text: str) -> list[str]:
    """What the content security policy would refuse."""
    bare = TAG.sub("", text)
    faults = []
    if re.search(r"<[^>]*\sstyle\s*=", bare) or "<style" in bare:
        faults.append("a style; use a class (amounts.css carries numbers)")
    if re.search(r"<[^>]*\son[a-z]+\s*=", bare) or "javascript:" in bare:
        faults.append("an event handler; write an island or use htmx")
    for script in re.findall(r"<script\b[^>]*>", bare):
        if "src=" not in script and 'type="application/json"' not in script:
            faults.append(f"a script: {script}")
    return faults


def test_the_rule_sees_what_it_forbids() -> None:
    assert inline('<p style="x">') and inline("<style>") and inline('<a onclick="x">') and inline("<script>1</script>")
    assert not inline('<p class="x"></p><script src="/a.js"></script><script type="application/json">{}</script>')


def test_no_inline_style_or_script() -> None:
    faults = {name: found for name, path in BY_NAME.items() if (found := inline(path.read_text(encoding="utf-8")))}
    assert faults == {}


def test_classes_are_those_of_the_style_sheet(known_classes: set[str]) -> None:
    unknown = {
        name: found
        for name, path in BY_NAME.items()
        if (found := classes_of(path.read_text(encoding="utf-8")) - known_classes)
    }
    assert unknown == {}


def test_nothing_comes_from_elsewhere() -> None:
    away = re.compile(r"""<(?:script|img|iframe|source|link)\b[^>]*(?:src|href)=["'](?:https?:)?//""")
    assert [name for name, path in BY_NAME.items() if away.search(path.read_text(encoding="utf-8"))] == []


def test_every_template_can_be_read() -> None:
    for name in BY_NAME:
        get_template(name.split("templates/", 1)[1])


def test_icons_that_are_asked_for_exist() -> None:
    known = {*icon_names(), *ICON_ALIASES}
    for path in TEMPLATES:
        asked = set(re.findall(r"\{% icon \"([\w-]+)\"", path.read_text(encoding="utf-8"))) - {"name"}
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
