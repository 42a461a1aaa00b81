"""Which stage runs on which queue, and how often beat ticks it. Ticks only nudge: what is due is in the rows."""

QUEUES = {
    "collect": "network",
    "deliver": "network",
    "classify": "model",
    "rollup": "light",
    "detect": "light",
    "digest": "light",
    "upkeep": "light",
}

TICKS = {
    "collect": 2.0,
    "deliver": 5.0,
    "classify": 5.0,
    "rollup": 5.0,
    "detect": 10.0,
    "digest": 10.0,
    "upkeep": 3600.0,
}
