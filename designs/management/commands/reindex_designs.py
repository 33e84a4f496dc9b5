"""`manage.py reindex_designs`: make again what list and search know of the designs."""

from typing import Any

from commons.web.commands import CityCommand
from designs.models import Design
from designs.services import cards


class Command(CityCommand):
    """Cards, words of READMEs and the known words of every design, from the index and the repositories."""

    help = "make again what list and search know of the designs"

    def run(self, **options: Any) -> dict[str, Any]:
        """One design after the other, each in a transaction of its own."""
        done = 0
        for design in Design.objects.select_related("owner").order_by("pk").iterator(chunk_size=200):
            cards.refresh(design)
            cards.learn(design)
            done += 1
        return {"designs": done}
