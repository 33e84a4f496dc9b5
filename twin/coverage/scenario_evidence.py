"""Finished scenarios of a district as evidence that a system can be asked “what if”."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

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
    for result in rows.select_related("version__scenario").order_by("-made_at")[:40]:
        for group, sure in _groups(result).items():
            if group in done or group not in SYSTEMS:
                continue
            done.add(group)
            for system in SYSTEMS[group]:
                yield Evidence(
                    system,
                    4,
                    _("Scenario “%(title)s”") % {"title": result.version.scenario.title},
                    1,
                    _("scenarios of the district"),
                    result.made_at,
                    reverse("api:scenario", args=[result.version.scenario_id]),
                    {
                        "oracle": str(ORACLES.get(group, "")),
                        "uncertainty": _("interval of its difference") if sure else "",
                    },
                )


def _groups(result: ScenarioResult) -> dict[str, bool]:
    """The groups of figures that a result moved, and whether any has an interval."""
    found: dict[str, bool] = {}
    for figure in result.summary.get("figures", []):
        if figure.get("difference"):
            sure = figure.get("low") is not None and figure.get("high") is not None
            found[figure["group"]] = found.get(figure["group"], False) or sure
    return found
