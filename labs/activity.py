"""What labs tell everybody: a lab opens, a public design was made and with how many kWh, a course is taught."""

from collections.abc import Iterator

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.activity import sockets
from commons.activity.sockets import Happening, Source, Subject, SubjectKind
from commons.web import numbers
from designs.models import Design
from designs.policies import seen_by
from labs.models import Job, Lab, Teaching
from labs.queries.catalogue import of_place

PAGES = ("lab", "lab_live", "lab_week", "lab_made", "machine", "lab_about")
MADE = (Job.Provenance.PROVEN, Job.Provenance.PROBABLE)


def find(key: str) -> Subject | None:
    """A lab; all are public."""
    found = Lab.objects.select_related("place").filter(slug=key.lower()).first()
    return Subject("lab", found.slug, found.name, reverse("rooms:lab", args=[found.slug]), found) if found else None


def tell(subject: Subject, most: int) -> Iterator[Happening]:
    """The newest of a lab, of a place's labs, of a design's makes, or of all. No person is named."""
    which = _which(subject)
    if which is None:
        return
    if subject.kind != "design":
        yield from _opened(which, most)
        yield from _taught(which, most)
    yield from _made(subject, which, most)


def _which(subject: Subject) -> Q | None:
    """Which labs it is about, as a condition on labs; None where it is about none."""
    if subject.kind == "lab":
        return Q(pk=subject.thing.pk)
    if subject.kind == "place":
        return of_place(subject.thing)
    return Q() if subject.kind in {"city", "design"} else None


def _opened(which: Q, most: int) -> Iterator[Happening]:
    for lab in Lab.objects.filter(which).order_by("-created_at")[:most]:
        said = _("%(lab)s opens its doors") % {"lab": lab.name}
        yield Happening(f"lab-{lab.pk}", lab.created_at, said, reverse("rooms:lab", args=[lab.slug]), lab.name)


def _taught(which: Q, most: int) -> Iterator[Happening]:
    rows = Teaching.objects.filter(lab__in=Lab.objects.filter(which).values("pk"), ended_at=None)
    seen = Design.objects.filter(seen_by(None)).values("pk")
    rows = rows.filter(course__design__in=seen).select_related("lab", "course__design__owner")
    for row in rows.order_by("-since")[:most]:
        design = row.course.design
        said = _("%(lab)s teaches “%(course)s”") % {"lab": row.lab.name, "course": row.course.title or design.name}
        yield Happening(
            f"teaching-{row.pk}",
            row.since,
            said,
            reverse("rooms:course", args=[design.owner.name, design.slug]),
            row.lab.name,
        )


def _made(subject: Subject, which: Q, most: int) -> Iterator[Happening]:
    rows = Job.objects.filter(
        machine__lab__in=Lab.objects.filter(which).values("pk"),
        outcome=Job.Outcome.FINISHED,
        public_made=True,
        provenance__in=MADE,
        design__in=Design.objects.filter(seen_by(None)).values("pk"),
        finished_at__isnull=False,
    )
    if subject.kind == "design":
        rows = rows.filter(design=subject.thing)
    for job in rows.select_related("machine__lab", "design").order_by("-finished_at")[:most]:
        assert job.design is not None  # noqa: S101 the filter saw to it
        assert job.finished_at is not None  # noqa: S101 the same
        words = {"design": job.design.name, "machine": job.machine.name, "kwh": numbers.kwh(job.energy_kwh)}
        said = (
            _("%(machine)s made %(design)s with %(kwh)s")
            if job.energy_kwh is not None
            else _("%(machine)s made %(design)s")
        )
        url = reverse("rooms:job", args=[job.pk])
        yield Happening(f"job-{job.pk}", job.finished_at, said % words, url, job.machine.lab.name)


def register() -> None:
    """Labs may be followed, and tell what happens in them."""
    pages = {f"rooms:{name}": lambda at: str(at["lab"]) for name in PAGES}
    sockets.kinds.register(SubjectKind("lab", lazy("Labs"), find, pages, order=40))
    sockets.sources.register(Source("labs", tell, order=20))
