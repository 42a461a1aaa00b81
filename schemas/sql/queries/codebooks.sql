-- name: latest_codebook
select version_id, version, title, body, state, applied_at from codebooks
where codebook = %(codebook)s order by version desc limit 1;

-- name: add_codebook
insert into codebooks (codebook, version, title, body, state, applied_at)
select %(codebook)s, coalesce(max(version), 0) + 1, %(title)s, %(body)s, %(state)s, %(now)s
from codebooks where codebook = %(codebook)s
returning version_id, version;

-- name: add_frames
insert into frames (version_id, position, frame, title, description, details)
select %(version_id)s, position - 1, frame, title, description, details::jsonb
from unnest(%(frame)s::text[], %(title)s::text[], %(description)s::text[], %(details)s::text[])
  with ordinality as t (frame, title, description, details, position);

-- name: add_watches
insert into watches (version_id, frame) select version_id, frame from frames where version_id = %(version_id)s;

-- name: retire_building
-- A newer codebook overtakes one that was still being built.
update codebooks set state = 'retired' where codebook = %(codebook)s and state = 'building' returning version_id;

-- name: copy_watches
-- A new version takes over how far detection had come, so that old buckets raise nothing again; how it sees them is
-- still to be judged.
with before as (
  select o.frame, o.evaluated_until
  from watches o join codebooks c using (version_id)
  where c.state = 'current' and c.codebook = (select codebook from codebooks where version_id = %(version_id)s)
), taken as (
  select w.frame, coalesce((select b.evaluated_until from before b where b.frame = w.frame),
                           (select max(b.evaluated_until) from before b)) as until
  from watches w where w.version_id = %(version_id)s
)
update watches w set evaluated_until = taken.until, past_due = taken.until is not null
from taken where w.version_id = %(version_id)s and w.frame = taken.frame;

-- name: codebooks_in_service
-- Versions that every post must be scored under: the current ones and those being built.
select version_id, codebook, version, title, body, state, applied_at from codebooks
where state in ('current', 'building') order by version_id;

-- name: current_codebooks
select version_id, codebook, version, title, body, state, applied_at from codebooks
where state = 'current' order by version_id;

-- name: list_codebooks
select version_id, codebook, version, title, state, applied_at, current_at, kept from codebooks
order by codebook, version desc;

-- name: find_codebook
-- One version of a codebook.
select version_id, codebook, version, title, body, state, applied_at, current_at, kept from codebooks
where codebook = %(codebook)s and version = %(version)s;

-- name: last_current
-- The version that readers saw before the current one.
select version_id, codebook, version, title, body, state, applied_at, current_at, kept from codebooks
where codebook = %(codebook)s and state = 'retired' and current_at is not null
order by current_at desc, version desc limit 1;

-- name: build_again
-- A version out of service is to become current once more.
update codebooks set state = 'building', kept = true where version_id = %(version_id)s and state = 'retired'
returning version_id;

-- name: versions_to_forget
-- Versions whose scores are kept no longer: those readers never saw, and all but the last few they saw.
select version_id from (
  select c.version_id, c.current_at, c.kept,
         row_number() over (partition by c.codebook order by c.current_at desc nulls last, c.version desc) as place
  from codebooks c where c.state = 'retired') t
where kept and (current_at is null or place > %(keep)s)
order by version_id;

-- name: mark_forgotten
update codebooks set kept = false where version_id = any(%(version_id)s::int[]) and state = 'retired';

-- name: lock_codebooks
-- Settling a batch and applying a codebook must not cross: the one shares this lock, the other holds it alone.
select pg_advisory_xact_lock(hashtext('framewatch.codebooks'));

-- name: share_codebooks
select pg_advisory_xact_lock_shared(hashtext('framewatch.codebooks'));

-- name: built_codebooks
-- Versions under which every post from before they were asked for has been scored, or set aside.
select b.version_id, b.codebook, b.version, c.version_id as current_id
from codebooks b
join codebook_changes g on g.version_id = b.version_id and g.state = 'building'
left join codebooks c on c.codebook = b.codebook and c.state = 'current'
where b.state = 'building'
  and not exists (select from rescoring r where r.version_id = b.version_id and r.state = 'waiting')
  and not exists (
    select from queue q join posts p on p.received_day = q.received_day and p.post_id = q.post_id
    where q.state = 'waiting' and p.received_at <= g.asked_at
      and not exists (select from scores s where s.version_id = b.version_id and s.post_id = q.post_id));

-- name: retire_current
update codebooks set state = 'retired' where codebook = %(codebook)s and state = 'current' returning version_id;

-- name: make_current
update codebooks set state = 'current', current_at = %(now)s
where version_id = %(version_id)s and state = 'building' returning version_id;

-- name: any_building
select exists (select from codebooks where state = 'building') as building;

-- name: list_frames
select f.frame, f.title, f.description, f.position, f.details, c.codebook, c.version, c.version_id, c.title as codebook_title
from frames f join codebooks c using (version_id)
where c.state = 'current' order by c.codebook, f.position;

-- name: find_frame
-- As list_frames, the first of such an id ('*' is any), of one codebook where it is named.
select f.frame, f.title, f.description, f.position, f.details, c.codebook, c.version, c.version_id, c.title as codebook_title
from frames f join codebooks c using (version_id)
where c.state = 'current' and (%(codebook)s::text is null or c.codebook = %(codebook)s)
  and (%(frame)s = '*' or f.frame = %(frame)s)
order by c.codebook, f.position limit 1;

-- name: frames_of_version
-- As list_frames, of one version, whatever its state.
select f.frame, f.title, f.description, f.position, f.details, c.codebook, c.version, c.version_id, c.title as codebook_title
from frames f join codebooks c using (version_id)
where c.version_id = %(version_id)s order by f.position;

-- name: frame_names
select frame from frames where version_id = %(version_id)s order by position;

-- name: find_heads
select body from heads where version_id = %(version_id)s and model_id = %(model_id)s;

-- name: heads_of_version
-- The heads of a version for one model, or the newest ones when none is named.
select h.model_id, m.name, h.body from heads h join models m using (model_id)
where h.version_id = %(version_id)s and (%(model_id)s::smallint is null or h.model_id = %(model_id)s)
order by h.learned_at desc, h.model_id desc limit 1;

-- name: heads_mark
-- What tells the newest heads of a version from all others, without reading them.
select version_id, model_id, learned_at, octet_length(body) as bytes from heads
where version_id = %(version_id)s order by learned_at desc, model_id limit 1;

-- name: add_heads
insert into heads (version_id, model_id, body, learned_at) values (%(version_id)s, %(model_id)s, %(body)s, %(now)s)
on conflict do nothing;

-- name: models_of
-- The models whose scores a version stands on.
select m.name from heads h join models m using (model_id) where h.version_id = %(version_id)s order by m.model_id;
