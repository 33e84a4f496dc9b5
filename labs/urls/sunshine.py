"""Jobs placed by the sun."""

from django.urls import path

from labs.api import sunshine as api_sunshine
from labs.views import sunshine

pages = [
    path("labs/<slug:lab>/sun/", sunshine.lab_sun, name="lab_sun"),
    path("labs/<slug:lab>/<slug:machine>/book/flexible/", sunshine.book, name="book_flexible"),
    path("b/<uuid:booking>/keep/", sunshine.keep, name="flexible_keep"),
    path("b/<uuid:booking>/take-back/", sunshine.take_back, name="flexible_take_back"),
]
api = [
    path("machines/<int:machine>/best-slots/", api_sunshine.BestSlots.as_view(), name="best_slots"),
    path("flexible-bookings/", api_sunshine.FlexibleBookings.as_view(), name="flexible_bookings"),
    path("flexible-bookings/<uuid:flexible>/", api_sunshine.OneFlexible.as_view(), name="flexible_booking"),
    path("flexible-bookings/<uuid:flexible>/keep/", api_sunshine.Keep.as_view(), name="flexible_keep"),
    path("flexible-bookings/<uuid:flexible>/take-back/", api_sunshine.TakeBack.as_view(), name="flexible_take_back"),
    path("labs/<slug:lab>/sun-days/", api_sunshine.SunDays.as_view(), name="sun_days"),
    path("labs/<slug:lab>/live/", api_sunshine.LabNow.as_view(), name="lab_now"),
]
