-- name: latest_codebook
select version_id, version, title, body, state, applied_at from codebooks
where codebook = %(codebook)s order by version desc limit 1;

-- name: add_codebook
insert into codebooks (codebook, version, title, body, state, applied_at)
select %(codebook)s, coalesce(max(version), 0) + 1, %(title)s, %(body)s, %(state)s, %(now)s
from codebooks where codebook = %(codebook)s
returning version_id, version;

-- name: add_frames
insert into frames (version_id, position, frame, title, description)
select %(version_id)s, position - 1, frame, title, description
from unnest(%(frame)s::text[], %(title)s::text[], %(description)s::text[])
  with ordinality as t (frame, title, description, position);

-- name: add_watches
insert into watches (version_id, frame) select version_id, frame from frames where version_id = %(version_id)s;

-- name: retire_building
-- A newer codebook overtakes one that was still being built.
update codebooks set state = 'retired' where codebook = %(codebook)s and state = 'building' returning version_id;

-- name: copy_watches
-- A new version takes over how far detection had come, so that old buckets raise nothing again.
with before as (
  select o.frame, o.evaluated_until
  from watches o join codebooks c using (version_id)
  where c.state = 'current' and c.codebook = (select codebook from codebooks where version_id = %(version_id)s)
)
update watches w
set evaluated_until = coalesce((select b.evaluated_until from before b where b.frame = w.frame),
                               (select max(b.evaluated_until) from before b))
where w.version_id = %(version_id)s;

-- name: codebooks_in_service
-- Versions that every post must be scored under: the current ones and those being built.
select version_id, codebook, version, title, body, state, applied_at from codebooks
where state in ('current', 'building') order by version_id;

-- name: current_codebooks
select version_id, codebook, version, title, body, state, applied_at from codebooks
where state = 'current' order by version_id;

-- name: list_codebooks
select version_id, codebook, version, title, state, applied_at from codebooks order by codebook, version desc;

-- name: lock_codebooks
-- Settling a batch and applying a codebook must not cross: the one shares this lock, the other holds it alone.
select pg_advisory_xact_lock(hashtext('framewatch.codebooks'));

-- name: share_codebooks
select pg_advisory_xact_lock_shared(hashtext('framewatch.codebooks'));

-- name: built_codebooks
-- Versions under which every post from before they were applied has been scored.
select b.version_id, b.codebook from codebooks b
where b.state = 'building' and not exists (
  select from posts p
  left join scores s on s.version_id = b.version_id and s.post_id = p.post_id
  where s.post_id is null and p.received_at <= b.applied_at
    and not exists (select from queue q where q.post_id = p.post_id and q.state = 'parked'));

-- name: retire_current
update codebooks set state = 'retired' where codebook = %(codebook)s and state = 'current' returning version_id;

-- name: make_current
update codebooks set state = 'current' where version_id = %(version_id)s and state = 'building' returning version_id;

-- name: any_building
select exists (select from codebooks where state = 'building') as building;

-- name: list_frames
select f.frame, f.title, f.description, f.position, c.codebook, c.version, c.version_id, c.title as codebook_title
from frames f join codebooks c using (version_id)
where c.state = 'current' order by c.codebook, f.position;

-- name: find_heads
select body from heads where version_id = %(version_id)s and model_id = %(model_id)s;

-- name: heads_of_version
-- The heads of a version for one model, or the newest ones when none is named.
select h.model_id, m.name, h.body from heads h join models m using (model_id)
where h.version_id = %(version_id)s and (%(model_id)s::smallint is null or h.model_id = %(model_id)s)
order by h.learned_at desc, h.model_id desc limit 1;

-- name: add_heads
insert into heads (version_id, model_id, body, learned_at) values (%(version_id)s, %(model_id)s, %(body)s, %(now)s)
on conflict do nothing;

-- name: models_of
-- The models whose scores a version stands on.
select m.name from heads h join models m using (model_id) where h.version_id = %(version_id)s order by m.model_id;
