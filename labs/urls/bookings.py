"""Booking a machine, and one's own bookings."""

from django.urls import path

from labs.api import bookings as booking_api
from labs.views import bookings, one_booking

pages = [
    path("labs/<slug:lab>/<slug:machine>/book/", bookings.book, name="book"),
    path("me/bookings/", bookings.mine, name="my_bookings"),
    path("me/bookings/<uuid:booking>/cancel/", bookings.cancel, name="cancel_booking"),
    path("b/<uuid:booking>/", one_booking.booking, name="booking"),
]
api = [
    path("bookings/", booking_api.Bookings.as_view(), name="bookings"),
    path("bookings/<uuid:booking>/", booking_api.OneBooking.as_view(), name="booking"),
]
