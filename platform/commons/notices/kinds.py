"""The kinds of notices that a person may switch, as rooms name them."""

from dataclasses import dataclass

from commons.sockets import Socket, Text


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind of notice: `slug` is "room.event" as `tell` is given it, `title` says when it comes. `needed`: it cannot
    be switched off, since rights or money hang on it; by mail it can. `urgent`: its letter goes at once."""

    slug: str
    title: Text
    needed: bool = False
    order: int = 100
    urgent: bool = False

    @property
    def room(self) -> str:
        """The room that it is from."""
        return self.slug.partition(".")[0]


kinds: Socket[NoticeKind] = Socket("notice_kinds")


def register(*named: tuple[str, Text] | tuple[str, Text, bool]) -> None:
    """Register several: slug, title, and whether it is needed."""
    for order, (slug, title, *needed) in enumerate(named):
        kinds.register(NoticeKind(slug, title, bool(needed and needed[0]), order))
