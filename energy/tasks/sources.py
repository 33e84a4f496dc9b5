"""Weather by the clock, and homes worked out from what they own."""

from celery import shared_task
from celery.schedules import crontab

from commons.runs.registry import Inputs, Job, Outcome, kind
from energy.engine import VERSION
from energy.errors import UnknownParticipant
from energy.kinds import HOME_KIND
from energy.models import Participant

BEAT = {
    "energy.weather": {
        "task": "energy.weather",
        "schedule": crontab(hour="*/3", minute=41),
        "options": {"queue": "simulations", "expires": 3600},
    },
}


@shared_task(name="energy.weather")
def ask() -> int:
    """Every three hours: what the feeds of weather foresee; how many could be read."""
    from energy.services import weather  # noqa: PLC0415 services need the models

    return weather.ask_all()


@kind(HOME_KIND, queue="simulations", engine_version=VERSION)
def model_home(_job: Job, inputs: Inputs) -> Outcome:
    """What a participant's year would look like."""
    from energy.services import modelling  # noqa: PLC0415 numpy is loaded by workers alone

    person = Participant.objects.select_related("community__place__parent").filter(pk=inputs["participant"]).first()
    if person is None:
        raise UnknownParticipant("The participant was taken away before its year was worked out.")
    made = modelling.build_home(person, int(inputs["year"]))

    def effect() -> None:
        modelling.keep_home(made)

    # the run's page is its owner's; the figures stand on the member's own
    return Outcome(result={"url": f"/energy/{person.community.slug}/members/{person.pk}/"}, effect=effect)
