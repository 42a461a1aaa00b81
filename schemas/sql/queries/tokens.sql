-- name: add_token
-- No row comes back when a token in force has the name.
insert into tokens (token_id, name, digest, scopes, created_at, expires_at)
values (%(token_id)s, %(name)s, %(digest)s, %(scopes)s::text[], %(now)s, %(expires_at)s)
on conflict (name) where revoked_at is null do nothing
returning token_id;

-- name: retire_expired
-- A name is free again when its token has run out.
update tokens set revoked_at = expires_at
where name = %(name)s and revoked_at is null and expires_at <= %(now)s;

-- name: read_token
select token_id, name, digest, scopes, last_used_at from tokens
where token_id = %(token_id)s and revoked_at is null and (expires_at is null or expires_at > %(now)s);

-- name: touch_token
update tokens set last_used_at = %(now)s
where token_id = %(token_id)s and (last_used_at is null or last_used_at < %(now)s);

-- name: list_tokens
select token_id, name, scopes, created_at, expires_at, revoked_at, last_used_at from tokens
order by created_at, token_id;

-- name: revoke_token
update tokens set revoked_at = %(now)s
where (token_id = %(token)s or name = %(token)s) and revoked_at is null
returning token_id, name;
