-- Hours are kept by source and by language too, as days and weeks are: counting the voices of 336 hours of one source over
-- all carriers of two weeks cost more than keeping them does. Hours that are there get their rows; all are counted again.
create or replace function fold_trend_steps(versions integer[], frames text[], buckets timestamptz[], sources text[],
                                            langs text[], deltas integer[]) returns void
language plpgsql as $$
#variable_conflict use_column
begin
  insert into trend_steps (version_id, frame, step, bucket, source, lang, posts)
  select t.version_id, t.frame, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch'), coalesce(t.source, '*'),
         coalesce(t.lang, '*'), sum(t.posts)
  from unnest(versions, frames, buckets, sources, langs, deltas) as t (version_id, frame, bucket, source, lang, posts)
  cross join (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')) as w (step, width)
  where exists (select from codebooks c where c.version_id = t.version_id)
  group by t.version_id, t.frame, w.step, date_bin(w.width, t.bucket, timestamptz 'epoch'),
           grouping sets ((), (t.source), (t.lang), (t.source, t.lang))
  order by 1, 2, 3, 5, 6, 4
  on conflict (version_id, frame, step, source, lang, bucket) do update
    set posts = trend_steps.posts + excluded.posts, units = null, authors = null;
end $$;

insert into trend_steps (version_id, frame, step, bucket, source, lang, posts)
select version_id, frame, step, bucket, coalesce(source, '*'), coalesce(lang, '*'), sum(posts)
from trend_steps where step = '1h' and source <> '*' and lang <> '*'
group by version_id, frame, step, bucket, grouping sets ((source), (lang))
on conflict do nothing;
update trend_steps set units = null, authors = null
where step = '1h' and source = '*' and lang = '*' and frame <> '*' and units is not null;

-- What every frame ('*' is all posts) has in the hours before `until`, and how many posts in as many hours before those:
-- readers ask for it every few seconds, and distinct voices of a day cannot be added up from its hours. Rollup keeps it.
-- `changed` says that a point of the window moved since it was counted.
create table frame_windows (
  version_id integer not null references codebooks on delete cascade,
  frame      text not null,
  hours      smallint not null,
  until      timestamptz not null,
  posts      integer not null,
  units      integer not null,
  authors    integer not null,
  before     integer not null,
  changed    boolean not null,
  counted_at timestamptz not null,
  primary key (version_id, frame, hours)
) with (fillfactor = 50);

create function mark_frame_windows(versions integer[], frames text[], buckets timestamptz[]) returns void
language plpgsql as $$
begin
  update frame_windows w set changed = true
  from (select v as version_id, f as frame, min(b) as first, max(b) as last
        from unnest(versions, frames, buckets) as t (v, f, b) group by 1, 2) t
  where w.version_id = t.version_id and w.frame = t.frame and not w.changed
    and t.last >= w.until - 2 * w.hours * interval '1 hour' and t.first < w.until;
end $$;

create or replace function follow_trend_points() returns trigger
language plpgsql as $$
begin
  if current_setting('framewatch.recounting', true) = 'on' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(posts)),
            mark_frame_windows(array_agg(version_id), array_agg(frame), array_agg(bucket)) from added having count(*) > 0;
  elsif tg_op = 'DELETE' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(-posts)),
            mark_frame_windows(array_agg(version_id), array_agg(frame), array_agg(bucket)) from gone
      where posts <> 0 having count(*) > 0;
  else
    perform fold_trend_steps(array_agg(n.version_id), array_agg(n.frame), array_agg(n.bucket), array_agg(n.source),
                             array_agg(n.lang), array_agg(n.posts - o.posts)),
            mark_frame_windows(array_agg(n.version_id), array_agg(n.frame), array_agg(n.bucket))
    from added n join gone o using (version_id, frame, bucket, source, lang) having count(*) > 0;
  end if;
  return null;
end $$;

-- The posts of a busy frame in a rare language are found without reading its other posts; of a source, in the index alone.
-- That needs pages known to be visible: rows are only added here, and a fifth of the table would be long in coming.
create index carried_lang on carried (version_id, frame, lang, published_at, post_id) include (source);
alter table carried drop constraint carried_pkey,
  add primary key (version_id, frame, published_at, post_id) include (source, lang);
alter table carried set (autovacuum_vacuum_insert_scale_factor = 0.005, autovacuum_vacuum_insert_threshold = 5000);

-- And the alerts of one frame without reading those of all others.
create index alerts_frame on alerts (frame, raised_at desc, alert_id desc);

-- How many there are of each kind is asked at every scrape; their evidence need not be read for that.
create index alerts_kinds on alerts (kind, state);
