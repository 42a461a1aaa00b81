-- name: list_rules
select name, terms, changed_at from rules order by name;

-- name: set_rule
insert into rules (name, terms, changed_at) values (%(name)s, %(terms)s, %(now)s)
on conflict (name) do update set terms = excluded.terms, changed_at = excluded.changed_at;

-- name: remove_rule
delete from rules where name = %(name)s returning name;

-- name: add_mute
insert into mutes (frame, feed_id, until, made_at, made_by)
values (%(frame)s, %(feed_id)s, %(until)s, %(now)s, %(by)s)
returning mute_id;

-- name: end_mute
update mutes set ended_at = %(now)s, ended_by = %(by)s
where mute_id = %(mute_id)s and ended_at is null and (until is null or until > %(now)s) returning mute_id;

-- name: end_mutes
update mutes set ended_at = %(now)s, ended_by = %(by)s
where (frame = %(frame)s or feed_id = %(feed_id)s) and ended_at is null and (until is null or until > %(now)s)
returning mute_id;

-- name: list_mutes
-- Those in force.
select mute_id, frame, feed_id, until, made_at from mutes
where ended_at is null and (until is null or until > %(now)s) order by mute_id;
