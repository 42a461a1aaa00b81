-- name: firing_alerts
-- The burst that is going on in each frame, the newest first.
select a.alert_id, c.codebook, a.frame, a.onset
from alerts a join codebooks c using (version_id)
where a.kind = 'burst' and a.state <> 'resolved'
order by a.onset desc, a.alert_id;

-- name: schema_number
-- Number of the newest migration applied.
select coalesce(max(number), 0)::int as number from schema_migrations;

-- name: stored_sizes
-- Counted while that is quick, else taken from the planner's statistics.
with estimated as (
  select coalesce(sum(greatest(c.reltuples, 0)) filter (where i.inhparent = 'posts'::regclass), 0)::bigint as posts,
         (select greatest(reltuples, 0)::bigint from pg_class where oid = 'embeddings'::regclass) as embeddings
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
)
select case when e.posts > 2000000 then e.posts else (select count(*) from posts) end as posts,
       (select count(*) from queue where state = 'parked') as parked_posts,
       case when e.embeddings > 2000000 then e.embeddings else (select count(*) from embeddings) end as embeddings
from estimated e;
