"""What is kept of a person by decisions. A secret ballot leads to nobody, so there is none to be found or to delete."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, FOLLOWS, UNLINKED, About, Kept

ABOUT = About(
    _("Decisions"),
    _(
        "Motions and open votes are seen by everybody who may see the motion. Whom you let vote for you "
        "is seen by you and by them. A secret vote leads to nobody: no page, no staff and no backup can "
        "say whose it is."
    ),
    _("motions and votes stay, without your name when you leave"),
)

KEPT = (
    Kept("decisions.Motion", _("Motions that you made"), {"author": UNLINKED},
         hidden=frozenset({"signing_key", "ballots"})),
    Kept("decisions.RollEntry", _("Votes in which you could take part"), {"person": DELETED}),
    Kept("decisions.Ballot", _("Your open votes"), {"entry__person": FOLLOWS, "through": UNLINKED}),
    Kept("decisions.Delegation", _("Whom you let vote for you, and who let you"), {"person": DELETED, "to": DELETED}),
)  # fmt: skip
NOT_PERSONAL = {
    "decisions.Body": "of a group",
    "decisions.CharterVersion": "of a group",
    "decisions.Option": "of a motion",
    "decisions.SecretBallot": "belongs to nobody: neither name nor number nor time",
    "decisions.PolicyValue": "of a group",
    "decisions.Enactment": "of a group",
}
