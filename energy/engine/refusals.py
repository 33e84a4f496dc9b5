"""What the engine refuses, typed; the room's services give it a code and a translated sentence."""

from collections.abc import Mapping


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for translation; the engine itself knows no language."""
    return sentence


class EngineRefusal(Exception):
    """Something the engine will not compute: `template` % `params` is the English sentence."""

    def __init__(self, template: str, /, **params: object) -> None:
        super().__init__(template % params)
        self.template = template
        self.params: Mapping[str, object] = params


class NotYet(EngineRefusal):
    """A combination that is defined but not built."""


class NotDefined(EngineRefusal):
    """A combination that has no meaning, such as a dual price without an optimum."""


class BadValue(EngineRefusal):
    """A number that cannot be, such as a roof of a million kilowatts; says which one and what would do."""


class Infeasible(EngineRefusal):
    """No dispatch meets all demands, such as a trip longer than a vehicle can be charged for."""


class FolderRefusal(EngineRefusal):
    """A community folder that cannot be read: file, line (1-based, 0 for the whole file), column, what and
    remedy.
    """

    def __init__(self, file: str, line: int, column: str, template: str, /, **params: object) -> None:
        super().__init__(template, **params)
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        where = (
            self.file
            + (f", line {self.line}" if self.line else "")
            + (f", column {self.column}" if self.column else "")
        )
        return f"{where}: {self.template % self.params}"


class WeatherRefusal(FolderRefusal):
    """A file of weather that cannot be read: file, line, column, what and remedy."""
