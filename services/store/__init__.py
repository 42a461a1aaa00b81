"""Every question to Postgres: one module a topic, one function a named query, and nothing decided here."""
