"""How much is stored: counted while it is little, what Postgres estimates after that. It writes nothing."""

from services.store.pool import Connection, Row, one

COUNTED = 20_000
"""Rows that are counted one by one; a million would take a second."""


def stored_sizes(connection: Connection) -> Row:
    """posts, parked_posts and embeddings stored; more than COUNTED are estimated, within a few seconds and percent."""
    found = estimated_sizes(connection)
    posts, vectors = found["posts"], found["embeddings"]
    # Asked apart: counting is planned over every partition, which takes longer than all other questions of a scrape.
    return {
        **found,
        "posts": posts if posts > COUNTED else count_posts(connection),
        "embeddings": vectors if vectors > COUNTED else count_embeddings(connection),
    }


def estimated_sizes(connection: Connection) -> Row:
    """About how many posts and embeddings are stored, and how many posts are parked."""
    return one(connection, "sizes", "estimated_sizes")


def count_posts(connection: Connection) -> int:
    """How many posts are stored, one by one."""
    return int(one(connection, "sizes", "count_posts")["rows"])


def count_embeddings(connection: Connection) -> int:
    """How many vectors are stored, one by one."""
    return int(one(connection, "sizes", "count_embeddings")["rows"])
