"""Taking over from elsewhere."""

from django.urls import URLPattern, path

from labs.api import imports as api_imports
from labs.views import imports

pages = [
    path("labs/<slug:lab>/import/", imports.lab_imports, name="lab_imports"),
    path("labs/<slug:lab>/import/<int:pk>/", imports.lab_import, name="lab_import"),
    path("labs/<slug:lab>/import/template/<slug:kind>.csv", imports.template, name="lab_import_template"),
]
api: list[URLPattern] = [
    path("labs/<slug:lab>/imports/", api_imports.Imports.as_view(), name="lab_imports"),
    path("labs/<slug:lab>/imports/<int:pk>/", api_imports.OneImport.as_view(), name="lab_import"),
    path("labs/<slug:lab>/imports/<int:pk>/confirm/", api_imports.ConfirmImport.as_view(), name="lab_import_confirm"),
]
