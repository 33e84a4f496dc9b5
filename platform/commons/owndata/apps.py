from django.apps import AppConfig


class OwnDataConfig(AppConfig):
    name = "commons.owndata"
    label = "owndata"
    verbose_name = "A person's own data"

    def ready(self) -> None:
        """What is let go of when somebody leaves, whichever rooms there are."""
        from commons import sockets  # noqa: PLC0415 models must be ready
        from commons.owndata import leaving  # noqa: PLC0415 as above

        sockets.leavers.register(sockets.Leaver("owndata", leaving.leave, leaving.keeps, order=90))
