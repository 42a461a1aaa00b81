"""What every chat shares: a notice becomes its brief, the brief one request in the service's own words.

Must not know any one service, retry, or give a service anything to follow but the page of the console.
"""

from datetime import datetime
from typing import Any

from pydantic import SecretStr

from schemas.records import Notice
from services.channels.base import ChannelConfig, Means
from services.channels.brief import Brief, brief
from services.channels.over_http import Request, WebUrl, hand_over


class Address(ChannelConfig):
    """The form of the services for which an address that nobody else knows is enough."""

    url: WebUrl


class Chat:
    """One chat; a kind says how it words a brief (`request`)."""

    def __init__(self, config: Any, means: Means) -> None:
        self._config = config
        self._means = means

    def send(self, notice: Notice, *, sent_at: datetime) -> None:  # noqa: ARG002
        """Post the notice once; a 2xx counts as taken, whatever else it says. Raises what hand_over raises."""
        told = brief(notice, self._means.public_url)
        request = self.request(self._config, told)
        secrets = [v.get_secret_value() for _, v in self._config if isinstance(v, SecretStr) and v.get_secret_value()]
        hand_over(self._means.poster, request, secrets)

    def request(self, config: Any, told: Brief) -> Request:
        """The one request that carries `told`."""
        raise NotImplementedError
