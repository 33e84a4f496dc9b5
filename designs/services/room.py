"""The disk that designs take: measured after each write, and bounded for each owner."""

from django.conf import settings
from django.utils.translation import gettext as _

from commons.people.models import Handle
from designs import git
from designs.errors import OverQuota
from designs.git import pools
from designs.models import Design
from designs.queries.room import left_bytes


def measure(*, design: Design) -> int:
    """Write down what the repository takes on disk; the bytes."""
    design.size_bytes = pools.size_bytes(git.of(design.repository))
    Design.objects.filter(pk=design.pk).update(size_bytes=design.size_bytes)
    return design.size_bytes


def check_room(*, owner: Handle, more_bytes: int) -> None:
    """Raise OverQuota when the owner has no room for so many bytes more."""
    left = left_bytes(owner)
    if more_bytes > left:
        raise OverQuota(
            _(
                "This takes %(more).1f MB, and %(left).1f MB of the %(all).1f GB of %(owner)s are left. "
                "Delete what is not needed, or ask the steward of the city for more room."
            )
            % {
                "more": more_bytes / 1e6,
                "left": left / 1e6,
                "all": settings.OWNER_QUOTA_BYTES / 1e9,
                "owner": owner.name,
            }
        )
