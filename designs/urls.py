"""Addresses of the room: pages in `urlpatterns`, the API in `api_urlpatterns`, files and git outside the languages."""

from django.urls import URLPattern, URLResolver, path, re_path

from designs.api import bom as bom_api
from designs.api import designs as api
from designs.api import imports as imports_api
from designs.api import okh as okh_api
from designs.api import people, proposals
from designs.api import releases as releases_api
from designs.api.diffs import Diff
from designs.api.files import Files, OneFile
from designs.api.forks import Forks
from designs.api.provenance import Provenance
from designs.views import (
    bom,
    change_acts,
    changes,
    collections,
    comparing,
    content,
    editing,
    feeds,
    forks,
    git_http,
    lfs,
    lists,
    makes,
    okh,
    pages,
    releases,
    rights,
    settings,
    stars,
    talk,
)

LFS = "designs/<slug:owner>/<slug:slug>.git/info/lfs/"

urlpatterns: list[URLPattern | URLResolver] = [
    path("designs/", lists.designs, name="designs"),
    path("designs/new/", lists.new, name="design_new"),
    path("designs/okh/", okh.check_page, name="okh_check"),
    path("designs/<slug:owner>/<slug:slug>/", pages.design, name="design"),
    path("designs/<slug:owner>/<slug:slug>/files/<path:path>", pages.file, name="design_file"),
    path("designs/<slug:owner>/<slug:slug>/changes/", changes.changes, name="design_changes"),
    path("designs/<slug:owner>/<slug:slug>/changes/new/", changes.new, name="design_change_new"),
    path("designs/<slug:owner>/<slug:slug>/changes/<int:number>/", changes.change, name="design_change"),
    path("designs/<slug:owner>/<slug:slug>/changes/<int:number>/merge/", changes.merge, name="design_change_merge"),
    path("designs/<slug:owner>/<slug:slug>/changes/<int:number>/edit/", changes.edit, name="design_change_edit"),
    path(
        "designs/<slug:owner>/<slug:slug>/changes/<int:number>/comments/<int:pk>/",
        change_acts.comment,
        name="design_change_comment",
    ),
    path(
        "designs/<slug:owner>/<slug:slug>/changes/<int:number>/<slug:verb>/", change_acts.act, name="design_change_act"
    ),
    path("designs/<slug:owner>/<slug:slug>/add/", editing.add, name="design_add"),
    path("designs/<slug:owner>/<slug:slug>/write/", editing.write, name="design_write_new"),
    path("designs/<slug:owner>/<slug:slug>/write/<path:path>", editing.write, name="design_write"),
    path("designs/<slug:owner>/<slug:slug>/move/<path:path>", editing.move, name="design_move"),
    path("designs/<slug:owner>/<slug:slug>/remove/<path:path>", editing.remove, name="design_remove"),
    path("designs/<slug:owner>/<slug:slug>/history/", pages.history_page, name="design_history"),
    path("designs/<slug:owner>/<slug:slug>/talk/", talk.talk_page, name="design_talk"),
    path("designs/<slug:owner>/<slug:slug>/talk/say/", talk.say, name="design_say"),
    path("designs/<slug:owner>/<slug:slug>/talk/<int:pk>/", talk.change, name="design_comment"),
    path("designs/<slug:owner>/<slug:slug>/makes/", makes.makes_page, name="design_makes"),
    path("designs/<slug:owner>/<slug:slug>/makes/add/", makes.add, name="design_make_add"),
    path("designs/<slug:owner>/<slug:slug>/makes/<int:pk>/delete/", makes.delete, name="design_make_delete"),
    path("designs/<slug:owner>/<slug:slug>/star/", stars.star, name="design_star"),
    path("designs/<slug:owner>/<slug:slug>/watch/", stars.watch, name="design_watch"),
    path("designs/<slug:owner>/<slug:slug>/collect/", collections.collect, name="design_collect"),
    path("designs/<slug:owner>/<slug:slug>/settings/", settings.settings, name="design_settings"),
    path("designs/<slug:owner>/<slug:slug>/leave/", settings.leave, name="design_leave"),
    path("me/stars/", stars.starred, name="my_stars"),
    path("me/designs/<int:pk>/restore/", settings.restore, name="design_restore"),
    path("me/offers/<int:pk>/", settings.answer_offer, name="design_offer"),
    path("collections/", collections.collections, name="collections"),
    path("collections/new/", collections.new, name="collection_new"),
    path("collections/<slug:owner>/<slug:slug>/", collections.collection, name="collection"),
    path("collections/<slug:owner>/<slug:slug>/edit/", collections.edit, name="collection_edit"),
    path("designs/<slug:owner>/<slug:slug>/compare/", comparing.compare, name="design_compare"),
    path("designs/<slug:owner>/<slug:slug>/bom/", bom.page, name="design_bom"),
    path("designs/<slug:owner>/<slug:slug>/manifest/", okh.manifest_page, name="design_manifest"),
    path("designs/<slug:owner>/<slug:slug>/fork/", forks.fork, name="design_fork"),
    path("designs/<slug:owner>/<slug:slug>/rights/", rights.rights, name="design_rights"),
    path(
        "designs/<slug:owner>/<slug:slug>/rights/<int:source>/remove/",
        rights.remove_source,
        name="design_source_remove",
    ),
    path("designs/<slug:owner>/<slug:slug>/releases/", releases.releases, name="design_releases"),
    path("designs/<slug:owner>/<slug:slug>/releases/new/", releases.new, name="design_release_new"),
    path("designs/<slug:owner>/<slug:slug>/releases/<str:version>/", releases.release, name="design_release"),
    path("designs/<slug:owner>/<slug:slug>/releases/<str:version>/pack/", releases.pack, name="design_release_pack"),
    path("designs/<slug:owner>/<slug:slug>/forks/", forks.forks, name="design_forks"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("designs/", api.Designs.as_view(), name="designs"),
    path("designs/import/", imports_api.Imports.as_view(), name="design_import"),
    path("designs/<slug:owner>/<slug:slug>/", api.OneDesign.as_view(), name="design"),
    path("designs/<slug:owner>/<slug:slug>/mirror/", imports_api.OneMirror.as_view(), name="design_mirror"),
    path("designs/<slug:owner>/<slug:slug>/mirror/fetch/", imports_api.Fetch.as_view(), name="design_mirror_fetch"),
    path("designs/<slug:owner>/<slug:slug>/files/", Files.as_view(), name="design_files"),
    path("designs/<slug:owner>/<slug:slug>/files/<path:path>", OneFile.as_view(), name="design_file"),
    path("designs/<slug:owner>/<slug:slug>/star/", people.Starred.as_view(), name="design_star"),
    path("designs/<slug:owner>/<slug:slug>/makes/", people.Makes.as_view(), name="design_makes"),
    path("designs/<slug:owner>/<slug:slug>/comments/", people.Comments.as_view(), name="design_comments"),
    path("designs/<slug:owner>/<slug:slug>/comments/<int:pk>/", people.OneComment.as_view(), name="design_comment"),
    path("designs/<slug:owner>/<slug:slug>/collaborators/", people.Collaborators.as_view(), name="design_people"),
    path(
        "designs/<slug:owner>/<slug:slug>/collaborators/<slug:name>/",
        people.OneCollaborator.as_view(),
        name="design_person",
    ),
    path("collections/", people.Collections.as_view(), name="collections"),
    path("designs/<slug:owner>/<slug:slug>/diff/", Diff.as_view(), name="design_diff"),
    path("designs/<slug:owner>/<slug:slug>/bom/", bom_api.Parts.as_view(), name="design_bom"),
    path("designs/<slug:owner>/<slug:slug>/okh.toml", okh_api.Toml.as_view(), name="design_okh_toml"),
    path("designs/<slug:owner>/<slug:slug>/okh.yml", okh_api.Yaml.as_view(), name="design_okh_yaml"),
    path("designs/<slug:owner>/<slug:slug>/fork/", Forks.as_view(), name="design_fork"),
    path("designs/<slug:owner>/<slug:slug>/lineage/", releases_api.Lineage.as_view(), name="design_lineage"),
    path(
        "designs/<slug:owner>/<slug:slug>/lineage/<int:source>/", releases_api.OneSource.as_view(), name="design_source"
    ),
    path("designs/<slug:owner>/<slug:slug>/releases/", releases_api.Releases.as_view(), name="design_releases"),
    path(
        "designs/<slug:owner>/<slug:slug>/releases/<str:version>/",
        releases_api.OneRelease.as_view(),
        name="design_release",
    ),
    path("designs/<slug:owner>/<slug:slug>/proposals/", proposals.Proposals.as_view(), name="proposals"),
    path("designs/<slug:owner>/<slug:slug>/proposals/<int:number>/", proposals.OneProposal.as_view(), name="proposal"),
    path(
        "designs/<slug:owner>/<slug:slug>/proposals/<int:number>/merge/",
        proposals.Merge.as_view(),
        name="proposal-merge",
    ),
    path(
        "designs/<slug:owner>/<slug:slug>/proposals/<int:number>/branch/",
        proposals.Branch.as_view(),
        name="proposal-branch",
    ),
    path(
        "designs/<slug:owner>/<slug:slug>/proposals/<int:number>/comments/",
        proposals.Remarks.as_view(),
        name="proposal-comments",
    ),
    path(
        "designs/<slug:owner>/<slug:slug>/proposals/<int:number>/reviews/",
        proposals.Reviews.as_view(),
        name="proposal-reviews",
    ),
    path("provenance/", Provenance.as_view(), name="provenance"),
]
bare_urlpatterns: list[URLPattern | URLResolver] = [
    path("designs/<slug:owner>/<slug:slug>.git/info/refs", git_http.info_refs, name="git-info-refs"),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)\.git/(?P<service>git-upload-pack|git-receive-pack)$",
        git_http.rpc,
        name="git-rpc",
    ),
    path(f"{LFS}objects/batch", lfs.batch, name="lfs-batch"),
    path(f"{LFS}objects/verify", lfs.verify, name="lfs-verify"),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)\.git/info/lfs/objects/(?P<oid>[0-9a-f]{64})$",
        lfs.one_object,
        name="lfs-object",
    ),
    path(f"{LFS}locks", lfs.locks, name="lfs-locks"),
    path(f"{LFS}locks/verify", lfs.verify_locks, name="lfs-locks-verify"),
    path(
        "designs/<slug:owner>/<slug:slug>/board/<str:ref>/<str:kind>/<path:folder>",
        content.board,
        name="design-board",
    ),
    path(f"{LFS}locks/<int:number>/unlock", lfs.unlock, name="lfs-unlock"),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/previews/(?P<oid>[0-9a-f]{40})\.(?P<kind>png|small|large|glb)$",
        content.preview,
        name="design-preview",
    ),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/previews/(?P<oid>[0-9a-f]{40})-(?P<key>[0-9a-f]{64})\.(?P<kind>png|small|glb)$",
        content.made,
        name="design-made",
    ),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/previews/(?P<oid>[0-9a-f]{40})\.layer-(?P<number>[0-9]{1,5})\.svg$",
        content.layer,
        name="design-layer",
    ),
    path("designs/releases.atom", feeds.of_all, name="releases-feed"),
    path("designs/<slug:owner>/<slug:slug>/releases.atom", feeds.of_design, name="design-releases-feed"),
    path(
        "designs/<slug:owner>/<slug:slug>/releases/<str:version>.zip", releases.archive, name="design-release-archive"
    ),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/makes/(?P<pk>[0-9]+)/(?P<photo>[0-9a-f]{32}-(?:large|small))\.jpg$",
        makes.picture,
        name="design-make-photo",
    ),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/compared/(?P<base>[0-9a-f]{40}|nothing)-(?P<head>[0-9a-f]{40})/"
        r"(?P<old>[0-9a-f]{40}|nothing)-(?P<new>[0-9a-f]{40}|nothing)/(?P<kind>[a-z-]+\.(png|glb))$",
        comparing.content,
        name="design-compared",
    ),
    path("designs/<slug:owner>/<slug:slug>/bom.csv", bom.download, name="design-bom-csv"),
    re_path(r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/okh\.(?P<ending>toml|yml)$", okh.download, name="design-okh"),
    path("designs/<slug:owner>/<slug:slug>/archive/<path:ref>.zip", content.archive, name="design-archive"),
    re_path(
        r"^designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+)/raw/(?P<ref>[0-9a-f]{40}|[A-Za-z0-9._-]+)/(?P<path>.+)$",
        content.raw,
        name="design-raw",
    ),
]
