"""A kept answer as the API, pages and commands show it: with its scenario's names, its addresses, and in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from twin import queries, scenario_files
from twin.engine import measures as registry
from twin.models import DistrictVersion, ScenarioResult, ScenarioVersion

MOST_FEATURES = 20_000


def document(result: ScenarioResult, version: ScenarioVersion) -> dict[str, Any]:
    """The comparison JSON, with whose data it rests on. `version` is the one that was asked for: others with the same
    inputs share the answer.
    """
    return told(result, version) | credit(result)


def credit(result: ScenarioResult) -> dict[str, str]:
    """Licence and attribution of the district's data that an answer was reckoned from."""
    of = DistrictVersion.objects.filter(
        district=result.version.scenario.district_id, number=result.city_version
    ).first()
    return {"licence": of.licence if of else "", "attribution": of.attribution if of else ""}


def told(result: ScenarioResult, version: ScenarioVersion) -> dict[str, Any]:
    """The comparison JSON as it stands in lists of many."""
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
    about = dict(_by_key(result, layer))
    if not about:
        return
    of = queries.version(result.version.scenario.district, result.city_version)
    for row in queries.things(layer, of).only("key", "name", "geometry").iterator(chunk_size=2000):
        if row.key in about:
            properties = {"key": row.key, "name": row.name, **about[row.key]}
            yield {"type": "Feature", "id": row.key, "properties": properties, "geometry": row.geometry}


def values(result: ScenarioResult, layer: str) -> Iterator[dict[str, Any]]:
    """The same without names and shapes, for a map that has those, and without figures that differ nowhere."""
    for key, properties in _by_key(result, layer, slim=True):
        yield {"type": "Feature", "id": key, "properties": properties, "geometry": None}


def _by_key(result: ScenarioResult, layer: str, *, slim: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is known of each thing of a layer; of more than 20,000, of those alone in which anything differs."""
    columns = scenario_files.read(result.detail_sha256)[layer]
    keys = columns.get("key", ())
    names = [name for name in columns if name != "key"]
    moving = [name for name in names if not name.endswith("_before")]
    if slim:
        moving = [name for name in moving if any(columns[name])]
        names = [name for name in names if name.removesuffix("_before") in moving]
    for i, key in enumerate(keys):
        if len(keys) <= MOST_FEATURES or any(columns[name][i] for name in moving):
            yield str(key), {name: columns[name][i] for name in names}


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
