-- Posts of all frames in a step as one row: who reads fifty frames over two weeks of hours reads 336 rows instead of
-- 16,800. `posts[1]` are all posts, `posts[position + 2]` those of a frame. The fold writes them beside the steps.
create table trend_rows (
  version_id integer not null references codebooks on delete cascade,
  step       text not null check (step in ('1h', '1d', '1w')),
  bucket     timestamptz not null,
  source     text not null,
  lang       text not null,
  posts      integer[] not null,
  primary key (version_id, step, source, lang, bucket)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000);

-- A row of `width` numbers, zero but for those at `places`.
create function spread_posts(places integer[], posts integer[], width integer) returns integer[]
language plpgsql immutable as $$
declare
  spread integer[] := array_fill(0, array[width]);
begin
  for i in 1 .. cardinality(places) loop
    spread[places[i]] := posts[i];
  end loop;
  return spread;
end $$;

create function add_posts(kept integer[], more integer[]) returns integer[]
language plpgsql immutable as $$
begin
  for i in 1 .. cardinality(more) loop
    if more[i] <> 0 then
      kept[i] := kept[i] + more[i];
    end if;
  end loop;
  return kept;
end $$;

-- Where a frame's posts stand in such a row, and how wide it is.
create view trend_places as
with widths as (select c.version_id, count(f.frame)::integer + 1 as width
                from codebooks c left join frames f using (version_id) group by 1)
select version_id, '*' as frame, 1 as place, width from widths
union all
select f.version_id, f.frame, f.position + 2, w.width from frames f join widths w using (version_id);

-- Voices of a step that goes on are counted from time to time while it has many posts; `_before` is what they were, and of
-- how many posts, before it changed: readers are told that meanwhile, if little was added.
alter table trend_steps
  add column posts_before   integer,
  add column units_before   integer,
  add column authors_before integer,
  add column counted_at     timestamptz;

-- Authors are pseudonyms that nobody sorts by language; comparing bytes counts them in two thirds of the time.
alter table carried alter column author type text collate "C";

create or replace function fold_trend_steps(versions integer[], frames text[], buckets timestamptz[], sources text[],
                                            langs text[], deltas integer[]) returns void
language plpgsql as $$
#variable_conflict use_column
begin
  with moved as materialized (
    select t.version_id, t.frame, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch') as bucket,
           coalesce(t.source, '*') as source, coalesce(t.lang, '*') as lang, sum(t.posts)::integer as posts
    from unnest(versions, frames, buckets, sources, langs, deltas) as t (version_id, frame, bucket, source, lang, posts)
    cross join (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')) as w (step, width)
    where exists (select from codebooks c where c.version_id = t.version_id)
    group by t.version_id, t.frame, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch'),
             grouping sets ((), (t.source), (t.lang), (t.source, t.lang))
  ), rowed as (
    insert into trend_rows (version_id, step, bucket, source, lang, posts)
    select m.version_id, m.step, m.bucket, m.source, m.lang, spread_posts(array_agg(p.place), array_agg(m.posts), max(p.width))
    from moved m join trend_places p using (version_id, frame)
    group by m.version_id, m.step, m.bucket, m.source, m.lang
    order by 1, 2, 4, 5, 3
    on conflict (version_id, step, source, lang, bucket) do update set posts = add_posts(trend_rows.posts, excluded.posts)
  )
  insert into trend_steps (version_id, frame, step, bucket, source, lang, posts)
  select version_id, frame, step, bucket, source, lang, posts from moved
  order by 1, 2, 3, 5, 6, 4
  on conflict (version_id, frame, step, source, lang, bucket) do update
    set posts = trend_steps.posts + excluded.posts, units = null, authors = null,
        posts_before = case when trend_steps.units is null then trend_steps.posts_before else trend_steps.posts end,
        units_before = coalesce(trend_steps.units, trend_steps.units_before),
        authors_before = coalesce(trend_steps.authors, trend_steps.authors_before);
end $$;

create function build_trend_rows(version integer) returns void
language sql as $$
  insert into trend_rows (version_id, step, bucket, source, lang, posts)
  select s.version_id, s.step, s.bucket, s.source, s.lang, spread_posts(array_agg(p.place), array_agg(s.posts), max(p.width))
  from trend_steps s join trend_places p using (version_id, frame)
  where s.version_id = version
  group by s.version_id, s.step, s.bucket, s.source, s.lang
  on conflict (version_id, step, source, lang, bucket) do update set posts = excluded.posts;
$$;

select build_trend_rows(version_id) from codebooks;

-- A rare language of a rare source is found without reading all posts of either.
create index posts_source_lang on posts (source, lang, published_at);
