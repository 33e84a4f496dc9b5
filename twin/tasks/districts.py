"""Long work of the twin: files become a version of a district; a version's minutes on foot."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import files, queries, services
from twin.engine import ENGINE_VERSION
from twin.engine.errors import Unreadable
from twin.errors import unreadable
from twin.models import District

if TYPE_CHECKING:
    from twin.engine.model import CityModel


@kind("twin.import", queue="simulations", engine_version=ENGINE_VERSION)
def import_files(job: Job, inputs: Inputs) -> Outcome:
    """Read the kept files, lay the corrections over them, reckon access, and store all as the next version."""
    from twin.engine import reading  # noqa: PLC0415 engines load numpy, scipy and pyproj
    from twin.engine.model import LAYERS, Asked  # noqa: PLC0415 with them

    sources = [(files.path(kept), kept["name"]) for kept in inputs["files"]]
    try:
        model = reading.read(
            sources,
            lambda n, name: job.progress(0.6 * n / len(sources), said(gettext_lazy("Reading %(name)s"), name=name)),
            asked=Asked(country=inputs.get("country", ""), names=inputs.get("names") or {}),
            beside=_standing(inputs["slug"]) if inputs.get("keep") else None,
        )
    except Unreadable as fault:
        raise unreadable(fault) from fault
    job.progress(0.6, said(gettext_lazy("Minutes on foot")))
    prepared = _prepared(inputs["slug"], model)
    job.progress(0.8, said(gettext_lazy("Writing the new version")))
    result: dict[str, Any] = {layer: len(prepared.layers[layer]) for layer in LAYERS}
    outcome = Outcome({"district": inputs["slug"], **result, "skipped": []})

    def effect() -> None:
        version = services.store_version(
            inputs=inputs, prepared=prepared, again=lambda: _prepared(inputs["slug"], model)
        )
        services.prepare_map(of=version, demo=inputs["demo"])  # first: without it a large district has no map
        for kind_ in ("roofs", "risk", "energy"):
            services.start_reckoning(of=version, kind=kind_, demo=inputs["demo"])
        outcome.result.update(
            {layer: version.counts[layer] for layer in LAYERS},
            version=version.number,
            changes=version.changes,
            skipped=version.skipped,
            remarks=version.remarks,
            conflicts=queries.offers.conflicts(version.district).count(),
        )

    return Outcome(outcome.result, effect)


def _found(slug: str) -> District | None:
    """The district of exactly this name, if it holds something."""
    return District.objects.filter(slug=slug, current__isnull=False).select_related("current").first()


def _standing(slug: str) -> "CityModel | None":
    district = _found(slug)
    return queries.as_model(queries.current(district)) if district else None


def _prepared(slug: str, model: "CityModel") -> services.Prepared:
    """The files' model with the corrections of the version that stands laid over it, its rows and its access."""
    from twin import rows  # noqa: PLC0415 the web process registers this kind but never runs it
    from twin.engine import corrections, district  # noqa: PLC0415 with the engines
    from twin.engine.model import LAYERS  # noqa: PLC0415 with them

    found = _found(slug)
    laid = corrections.corrected(
        model,
        queries.offers.corrections(found) if found else (),
        lambda layer, key: queries.offers.standing_thing(found, layer, key) if found else None,
    )
    layers = {layer: rows.rows(layer, laid.model.layer(layer)) for layer in LAYERS}
    basis = queries.current(found).number if found else 0
    return services.Prepared(laid=laid, layers=layers, access=district.access(laid.model), basis=basis)


@kind("twin.access", queue="simulations", engine_version=ENGINE_VERSION)
def reckon_access(job: Job, inputs: Inputs) -> Outcome:
    """Minutes on foot of a version that no file made."""
    from twin.engine import district  # noqa: PLC0415 loads scipy

    version = queries.version(queries.district(inputs["district"]), inputs["version"])
    found = district.access(queries.as_model(version))

    def effect() -> None:
        services.store_access(version=version, access=found)

    return Outcome({"district": inputs["district"], "version": version.number, "kinds": len(found.summary)}, effect)
