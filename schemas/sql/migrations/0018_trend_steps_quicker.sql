-- Recounting voices changes no posts, and what it changes was marked by the fold before it: nothing has to follow it.
-- Room in the pages lets the many small updates of the newest steps stay where they are.
alter table trend_steps set (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000);

create or replace function follow_trend_points() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(posts)) from added having count(*) > 0;
  elsif tg_op = 'DELETE' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(-posts)) from gone where posts <> 0 having count(*) > 0;
  elsif current_setting('framewatch.recounting', true) is distinct from 'on' then
    perform fold_trend_steps(array_agg(n.version_id), array_agg(n.frame), array_agg(n.bucket), array_agg(n.source),
                             array_agg(n.lang), array_agg(n.posts - o.posts))
    from added n join gone o using (version_id, frame, bucket, source, lang) having count(*) > 0;
  end if;
  return null;
end $$;

-- In plpgsql its plan is made once a session, not at every fold.
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
  having w.step <> '1h' or grouping(t.source) = grouping(t.lang)
  order by 1, 2, 3, 5, 6, 4
  on conflict (version_id, frame, step, source, lang, bucket) do update
    set posts = trend_steps.posts + excluded.posts, units = null, authors = null;
end $$;
