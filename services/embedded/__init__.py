"""Servers and processes on one machine: a private PostgreSQL and Redis, and their supervisor."""
