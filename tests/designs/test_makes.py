"""Makes: photos lose what a phone wrote into them, hostile ones hurt nothing, counts stay right."""

import io
import struct
import threading
import zlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from commons.errors import CityError
from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs.models import Design, Make, MakePhoto, Star
from designs.sandbox import photos
from designs.services.makes import add_make, delete_make, incoming, picture_path, store
from designs.services.stars import star, unstar

pytestmark = pytest.mark.django_db


def photo(kind: str = "JPEG", size: tuple[int, int] = (64, 48), *, gps: bool = True) -> bytes:
    """A picture, red on its left half, with a place, a camera and a comment in it; to be turned a quarter."""
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker of cameras"
    exif.get_ifd(0x8825).update({1: "N", 2: (60.0, 10.0, 11.0), 3: "E", 4: (24.0, 56.0, 15.0)})
    out = io.BytesIO()
    more = {"exif": exif, "comment": b"home"} if gps and kind == "JPEG" else {}
    picture.save(out, kind, quality=95, icc_profile=b"secret profile" * 9, **more)
    return out.getvalue()


def test_a_photo_keeps_its_pixels_and_nothing_else(tmp_path: Path) -> None:
    sent = photo()
    assert b"Exif" in sent and b"Maker of cameras" in sent and b"home" in sent
    (tmp_path / "in").write_bytes(sent)
    drawn = photos.redraw(tmp_path / "in")
    assert drawn.reason == ""
    for raw in (drawn.large, drawn.small):
        seen = Image.open(io.BytesIO(raw))
        assert not dict(seen.getexif()) and "icc_profile" not in seen.info and "comment" not in seen.info
        assert not any(word in raw for word in (b"Exif", b"Maker", b"home", b"secret", b"http"))
        assert seen.size == (48, 64), "turned as its camera said"
        top, bottom = seen.getpixel((24, 8)), seen.getpixel((24, 56))
        assert top[0] - top[2] > 150 and bottom[2] - bottom[0] > 150  # type: ignore[index, operator]
    assert (drawn.width, drawn.height) == (48, 64)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_kinds_become_jpeg(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").write_bytes(photo(kind, (4000, 1000)))
    drawn = photos.redraw(tmp_path / "in")
    assert Image.open(io.BytesIO(drawn.large)).size == (1600, 400)
    assert Image.open(io.BytesIO(drawn.small)).size == (480, 120)


def bomb() -> bytes:
    """A PNG that says it is 60 000 px wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "raw",
    [bomb(), photo()[:200], b"\xff\xd8\xff" + b"\0" * 5000, b"\xff\xd8\xff\xe0<svg onload=x>", b"RIFF\0\0\0\0WEBPVP8 ",
     b"\x89PNG\r\n\x1a\n" + b"\xff" * 3000],
)  # fmt: skip
def test_hostile_photos_are_refused_with_a_reason(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "in").write_bytes(raw)
    drawn = photos.redraw(tmp_path / "in")
    assert drawn.reason and not drawn.large and not drawn.small


def test_a_make_shows_once_its_photos_are_drawn(client: Client, design: Design, neighbour: User) -> None:
    sent = [SimpleUploadedFile("a.jpg", photo()), SimpleUploadedFile("b.png", b"\x89PNG\r\n\x1a\nbroken")]
    made = add_make(design=design, author=neighbour, text="It holds.", photos=sent)
    design.refresh_from_db()
    assert (design.make_count, made.commit) == (1, design.head)
    first, second = made.photos.all()
    address = f"/designs/aila/test-cube/makes/{made.pk}/{first.name}-large.jpg"
    assert client.get(address).status_code == 404, "what was sent is never shown"
    do(Run.objects.get(kind="designs.photos").pk)
    assert not incoming(first).exists() and not incoming(second).exists()
    second.refresh_from_db()
    assert second.state == MakePhoto.State.FAILED and "no JPEG" in second.reason
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(io.BytesIO(b"".join(answer.streaming_content))).size == (48, 64)  # type: ignore[attr-defined]
    page = client.get("/designs/aila/test-cube/makes/").content.decode()
    assert "It holds." in page and first.name in page and "no JPEG" not in page


def test_photos_of_private_designs_are_private(client: Client, private: Design, maker: User, neighbour: User) -> None:
    made = add_make(design=private, author=maker, photos=[SimpleUploadedFile("a.jpg", photo())])
    do(Run.objects.get(kind="designs.photos").pk)
    address = f"/designs/aila/{private.slug}/makes/{made.pk}/{made.photos.get().name}-small.jpg"
    assert client.get(address).status_code == 404
    client.force_login(neighbour)
    assert client.get(address).status_code == 404
    client.force_login(maker)
    answer = client.get(address)
    assert answer.status_code == 200 and "private" in answer["Cache-Control"]


@pytest.mark.django_db(transaction=True)
def test_taking_a_make_away_takes_its_photos(maker: User, neighbour: User) -> None:
    from tests.designs.conftest import make

    design = make(maker)
    made = add_make(design=design, author=neighbour, photos=[SimpleUploadedFile("a.jpg", photo())])
    do(Run.objects.get(kind="designs.photos").pk)
    path = picture_path(made.photos.get(), "large")
    assert path.exists()
    with pytest.raises(CityError):
        delete_make(make=made, by=maker)
    delete_make(make=made, by=neighbour)
    design.refresh_from_db()
    assert design.make_count == 0 and not path.exists()


@pytest.mark.parametrize(
    ("text", "files", "code"),
    [
        ("", [], "design:nothing-said"),
        ("x" * 4001, [], "design:nothing-said"),
        ("", [SimpleUploadedFile("a.jpg", b"")], "design:bad-photo"),
        ("", [SimpleUploadedFile("a.jpg", b"<svg/>")], "design:bad-photo"),
        ("", [SimpleUploadedFile("a.gif", b"GIF89a" + b"\0" * 50)], "design:bad-photo"),
        ("x", [SimpleUploadedFile("a.jpg", b"\xff\xd8\xff")] * 7, "design:bad-photo"),
    ],
)
def test_refusals_keep_nothing(
    design: Design, neighbour: User, text: str, files: list[SimpleUploadedFile], code: str
) -> None:
    with pytest.raises(CityError) as refusal:
        add_make(design=design, author=neighbour, text=text, photos=files)
    assert refusal.value.code == code
    assert not Make.objects.exists() and not list(store().rglob("*"))


# --- stars -------------------------------------------------------------------------------------------------------


def test_a_star_is_given_once(design: Design, maker: User, neighbour: User) -> None:
    assert [star(design=design, by=p) for p in (neighbour, neighbour, maker)] == [1, 1, 2]
    assert [unstar(design=design, by=p) for p in (maker, maker)] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_the_count_survives_a_crowd(maker: User) -> None:
    from commons.people.services import create_user
    from tests.designs.conftest import make

    design = make(maker)
    people = [create_user(username=f"p{n}") for n in range(8)]
    start = threading.Barrier(len(people))

    def go(person: User) -> None:
        start.wait(20)
        for _ in range(3):
            star(design=design, by=person)
            unstar(design=design, by=person)
        star(design=design, by=person)
        connection.close()

    threads = [threading.Thread(target=go, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    design.refresh_from_db()
    assert design.star_count == Star.objects.count() == len(people)
