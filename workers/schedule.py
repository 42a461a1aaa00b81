"""Which stage runs on which queue, and how often beat ticks it. Ticks only nudge: what is due is in the rows.

What takes minutes has the queue `long`: nothing that somebody waits for may stand behind it.
"""

QUEUES = {
    "collect": "network",
    "listen": "network",
    "recheck": "network",
    "subscribe": "network",
    "deliver": "network",
    "classify": "model",
    "rescore": "model",
    "rollup": "light",
    "detect": "light",
    "digest": "light",
    "suggest": "long",
    "upkeep": "long",
}

TICKS = {
    "collect": 2.0,
    "listen": 5.0,
    "recheck": 60.0,
    "subscribe": 60.0,
    "deliver": 5.0,
    "classify": 5.0,
    "rescore": 5.0,
    "rollup": 5.0,
    "detect": 10.0,
    "digest": 10.0,
    "suggest": 60.0,
    "upkeep": 300.0,
}

LASTING = frozenset({"listen"})
"""Stages whose runs go on for as long as there is work: when one last ended says nothing of health."""
