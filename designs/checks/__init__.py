"""What the city looks at before a change is merged. Pure: what it looks at comes in, what it found goes out.

`findings` decides, `words` says it in the reader's language. Only conflicts and licences stop a merge, and they are
asked again by the merge itself; the rest is told, and whoever merges decides.
"""

from designs.checks.findings import ChangedFile, Finding, Material, Side, find
from designs.checks.words import NAMES, sentence

__all__ = ["NAMES", "ChangedFile", "Finding", "Material", "Side", "find", "sentence"]
