-- A version whose scores are being, or have been, forgotten: readers are told so, sums leave it out, upkeep deletes what is
-- left of it, and a rollback to it scores every post again.
alter table codebooks add column kept boolean not null default true;
update codebooks c set kept = false
where state = 'retired' and not exists (select from scores s where s.version_id = c.version_id)
  and exists (select from post_keys);

-- Whoever writes points alone, or writes their steps beside them, says so: nothing has to follow then.
create or replace function follow_trend_points() returns trigger
language plpgsql as $$
begin
  if current_setting('framewatch.recounting', true) = 'on' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(posts)) from added having count(*) > 0;
  elsif tg_op = 'DELETE' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(-posts)) from gone where posts <> 0 having count(*) > 0;
  else
    perform fold_trend_steps(array_agg(n.version_id), array_agg(n.frame), array_agg(n.bucket), array_agg(n.source),
                             array_agg(n.lang), array_agg(n.posts - o.posts))
    from added n join gone o using (version_id, frame, bucket, source, lang) having count(*) > 0;
  end if;
  return null;
end $$;
