from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "commons.web"
    label = "web"
    verbose_name = "Web kit"

    def ready(self) -> None:
        from commons.web import written  # noqa: PLC0415 after the apps are there

        written.listen()
