"""Lines of the log: for people, or one JSON document each (LOG_FORMAT=json), with the request's id in both."""

import datetime as dt
import json
import logging
from typing import Any

from commons.watching import measures, tracing
from commons.web.masking import MASK, is_secret, masked

#: What a record has of itself; anything else was given as `extra` and is told.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request", "exc_text", "trace"}


class WithTrace(logging.Filter):
    """Gives each record the id of the request or run that it belongs to, as a line ends with it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets it through."""
        trace = tracing.current()
        record.trace = f" [{trace.trace_id}]" if trace else ""
        return True


class Json(logging.Formatter):
    """One line of JSON: time, level, logger, message, role, trace, span, what was given as `extra`, and a fault."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        trace = tracing.current()
        said: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "role": measures.role(),
        }
        if trace:
            said |= {"trace": trace.trace_id, "span": trace.span_id}
        said |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            said["fault"] = self.formatException(record.exc_info)
        return json.dumps({name: _safe(name, value) for name, value in said.items()}, ensure_ascii=False)


def _safe(name: str, value: Any) -> Any:
    """A value as it may be written down: numbers as they are, all else as masked words."""
    if is_secret(name):
        return MASK
    return value if value is None or isinstance(value, int | float) else masked(str(value))
