"""How bodies of API calls are read."""

import math
import re
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

#: What JSON can write and no table can keep: zero bytes and halves of pairs of surrogates.
UNKEPT = re.compile("[\x00\ud800-\udfff]")


class Json(JSONParser):
    """JSON of what can be kept; what is nested deeper than Python can follow is bad input, no fault of ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The document. Raises ParseError."""
        try:
            found: dict[str, Any] = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(_("The JSON of this request is nested too deeply.")) from None
        if wrong := unkept(found):
            raise ParseError(wrong)
        return found


def unkept(document: Any) -> str:
    """What of a document has no place anywhere, however deep it lies, as a sentence; empty if all of it can be kept."""
    left = [document]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and UNKEPT.search(one):
            return _("A text in this request holds a NUL character or half a letter, which cannot be kept.")
        elif isinstance(one, float) and not math.isfinite(one):
            return _("A number in this request is larger than any that can be kept.")
    return ""
