"""Where labs stand, and labs that are not open yet."""

from django.urls import URLPattern, URLResolver, path

from labs.api import drafts as api_drafts
from labs.api import standing as api_standing
from labs.views import drafts, standing

pages = [
    path("labs/new/", drafts.new, name="lab_new"),
    path("labs/new/<uuid:draft>/", drafts.draft, name="lab_draft"),
    path("labs/<slug:lab>/standing/", standing.lab_standing, name="lab_standing"),
]
api: list[URLPattern | URLResolver] = [
    path("labs/<slug:lab>/standing/", api_standing.LabStanding.as_view(), name="lab_standing"),
    path("labs/<slug:lab>/ties/", api_standing.LabTies.as_view(), name="lab_ties"),
    path("lab-ties/<int:tie>/answer/", api_standing.AnswerTie.as_view(), name="lab_tie_answer"),
    path("lab-drafts/", api_drafts.LabDrafts.as_view(), name="lab_drafts"),
    path("lab-drafts/<uuid:draft>/", api_drafts.OneDraft.as_view(), name="lab_draft"),
    path("lab-drafts/<uuid:draft>/makers/", api_drafts.DraftMakers.as_view(), name="lab_draft_makers"),
    path("lab-drafts/<uuid:draft>/open/", api_drafts.OpenDraft.as_view(), name="lab_draft_open"),
]
