"""`manage.py metrics`: the three figures of each neighbourhood and what they are made of."""

from typing import Any

from django.core.management.base import CommandParser

from commons.places import queries
from commons.web.commands import CityCommand


class Command(CityCommand):
    """The headline figures, with numerators, denominators, period and how complete the data are."""

    help = "Print the headline figures of each neighbourhood with what they are made of."

    def add_arguments(self, parser: CommandParser) -> None:
        """One place, or all neighbourhoods."""
        parser.add_argument("--place", help="one place alone, by its slug; a city too")

    def run(self, **options: Any) -> dict[str, Any]:
        """Compute them now."""
        places = [queries.place(options["place"])] if options["place"] else list(queries.neighbourhoods())
        return {"places": [queries.metrics_document(place) for place in places]}

    def show(self, answer: dict[str, Any]) -> None:
        """A few lines a place."""
        if not answer["places"]:
            self.stdout.write("There is no neighbourhood yet.")
        for place in answer["places"]:
            self.stdout.write(place["name"] + (" (demo)" if place["demo"] else ""))
            for figure in place["figures"].values():
                self.stdout.write(f"  {figure['title']}: {_words(figure)}")


def _words(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return f"not known. {figure['sentence']}"
    value = f"{figure['value']:.2f}" if figure["style"] == "ratio" else f"{figure['value']:.0%}"
    parts = f"{_number(figure['numerator'])} / {_number(figure['denominator'])} {figure['unit']}".strip()
    start, end = figure["period"]["start"], figure["period"]["end"]
    period = f", {start:%Y-%m-%d} to {end:%Y-%m-%d}" if start and end else ""
    complete = f", {figure['completeness']:.0%} complete" if figure["completeness"] is not None else ""
    return f"{value} ({parts}{period}{complete})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
