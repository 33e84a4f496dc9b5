from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "commons.web"
    label = "web"
    verbose_name = "Web kit"

    def ready(self) -> None:
        """What holds for every field, and what is seen of every change."""
        from commons.web import written, years  # noqa: PLC0415 settings must be ready

        years.everywhere()
        written.listen()
