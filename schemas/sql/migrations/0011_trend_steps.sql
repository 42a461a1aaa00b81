-- Trends by the hour, day and week, so that a long chart reads hundreds of rows instead of hundreds of thousands.
-- Whoever writes trend_points, these follow in the same statement. '*' as source or language is all of them together:
-- an hour has its cells and its whole, a day and a week also each source and each language.
-- Units and authors do not add up: they are null from the moment a point below changes until rollup counts them again.
create table trend_steps (
  version_id integer not null references codebooks on delete cascade,
  frame      text not null,
  step       text not null check (step in ('1h', '1d', '1w')),
  bucket     timestamptz not null,
  source     text not null,
  lang       text not null,
  posts      integer not null,
  units      integer,
  authors    integer,
  primary key (version_id, frame, step, source, lang, bucket)
);
create index trend_steps_uncounted on trend_steps (bucket)
  where units is null and frame <> '*' and source = '*' and lang = '*';

create function fold_trend_steps(versions integer[], frames text[], buckets timestamptz[], sources text[], langs text[],
                                 deltas integer[]) returns void
language sql as $$
  insert into trend_steps (version_id, frame, step, bucket, source, lang, posts)
  select version_id, frame, step, date_bin(width, bucket, timestamptz 'epoch'), coalesce(source, '*'), coalesce(lang, '*'),
         sum(posts)
  from unnest(versions, frames, buckets, sources, langs, deltas) as t (version_id, frame, bucket, source, lang, posts)
  cross join (values ('1h', interval '1 hour'), ('1d', interval '1 day'), ('1w', interval '7 days')) as w (step, width)
  where exists (select from codebooks c where c.version_id = t.version_id)
  group by version_id, frame, step, date_bin(width, bucket, timestamptz 'epoch'),
           grouping sets ((), (source), (lang), (source, lang))
  having step <> '1h' or grouping(source) = grouping(lang)
  order by 1, 2, 3, 5, 6, 4
  on conflict (version_id, frame, step, source, lang, bucket) do update
    set posts = trend_steps.posts + excluded.posts, units = null, authors = null
$$;

create function follow_trend_points() returns trigger
language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(posts)) from added;
  elsif tg_op = 'DELETE' then
    perform fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source),
                             array_agg(lang), array_agg(-posts)) from gone;
  else
    perform fold_trend_steps(array_agg(n.version_id), array_agg(n.frame), array_agg(n.bucket), array_agg(n.source),
                             array_agg(n.lang), array_agg(n.posts - o.posts))
    from added n join gone o using (version_id, frame, bucket, source, lang);
  end if;
  return null;
end $$;

create trigger trend_points_added after insert on trend_points
  referencing new table as added for each statement execute function follow_trend_points();
create trigger trend_points_changed after update on trend_points
  referencing old table as gone new table as added for each statement execute function follow_trend_points();
create trigger trend_points_gone after delete on trend_points
  referencing old table as gone for each statement execute function follow_trend_points();

select fold_trend_steps(array_agg(version_id), array_agg(frame), array_agg(bucket), array_agg(source), array_agg(lang),
                        array_agg(posts))
from trend_points group by version_id, frame;

-- A rare language or source is found without reading all the posts in between.
create index posts_lang on posts (lang, published_at);
create index posts_source on posts (source, published_at);
