"""All that is open, from every room."""

from collections.abc import Iterator

from commons import sockets
from commons.opendata.tables import as_csv, as_lines
from commons.sockets import DataForm, PublicData


def everything(part: str = "") -> Iterator[PublicData]:
    """Every dataset, or those of a piece of the city alone."""
    if not part:
        yield from (_of_rows(plug) for plug in sockets.open_datasets)
    for shelf in sockets.open_shelves:
        yield from (data for data in shelf.datasets() if not part or data.part == part)


def _of_rows(plug: sockets.OpenDataset) -> PublicData:
    return PublicData(
        slug=plug.slug,
        title=plug.title,
        description=plug.description or plug.title,
        licence=plug.licence,
        attribution=str(plug.attribution),
        keywords=plug.keywords,
        theme=plug.theme,
        page="data/",
        forms=(
            DataForm("csv", "text/csv", "CSV", as_csv(plug.rows)),
            DataForm("jsonl", "application/jsonl", "JSON lines", as_lines(plug.rows)),
        ),
    )
