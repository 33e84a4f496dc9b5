"""Courses, sessions, badges and whom a lab believes."""

from django.urls import path

from labs.api import learning as learning_api
from labs.views import badges, courses, teaching, trust

pages = [
    path("courses/", courses.directory, name="courses"),
    path("courses/<slug:owner>/<slug:slug>/", courses.course, name="course"),
    path("courses/<slug:owner>/<slug:slug>/<slug:lesson>/", courses.lesson, name="lesson"),
    path("labs/<slug:lab>/courses/", teaching.lab_courses, name="lab_courses"),
    path("labs/<slug:lab>/courses/<int:teaching>/", teaching.teaching, name="teaching"),
    path("labs/<slug:lab>/courses/<int:teaching>/sign/<str:person>/", teaching.sign, name="sign"),
    path("labs/<slug:lab>/courses/sessions/<uuid:session>/", teaching.session, name="course_session"),
    path("labs/<slug:lab>/badges/<slug:badge>/", teaching.badge, name="lab_badge"),
    path("labs/<slug:lab>/trust/", trust.lab_trust, name="lab_trust"),
    path("sign-offs/<uuid:sign_off>/", courses.sign_off, name="sign_off"),
    path("me/badges/", badges.mine, name="my_badges"),
    path("me/badges/<uuid:credential>/file/", badges.download, name="badge_file"),
    path("me/badges/<uuid:credential>/share/", badges.share, name="share_badge"),
    path("badges/<str:key>/", badges.shared, name="shared_badge"),
    path("badges/<str:key>/file/", badges.shared_file, name="shared_badge_file"),
    path("verify/", badges.verify, name="verify"),
    path("verify/<uuid:run>/", badges.verified, name="verified"),
]
api = [
    path("courses/", learning_api.Courses.as_view(), name="courses"),
    path("courses/<slug:owner>/<slug:slug>/", learning_api.OneCourse.as_view(), name="course"),
    path("labs/<slug:lab>/sessions/", learning_api.Sessions.as_view(), name="lab_sessions"),
    path("sessions/<uuid:session>/seat/", learning_api.MySeat.as_view(), name="seat"),
    path("badges/", learning_api.MyBadges.as_view(), name="badges"),
    path("badges/verify/", learning_api.Verify.as_view(), name="verify_badge"),
    path("badges/verify/<uuid:run>/", learning_api.Verified.as_view(), name="verified_badge"),
]
#: Addresses that stand in signed documents have no language before them.
bare = [
    path("labs/<slug:lab>/did.json", badges.did, name="lab-did"),
    path("labs/<slug:lab>/status/<int:key>/<int:number>.json", badges.status_list, name="status-list"),
]
