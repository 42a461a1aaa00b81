-- name: list_models
select model_id, name from models order by model_id desc;

-- name: vectors_of_period
-- Posts of a period with their vectors (null where the model has not read them), newest first, a page at a time: after
-- (published_at, post_id) of the last. A page is chosen first: joined at once, all vectors of the period would be read for it.
with chosen as materialized (
  select p.post_id, p.published_at, p.author, p.unit_key, p.text_hash from posts p
  where p.received_day = any(%(days)s::date[])
    and p.published_at >= %(since)s::timestamptz and p.published_at < %(until)s::timestamptz
    and (%(before)s::timestamptz is null or (p.published_at, p.post_id) < (%(before)s, %(before_id)s::bigint))
  order by p.published_at desc, p.post_id desc
  limit %(limit)s
)
select c.post_id, c.published_at, c.author, c.unit_key, e.vector
from chosen c left join embeddings e on e.model_id = %(model_id)s and e.text_hash = c.text_hash
order by c.published_at desc, c.post_id desc;

-- name: posts_with
-- Some posts by number, to be shown.
select p.post_id, p.source, p.native_id, p.url, p.author, p.lang, p.text, p.published_at, p.time_quality, p.received_at
from post_keys k join posts p on p.received_day = k.received_day and p.post_id = k.post_id
where k.post_id = any(%(post_id)s::bigint[]);

-- name: frames_among
-- Which current frames some posts carry, and how many of them.
select b.codebook, c.frame, f.title, count(*)::int as posts
from codebooks b join carried c using (version_id) join frames f using (version_id, frame)
where b.state = 'current' and c.post_id = any(%(post_id)s::bigint[])
group by 1, 2, 3 order by 4 desc, 1, 2;

-- name: post_ids
-- The first number a post was given and the last; null before there is any.
select min(post_id) as first, max(post_id) as last from post_keys;

-- name: has_vectors
-- Whether a model has read so many texts.
select count(*) = %(enough)s as enough from (select from embeddings where model_id = %(model_id)s limit %(enough)s) e;

-- name: heard_posts
-- Posts by number in the order of asking, with the vector a model read them by, if it did; none that a person judged to carry
-- a frame.
select p.text_hash, p.text, e.vector
from unnest(%(post_id)s::bigint[]) with ordinality as asked (post_id, place)
join post_keys k using (post_id)
join posts p on p.received_day = k.received_day and p.post_id = k.post_id
left join embeddings e on e.model_id = %(model_id)s and e.text_hash = p.text_hash
where not exists (select from labels l where l.unit_key = p.unit_key and l.answer = 'yes')
order by asked.place;
