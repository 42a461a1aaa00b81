-- name: estimated_sizes
-- What Postgres keeps count of itself. Its statistics forget after a crash, and the planner's own lag behind: the greater
-- of the two is the better guess.
with sizes as (
  select t.name, coalesce(sum(greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)), 0)::bigint as rows
  from (select 'posts' as name, inhrelid as oid from pg_inherits where inhparent = 'posts'::regclass
        union all select 'embeddings', 'embeddings'::regclass) t
  join pg_class c using (oid)
  group by 1
)
select coalesce(max(rows) filter (where name = 'posts'), 0)::bigint as posts,
       coalesce(max(rows) filter (where name = 'embeddings'), 0)::bigint as embeddings,
       (select count(*) from queue where state = 'parked') as parked_posts
from sizes;

-- name: count_posts
select count(*) as rows from posts;

-- name: count_embeddings
select count(*) as rows from embeddings;
