"""Measures as a form that works without script: blocks of fields from the registry, and what people typed read back.

A block is numbered; its fields are called `m-<number>-<field>`. What was typed is kept as it is until it is right, so
that nothing is lost when a measure is refused. Pure but for the language.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from twin.engine.measures import FAMILIES, MEASURES, Field, Measure, Refused
from twin.errors import BadMeasure

NAME = re.compile(r"m-(\d{1,4})-kind")
BLANK = "__n__"
"""What stands for the number in the templates that the page's script copies."""
TEXT_MOST = 120
PICKS = {"street": "street", "building": "building", "place": "point"}


@dataclass(slots=True)
class Draft:
    """A measure as it was typed: texts by field, lists for what takes several; `fault` is about `fault_field`."""

    kind: str
    values: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    fault_field: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a block, ready to be drawn."""

    name: str
    html_id: str
    kind: str
    label: str
    unit: str
    low: str
    high: str
    step: str
    value: Any
    choices: tuple[tuple[str, str, bool], ...]
    required: bool
    slide: bool
    pick: str
    said: str
    why: str


@dataclass(frozen=True, slots=True)
class Block:
    """One measure of the form."""

    number: str
    kind: str
    title: str
    sentence: str
    inputs: tuple[Input, ...]
    why: str


def fresh(kind: str) -> Draft:
    """A measure with what the registry proposes."""
    return Draft(kind, {each.name: _typed(each, each.default) for each in MEASURES[kind].fields})


def kept(measure: Mapping[str, Any]) -> Draft:
    """A measure that a version keeps, as it would be typed; fields that it lacks stay empty."""
    about = MEASURES[str(measure["kind"])]
    return Draft(about.kind, {each.name: _typed(each, measure.get(each.name)) for each in about.fields})


def read(posted: QueryDict) -> list[Draft]:
    """The blocks of a submitted form in the order of their numbers; kinds that there are not are passed over."""
    numbers = sorted(int(found[1]) for name in posted if (found := NAME.fullmatch(name)))
    drafts = []
    for number in numbers:
        about = MEASURES.get(posted.get(f"m-{number}-kind", ""))
        if about is None:
            continue
        values: dict[str, Any] = {}
        for each in about.fields:
            name = f"m-{number}-{each.name}"
            values[each.name] = (
                [one[:TEXT_MOST] for one in posted.getlist(name)][:40]
                if each.kind == "uses"
                else posted.get(name, "").strip()[:TEXT_MOST]
            )
        drafts.append(Draft(about.kind, values))
    return drafts


def given(draft: Draft) -> dict[str, Any]:
    """The measure as scripts write it. What is no number stays as it was typed, for the registry to refuse in words."""
    made: dict[str, Any] = {"kind": draft.kind}
    for each in MEASURES[draft.kind].fields:
        value = _meant(each, draft.values.get(each.name))
        if value is not None:
            made[each.name] = value
    return made


def judged(drafts: Sequence[Draft], known: Any = None) -> list[dict[str, Any]] | None:
    """The measures as they are kept, or None with the faults noted on the drafts. An empty list has no fault."""
    made = []
    for draft in drafts:
        try:
            made.append(MEASURES[draft.kind].validate(given(draft), known))
        except Refused as refusal:
            draft.fault, draft.fault_field = _(refusal.template) % _in_words(draft.kind, refusal), refusal.field
    return made if len(made) == len(drafts) else None


def _in_words(kind: str, refusal: Refused) -> dict[str, object]:
    """The names of fields as the page calls them."""
    labels = {each.name: _(each.label) for each in MEASURES[kind].fields}
    named = labels.get(refusal.field, refusal.field)
    return {**refusal.params, "name": named, "measure": _(MEASURES[kind].title)}


def _meant(each: Field, typed: Any) -> Any:
    if each.kind == "uses":
        return list(typed) or None if typed else None
    text = str(typed or "").strip()
    if each.kind == "yesno":
        return text not in {"", "0", "false", "off"}
    if not text:
        return None
    if each.kind in {"number", "integer"}:
        return _number(text, whole=each.kind == "integer")
    return _place(text) if each.kind == "place" else text


def _number(text: str, *, whole: bool) -> Any:
    try:
        number = float(text.replace(",", ".").replace("\u202f", "").replace("\u00a0", ""))
    except ValueError:
        return text
    return int(number) if whole and number.is_integer() else number


def _place(text: str) -> Any:
    parts = [part for part in re.split(r"[,;\s]+", text.strip("[]() ")) if part]
    try:
        return [float(part) for part in parts]
    except ValueError:
        return text


def _typed(each: Field, value: Any) -> Any:
    if each.kind == "uses":
        return [str(one) for one in value or ()]
    if value is None or value == "":
        return ""
    if each.kind == "yesno":
        return "1" if value else ""
    if each.kind == "place":
        return ", ".join(f"{float(one):.6f}" for one in value)
    return f"{value:g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def blocks(drafts: Sequence[Draft], names: Mapping[str, str] | None = None) -> list[Block]:
    """The blocks of a form. `names`: what streets and buildings are called, by key."""
    return [_block(str(number), draft, names or {}) for number, draft in enumerate(drafts)]


def blanks() -> list[Block]:
    """One block of each kind without a number, for the page's script."""
    return [_block(BLANK, fresh(kind), {}) for kind in MEASURES]


def _block(number: str, draft: Draft, names: Mapping[str, str]) -> Block:
    about = MEASURES[draft.kind]
    fields = {each.name for each in about.fields}
    inputs = tuple(_input(number, each, draft, names) for each in about.fields if not _only_choice(each))
    own = "" if draft.fault_field in fields else draft.fault
    return Block(number, about.kind, _(about.title), _(about.sentence), inputs, own)


def _only_choice(each: Field) -> bool:
    """A choice of one is nothing to ask; its default is taken."""
    return each.kind == "choice" and len(each.choices) == 1 and each.default is not None


def _input(number: str, each: Field, draft: Draft, names: Mapping[str, str]) -> Input:
    value = draft.values.get(each.name, "")
    chosen = set(value) if isinstance(value, list) else {str(value)}
    options = tuple((key, _(words), key in chosen) for key, words in each.choices)
    if each.kind == "choice" and not each.required:
        options = (("", _("as it is"), str(value) == ""), *options)
    low, high = each.min, each.max
    return Input(
        name=f"m-{number}-{each.name}",
        html_id=f"id-m-{number}-{each.name}",
        kind=each.kind,
        label=_(each.label),
        unit=each.unit,
        low="" if low is None else f"{low:.10g}",
        high="" if high is None else f"{high:.10g}",
        step="1" if each.kind == "integer" or (high is not None and high >= 100) else "0.1",
        value=value,
        choices=options,
        required=each.required,
        slide=low is not None and high is not None and high <= 100 and each.required,
        pick=PICKS.get(each.kind, ""),
        said=names.get(str(value), "") if each.kind in {"street", "building"} else "",
        why=draft.fault if draft.fault_field == each.name else "",
    )


def families() -> list[dict[str, Any]]:
    """What may be added, by family."""
    return [
        {
            "slug": slug,
            "title": _(title),
            "measures": [
                {"kind": m.kind, "title": _(m.title), "sentence": _(m.sentence)}
                for m in MEASURES.values()
                if m.family == slug
            ],
        }
        for slug, title in FAMILIES.items()
    ]


def in_words(measures: Sequence[Mapping[str, Any]], names: Mapping[str, str] | None = None) -> list[str]:
    """Measures as short lines: "Solar panels: Share of the roofs 40 %"."""
    return [_line(MEASURES[str(one["kind"])], one, names or {}) for one in measures if one.get("kind") in MEASURES]


def _line(about: Measure, one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    parts = [_part(each, one[each.name], names) for each in about.fields if one.get(each.name) not in (None, "", False)]
    said = [part for part in parts if part]
    return f"{_(about.title)}: {', '.join(said)}" if said else _(about.title)


def _part(each: Field, value: Any, names: Mapping[str, str]) -> str:
    words = {key: _(text) for key, text in each.choices}
    match each.kind:
        case "choice":
            return "" if _only_choice(each) else words.get(str(value), str(value))
        case "uses":
            return ", ".join(words.get(str(one), str(one)) for one in value)
        case "yesno":
            return _(each.label).lower()
        case "street" | "building":
            return names.get(str(value), str(value))
        case "place":
            return f"{float(value[1]):.4f}, {float(value[0]):.4f}"
        case _:
            number = f"{value:g}" if isinstance(value, float) else str(value)
            return f"{number}\u00a0{each.unit}".strip()


def faulty(drafts: Sequence[Draft]) -> BadMeasure:
    """The refusal of drafts that are not right, in one sentence."""
    faults = [draft for draft in drafts if draft.fault]
    number = drafts.index(faults[0]) + 1 if faults else 0
    return BadMeasure(faults[0].fault if faults else _("A measure is not right."), number=number)
