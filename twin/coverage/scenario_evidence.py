"""Finished scenarios of a district as evidence that a system can be asked “what if”."""

from collections.abc import Iterator, Mapping
from functools import partial

from django.db.models.fields.json import KeyTransform
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.shelf import Shelf, Stamp
from commons.sockets import Evidence
from twin.models import District, ScenarioResult

SYSTEMS = {"energy": ("electricity", "solar"), "traffic": ("streets",), "access": ("walking",), "risk": ("green",)}
ORACLES = {
    "energy": gettext_lazy("the energy engines’ own oracles: CityLearn, pvlib and the exact optimum"),
    "traffic": gettext_lazy("the best known equilibria of Sioux Falls, Anaheim, Winnipeg and Barcelona"),
    "access": gettext_lazy("Dijkstra by brute force on the district’s reference graph"),
}
"""What each group of figures is held against, as the tests of its engine do; risk has no oracle."""


def collect(district: District) -> Iterator[Evidence]:
    """Level 4 by the newest listed scenario of the district that moved a figure of a group and said how sure it is."""
    rows = ScenarioResult.objects.filter(version__scenario__district=district, version__scenario__listed=True)
    done: set[str] = set()
    newest = rows.annotate(stamp=Stamp(ScenarioResult)).order_by("-made_at")
    names = "pk", "stamp", "made_at", "version__scenario__title", "version__scenario_id"
    for pk, stamp, made_at, title, scenario in newest.values_list(*names)[:40]:
        for group, sure in _groups.get((pk, stamp), partial(_groups_of, pk)).items():
            if group in done or group not in SYSTEMS:
                continue
            done.add(group)
            for system in SYSTEMS[group]:
                yield Evidence(
                    system,
                    4,
                    _("Scenario “%(title)s”") % {"title": title},
                    1,
                    _("scenarios of the district"),
                    made_at,
                    reverse("api:scenario", args=[scenario]),
                    {
                        "oracle": str(ORACLES.get(group, "")),
                        "uncertainty": _("interval of its difference") if sure else "",
                    },
                )


# By the result and its stamp.
_groups: Shelf[Mapping[str, bool]] = Shelf(2_000)


def _groups_of(result: int) -> dict[str, bool]:
    """The groups of figures that a result moved, and whether any has an interval."""
    rows = ScenarioResult.objects.filter(pk=result).annotate(figures=KeyTransform("figures", "summary"))
    found: dict[str, bool] = {}
    for figure in rows.values_list("figures", flat=True).first() or ():
        if figure.get("difference"):
            sure = figure.get("low") is not None and figure.get("high") is not None
            found[figure["group"]] = found.get(figure["group"], False) or sure
    return found
