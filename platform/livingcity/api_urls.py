"""Health and the API's own document."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

urlpatterns = [path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema")]
