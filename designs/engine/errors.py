"""Why a file has no picture: always a sentence for its maker."""


class Unreadable(Exception):  # noqa: N818 it is an answer for the maker, not a fault of ours
    """The file cannot be read as what it says it is; the argument is the sentence."""
