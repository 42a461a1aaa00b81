-- name: list_rules
select name, terms, changed_at from rules order by name;

-- name: set_rule
insert into rules (name, terms, changed_at) values (%(name)s, %(terms)s, %(now)s)
on conflict (name) do update set terms = excluded.terms, changed_at = excluded.changed_at;

-- name: remove_rule
delete from rules where name = %(name)s returning name;

-- name: add_mute
insert into mutes (frame, feed_id, until, made_at) values (%(frame)s, %(feed_id)s, %(until)s, %(now)s)
returning mute_id;

-- name: end_mute
delete from mutes where mute_id = %(mute_id)s returning mute_id;

-- name: end_mutes
delete from mutes where frame = %(frame)s or feed_id = %(feed_id)s returning mute_id;

-- name: list_mutes
-- Those in force.
select mute_id, frame, feed_id, until, made_at from mutes where until is null or until > %(now)s order by mute_id;
