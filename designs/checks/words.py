"""The sentences of the checks, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from designs.told import told

NAMES: dict[str, str | Promise] = {
    "merges": gettext_lazy("Merges by itself"),
    "closed": gettext_lazy("Closed shape, both sides"),
    "volumes": gettext_lazy("Volumes add up"),
    "box": gettext_lazy("Fits the same machines"),
    "walls": gettext_lazy("Walls as thick as before"),
    "agree": gettext_lazy("STEP and mesh agree"),
    "drawn": gettext_lazy("All files can be drawn"),
    "sizes": gettext_lazy("Files of a good size"),
    "licence": gettext_lazy("Licences agree"),
    "okh": gettext_lazy("OKH manifest valid"),
}


def sentence(say: str, data: Mapping[str, Any]) -> str:
    """The sentence of a finding: short beside one that passed, the reason of one that did not."""
    words = {**data, "files": _files(data)}
    counted = _counted(say, words)
    return counted if counted is not None else _plain(say, words)


def _files(data: Mapping[str, Any]) -> str:
    paths = [str(path) for path in data.get("paths", [])]
    more = int(data.get("n", len(paths))) - len(paths)
    listed = ", ".join(paths)
    return listed if more <= 0 else _("%(files)s and %(n)d more") % {"files": listed, "n": more}


def _counted(say: str, words: Mapping[str, Any]) -> str | None:
    n = int(words.get("n", 0))
    sentences = {
        "conflict": ngettext(
            "%(files)s was changed on both sides.", "%(files)s were changed on both sides.", n
        ),
        "merges-behind": ngettext("%(n)d newer version stays", "%(n)d newer versions stay", n),
        "drawn": ngettext("%(n)d file", "%(n)d files", n),
        "closed": ngettext("%(n)d shape", "%(n)d shapes", n),
        "opened": ngettext("%(files)s was closed and has a hole now.", "%(files)s were closed and have holes now.", n),
        "open": ngettext(
            "%(files)s has a hole, so its volume is not known.",
            "%(files)s have holes, so their volumes are not known.", n,
        ),
        "okh-faults": ngettext("%(n)d remark: %(first)s", "%(n)d remarks, the first: %(first)s", n),
    }  # fmt: skip
    return sentences[say] % words if say in sentences else None


def _plain(say: str, words: Mapping[str, Any]) -> str:
    if say == "grew":
        return _("%(files)s grew from %(before)s to %(after)s mm.") % {
            "files": words["files"], "before": _mm(words["before"]), "after": _mm(words["after"])
        }  # fmt: skip
    if say in {"sizes", "large"}:
        size = filesizeformat(words["bytes"])
        return size if say == "sizes" else _("%(files)s: %(size)s belongs into large file storage.") % {
            "files": words["files"], "size": size
        }  # fmt: skip
    sentences = {
        "merges": _("no conflict"),
        "not-drawn": _("%(files)s could not be drawn. %(reason)s"),
        "being-drawn": _("being drawn"),
        "being-compared": _("being compared"),
        "not-compared": _("%(files)s could not be compared."),
        "sampled": _("%(files)s is not closed on both sides, so it was compared at sampled points."),
        "volumes": _("exact"),
        "box": _("no side grew"),
        "walls": _("no thinner"),
        "thinner": _("The thinnest wall of %(files)s went from %(before)s to %(after)s mm."),
        "agree": _("%(mm)s mm"),
        "disagree": _("%(path)s and %(other)s are %(mm)s mm apart. Was only one of them brought up to date?"),
        "licence": "%(ours)s",
        "licences-fit": _("%(theirs)s into %(ours)s"),
        "licence-forbids": "%(why)s",
        "okh": _("no fault"),
    }
    return sentences.get(say, say) % ({**words, "reason": told(words["reason"])} if "reason" in words else words)


def _mm(box: Any) -> str:
    return " × ".join(f"{float(side):g}" for side in box)
