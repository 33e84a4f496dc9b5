"""Rules of a lab."""

from django.urls import path

from labs.api import rules as api_rules
from labs.views import rules

pages = [
    path("labs/<slug:lab>/rules/", rules.lab_rules, name="lab_rules"),
]
api = [
    path("labs/<slug:lab>/rules/", api_rules.LabRules.as_view(), name="lab_rules"),
    path("labs/<slug:lab>/rules/preview/", api_rules.RulePreview.as_view(), name="lab_rules_preview"),
    path("labs/<slug:lab>/rules/<int:rule>/", api_rules.OneRule.as_view(), name="lab_rule"),
    path("machines/<int:machine>/why-not/", api_rules.WhyNot.as_view(), name="why_not"),
]
