"""Changing files in the browser: adding many, writing text, moving and deleting. Each is a commit.

Who may not push offers the same as a change: it goes to a branch of their own fork.
"""

from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from commons.errors import CityError
from commons.people.models import User
from designs import git, markdown
from designs.errors import BadPath, DesignNotFound, FileChanged, NotYours, TooLarge
from designs.git.commits import Content
from designs.git.environment import MAX_BLOB_BYTES, MAX_PUSH_BYTES
from designs.git.names import check_path
from designs.models import Design
from designs.policies import check_not_mirrored
from designs.queries.files import MAX_TEXT, file_at, text_of
from designs.queries.pictures import pictures_at
from designs.services import index_later, write_files
from designs.services.files import move_file
from designs.services.suggesting import suggest_files
from designs.views.frame import frame

MAX_FILES_AT_ONCE = 400


class AddForm(forms.Form):
    """Where the files go, and why."""

    folder = forms.CharField(
        label=gettext_lazy("Into the folder"), required=False, max_length=300,
        help_text=gettext_lazy("Empty: beside the others. A new folder is made by naming it."),
    )  # fmt: skip
    message = forms.CharField(label=gettext_lazy("What changes, in a sentence"), required=False, max_length=300)


class TextForm(forms.Form):
    """A text file."""

    path = forms.CharField(label=gettext_lazy("File"), max_length=700)
    text = forms.CharField(
        label=gettext_lazy("Text"), required=False, strip=False, max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 24, "class": "code-input", "spellcheck": "false"}),
    )  # fmt: skip
    message = forms.CharField(label=gettext_lazy("What changes, in a sentence"), required=False, max_length=300)
    seen = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)


def _enter(request: HttpRequest, owner: str, slug: str) -> tuple[Design, str, dict[str, Any], User]:
    """The design of a page that changes it. Raises NotYours for who may neither push nor offer."""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    design, commit, context = frame(request, owner, slug)
    check_not_mirrored(design)
    if not (context["may_push"] or (context["may_talk"] and commit)):
        raise NotYours(_("You can read this design but not change it."))
    return design, commit, {**context, "offers": not context["may_push"]}, request.user


def _write(
    design: Design, person: User, files: dict[str, Content], message: str, *, offers: bool, seen: dict[str, str]
) -> HttpResponse:
    """Commit the files, or offer them as a change, and lead to what came of it."""
    if offers:
        change = suggest_files(design=design, files=files, message=message, by=person)
        return redirect("rooms:design_change", design.owner.name, design.slug, change.number)
    write_files(design=design, files=files, message=message, author=person, by=person, seen=seen)
    index_later(design=design, by=person)
    return redirect(design)


@login_required
def add(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Which files shall come in?"""
    design, _commit, context, person = _enter(request, owner, slug)
    form = AddForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            files = sent_files(request, form.cleaned_data["folder"])
            message = form.cleaned_data["message"] or named(files)
            return _write(design, person, files, message, offers=context["offers"], seen={})
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
    context |= {"form": form, "limits": limits()}
    return render(request, "designs/add.html", context, status=422 if form.errors else 200)


def limits() -> dict[str, int]:
    """What one form may bring: MB a file, MB and files together."""
    return {
        "max_file_mb": MAX_BLOB_BYTES // 1_000_000, "max_all_mb": MAX_PUSH_BYTES // 1_000_000,
        "max_files": MAX_FILES_AT_ONCE,
    }  # fmt: skip


def sent_files(request: HttpRequest, folder: str = "", *, field: str = "files") -> dict[str, Content]:
    """The uploaded files by their paths. `paths`, one for each file, keeps the folders that a browser's names lose.

    Raises BadPath or TooLarge.
    """
    sent = request.FILES.getlist(field)
    paths = request.POST.getlist("paths")
    if not sent:
        raise BadPath(_("Choose at least one file."))
    if len(sent) > MAX_FILES_AT_ONCE:
        raise TooLarge(_("Send up to %(n)d files at once, or push more with git.") % {"n": MAX_FILES_AT_ONCE})
    if sum(file.size or 0 for file in sent) > MAX_PUSH_BYTES:
        raise TooLarge(_("Send up to %(n)d MB at once.") % {"n": MAX_PUSH_BYTES // 1_000_000})
    names = paths if len(paths) == len(sent) else [file.name or "" for file in sent]
    start = "/".join(part for part in folder.replace("\\", "/").split("/") if part)
    return {
        check_path(f"{start}/{name}" if start else name): _content(file)
        for name, file in zip((name.replace("\\", "/").strip("/") for name in names), sent, strict=True)
    }


def _content(file: "UploadedFile[Any]") -> Content:
    """A large upload lies in a file, from which git takes it; a small one is in memory."""
    return Path(file.temporary_file_path()) if isinstance(file, TemporaryUploadedFile) else file.read()


def named(files: dict[str, Content]) -> str:
    """What happened when these files came, as a message of a commit."""
    names = sorted(files)
    if len(names) == 1:
        return _("Add %(path)s") % {"path": names[0]}
    return _("Add %(n)d files: %(paths)s") % {"n": len(names), "paths": ", ".join(names)[:200]}


@login_required
def write(request: HttpRequest, owner: str, slug: str, path: str = "") -> HttpResponse:
    """What shall the text say?"""
    design, commit, context, person = _enter(request, owner, slug)
    form = TextForm(request.POST or None, initial=_text_at(design, commit, path))
    preview = None
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            preview = markdown.render(
                form.cleaned_data["text"], owner=owner, slug=slug, ref=commit, folder=path.rpartition("/")[0],
                pictures=pictures_at(design, commit),
            )  # fmt: skip
        else:
            try:
                return _save(design, person, form.cleaned_data, path, offers=context["offers"])
            except CityError as refusal:
                form.add_error(None, str(refusal.sentence))
                if isinstance(refusal, FileChanged):
                    context["theirs"] = _theirs(design, form, request.POST.copy())
    context |= {"form": form, "path": path, "preview": preview}
    return render(request, "designs/write.html", context, status=422 if form.errors else 200)


def _text_at(design: Design, commit: str, path: str) -> dict[str, str]:
    """What the form begins with. Raises DesignNotFound for no file and for one that is no text."""
    if not path:
        return {"path": "", "text": "", "seen": ""}
    file = file_at(design, commit, path)
    text = None if file.entry.is_symlink else text_of(design, file)
    if text is None:
        raise DesignNotFound(_("“%(path)s” is no text that can be edited here.") % {"path": path[:80]})
    return {"path": path, "text": text, "seen": file.entry.oid}


def _save(design: Design, person: User, data: dict[str, str], path: str, *, offers: bool) -> HttpResponse:
    """Write the text where it belongs; under another name it is a move too."""
    to = check_path(data["path"].strip().strip("/"))
    content = data["text"].replace("\r\n", "\n").encode()
    files: dict[str, Content] = {to: content}
    seen = {to: "" if to != path else data["seen"]}
    if path and to != path:
        files[path], seen[path] = None, data["seen"]
    message = data["message"] or (_("Change %(path)s") if path else _("Add %(path)s")) % {"path": to}
    return _write(design, person, files, message, offers=offers, seen=seen)


def _theirs(design: Design, form: TextForm, sent: QueryDict) -> str | None:
    """The text that somebody else wrote meanwhile; the form keeps ours and counts theirs as seen."""
    head = git.of(design.repository).head(design.default_branch)
    try:
        file = file_at(design, head, form.cleaned_data["path"])
    except CityError:
        return None
    sent["seen"] = file.entry.oid
    form.data = sent
    return text_of(design, file)


@require_POST
@login_required
def move(request: HttpRequest, owner: str, slug: str, path: str) -> HttpResponse:
    """Give a file another path."""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    design, _commit, _context = frame(request, owner, slug)
    to = request.POST.get("to", "").strip().strip("/")
    move_file(design=design, path=path, to=to, by=request.user)
    index_later(design=design, by=request.user)
    return redirect("rooms:design_file", owner, slug, to)


@login_required
def remove(request: HttpRequest, owner: str, slug: str, path: str) -> HttpResponse:
    """Shall this file go? Its history stays."""
    design, commit, context, person = _enter(request, owner, slug)
    file = file_at(design, commit, path)
    if request.method != "POST":
        return render(request, "designs/remove.html", {**context, "file": file})
    message = _("Delete %(path)s") % {"path": path}
    return _write(
        design, person, {path: None}, message, offers=context["offers"], seen={path: request.POST.get("seen", "")}
    )
