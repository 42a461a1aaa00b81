"""Notices as alerts of a Prometheus Alertmanager, so that its silences, routes and on-call rotas apply.

Sending again changes nothing there: the labels say which alert it is. Digests and tests appear for an hour as
alerts of severity `info`. Must not keep anything between notices.
"""

from datetime import datetime

from pydantic import SecretStr

from schemas.records import Notice
from services.channels.base import ChannelConfig, Means
from services.channels.labels import posted
from services.channels.over_http import Request, Token, WebUrl, bearer, hand_over

_API = "/api/v2/alerts"


class Config(ChannelConfig):
    """The Alertmanager's address, such as http://alertmanager:9093, with a token when one is needed."""

    url: WebUrl
    token: Token = SecretStr("")


class Alertmanager:
    """Posts notices to one Alertmanager."""

    def __init__(self, config: Config, means: Means) -> None:
        self._config = config
        self._means = means

    def send(self, notice: Notice, *, sent_at: datetime) -> None:
        """Post the alert as it stands now."""
        home = self._config.url.get_secret_value().rstrip("/").removesuffix(_API)
        alerts = posted(notice, self._means.public_url, sent_at=sent_at)
        request = Request(home + _API, alerts, bearer(self._config.token))
        hand_over(self._means.poster, request, [self._config.token.get_secret_value()])
