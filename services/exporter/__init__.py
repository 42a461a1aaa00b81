"""The exporter: figures for Prometheus, read from Postgres at scrape time. It keeps no state and changes nothing."""
