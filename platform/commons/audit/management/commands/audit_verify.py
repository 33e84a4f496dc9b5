"""`manage.py audit_verify [--json]`."""

from typing import Any

from commons.audit import queries, services
from commons.web.commands import CityCommand


class Command(CityCommand):
    """Work the audit log's chain out again, and name the first row that is not as it was sealed."""

    help = "Works the audit log's chain out again from its first row and holds it against every published head."

    def run(self, **_options: Any) -> dict[str, Any]:
        services.seal()
        found = queries.verify()
        return {
            "ok": found.broken_at is None and not found.waiting,
            "rows": found.rows,
            "head": found.end,
            "heads": found.heads,
            "first_broken_row": found.broken_at,
            "why": found.why,
            "rows_without_a_place": found.waiting,
        }
