"""What a booking that was on offer means for its place on the waitlist: the part that bookings themselves need."""

from labs.models import Booking, WaitlistEntry


def let_go(booking: Booking) -> None:
    """Its person said no to the offer (or the lab took it back), so the person waits no longer."""
    entries = WaitlistEntry.objects.filter(booking=booking, status=WaitlistEntry.Status.OFFERED)
    entries.update(status=WaitlistEntry.Status.WITHDRAWN, booking=None)
