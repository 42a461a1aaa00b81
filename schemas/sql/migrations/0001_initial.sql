-- The whole state of framewatch. Times that decide anything are given by the caller: no DEFAULT now().
-- Identity is in post_keys, unpartitioned; posts are partitioned by the day the server received them,
-- because a post's own date is whatever its author claims.

create table feeds (
  feed_id        bigint generated always as identity primary key,
  source         text not null,
  address        text not null,
  title          text not null,
  state          text not null check (state in ('enabled', 'paused', 'ended')),
  mode           text not null check (mode in ('poll', 'stream', 'push')),
  clock          text not null check (clock in ('wall', 'feed')),
  host           text not null,
  options        jsonb not null,
  cursor         jsonb not null,
  interval_s     integer not null check (interval_s > 0),
  pace           real not null default 1,
  rate           real,
  added_at       timestamptz not null,
  next_fetch_at  timestamptz not null,
  heard_until    timestamptz,
  fetched_at     timestamptz,
  failures       integer not null default 0,
  last_reason    text,
  last_error     text,
  last_post_at   timestamptz,
  warning        text,
  moved_to       text,
  moved_since    timestamptz,
  moved_times    integer not null default 0,
  lease_until    timestamptz,
  fence          bigint not null default 0,
  unique (source, address)
);
create index feeds_due on feeds (next_fetch_at) where state = 'enabled';
create index feeds_host on feeds (host, next_fetch_at) where state = 'enabled';

-- Hubs that we asked to tell us of a feed's news (WebSub), and where only they know to tell it.
create table websub (
  feed_id     bigint primary key references feeds on delete cascade,
  hub         text not null,
  topic       text not null,
  token       text not null unique,
  secret      text not null,
  state       text not null check (state in ('asked', 'told', 'denied')),
  lease_until timestamptz,
  ask_at      timestamptz not null,
  attempts    integer not null
);

-- When each host may be asked again, whoever of us asks.
create table hosts (
  host    text primary key,
  free_at timestamptz not null
);

-- What was spent of what a platform bills or bounds; the name holds the period.
create table ledgers (
  name  text primary key,
  spent bigint not null
);

-- When a feed should have been heard, and when it was. Coverage of a bucket is the one over the other.
create table expected_spans (
  feed_id   bigint not null references feeds on delete cascade,
  starts_at timestamptz not null,
  ends_at   timestamptz,
  primary key (feed_id, starts_at)
);
create table heard_spans (
  feed_id   bigint not null references feeds on delete cascade,
  starts_at timestamptz not null,
  ends_at   timestamptz not null,
  primary key (feed_id, starts_at)
);

-- Every post fetched, by what became of it: new, duplicate, or dropped:<reason>. They sum to `fetched`.
create table intake (
  feed_id bigint not null references feeds on delete cascade,
  outcome text not null,
  posts   bigint not null,
  primary key (feed_id, outcome)
);

create table post_keys (
  source       text not null,
  native_id    text not null,
  post_id      bigint generated always as identity,
  received_day date not null,
  content_hash bytea not null,
  version      integer not null default 1,
  deleted_at   timestamptz,
  checked_at   timestamptz,
  primary key (source, native_id)
);
create unique index post_keys_post_id on post_keys (post_id);

create table posts (
  received_day  date not null,
  post_id       bigint not null,
  feed_id       bigint not null,
  source        text not null,
  native_id     text not null,
  url           text not null,
  author        text not null,
  lang          text not null,
  text          text not null,
  text_hash     bytea not null,
  unit_key      bytea not null,
  repost_of     text not null,
  publishers    text[] not null,
  published_at  timestamptz not null,
  time_quality  text not null check (time_quality in ('stated', 'missing', 'bad', 'future')),
  received_at   timestamptz not null,
  primary key (received_day, post_id)
) partition by range (received_day);
create index posts_published_at on posts (published_at);
create index posts_author on posts (source, author, received_day) where author <> '';

-- Near copies find each other by bands of their text's signature; a few texts that are not alike may share a band.
-- The unit chosen is stored with each post: these rows only help to choose it, and go when nobody used them for long.
create table near_bands (
  band    bigint not null,
  post_id bigint not null,
  used_on date not null,
  place   smallint not null,
  primary key (band, place)
);
create index near_bands_used_on on near_bands (used_on);

-- The unit of posts that were reposted before they came themselves.
create table reposted (
  source    text not null,
  native_id text not null,
  unit_key  bytea not null,
  seen_on   date not null,
  primary key (source, native_id)
);

-- What a post said before each edit.
create table post_versions (
  post_id     bigint not null,
  version     integer not null,
  text        text not null,
  url         text not null,
  replaced_at timestamptz not null,
  primary key (post_id, version)
);

-- Erased posts whose text may still stand in evidence, in messages or as a vector; upkeep takes it out there.
create table erasures (
  post_id   bigint primary key,
  text_hash bytea not null,
  erased_at timestamptz not null
);

-- Authors whose posts are neither kept nor taken in any more, by pseudonym.
create table denied_authors (
  source    text not null,
  author    text not null,
  denied_at timestamptz not null,
  primary key (source, author)
);

create function ensure_post_partitions(first_day date, last_day date) returns integer
language plpgsql as $$
declare
  day date;
  made integer := 0;
begin
  for day in select generate_series(first_day, last_day, interval '1 day')::date loop
    if to_regclass(format('posts_%s', to_char(day, 'YYYYMMDD'))) is null then
      execute format('create table if not exists posts_%s partition of posts for values from (%L) to (%L)',
                     to_char(day, 'YYYYMMDD'), day, day + 1);
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;

create table queue (
  post_id      bigint primary key,
  received_day date not null,
  published_at timestamptz not null,
  state        text not null check (state in ('waiting', 'parked')),
  queued_at    timestamptz not null,
  attempts     integer not null default 0,
  reason       text,
  lease_until  timestamptz,
  fence        bigint not null default 0
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

create table models (
  model_id smallint generated always as identity primary key,
  name     text not null unique
);

-- One vector a distinct text and model: 16-bit floats, little-endian.
create table embeddings (
  model_id  smallint not null references models,
  text_hash bytea not null,
  vector    bytea not null,
  primary key (model_id, text_hash)
);
alter table embeddings alter column vector set storage plain;

create table codebooks (
  version_id   integer generated always as identity primary key,
  codebook     text not null,
  version      integer not null,
  title        text not null,
  body         text not null,
  state        text not null check (state in ('building', 'current', 'retired')),
  applied_at   timestamptz not null,
  unique (codebook, version)
);
create unique index codebooks_one_current on codebooks (codebook) where state = 'current';
create unique index codebooks_one_building on codebooks (codebook) where state = 'building';

create table frames (
  version_id  integer not null references codebooks on delete cascade,
  position    smallint not null,
  frame       text not null,
  title       text not null,
  description text not null,
  primary key (version_id, frame)
);

create table heads (
  version_id integer not null references codebooks on delete cascade,
  model_id   smallint not null references models,
  body       bytea not null,
  learned_at timestamptz not null,
  primary key (version_id, model_id)
);

-- One row a post and codebook version: what the model said, and what that moved in the trends.
create table scores (
  version_id    integer not null references codebooks on delete cascade,
  post_id       bigint not null,
  model_id      smallint not null references models,
  bucket        timestamptz not null,
  source        text not null,
  lang          text not null,
  probabilities real[] not null,
  uncertain     text[] not null,
  primary key (version_id, post_id)
);

-- One row a post and frame it carries.
create table carried (
  version_id   integer not null references codebooks on delete cascade,
  frame        text not null,
  published_at timestamptz not null,
  post_id      bigint not null,
  bucket       timestamptz not null,
  source       text not null,
  lang         text not null,
  author       text not null,
  unit_key     bytea not null,
  probability  real not null,
  primary key (version_id, frame, published_at, post_id)
);
create index carried_post on carried (post_id);

-- Appended with every settled post, folded into trend_points by rollup. Frame '*' counts every scored post.
create table trend_deltas (
  version_id integer not null,
  frame      text not null,
  bucket     timestamptz not null,
  source     text not null,
  lang       text not null,
  posts      integer not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

create table trend_points (
  version_id integer not null references codebooks on delete cascade,
  frame      text not null,
  bucket     timestamptz not null,
  source     text not null,
  lang       text not null,
  posts      integer not null,
  units      integer not null,
  authors    integer not null,
  primary key (version_id, frame, bucket, source, lang)
);

-- How far detection has come, a row a frame.
create table watches (
  version_id      integer not null references codebooks on delete cascade,
  frame           text not null,
  evaluated_until timestamptz,
  lease_until     timestamptz,
  fence           bigint not null default 0,
  primary key (version_id, frame)
);

create table verdicts (
  version_id  integer not null references codebooks on delete cascade,
  frame       text not null,
  bucket      timestamptz not null,
  posts       integer not null,
  units       integer not null,
  expected    double precision,
  upper       double precision,
  probability double precision,
  coverage    double precision,
  state       text not null check (state in ('learning', 'insufficient coverage', 'ok', 'burst')),
  primary key (version_id, frame, bucket)
);

-- Who is told of what. The rule `burst` of the settings stands while no row has its name.
create table rules (
  name       text primary key,
  terms      jsonb not null,
  changed_at timestamptz not null
);

-- What nobody wants to hear of: a frame or a feed, until then or for good.
create table mutes (
  mute_id bigint generated always as identity primary key,
  frame   text,
  feed_id bigint references feeds on delete cascade,
  until   timestamptz,
  made_at timestamptz not null,
  check ((frame is null) <> (feed_id is null))
);

-- `standing`: what was told so far and how far it had come then, so that the next message waits for news.
create table alerts (
  alert_id    text primary key,
  kind        text not null check (kind in ('burst', 'coordinated', 'outage', 'gap')),
  rule        text not null,
  version_id  integer references codebooks,
  frame       text,
  feed_id     bigint references feeds on delete set null,
  state       text not null check (state in ('firing', 'escalated', 'resolved')),
  onset       timestamptz not null,
  last_bucket timestamptz not null,
  raised_at   timestamptz not null,
  resolved_at timestamptz,
  acked_at      timestamptz,
  snoozed_until timestamptz,
  standing    jsonb not null default '{}',
  evidence    jsonb not null
);
create index alerts_open on alerts (frame, rule) where state <> 'resolved';
create index alerts_raised_at on alerts (raised_at desc, alert_id desc);

create table channels (
  channel_id integer generated always as identity primary key,
  name       text not null unique,
  kind       text not null,
  config     jsonb not null,
  quiet      text,
  state      text not null check (state in ('enabled', 'paused'))
);

create table digests (
  digest     text primary key,
  schedule   text not null,
  timezone   text not null,
  since      timestamptz not null
);
create table digest_slots (
  digest      text not null references digests on delete cascade,
  slot        timestamptz not null,
  body        jsonb not null,
  composed_at timestamptz not null,
  primary key (digest, slot)
);

-- The outbox: one row a message and channel; `silenced` says in `reason` why nobody is told.
-- `gathering` rows wait for others of the same run; one that is `carried_by` another goes out in its message.
create table deliveries (
  delivery_id     bigint generated always as identity primary key,
  message_id      text not null unique,
  alert_id        text references alerts,
  digest          text,
  slot            timestamptz,
  channel_id      integer references channels on delete set null,
  state           text not null check (state in ('pending', 'sent', 'parked', 'silenced')),
  reason          text,
  last_error      text,
  kind            text not null,
  subject         text not null,
  data            jsonb not null,
  created_at      timestamptz not null,
  next_attempt_at timestamptz not null,
  attempts        integer not null default 0,
  sent_at         timestamptz,
  lease_until     timestamptz,
  fence           bigint not null default 0,
  step            text check (step in ('firing', 'escalated', 'resolved')),
  class           text,
  gathering       boolean not null default false,
  carried_by      bigint references deliveries
);
create index deliveries_due on deliveries (next_attempt_at) where state = 'pending';
create index deliveries_gathering on deliveries (delivery_id) where gathering;
create index deliveries_carried on deliveries (carried_by) where carried_by is not null;
create index deliveries_alert on deliveries (alert_id);

-- What each stage did, so that counters survive restarts and lag can be told without asking a process.
create table stage_runs (
  stage       text primary key,
  runs        bigint not null,
  rows        bigint not null,
  failures    bigint not null,
  fenced_off  bigint not null,
  seconds     double precision not null,
  ran_at      timestamptz not null,
  last_error  text
);
