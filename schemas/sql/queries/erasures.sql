-- name: claim_erasures
-- Erased posts whose traces are to go, held until the transaction ends.
select post_id, text_hash from erasures order by post_id limit %(limit)s for update skip locked;

-- name: forget_vectors
-- Vectors of texts that no post has any more. One reading of the posts for all of them: there is no index by text.
with wanted as (
  select distinct unnest(%(text_hash)b::bytea[]) as text_hash
), held as (
  select distinct p.text_hash from posts p join wanted using (text_hash)
)
delete from embeddings e using wanted w
where e.text_hash = w.text_hash and not exists (select from held h where h.text_hash = e.text_hash)
returning e.text_hash;

-- name: told_of_posts
-- Everything frozen that names one of these posts: evidence, messages, digests.
with wanted as (select %(post_id)s::bigint[] as ids)
select 'alert' as place, alert_id as key, null::timestamptz as slot, evidence as body
from alerts, wanted
where exists (select from jsonb_path_query(evidence, '$.**.post_id') v where (v #>> '{}')::bigint = any(ids))
union all
select 'delivery', delivery_id::text, null, data
from deliveries, wanted
where exists (select from jsonb_path_query(data, '$.**.post_id') v where (v #>> '{}')::bigint = any(ids))
union all
select 'digest', digest, slot, body
from digest_slots, wanted
where exists (select from jsonb_path_query(body, '$.**.post_id') v where (v #>> '{}')::bigint = any(ids));

-- name: rewrite_alert
update alerts set evidence = %(body)s where alert_id = %(key)s;

-- name: rewrite_delivery
update deliveries set data = %(body)s where delivery_id = %(key)s::bigint;

-- name: rewrite_digest
update digest_slots set body = %(body)s where digest = %(key)s and slot = %(slot)s;

-- name: end_erasures
delete from erasures where post_id = any(%(post_id)b::bigint[]);
