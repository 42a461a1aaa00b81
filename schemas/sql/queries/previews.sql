-- name: find_model
select model_id from models where name = %(name)s;

-- name: embedding_pages
select (pg_relation_size('embeddings') / current_setting('block_size')::int)::bigint as pages;

-- name: texts_of_pages
-- What is stored of the texts on some pages of the table, in the order of the disk, behind one another; `counts`: bytes
-- of each wording, 4 bytes big-endian.
select string_agg(text_hash, ''::bytea) as text_hashes, string_agg(vector, ''::bytea) as vectors,
       string_agg(wording, ''::bytea) as wordings, string_agg(int4send(length(wording)), ''::bytea) as counts
from embeddings
where ctid >= format('(%%s,0)', %(first)s::bigint)::tid and ctid < format('(%%s,0)', %(until)s::bigint)::tid
  and model_id = %(model_id)s and wording is not null;

-- name: days_of_posts
select received_day, count(*)::bigint as posts from posts group by 1 order by 1;

-- name: sources_of_posts
select source, hashtext(source) as number from posts group by 1;

-- name: posts_of_day
-- Numbers of every post of a day, behind one another, big-endian: id, hash of its text, time (microseconds since 2000),
-- source (as sources_of_posts numbers them), author and unit as hashes.
select string_agg(int8send(post_id), ''::bytea) as post_ids, string_agg(text_hash, ''::bytea) as text_hashes,
       string_agg(timestamptz_send(published_at), ''::bytea) as times,
       string_agg(int4send(hashtext(source)), ''::bytea) as sources,
       string_agg(int8send(hashtextextended(author, 0)), ''::bytea) as authors,
       string_agg(int8send(hashtextextended(encode(unit_key, 'hex'), 0)), ''::bytea) as units
from posts where received_day = %(received_day)s;

-- name: carrying_posts
-- The same numbers of every post that carries a frame under a version, and its probability.
select string_agg(int8send(post_id), ''::bytea) as post_ids, string_agg(timestamptz_send(published_at), ''::bytea) as times,
       string_agg(int4send(hashtext(source)), ''::bytea) as sources,
       string_agg(int8send(hashtextextended(author, 0)), ''::bytea) as authors,
       string_agg(int8send(hashtextextended(encode(unit_key, 'hex'), 0)), ''::bytea) as units,
       string_agg(float4send(probability), ''::bytea) as probabilities
from carried where version_id = %(version_id)s and frame = %(frame)s;

-- name: posts_by_id
select p.post_id, p.source, p.url, p.lang, p.text, p.published_at
from unnest(%(post_id)b::bigint[]) as t (post_id)
join post_keys k on k.post_id = t.post_id
join posts p on p.received_day = k.received_day and p.post_id = k.post_id;
