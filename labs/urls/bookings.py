"""Booking a machine, one's own bookings, the waitlist, calendars."""

from django.urls import path

from labs.api import bookings as api_bookings
from labs.api import closures as api_closures
from labs.api import commands as api_commands
from labs.api import feeds as api_feeds
from labs.api import waitlist as api_waitlist
from labs.views import book_all, bookings, calendars, commands, lab_bookings, one_booking

pages = [
    path("labs/<slug:lab>/<slug:machine>/book/", bookings.book, name="book"),
    path("book/", book_all.book_all, name="book_all"),
    path("me/bookings/", bookings.mine, name="my_bookings"),
    path("me/bookings/<uuid:booking>/cancel/", bookings.cancel, name="cancel_booking"),
    path("me/calendars/", calendars.calendars, name="my_calendars"),
    path("me/waitlist/<uuid:entry>/withdraw/", bookings.withdraw, name="waitlist_withdraw"),
    path("labs/<slug:lab>/bookings/", lab_bookings.lab_bookings, name="lab_bookings"),
    path("b/<uuid:booking>/", one_booking.booking, name="booking"),
    path("labs/<slug:lab>/commands/", commands.lab_commands, name="lab_commands"),
    path("b/<uuid:booking>/machine/", commands.command, name="booking_command"),
]
api = [
    path("bookings/", api_bookings.Bookings.as_view(), name="bookings"),
    path("bookings/<uuid:booking>/", api_bookings.OneBooking.as_view(), name="booking"),
    path("bookings/<uuid:booking>/approve/", api_bookings.Approve.as_view(), name="booking_approve"),
    path("bookings/<uuid:booking>/decline/", api_bookings.Decline.as_view(), name="booking_decline"),
    path("bookings/<uuid:booking>/excuse/", api_bookings.Excuse.as_view(), name="booking_excuse"),
    path("bookings/<uuid:booking>/check-in/", api_bookings.CheckIn.as_view(), name="booking_check_in"),
    path("bookings/<uuid:booking>/end/", api_bookings.End.as_view(), name="booking_end"),
    path("labs/<slug:lab>/commands/", api_commands.LabCommands.as_view(), name="lab_commands"),
    path("bookings/<uuid:booking>/commands/", api_commands.BookingCommands.as_view(), name="booking_commands"),
    path("bookings/<uuid:booking>/accept/", api_bookings.Accept.as_view(), name="booking_accept"),
    path("machines/<int:machine>/closures/", api_closures.Closures.as_view(), name="closures"),
    path("waitlist/", api_waitlist.Waitlist.as_view(), name="waitlist"),
    path("waitlist/<uuid:entry>/", api_waitlist.OnePlace.as_view(), name="waitlist_entry"),
    path("people/me/calendar.ics", api_feeds.MyCalendar.as_view(), name="my_calendar"),
    path("people/me/calendars/", api_feeds.Feeds.as_view(), name="calendars"),
    path("people/me/calendars/<int:feed>/", api_feeds.OneFeed.as_view(), name="calendar"),
    path("labs/<slug:lab>/calendar.ics", api_feeds.LabCalendar.as_view(), name="lab_calendar"),
    path("machines/<int:machine>/calendar.ics", api_feeds.MachineCalendar.as_view(), name="machine_calendar"),
]
