"""Courses are found by people and by robots; private ones by neither."""

import pytest
from django.test import Client

from designs.models import Design
from labs.models import Lab
from labs.services import courses
from tests.labs.conftest import lab
from tests.labs.learning_stage import teaching

pytestmark = pytest.mark.django_db


def test_a_course_is_in_search_and_in_the_map_of_the_site(client: Client, city_lab: Lab) -> None:
    taught = teaching(city_lab)
    design = taught.course.design
    path = f"/courses/{design.owner.name}/{design.slug}/"
    hidden = teaching(lab(), title="Hidden laser lore", badge="hidden-lore")
    Design.objects.filter(pk=hidden.course.design_id).update(visibility="private")
    for words in ("laser safety", "without fire", taught.badge.name):
        html = client.get("/search/", {"q": words}).content.decode()
        assert path in html, words
        assert "Hidden laser lore" not in html
    assert path not in client.get("/search/", {"q": "laser unicycle"}).content.decode()
    index = client.get("/sitemap.xml").content.decode()
    assert "courses" in index
    listed = client.get("/sitemap-courses-1.xml").content.decode()
    assert path in listed
    assert hidden.course.design.owner.name not in listed
    courses.stop_teaching(teaching=taught)
    assert path not in client.get("/search/", {"q": "laser safety"}).content.decode()
