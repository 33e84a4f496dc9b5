"""Secret ballots: a token signed blind for each person on the roll, and a box that knows tokens and no persons.

What joins the two is in the voter's browser alone. Taking a token and casting a ballot are two transactions at two
times, the second without a session; when the vote closes, the box is written anew in random order (docs/deciding.md).
"""

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sealing
from commons.decisions import queries
from commons.decisions.engine import blind
from commons.decisions.errors import BadVote, MotionNotFound, NotAMember, NotNow, TokenTaken
from commons.decisions.models import Motion, RollEntry, SecretBallot
from commons.people.models import User

KEY_BITS = 3072
PURPOSE = b"livingcity ballots"
TOKEN_BYTES = blind.PREFIX_BYTES + 32
State = Motion.State


def new_key() -> str:
    """A key for one vote, sealed with the city's own secret."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return sealing.seal(pem, PURPOSE)


def private_key(motion: Motion) -> rsa.RSAPrivateKey:
    """The key of a secret vote. We made and sealed it, so that its numbers are not proven again at each use."""
    pem = sealing.unseal(motion.signing_key, PURPOSE)
    key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 `new_key` made it
    return key


def public_key(motion: Motion) -> bytes:
    """What verifies tokens: DER, SubjectPublicKeyInfo."""
    return (
        private_key(motion)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def sign_token(*, motion: Motion, person: User, blinded: bytes) -> bytes:
    """Sign the one blinded token of a person on the roll; the same one again gets the same answer.

    Raises NotNow, NotAMember, TokenTaken, BadVote.
    """
    _check_open(motion)
    with transaction.atomic():
        entry = RollEntry.objects.select_for_update().filter(motion=motion, person=person).first()
        if entry is None:
            raise NotAMember(_("You are not on the roll of this vote: it was closed when the vote opened."))
        mark = hashlib.sha256(blinded).hexdigest()
        if entry.blinded_sha256 not in ("", mark):
            raise TokenTaken(_("Your token was given out already. It is in the browser in which you took it."))
        try:
            signature = blind.sign(private_key(motion), blinded)
        except ValueError:
            raise BadVote(_("This token was not made for this vote. Load the page anew."), field="blinded") from None
        RollEntry.objects.filter(pk=entry.pk).update(blinded_sha256=mark)
    return signature


def cast(*, number: int, token: bytes, signature: bytes, choice: Any) -> str:
    """Put a ballot into the box, or another in its place; answers the receipt, the SHA-256 of the token.

    Knows no person and must be called without one: the token alone says that its holder is on the roll. Raises
    MotionNotFound, NotNow, BadVote.
    """
    from commons.decisions.services import choice_of  # noqa: PLC0415 services opens and counts the box

    motion = Motion.objects.select_related("body").filter(pk=number).first()
    known = motion is not None and _is_of(motion, token, signature)
    if motion is None or not (known or queries.decider(motion.body, None)):
        raise MotionNotFound(_("There is no such decision, or it is not yours to see."))
    _check_open(motion)
    if not known:
        raise BadVote(_("This is no token of this vote."), field="token")
    kept, receipt = choice_of(motion, choice), hashlib.sha256(token).hexdigest()
    with transaction.atomic():
        held = Motion.objects.select_for_update(of=("self",), no_key=True).get(pk=motion.pk)
        _check_open(held)
        SecretBallot.objects.update_or_create(token_sha256=receipt, motion=held, defaults={"choice": kept})
    return receipt


def _is_of(motion: Motion, token: bytes, signature: bytes) -> bool:
    """Whether the token was signed for this vote."""
    if not motion.signing_key or len(token) != TOKEN_BYTES:
        return False
    return blind.holds(private_key(motion).public_key(), token, signature)


def _check_open(motion: Motion) -> None:
    if not motion.secret:
        raise NotNow(_("This vote is open: vote on its page."))
    if motion.state != State.OPEN or not motion.opens_at <= timezone.now() < motion.closes_at:
        raise NotNow(
            _("Votes are cast while the vote is open; this one is: %(state)s.") % {"state": motion.get_state_display()}
        )


def shuffled(motion: Motion) -> dict[str, Any]:
    """Write box and roll anew, all rows in this one transaction, the box in random order and the roll in that of the
    accounts, so that neither disk nor transactions tell when somebody took a token or voted; answers the box. The key
    goes, since nothing is signed any more.
    """
    rows = _mixed(motion)
    roll = list(RollEntry.objects.filter(motion=motion).order_by("person_id").values("person_id", "blinded_sha256"))
    RollEntry.objects.filter(motion=motion).delete()
    RollEntry.objects.bulk_create([RollEntry(motion=motion, **entry) for entry in roll])
    Motion.objects.filter(pk=motion.pk).update(signing_key="")
    motion.signing_key = ""
    return dict(rows)


def _mixed(motion: Motion) -> list[tuple[str, Any]]:
    """Write the box anew in random order; for who holds the motion's lock."""
    rows = list(SecretBallot.objects.filter(motion=motion).values_list("token_sha256", "choice"))
    SecretBallot.objects.filter(motion=motion).delete()
    secrets.SystemRandom().shuffle(rows)
    SecretBallot.objects.bulk_create([SecretBallot(token_sha256=t, motion=motion, choice=c) for t, c in rows])
    return rows


def mix_all() -> int:
    """Write the boxes of open votes anew where ballots came since the last time, so that their order, which is near to
    the order in which tokens were taken, stands in the database for half a minute only; how many were.
    """
    mixed = 0
    for number in Motion.objects.filter(secret=True, state=State.OPEN).values_list("pk", flat=True):
        with transaction.atomic():
            held = Motion.objects.select_for_update(of=("self",)).get(pk=number)
            if held.state == State.OPEN and _writes(held) > 1:
                _mixed(held)
                mixed += 1
    return mixed


def _writes(motion: Motion) -> int:
    """By how many transactions the rows of the box were written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT xmin::text) FROM decisions_secretballot WHERE motion_id = %s", [motion.pk]
        )
        found: int = cursor.fetchone()[0]
    return found


def tokens_given(motion: Motion) -> int:
    """How many took their token: never fewer than ballots."""
    return RollEntry.objects.filter(motion=motion).exclude(blinded_sha256="").count()
