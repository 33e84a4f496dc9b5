"""Drawings, boards, programs and documents from a push to the page, as a visitor sees them."""

import pytest
from django.test import Client
from django.urls import reverse

from commons.people.models import User
from designs.models import Blob
from designs.services import create_design, index_now, write_files
from tests.engines.test_designs_boards import SET
from tests.engines.test_designs_gcode import PRUSA
from tests.engines.test_designs_kicad import SHEET
from tests.engines.test_designs_layers import squares

pytestmark = pytest.mark.django_db(transaction=True)

PLATE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="40mm" viewBox="0 0 60 40">'
    b'<rect fill="none" stroke="red" x="5" y="5" width="50" height="30"/></svg>'
)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Pages/Count 3/MediaBox[0 0 720 360]>>endobj\n"


def test_a_push_of_flat_things(client: Client, maker: User) -> None:
    design = create_design(
        owner=maker.handle, name="Flat things", licence="CERN-OHL-S-2.0", by=maker, visibility="private"
    )
    files = {f"pcb/{name}": content for name, content in SET.items()}
    files |= {"layers.gcode": squares(5).encode()}
    files |= {"plate.svg": PLATE, "part.gcode": PRUSA.encode(), "lamp.kicad_sch": SHEET.encode(), "doc.pdf": PDF}
    write_files(design=design, files=files, by=maker, author=maker, message="Flat things")
    index_now(design=design, by=maker, draw=True)
    states = {blob.format: (blob.preview, blob.reason) for blob in Blob.objects.all()}
    assert {state for state, _reason in states.values()} == {"ready"}, states
    design.refresh_from_db()
    assert {"gerber", "gcode", "kicad", "pdf", "svg"} <= set(design.formats)
    assert design.cover is not None
    assert design.cover.png

    client.force_login(maker)
    said = {
        "plate.svg": ("Length of all cuts", "160"), "part.gcode": ("says the slicer", "PETG"),
        "lamp.kicad_sch": ("Parts on it", "LM358"), "doc.pdf": ("Pages", "254"),
        "pcb/a.drl": ("The whole board", "Thinnest track"),
    }  # fmt: skip
    for path, words in said.items():
        page = client.get(reverse("rooms:design_file", args=[design.owner.name, design.slug, path])).content.decode()
        assert all(word in page for word in words), path
    page = client.get(reverse("rooms:design", args=[design.owner.name, design.slug])).content.decode()
    assert "The whole board" in page

    file = reverse("rooms:design_file", args=[design.owner.name, design.slug, "layers.gcode"])
    whole, second = (client.get(file + query).content.decode() for query in ("", "?layer=2"))
    assert 'href="?layer=5"' in whole and "Middle layer" in whole and "of 5, at 0.4" in second
    oid = Blob.objects.get(file_versions__path="layers.gcode").oid
    layer = [reverse("design-layer", args=[design.owner.name, design.slug, oid, n]) for n in (2, 6)]
    assert f'src="{layer[0]}?v=' in second
    drawn = client.get(layer[0])
    assert drawn["Content-Type"] == "image/svg+xml" and drawn["Content-Security-Policy"].startswith("sandbox")
    assert [client.get(layer[1]).status_code, Client().get(layer[0]).status_code] == [404, 404]
    assert "of 5, at 1" in client.get(file + "?layer=99").content.decode()

    picture = reverse("design-board", args=[design.owner.name, design.slug, design.head, "png", "pcb"])
    answer = client.get(picture)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:4] == b"\x89PNG"
    assert "private" in answer["Cache-Control"]
    nowhere = reverse("design-board", args=[design.owner.name, design.slug, design.head, "png", "nowhere"])
    assert client.get(nowhere).status_code == 404
    assert Client().get(picture).status_code == 404
