-- name: register_model
with made as (
  insert into models (name) values (%(name)s) on conflict (name) do nothing returning model_id
)
select model_id from made union all select model_id from models where name = %(name)s limit 1;

-- name: find_embeddings
select text_hash, vector from embeddings
where model_id = %(model_id)s and text_hash = any(%(text_hash)b::bytea[]);

-- name: add_embeddings
insert into embeddings (model_id, text_hash, vector, wording)
select %(model_id)s, text_hash, vector, wording
from unnest(%(text_hash)b::bytea[], %(vector)b::bytea[], %(wording)b::bytea[]) as t (text_hash, vector, wording)
order by text_hash
on conflict do nothing;

-- name: add_scores
-- Scores, carried frames with the words of their posts, and trend deltas of one batch under one codebook version. What the
-- same posts had before under this version is taken back first (unscore_version), so that a repeat moves nothing twice.
with said as (
  select * from unnest(%(post_id)b::bigint[], %(probabilities)b::text[], %(uncertain)b::text[])
    as t (post_id, probabilities, uncertain)
), about as (
  select p.post_id, p.published_at, p.source, p.lang, p.author, p.unit_key, p.text,
         date_bin('5 minutes', p.published_at, timestamptz 'epoch') as bucket, s.probabilities, s.uncertain
  from said s
  join post_keys k on k.post_id = s.post_id
  join posts p on p.received_day = k.received_day and p.post_id = k.post_id
), scored as (
  insert into scores (version_id, post_id, model_id, bucket, source, lang, probabilities, uncertain)
  select %(version_id)s, post_id, %(model_id)s, bucket, source, lang, probabilities::real[], uncertain::text[]
  from about
  returning version_id, bucket, source, lang
), frames_of as (
  select * from unnest(%(carried_post_id)b::bigint[], %(carried_frame)b::text[], %(carried_probability)b::real[])
    as t (post_id, frame, probability)
), carrying as (
  insert into carried (version_id, frame, published_at, post_id, bucket, source, lang, author, unit_key, probability)
  select %(version_id)s, f.frame, a.published_at, a.post_id, a.bucket, a.source, a.lang, a.author, a.unit_key,
         f.probability
  from frames_of f join about a using (post_id)
  returning version_id, frame, bucket, source, lang
), worded as (
  insert into carrier_words (version_id, post_id, published_at, words)
  select %(version_id)s, a.post_id, a.published_at,
         words_of_carrier(%(version_id)s, f.frames, a.published_at, a.text)
  from (select post_id, array_agg(frame) as frames from frames_of group by post_id) f join about a using (post_id)
)
insert into trend_deltas (version_id, frame, bucket, source, lang, posts)
select version_id, '*', bucket, source, lang, count(*) from scored group by 1, 2, 3, 4, 5
union all
select version_id, frame, bucket, source, lang, count(*) from carrying group by 1, 2, 3, 4, 5;

-- name: unscore_version
with unscored as (
  delete from scores s using unnest(%(post_id)b::bigint[]) as t (post_id)
  where s.version_id = %(version_id)s and s.post_id = t.post_id
  returning s.version_id, s.bucket, s.source, s.lang
), dropped as (
  delete from carried c using unnest(%(post_id)b::bigint[]) as t (post_id)
  where c.version_id = %(version_id)s and c.post_id = t.post_id
  returning c.version_id, c.frame, c.bucket, c.source, c.lang
)
insert into trend_deltas (version_id, frame, bucket, source, lang, posts)
select version_id, '*', bucket, source, lang, -count(*) from unscored group by 1, 2, 3, 4, 5
union all
select version_id, frame, bucket, source, lang, -count(*) from dropped group by 1, 2, 3, 4, 5;
