"""What hubs were asked and what they agreed to: one row a feed that names a hub."""

from datetime import datetime

from services.store.pool import Connection, Row, row, rows, run


def due_subscriptions(connection: Connection, now: datetime, limit: int) -> list[Row]:
    """Feeds whose hub is to be asked: feed_id, hub, topic, and token, secret, attempts, state so far (or None)."""
    return rows(connection, "websub", "due_subscriptions", now=now, limit=limit)


def save_subscription(
    connection: Connection, feed_id: int, *, hub: str, topic: str, token: str, secret: str, ask_at: datetime,
    attempts: int,
) -> None:  # fmt: skip
    """What is about to be asked of a hub; an agreement with the same hub stays."""
    values = {"hub": hub, "topic": topic, "token": token, "secret": secret, "ask_at": ask_at, "attempts": attempts}
    run(connection, "websub", "save_subscription", feed_id=feed_id, **values)


def find_subscription(connection: Connection, token: str) -> Row | None:
    """What a callback belongs to: feed_id, topic, secret, state."""
    return row(connection, "websub", "find_subscription", token=token)


def agree_subscription(connection: Connection, token: str, *, lease_until: datetime, ask_at: datetime) -> None:
    """The hub will tell us until `lease_until`; it is asked again at `ask_at`."""
    run(connection, "websub", "agree_subscription", token=token, lease_until=lease_until, ask_at=ask_at)


def deny_subscription(connection: Connection, token: str, *, ask_at: datetime) -> None:
    """The hub will not tell us; it is asked again at `ask_at`."""
    run(connection, "websub", "deny_subscription", token=token, ask_at=ask_at)
