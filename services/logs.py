"""One line an event: time, level, static event name, then its facts as key=value. Secrets in addresses are masked.

A line that is written for a request of the API says which, whoever writes it.
"""

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from services.analysis.confidential import masked

REQUEST: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that is being answered; empty where none is."""
_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Formatter(logging.Formatter):
    """Formats a record as one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, event and facts."""
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        facts = [f"{k}={_shown(v)}" for k, v in vars(record).items() if k not in _PLAIN and v is not None]
        if named := REQUEST.get():
            facts.append(f"request_id={_shown(named)}")
        line = " ".join([at, record.levelname, record.getMessage().rstrip(), *facts])
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return masked(line)


def set_up(level: str) -> None:
    """Log to standard error in our form, everybody's libraries included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Formatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for noisy in ("httpx", "httpcore", "celery.redirected", "celery.worker.strategy", "celery.app.trace", "kombu"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("celery.beat").setLevel(logging.WARNING)


def _shown(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s"=]', text) or not text else text
