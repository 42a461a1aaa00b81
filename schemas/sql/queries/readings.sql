-- name: schema_number
-- Number of the newest migration applied.
select coalesce(max(number), 0)::int as number from schema_migrations;
