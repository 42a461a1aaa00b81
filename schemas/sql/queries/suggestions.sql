-- name: add_runs
insert into suggestion_runs (codebook) select codebook from codebooks where state = 'current' order by codebook
on conflict do nothing;

-- name: claim_run
-- One codebook that was not grouped for this day yet, or that somebody asked for. A replay's day lies before ours.
with due as (
  select r.codebook from suggestion_runs r
  join codebooks c on c.codebook = r.codebook and c.state = 'current'
  where (r.asked or r.slot is distinct from %(slot)s::date) and (r.lease_until is null or r.lease_until < clock_timestamp())
    and (%(codebook)s::text is null or r.codebook = %(codebook)s)
  order by r.codebook limit 1
  for update of r skip locked
)
update suggestion_runs r set lease_until = clock_timestamp() + %(lease)s, fence = r.fence + 1
from due join codebooks c on c.codebook = due.codebook and c.state = 'current'
where r.codebook = due.codebook
returning r.codebook, r.fence, c.version_id;

-- name: settle_run
update suggestion_runs
set slot = %(slot)s, asked = false, ran_at = %(now)s, since = %(since)s, until = %(until)s,
    posts = %(posts)s, units = %(units)s, grouped = %(grouped)s, lease_until = null
where codebook = %(codebook)s and fence = %(fence)s and lease_until is not null
returning codebook;

-- name: ask_runs
-- Have the groups made anew at the next tick.
update suggestion_runs set asked = true where %(codebook)s::text is null or codebook = %(codebook)s returning codebook;

-- name: list_runs
select codebook, slot, asked, ran_at, since, until, posts, units, grouped,
       lease_until is not null and lease_until > clock_timestamp() as running
from suggestion_runs order by codebook;

-- name: days_received
-- Days on which posts of a period were received: a replay brings old posts today.
select distinct received_day from posts where published_at >= %(since)s and published_at < %(until)s order by 1;

-- name: unmatched_posts
-- Posts of one day of receipt that carry no frame, a page at a time; those that leave a doubt about one are among them.
select p.post_id, p.unit_key, p.text_hash, p.published_at, p.lang, p.source, p.author, p.publishers, p.text, s.model_id
from posts p join scores s on s.version_id = %(version_id)s and s.post_id = p.post_id
where p.received_day = %(day)s and p.post_id > %(after)s and p.published_at >= %(since)s and p.published_at < %(until)s
  and not exists (
    select from carried c where c.version_id = s.version_id and c.post_id = s.post_id)
order by p.post_id limit %(limit)s;

-- name: texts_of
select p.post_id, p.lang, p.text
from post_keys k join posts p on p.received_day = k.received_day and p.post_id = k.post_id
where k.post_id = any(%(post_id)b::bigint[]);

-- name: lock_suggestions
-- Deciding and settling must not cross.
select pg_advisory_xact_lock(hashtext('framewatch.suggestions'));

-- name: known_suggestions
-- What today's groups may be the continuation of. A faded one is forgotten after `faded`.
select g.suggestion_id, g.state, g.model_id, g.vector, g.units, g.decided_units, g.seen_at,
       coalesce(array_agg(p.unit_key) filter (where p.inside), '{}') as unit_keys
from suggestions g left join suggestion_posts p using (suggestion_id)
where g.codebook = %(codebook)s and g.state <> 'merged' and (g.state <> 'faded' or g.seen_at >= %(faded)s)
group by g.suggestion_id order by g.suggestion_id;

-- name: add_suggestion
insert into suggestions (codebook, state, model_id, vector, first_seen, found_at, seen_at, posts, units, authors,
                         publishers, langs, days, terms, score, parts, split_from, decided_at, decided_by,
                         decided_units)
select %(codebook)s, %(state)s, %(model_id)s, %(vector)s, %(first_seen)s, %(until)s, %(until)s, %(posts)s, %(units)s,
       %(authors)s, %(publishers)s, %(langs)s, %(days)s, %(terms)s, %(score)s, %(parts)s, %(split_from)s,
       o.decided_at, o.decided_by, o.decided_units
from (select 1) one left join suggestions o on o.suggestion_id = %(split_from)s and %(state)s = 'dismissed'
returning suggestion_id;

-- name: update_suggestion
update suggestions
set state = %(state)s, model_id = %(model_id)s, vector = %(vector)s, first_seen = least(first_seen, %(first_seen)s),
    seen_at = %(until)s, posts = %(posts)s, units = %(units)s, authors = %(authors)s, publishers = %(publishers)s,
    langs = %(langs)s, days = %(days)s, terms = %(terms)s, score = %(score)s, parts = %(parts)s
where suggestion_id = %(suggestion_id)s;

-- name: replace_members
with gone as (
  delete from suggestion_posts where suggestion_id = %(suggestion_id)s
    and unit_key <> all(%(unit_key)b::bytea[])
)
insert into suggestion_posts (suggestion_id, unit_key, post_id, inside, likeness, lang)
select %(suggestion_id)s, t.unit_key, t.post_id, t.inside, t.likeness, t.lang
from unnest(%(unit_key)b::bytea[], %(post_id)b::bigint[], %(inside)b::boolean[], %(likeness)b::real[], %(lang)b::text[])
  as t (unit_key, post_id, inside, likeness, lang)
where exists (select from post_keys k where k.post_id = t.post_id and k.deleted_at is null)
on conflict (suggestion_id, unit_key) do update
set post_id = excluded.post_id, inside = excluded.inside, likeness = excluded.likeness, lang = excluded.lang;

-- name: fade_suggestions
-- Open ones that are not seen any more.
update suggestions set state = 'faded'
where codebook = %(codebook)s and state = 'open' and suggestion_id <> all(%(seen)b::bigint[])
returning suggestion_id;

-- name: merge_suggestion
update suggestions set state = 'merged', merged_into = %(merged_into)s
where suggestion_id = %(suggestion_id)s and state in ('open', 'faded');

-- name: list_suggestions
-- `typical`: the post most like the whole in the language that most of it is in, read live.
with chosen as materialized (
  select * from suggestions
  where (%(codebook)s::text is null or codebook = %(codebook)s)
    and (%(states)s::text[] is null or state = any(%(states)s::text[]))
    and (%(suggestion_id)s::bigint is null or suggestion_id = %(suggestion_id)s)
    and (%(below)s::real is null or score < %(below)s::real or (score = %(below)s::real and suggestion_id > %(after_id)s))
  order by score desc, suggestion_id limit %(limit)s
), likest as (
  select distinct on (m.suggestion_id) m.suggestion_id, m.post_id
  from chosen g join suggestion_posts m using (suggestion_id)
  where m.inside
  order by m.suggestion_id, (g.langs ->> m.lang)::int desc nulls last, m.likeness desc, m.post_id
), typical as materialized (
  select l.suggestion_id, l.post_id, k.received_day
  from likest l join post_keys k using (post_id) where k.deleted_at is null
)
select g.suggestion_id, g.codebook, g.state, g.first_seen, g.found_at, g.seen_at, g.posts, g.units, g.authors,
       g.publishers, g.langs, g.days, g.terms, g.score, g.parts, g.split_from, g.merged_into, g.decided_at,
       g.decided_by, g.frame, p.text as typical
from chosen g
left join typical t using (suggestion_id)
left join posts_of_keys((select array_agg(received_day) from typical), (select array_agg(post_id) from typical)) p
  on p.post_id = t.post_id
order by g.score desc, g.suggestion_id;

-- name: posts_of_suggestion
-- Its posts, the likest first, and the near misses just outside; erased ones are gone.
select p.post_id, p.source, p.native_id, p.url, p.author, p.lang, p.text, p.published_at, m.inside, m.likeness
from suggestion_posts m
join post_keys k using (post_id)
join posts p on p.received_day = k.received_day and p.post_id = k.post_id
where m.suggestion_id = %(suggestion_id)s and k.deleted_at is null
order by m.inside desc, m.likeness desc, m.post_id;

-- name: decide_suggestion
update suggestions
set state = %(state)s, decided_at = %(now)s, decided_by = %(by)s, decided_units = units, frame = %(frame)s
where suggestion_id = %(suggestion_id)s and state <> 'merged'
returning suggestion_id;

-- name: forget_members
-- Erased posts leave the suggestions.
delete from suggestion_posts where post_id = any(%(post_id)b::bigint[]);
