"""When it happens: the Celery application, its schedule, and the stages."""
