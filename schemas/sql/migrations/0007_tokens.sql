-- Who may ask the API what. A token is 256 random bits and is shown once; kept is its SHA-256, which nobody can turn back.
-- The identity stands in the token's own text, so that one found in a log can be told and revoked.
create table tokens (
  token_id     text primary key,
  name         text not null,
  digest       bytea not null,
  scopes       text[] not null check (scopes <@ array['read', 'write', 'push', 'admin'] and cardinality(scopes) > 0),
  created_at   timestamptz not null,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz
);
create unique index tokens_name on tokens (name) where revoked_at is null;
