from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "commons.web"
    label = "web"
    verbose_name = "Web kit"

    def ready(self) -> None:
        """What holds for every field."""
        from commons.web import years  # noqa: PLC0415 settings must be ready

        years.everywhere()
