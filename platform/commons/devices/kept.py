"""What is kept of a person by devices: who asked a machine for something. Readings of a household's own meters are
reached through the household (`energy.kept`)."""

from django.utils.translation import gettext_lazy as _

from commons.kept import UNLINKED, About, Kept

ABOUT = About(
    _("Machines and meters"),
    _("What you asked of a machine: its lab. Readings of your own meters: you, and whom you allow."),
    _("readings as the site’s retention says"),
)

KEPT = (Kept("devices.Command", _("What you asked machines to do"), {"asked_by": UNLINKED}),)
NOT_PERSONAL = {
    "devices.Device": "a thing; whose meter it is says energy.MeterPoint",
    "devices.EnrolmentCode": "of a device",
    "devices.Channel": "a kind of reading",
    "devices.LastValue": "of a device",
    "devices.Rollup": "of a device",
    "devices.Retention": "a rule",
    "devices.Stretch": "of a device",
}
