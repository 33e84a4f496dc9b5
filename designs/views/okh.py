"""OKH manifests: checking one, and the one of a design."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from designs import git, okh, queries
from designs.okh.check import Checked, check
from designs.okh.documents import MAX_BYTES
from designs.queries.manifests import checked_of, filled
from designs.queries.readiness import readiness
from designs.views.content import SANDBOX
from designs.views.frame import frame
from designs.visitors import reader

TYPES = {"toml": "application/toml; charset=utf-8", "yml": "application/yaml; charset=utf-8"}


@require_http_methods(["GET", "HEAD", "POST"])
def check_page(request: HttpRequest) -> HttpResponse:
    """Is this manifest right? For everybody; nothing is kept."""
    context: dict[str, Any] = {"text": "", "most_kb": MAX_BYTES // 1000}
    if request.method == "POST":
        raw, name = _given(request)
        if not raw.strip():
            context["nothing"] = _("Paste a manifest or choose a file.")
        else:
            checked = check(raw, name, site=settings.PUBLIC_URL)
            text = raw[:MAX_BYTES].decode("utf-8", "replace")
            context |= {"text": text, "name": name, **findings_of(checked, text)}
    return render(request, "designs/okh_check.html", context, status=422 if context.get("nothing") else 200)


def _given(request: HttpRequest) -> tuple[bytes, str]:
    """(bytes, file name) of what was uploaded, else of what was pasted."""
    file = request.FILES.get("file")
    if isinstance(file, UploadedFile):
        return file.read(MAX_BYTES + 1), (file.name or "")[:200]
    return request.POST.get("text", "").encode()[: MAX_BYTES + 1], ""


def findings_of(checked: Checked, text: str) -> dict[str, Any]:
    """What a page shows of a checked manifest: findings beside their lines."""
    by_line: dict[int, list[Any]] = {}
    for finding in checked.findings:
        by_line.setdefault(finding.line, []).append(finding)
    lines = [
        {"number": number, "text": line[:500], "findings": by_line.get(number, [])}
        for number, line in enumerate(text.splitlines()[:2000], 1)
    ]
    counts = {
        level: sum(finding.level == level for finding in checked.findings) for level in ("error", "warning", "hint")
    }
    return {"checked": checked, "lines": lines, "general": by_line.get(0, []), "counts": counts}


@require_safe
def manifest_page(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What does its manifest say, and what is missing? The design's own with findings, and the one filled for it."""
    design, commit, context = frame(request, owner, slug, tab="overview")
    entries = git.of(design.repository).files(commit) if commit else []
    own = checked_of(design, entries)
    if own is not None:
        entry, checked, text = own
        context |= {"entry": entry, **findings_of(checked, text)}
    context |= {"filled": okh.write_toml(filled(design, commit)), "readiness": readiness(design, commit)}
    return render(request, "designs/manifest.html", context)


@require_safe
def download(request: HttpRequest, owner: str, slug: str, ending: str) -> HttpResponse:
    """The filled manifest as a file."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    repository = git.of(design.repository)
    ref = request.GET.get("ref", "").strip()
    commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
    body = okh.write(design, commit, syntax="toml" if ending == "toml" else "yaml")
    response = HttpResponse(body, content_type=TYPES[ending], headers=SANDBOX)
    response["Content-Disposition"] = f'attachment; filename="okh.{ending}"'
    return response
