"""What was public of a design and may no longer be: the titles and results of the work that was done for it."""

from django.db.models import Q

from commons.runs.models import Run
from designs.models import Design


def silence_runs(design: Design) -> int:
    """Runs about a design, its releases and changes are from now on their owners' alone; how many were public.

    For a design that becomes private, is hidden or is deleted: a run's title names it.
    """
    about = f"designs.design:{design.pk}"
    others = [f"designs.release:{pk}" for pk in design.releases.values_list("pk", flat=True)]
    others += [f"designs.proposal:{pk}" for pk in design.proposals.values_list("pk", flat=True)]
    told = Q(subject=about) | Q(subject__startswith=f"{about}:") | Q(subject__in=others)
    return Run.objects.filter(told, public=True).update(public=False)
