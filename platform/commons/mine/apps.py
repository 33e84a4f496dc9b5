from django.apps import AppConfig


class MineConfig(AppConfig):
    name = "commons.mine"
    label = "mine"
    verbose_name = "A person's own pages"

    def ready(self) -> None:
        """Plug in the card and the first step."""
        from commons.mine import plugs  # noqa: PLC0415 models must be ready

        plugs.register()
