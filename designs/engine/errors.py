"""Why a file has no picture: always a sentence for its maker."""


class Unreadable(Exception):
    """The file cannot be read as what it says it is; the argument is the sentence. An answer, not a fault of ours."""
