"""The Celery application: its queues and its safety settings. Tasks carry no arguments; rows are the truth."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu import Exchange, Queue

from services import logs, settings
from workers.schedule import QUEUES, TICKS

_broker = settings.load().redis_url or "redis://127.0.0.1:6379/0"

app = Celery("framewatch", broker=_broker, include=["workers.tasks"])
app.conf.update(
    task_queues=[Queue(name, Exchange(""), routing_key=name) for name in sorted(set(QUEUES.values()))],
    task_routes={stage: {"queue": queue} for stage, queue in QUEUES.items()},
    task_create_missing_queues=False,
    beat_schedule={
        stage: {"task": stage, "schedule": seconds, "options": {"expires": max(seconds, 5.0)}}
        for stage, seconds in TICKS.items()
    },
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    task_time_limit=600,
    broker_connection_retry_on_startup=True,
    broker_pool_acquire_timeout=10,
    broker_transport_options={
        "visibility_timeout": 900,
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "global_keyprefix": "framewatch:",
    },
    visibility_timeout=900,
    timezone="UTC",
)


@setup_logging.connect
def _logging(**_: Any) -> None:
    logs.set_up(settings.load().log_level)
