"""The API of designs: names of the contract, refusals, and what is private."""

import hashlib

import pytest
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token
from designs.models import Design
from tests.designs.conftest import cube_stl

pytestmark = pytest.mark.django_db


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_new_design_is_an_empty_repository(client: Client, token: str) -> None:
    sent = {"name": "Rail clamp", "summary": "Holds", "licence": "cern-ohl-s-2.0", "visibility": "public"}
    answer = client.post("/api/v1/designs/", sent, "application/json", headers=bearer(token))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["owner"], made["slug"], made["licence"]) == ("aila", "rail-clamp", "CERN-OHL-S-2.0")
    assert made["clone_url"].endswith("/designs/aila/rail-clamp.git")
    assert client.get("/api/v1/designs/aila/rail-clamp/files/").json() == {"commit": None, "results": []}
    again = client.post("/api/v1/designs/", sent, "application/json", headers=bearer(token))
    assert (again.status_code, again.json()["code"]) == (409, "design:name-taken")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"licence": "Free as in beer"}, 422, "design:bad-licence"),
        ({"licence": "LicenseRef-Ours"}, 201, None),
        ({"name": "!!!"}, 422, "design:bad-name"),
        ({"name": "new"}, 422, "design:bad-name"),
        ({"visibility": "half"}, 400, "city:bad-input"),
        ({"owner": "niko"}, 403, "design:not-yours"),
        ({"owner": "nobody"}, 404, "design:not-found"),
    ],
)
def test_refusals(
    client: Client, token: str, neighbour: User, change: dict[str, str], status: int, code: str | None
) -> None:
    sent = {"name": "Thing", "licence": "MIT", **change}
    answer = client.post("/api/v1/designs/", sent, "application/json", headers=bearer(token))
    assert answer.status_code == status, answer.content
    assert answer.json().get("code") == code
    assert Design.objects.count() == (status == 201)


def test_writing_needs_the_scope(client: Client, maker: User) -> None:
    reader = create_token(user=maker, name="r", scopes=["designs:read"])[1]
    sent = {"name": "Thing", "licence": "MIT"}
    assert client.post("/api/v1/designs/", sent, "application/json").status_code == 401
    assert client.post("/api/v1/designs/", sent, "application/json", headers=bearer(reader)).status_code == 403


def test_files_carry_the_names_of_their_bytes(client: Client, design: Design) -> None:
    answer = client.get("/api/v1/designs/aila/test-cube/files/").json()
    assert answer["commit"] == design.head
    cube = next(file for file in answer["results"] if file["path"] == "cube.stl")
    content = cube_stl(12)
    assert cube["sha256"] == hashlib.sha256(content).hexdigest()
    assert cube["sha1"] == hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert (cube["size"], cube["format"], cube["preview"]["status"]) == (len(content), "stl", "pending")
    old = client.get(f"/api/v1/designs/aila/test-cube/files/?ref={design.head}~1")
    assert old.status_code == 404
    first = design.file_versions.exclude(commit=design.head).get(path="cube.stl").commit
    older = client.get(f"/api/v1/designs/aila/test-cube/files/?ref={first}").json()
    assert {f["path"]: f["sha256"] for f in older["results"]}["cube.stl"] == hashlib.sha256(cube_stl(10)).hexdigest()


def test_provenance(client: Client, design: Design) -> None:
    found = client.get(f"/api/v1/provenance/?sha256={hashlib.sha256(cube_stl(12)).hexdigest()}").json()["results"]
    assert [(o["owner"], o["slug"], o["path"], o["commit"], o["ref"]) for o in found] == [
        ("aila", "test-cube", "cube.stl", design.head, "main")
    ]
    assert client.get("/api/v1/provenance/").status_code == 400
    assert client.get("/api/v1/provenance/?sha256=xyz").status_code == 400
    assert client.get(f"/api/v1/provenance/?sha1={'0' * 40}").json() == {"results": []}


def test_what_is_private_answers_like_what_is_not_there(
    client: Client, private: Design, token: str, neighbour: User
) -> None:
    stranger = create_token(user=neighbour, name="n", scopes=["designs:read"])[1]
    other_scope = create_token(user=private.created_by, name="o", scopes=["energy:read"])[1]
    oid = private.file_versions.get(current=True, path="cube.stl").blob.oid
    addresses = [
        "/api/v1/designs/aila/{}/", "/api/v1/designs/aila/{}/files/", "/designs/aila/{}/", "/designs/aila/{}/history/",
        "/designs/aila/{}/files/cube.stl", "/designs/aila/{}/raw/main/cube.stl", "/designs/aila/{}/archive/main.zip",
        "/designs/aila/{}/previews/" + oid + ".png",
    ]  # fmt: skip
    for address in addresses:
        for headers in ({}, bearer(stranger)):
            hidden = client.get(address.format("secret-cube"), headers=headers)
            absent = client.get(address.format("no-such-cube"), headers=headers)
            assert hidden.status_code == absent.status_code == 404, address
    for address in addresses[:2]:
        assert client.get(address.format("secret-cube"), headers=bearer(other_scope)).status_code == 404
        assert client.get(address.format("secret-cube"), headers=bearer(token)).status_code == 200
    assert client.get("/designs/aila/secret-cube/raw/main/cube.stl", headers=bearer(token)).status_code == 200
    assert client.get("/api/v1/designs/").json()["results"] == []
    assert len(client.get("/api/v1/designs/", headers=bearer(token)).json()["results"]) == 1
    name = hashlib.sha256(cube_stl(12)).hexdigest()
    assert client.get(f"/api/v1/provenance/?sha256={name}", headers=bearer(stranger)).json() == {"results": []}
    assert len(client.get(f"/api/v1/provenance/?sha256={name}", headers=bearer(token)).json()["results"]) == 1
