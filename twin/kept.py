"""What the twin keeps of a person."""

from django.utils.translation import gettext_lazy as _

from commons.kept import UNLINKED, About, Kept

ABOUT = About(
    _("The city twin"),
    _("Scenarios, comments and corrections that you publish: everybody. Drafts: who has their address."),
    _("they stay, without your name when you leave"),
)

KEPT = (
    Kept("twin.Scenario", _("Scenarios that you made"), {"owner": UNLINKED}, hidden=frozenset({"edit_key_sha256"})),
    Kept("twin.ScenarioComment", _("What you said about scenarios"), {"author": UNLINKED}),
    Kept("twin.Sandbox", _("Copies of a district that you ran ahead"), {"owner": UNLINKED},
         hidden=frozenset({"frozen", "answer"})),
    Kept("twin.DistrictVersion", _("Versions of a district that you made"), {"author": UNLINKED},
         hidden=frozenset({"bounds", "counts", "skipped", "remarks", "changes", "sources"})),
    Kept("twin.Offer", _("Corrections of the map that you offered or judged"),
         {"author": UNLINKED, "decided_by": UNLINKED}),
    Kept("twin.Conflict", _("Differences of the map that you judged"), {"decided_by": UNLINKED}),
)  # fmt: skip

OF_THE_CITY = (
    "Ahead", "CoverageDay", "District", "Building", "Street", "Service", "Area", "Access", "Correction",
    "Reckoning", "ScenarioVersion", "ScenarioResult", "Traffic",
)  # fmt: skip
NOT_PERSONAL = {f"twin.{name}": "of the city" for name in OF_THE_CITY} | {
    "twin.People": "counts of a census, of nobody in it",
}
