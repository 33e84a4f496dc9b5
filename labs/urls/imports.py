"""Taking over from elsewhere."""

from django.urls import URLPattern, path

from labs.views import imports

pages = [
    path("labs/<slug:lab>/import/", imports.lab_imports, name="lab_imports"),
    path("labs/<slug:lab>/import/<int:pk>/", imports.lab_import, name="lab_import"),
    path("labs/<slug:lab>/import/template/<slug:kind>.csv", imports.template, name="lab_import_template"),
]
api: list[URLPattern] = []
