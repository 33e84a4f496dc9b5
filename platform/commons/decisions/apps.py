"""Decisions plug in: their section."""

from collections.abc import Callable

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DecisionsConfig(AppConfig):
    name = "commons.decisions"
    label = "decisions"
    verbose_name = "Decisions"

    def ready(self) -> None:
        """Fill the sockets."""
        from commons import sockets  # noqa: PLC0415 models must be ready
        from commons.decisions import activity, dashboards, measuring, open_data, personal  # noqa: PLC0415 as above
        from commons.decisions.queries import search  # noqa: PLC0415 as above

        sockets.open_datasets.register(
            sockets.OpenDataset(
                "decisions",
                _("Decisions that are over"),
                "CC0-1.0",
                open_data.rows,
                order=40,
                description=_("What bodies that anybody may see have decided, by which method, and what came of it."),
                keywords=("decision", "vote"),
                theme="GOVE",
            )
        )
        dashboards.register()
        activity.register()
        personal.register()
        sockets.search_sources.register(
            sockets.SearchSource("decisions", _("Decisions"), search, order=55, scope="decisions:vote")
        )
        sockets.demo_parts.register(sockets.DemoPart("decisions", lambda _say: None, _forget, order=5))
        sockets.evidence.register(sockets.SystemEvidence("decisions", measuring.evidence, order=90))
        sockets.nav.register(sockets.NavEntry("decisions", _("Decisions"), "rooms:decisions", "decisions", order=60))


def _forget(say: "Callable[[str], None]") -> None:
    from commons.decisions.services import remove_demo  # noqa: PLC0415 models must be ready

    say(f"{remove_demo()} deciding bodies taken away")
