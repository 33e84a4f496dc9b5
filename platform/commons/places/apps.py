from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlacesConfig(AppConfig):
    name = "commons.places"
    label = "places"
    verbose_name = "Places"

    def ready(self) -> None:
        """Plug in the demo's places and people, which all other parts stand on."""
        from commons.places import demo  # noqa: PLC0415 models are ready only now
        from commons.sockets import DemoPart, OpenDataset, demo_parts, open_datasets  # noqa: PLC0415 beside the above

        demo_parts.register(DemoPart("places", seed=demo.seed, remove=demo.remove, order=10))
        open_datasets.register(
            OpenDataset("figures", _("Headline figures of every place"), "CC-BY-4.0", rows=figure_rows, order=10)
        )


def figure_rows() -> list[dict[str, object]]:
    """Every figure of every place, one row each."""
    from commons.places import queries  # noqa: PLC0415 models are ready only after the apps

    return [
        {"place": place.slug, **document}
        for place in queries.all_places()
        for document in queries.metrics_document(place)["figures"].values()
    ]
