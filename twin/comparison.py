"""A kept answer as the API, pages and commands show it: with its scenario's names, its addresses, and in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from twin import queries, scenario_files
from twin.engine import measures as registry
from twin.models import ScenarioResult, ScenarioVersion

MOST_FEATURES = 20_000


def document(result: ScenarioResult, version: ScenarioVersion) -> dict[str, Any]:
    """The comparison JSON. `version` is the one that was asked for: others with the same inputs share the answer."""
    scenario, kept = version.scenario, result.summary
    address = [scenario.pk, result.inputs_hash]
    return {
        "scenario": scenario.pk,
        "version": version.number,
        "title": scenario.title,
        "district": scenario.district.slug,
        "city_version": result.city_version,
        "depth": result.depth,
        "inputs_hash": result.inputs_hash,
        "seeds": result.seeds,
        "engines": [{**engine, "what": _(engine["what"])} for engine in kept["engines"]],
        "figures": [{**figure, "label": _(figure["label"]), "how": _(figure["how"])} for figure in kept["figures"]],
        "who": kept["who"],
        "limits": [_(sentence) for sentence in kept["limits"]],
        "buildings": reverse("api:scenario-layer", args=[*address, "buildings"]),
        "streets": reverse("api:scenario-layer", args=[*address, "streets"]),
        "took_s": result.took_s,
    }


def features(result: ScenarioResult, layer: str) -> Iterator[dict[str, Any]]:
    """Buildings or streets as GeoJSON features with their own differences; those without any are left out where there
    are more than 20,000.
    """
    columns = scenario_files.read(result.detail_sha256)[layer]
    if not columns:
        return
    of = queries.version(result.version.scenario.district, result.city_version)
    place = {key: i for i, key in enumerate(columns["key"])}
    names = [name for name in columns if name != "key"]
    for row in queries.things(layer, of).only("key", "name", "geometry").iterator(chunk_size=2000):
        i = place.get(row.key)
        if i is None:
            continue
        about: dict[str, Any] = {name: columns[name][i] for name in names}
        if len(place) > MOST_FEATURES and not any(about[name] for name in names if not name.endswith("_before")):
            continue
        yield {
            "type": "Feature",
            "id": row.key,
            "properties": {"key": row.key, "name": row.name, **about},
            "geometry": row.geometry,
        }


def said(measure: Mapping[str, Any]) -> str:
    """A measure in a line, such as “Solar panels: 40 %”."""
    kind = registry.MEASURES[measure["kind"]]
    words = [word for each in kind.fields if each.name in measure and (word := _word(each, measure[each.name]))]
    return f"{_(kind.title)}: {', '.join(words)}" if words else _(kind.title)


def _word(of: registry.Field, value: Any) -> str:
    if of.kind == "choice":
        return str(_(dict(of.choices)[value]))
    if of.kind == "uses":
        return ", ".join(str(_(dict(of.choices)[each])) for each in value)
    if of.kind == "yesno":
        return str(_(of.label)) if value else ""
    if of.kind == "place":
        return f"{value[1]:.5f}, {value[0]:.5f}"
    if of.kind in {"number", "integer"}:
        return f"{value:g} {of.unit}".strip()
    return str(value)
