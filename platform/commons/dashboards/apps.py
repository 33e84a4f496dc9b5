from django.apps import AppConfig


class DashboardsConfig(AppConfig):
    name = "commons.dashboards"
    label = "dashboards"
    verbose_name = "Dashboards"

    def ready(self) -> None:
        """Plug the style sheet of its pages."""
        from commons import sockets  # noqa: PLC0415 apps are ready only now

        sheet = sockets.Sheet("dashboards", "src/styles/person.css", packages=("commons.dashboards", "commons.mine"))
        sockets.sheets.register(sheet)
