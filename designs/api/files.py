"""The files of a design over the API: read them all, send many, put or delete one. Each write is a commit."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiRequest, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import User
from commons.web.api import requires
from designs import git, queries
from designs.api import shapes
from designs.api.designs import visitor
from designs.errors import NotYours, TooLarge
from designs.git.commits import Content
from designs.git.environment import MAX_BLOB_BYTES
from designs.git.names import check_path
from designs.models import Design
from designs.queries.files import files_at
from designs.services import index_later, write_files

MESSAGE = OpenApiParameter("message", str, description="the commit's message")
BRANCH = OpenApiParameter("branch", str, description="a branch that exists; the default branch without it")
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="git's id of the file that you saw; another one there is 409"
)


class CommitOut(serializers.Serializer[Any]):
    """The commit that a write made."""

    commit = serializers.CharField()
    branch = serializers.CharField()


class FilesIn(serializers.Serializer[Any]):
    """Many files at once, as multipart/form-data."""

    files = serializers.ListField(child=serializers.FileField())
    paths = serializers.ListField(child=serializers.CharField(), required=False, help_text="one for each file")
    folder = serializers.CharField(required=False, allow_blank=True)
    message = serializers.CharField(required=False, allow_blank=True, max_length=4000)


class Bytes(BaseParser):
    """A body as it is, whatever it calls itself."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Up to what a file may have, and one byte more."""
        return stream.read(MAX_BLOB_BYTES + 1)


class Files(APIView):
    """The files of a version."""

    permission_classes = requires(read="designs:read", write="designs:write", anonymous_reads=True)
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="designs_files",
        parameters=[OpenApiParameter("ref", str, description="branch, tag or commit; the default branch without it")],
        responses=shapes.FilesOut,
    )
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Every file with its hashes, preview and facts."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        repository = git.of(design.repository)
        ref = request.query_params.get("ref", "")
        commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
        answer = {
            "commit": commit or None,
            "results": [shapes.of_file(design, file) for file in files_at(design, commit)],
        }
        return Response(shapes.FilesOut(answer).data)

    @extend_schema(
        operation_id="designs_files_add", request={"multipart/form-data": FilesIn}, responses={201: CommitOut}
    )
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Add files, or new versions of them, in one commit."""
        from designs.views.editing import sent_files  # noqa: PLC0415 the page reads an upload in the same way

        design, person = _enter(request, owner, slug)
        files = sent_files(request._request, request._request.POST.get("folder", ""))
        message = request._request.POST.get("message", "") or _("Add %(n)d files") % {"n": len(files)}
        return _written(design, person, files, message=message, status=201)


class OneFile(APIView):
    """A file on a branch."""

    permission_classes = requires(write="designs:write")
    parser_classes = (Bytes,)

    @extend_schema(
        operation_id="designs_file_put",
        parameters=[MESSAGE, BRANCH, IF_MATCH],
        request=OpenApiRequest(OpenApiTypes.BINARY),
        responses={200: CommitOut},
    )
    def put(self, request: Request, owner: str, slug: str, path: str) -> Response:
        """Write the body to the path, as a commit. `If-Match: ""` asks that there is no file yet."""
        design, person = _enter(request, owner, slug)
        body: bytes = request.data if isinstance(request.data, bytes) else b""
        if len(body) > MAX_BLOB_BYTES:
            raise TooLarge(_("A file may have up to %(n)d MB.") % {"n": MAX_BLOB_BYTES // 1_000_000})
        return _one(request, (design, person), path, body, words=_("Change %(path)s"))

    @extend_schema(
        operation_id="designs_file_delete",
        parameters=[MESSAGE, BRANCH, IF_MATCH],
        request=None,
        responses={200: CommitOut},
    )
    def delete(self, request: Request, owner: str, slug: str, path: str) -> Response:
        """Delete the file, as a commit; older versions keep it."""
        design, person = _enter(request, owner, slug)
        repository = git.of(design.repository)
        repository.entry(repository.commit_of(_branch(request, design)), path)
        return _one(request, (design, person), path, None, words=_("Delete %(path)s"))


def _one(request: Request, entered: tuple[Design, User], path: str, content: Content, *, words: str) -> Response:
    """Write one file, if it is still the one that the caller saw."""
    design, person = entered
    match = request.headers.get("If-Match")
    return _written(
        design, person, {check_path(path): content}, branch=_branch(request, design),
        message=request.query_params.get("message", "") or words % {"path": path},
        seen=None if match is None else {path: match.strip().strip('"')},
    )  # fmt: skip


def _enter(request: Request, owner: str, slug: str) -> tuple[Design, User]:
    design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
    if not isinstance(request.user, User):
        raise NotYours(_("Only people who may push to this design can change its files."))
    return design, request.user


def _branch(request: Request, design: Design) -> str:
    return request.query_params.get("branch", "") or design.default_branch


def _written(
    design: Design, person: User, files: dict[str, Content], *, message: str, branch: str = "",
    seen: dict[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    branch = branch or design.default_branch
    if branch != design.default_branch:
        git.of(design.repository).commit_of(branch)
    made = write_files(
        design=design, files=files, message=message[:4000], author=person, by=person, branch=branch, seen=seen
    )
    index_later(design=design, by=person)
    return Response(CommitOut({"commit": made, "branch": branch}).data, status=status)
