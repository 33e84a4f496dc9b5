"""A person leaves: rooms let go of what is to come, then the account goes, or stays without anything that names it.

Where books must keep that there was somebody (a wallet, an invoice), the account stays as “former-17”: closed, without
name, address, role or key. Everything else goes as each app declares it (`commons.kept`).
"""

from django.db import models, transaction
from django.utils.translation import gettext as _

from commons import kept, sockets
from commons.kept import DELETED, UNLINKED, Kept
from commons.people.errors import PersonStays
from commons.people.models import Handle, Membership, User
from commons.people.services import keep_an_owner


@transaction.atomic
def leave(*, user: User, ask_owner: bool = True) -> bool:
    """Take a person out of the city; whether the account is gone whole.

    Raises PersonStays while something stands in the person's name that would go with it (a design), LastOwner while
    nobody else owns an organisation (not asked without `ask_owner`), and what rooms raise.
    """
    held = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    for membership in Membership.objects.filter(user=held).select_related("organisation") if ask_owner else ():
        keep_an_owner(membership.organisation, held)
    for room in sockets.leavers:
        room.leave(held)
    handle = Handle.objects.filter(user=held).first()
    if handle is not None:
        _refuse_what_is_owned(handle)
    for one in kept.everything():
        _let_go(one, held)
    if any(room.keeps(held) for room in sockets.leavers):
        _forget_who(held, handle)
        return False
    try:
        held.delete()
    except models.ProtectedError as refused:
        names = sorted({str(row._meta.verbose_name_plural) for row in refused.protected_objects})
        raise PersonStays(
            _("%(person)s cannot be deleted while these stand in their name: %(what)s. Delete them or pass them on.")
            % {"person": held.username, "what": ", ".join(names)}
        ) from None
    return True


def _refuse_what_is_owned(handle: Handle) -> None:
    """Refuse while the handle owns what must not go with it, whichever room's it is."""
    for relation in Handle._meta.related_objects:
        if relation.on_delete is not models.PROTECT:
            continue
        rows = relation.related_model._base_manager.filter(**{relation.field.name: handle})
        count = rows.count()
        if count:
            words = {"person": handle.name, "n": count, "what": relation.related_model._meta.verbose_name_plural}
            raise PersonStays(
                _("%(person)s owns %(n)s %(what)s; pass them on to somebody else or delete them first.") % words
            )


def former(user: User) -> str:
    """What an account that is closed is called."""
    return f"former-{user.pk}"


def _let_go(one: Kept, user: User) -> None:
    """Do with a table's rows what is declared; what leads to the person through another table goes with that."""
    for tie, closing in one.own():
        if closing is DELETED:
            one.tied(tie, user).delete()
        elif closing is UNLINKED:
            one.tied(tie, user).update(**{tie: None})
    for column, closing in one.names.items():
        rows = one.table._base_manager.filter(**{f"{column}__iexact": user.username})
        if closing is DELETED:
            rows.delete()
        else:
            rows.update(**{column: former(user)})


def _forget_who(user: User, handle: Handle | None) -> None:
    """Close the account, and take everything from it that names the person."""
    name = former(user)
    user.username, user.name, user.email, user.home = name, "", "", None
    user.demo = False  # the books that keep it are no demo's
    user.is_active = user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.first_name = user.last_name = ""
    user.last_login = None
    user.save()
    if handle is not None:
        Handle.objects.filter(pk=handle.pk).update(name=name)
