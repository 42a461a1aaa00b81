-- name: add_session
insert into sessions (digest, token_id, mark, made_at, used_at)
values (%(digest)s, %(token_id)s, %(mark)s, %(now)s, %(now)s);

-- name: read_session
-- Of one that is in force: whose it is. A token that was revoked or ran out signs nobody in.
select s.token_id, s.used_at, t.name, t.scopes
from sessions s left join tokens t using (token_id)
where s.digest = %(digest)s and s.made_at > %(made_after)s and s.used_at > %(used_after)s
  and (s.mark = %(mark)s::bytea
       or t.token_id is not null and t.revoked_at is null and (t.expires_at is null or t.expires_at > %(now)s));

-- name: touch_session
update sessions set used_at = %(now)s where digest = %(digest)s and used_at < %(now)s;

-- name: end_session
delete from sessions where digest = %(digest)s;

-- name: forget_sessions
-- Those that are over.
delete from sessions where made_at <= %(made_after)s or used_at <= %(used_after)s;
