"""What decisions refuse."""

from commons.errors import BadInput, Conflict, NotAllowed, NotFound


class MotionNotFound(NotFound):
    """No such decision, or not the caller's to see."""

    code = "decision:not-found"


class BadCharter(BadInput):
    """A charter that cannot be read or that no body may have."""

    code = "decision:bad-charter"


class BadMotion(BadInput):
    """A proposal that cannot be put to the vote."""

    code = "decision:bad-motion"


class OutsideLimits(BadInput):
    """A value that the charter does not let anybody decide."""

    code = "decision:outside-limits"
    status = 422


class BadVote(BadInput):
    """A vote that names no option of the ballot, or an objection without a reason."""

    code = "decision:bad-vote"


class NotAMember(NotAllowed):
    """Only members propose, and only those on the roll vote."""

    code = "decision:not-a-member"


class BadDelegation(BadInput):
    """Somebody cannot vote for that person."""

    code = "decision:bad-delegation"


class TokenTaken(Conflict):
    """A person on the roll has had a token of this vote, and another is never signed."""

    code = "decision:token-taken"


class NotNow(Conflict):
    """The decision is in another state than this needs."""

    code = "decision:not-now"
