"""Long work of the twin: files become a version of a district."""

from typing import Any

from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import files, services
from twin.engine import ENGINE_VERSION
from twin.engine.errors import Unreadable
from twin.errors import unreadable


@kind("twin.import", queue="simulations", engine_version=ENGINE_VERSION)
def import_files(job: Job, inputs: Inputs) -> Outcome:
    """Read the kept files, reckon access, and store both as the district's next version."""
    from twin import rows  # noqa: PLC0415 the web process registers this kind but never runs it
    from twin.engine import district, reading  # noqa: PLC0415 engines load numpy, scipy and pyproj
    from twin.engine.model import LAYERS  # noqa: PLC0415 with them

    sources = [(files.path(kept), kept["name"]) for kept in inputs["files"]]
    try:
        model = reading.read(
            sources,
            lambda n, name: job.progress(0.6 * n / len(sources), said(gettext_lazy("Reading %(name)s"), name=name)),
        )
    except Unreadable as fault:
        raise unreadable(fault) from fault
    job.progress(0.6, said(gettext_lazy("Minutes on foot")))
    access = district.access(model)
    job.progress(0.8, said(gettext_lazy("Writing the new version")))
    layers = {layer: rows.rows(layer, model.layer(layer)) for layer in LAYERS}
    result: dict[str, Any] = {layer: len(layers[layer]) for layer in LAYERS}
    outcome = Outcome({"district": inputs["slug"], **result, "skipped": []})

    def effect() -> None:
        version = services.store_version(inputs=inputs, model=model, layers=layers, access=access)
        for kind_ in ("roofs", "risk"):
            services.start_reckoning(of=version, kind=kind_, demo=inputs["demo"])
        outcome.result.update(version=version.number, changes=version.changes, skipped=version.skipped)

    return Outcome(outcome.result, effect)
