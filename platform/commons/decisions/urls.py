"""Addresses of decisions."""

from django.urls import URLPattern, URLResolver, path

from commons.decisions import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("decisions/", views.home, name="decisions"),
    path("decisions/new/", views.new, name="decision_new"),
    path("decisions/recount.py", views.recount, name="decision_script"),
    path("decisions/bodies/<str:kind>/<str:key>/", views.body, name="decision_body"),
    path("decisions/bodies/<str:kind>/<str:key>/delegate/", views.delegate, name="decision_delegate"),
    path("decisions/<int:number>/", views.motion, name="decision"),
    path("decisions/<int:number>/vote/", views.vote, name="decision_vote"),
    path("decisions/<int:number>/withdraw/", views.withdraw, name="decision_withdraw"),
    path("decisions/<int:number>/stop/", views.stop, name="decision_stop"),
    path("decisions/<int:number>/ballots.json", views.ballots, name="decision_ballots"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("decisions/", api.Decisions.as_view(), name="decisions"),
    path("decisions/<int:number>/", api.Decision.as_view(), name="decision"),
    path("decisions/<int:number>/vote/", api.Vote.as_view(), name="decision_vote"),
    path("decisions/<int:number>/token/", api.Token.as_view(), name="decision_token"),
    path("decisions/<int:number>/ballot/", api.SecretVote.as_view(), name="decision_ballot"),
    path("decisions/<int:number>/recount/", api.Recount.as_view(), name="decision_recount"),
    path("policies/", api.Policies.as_view(), name="policies"),
]
