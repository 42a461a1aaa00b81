-- name: vector_of
-- The vector of a text by the newest model that has read it.
select model_id, vector from embeddings where text_hash = %(text_hash)s order by model_id desc limit 1;

-- name: texts_between
-- The distinct texts of the newest posts of a period, each with one post that says it.
select text_hash, max(post_id) as post_id, count(*)::int as posts
from (
  select post_id, text_hash from posts
  where published_at >= %(since)s and published_at < %(until)s
    and received_day >= ((%(since)s - interval '1 day') at time zone 'UTC')::date
  order by published_at desc limit %(limit)s) t
group by 1;
