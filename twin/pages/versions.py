"""What the pages of versions and of their differences show."""

import gzip
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from twin import queries
from twin.engine import difference as drawing
from twin.engine.difference import Fate
from twin.engine.model import LAYERS, Layer
from twin.layers import etag, remembered
from twin.models import District, DistrictVersion, Thing
from twin.pages.offers import in_miles, thing_url, value_words
from twin.queries.versions import LayerDiff, diff, differences, rows_of
from twin.words import LAYERS as LAYER_WORDS
from twin.words import PROPERTIES, REMARKS, word

LISTED = 60
_FATES: tuple[Fate, ...] = ("began", "ended", "changed")


def timeline(versions: Sequence[DistrictVersion], current: DistrictVersion | None) -> list[dict[str, Any]]:
    """Versions as the timeline shows them, newest first."""
    return [
        {
            "version": one,
            "is_current": current is not None and one.pk == current.pk,
            "how": one.get_how_display(),
            "what": _what(one),
            "changes": _change_words(one),
            "remarks": [f"{row['where']}: {word(REMARKS, row['code'])}" for row in one.remarks],
        }
        for one in versions
    ]


def _what(one: DistrictVersion) -> str:
    if one.how == DistrictVersion.How.UNDO:
        back = _("Version %(n)d brought back") % {"n": one.restores or 0}
        return f"{back}: {one.note}" if one.note else back
    if one.how == DistrictVersion.How.CORRECTION:
        return one.note
    return ", ".join(source["name"] for source in one.sources)


def _change_words(one: DistrictVersion) -> list[str]:
    """One line for each layer that differs."""
    lines = []
    for layer in LAYERS:
        change = one.changes.get(layer) or {}
        counted = (
            (change.get("added", 0), _("%(n)d new")),
            (change.get("changed", 0), _("%(n)d changed")),
            (change.get("dropped", 0), _("%(n)d gone")),
        )
        if parts := [text % {"n": n} for n, text in counted if n]:
            lines.append(f"{LAYER_WORDS[layer]}: {', '.join(parts)}")
    return lines


def difference_page(found: District, before: int, after: DistrictVersion) -> dict[str, Any]:
    """Counts and lists of what differs between version `before` (0: nothing) and `after`."""
    found_diff = diff(found, before, after.number)
    layers = [_layer(found, layer, one) for layer, one in found_diff.items() if any(one.counts.values())]
    whole = {fate: sum(one.counts[fate] for one in found_diff.values()) for fate in _FATES}
    return {
        "before": before,
        "after": after.number,
        "layers": layers,
        "whole": whole,
        "nothing": not layers,
        "size": {"width": drawing.WIDTH, "height": drawing.HEIGHT},
        "drawn_all": sum(whole.values()) <= drawing.MOST,
        "most": drawing.MOST,
    }


def _layer(found: District, layer: Layer, one: LayerDiff) -> dict[str, Any]:
    listed = {
        "began": list(one.began.values())[:LISTED],
        "ended": list(one.ended.values())[:LISTED],
        "changed": [number for pair in list(one.changed.values())[:LISTED] for number in pair],
    }
    rows = rows_of(layer, [number for numbers in listed.values() for number in numbers])
    began = [_thing(found, rows[number], standing=True) for number in listed["began"]]
    ended = [_thing(found, rows[number], standing=False) for number in listed["ended"]]
    changed = [
        _thing(found, rows[new], standing=True) | {"lines": list(_lines(found, rows[old], rows[new]))}
        for old, new in list(one.changed.values())[:LISTED]
    ]
    left = sum(max(count - LISTED, 0) for count in one.counts.values())
    return {
        "layer": layer,
        "title": LAYER_WORDS[layer],
        "counts": one.counts,
        "began": began,
        "ended": ended,
        "changed": changed,
        "left": ngettext("and %(n)d more", "and %(n)d more", left) % {"n": left} if left else "",
    }


def _thing(found: District, row: Thing, *, standing: bool) -> dict[str, Any]:
    url = thing_url(found, row.layer, row.key) if standing and row.until is None else ""
    return {"title": queries.offers.title(row), "kind": queries.offers.kind_word(row.layer, row.kind), "url": url}


def _lines(found: District, old: Thing, new: Thing) -> Iterator[dict[str, str]]:
    miles = in_miles(found)
    for one in differences(old, new):
        if one.name == "shape":
            yield {"title": word(PROPERTIES, "shape"), "before": "", "after": ""}
        elif not one.name.endswith("_source"):
            yield {
                "title": word(PROPERTIES, one.name),
                "before": value_words(old.layer, one.name, one.before, miles=miles),
                "after": value_words(old.layer, one.name, one.after, miles=miles),
            }


def difference_etag(before: int, after: DistrictVersion) -> str:
    """What names the picture's bytes."""
    return etag(f"diff-{before}", after)


def difference_picture(found: District, before: int, after: DistrictVersion) -> bytes:
    """The picture of what differs, gzipped, kept in the cache."""
    return remembered(
        f"twin:diff:{difference_etag(before, after)}",
        lambda: gzip.compress(_drawn(found, before, after).encode(), mtime=0),
    )


def _drawn(found: District, before: int, after: DistrictVersion) -> str:
    ground = [
        (geometry, kind)
        for layer, kind in (("areas", ""), ("streets", "street"), ("buildings", "building"))
        for geometry, kind in _ground(layer, kind, after)
    ]
    return drawing.picture(ground, list(_fates(found, before, after)), after.bounds)


def _ground(layer: str, kind: str, of: DistrictVersion) -> Iterator[tuple[dict[str, Any], str]]:
    for geometry, own in queries.things(layer, of).values_list("geometry", "kind"):
        yield geometry, kind or own


def _fates(found: District, before: int, after: DistrictVersion) -> Iterator[tuple[Fate, dict[str, Any]]]:
    left = drawing.MOST
    for layer, one in diff(found, before, after.number).items():
        if layer == "people":
            continue  # a grid covers the whole picture
        fates: tuple[tuple[Fate, list[int]], ...] = (
            ("began", list(one.began.values())),
            ("changed", [new for _old, new in one.changed.values()]),
            ("ended", list(one.ended.values())),
        )
        for fate, numbers in fates:
            rows = rows_of(layer, numbers[:left])
            left -= len(rows)
            for number in numbers:
                if number in rows:
                    yield fate, rows[number].geometry
