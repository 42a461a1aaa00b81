-- Groups of posts that carry no frame, with an id that lasts from day to day, and what the team said of them.

-- When each codebook's unmatched posts were grouped last; `asked`: somebody does not want to wait for the night.
create table suggestion_runs (
  codebook    text primary key,
  slot        date,
  asked       boolean not null default false,
  ran_at      timestamptz,
  since       timestamptz,
  until       timestamptz,
  posts       integer,
  units       integer,
  grouped     integer,
  lease_until timestamptz,
  fence       bigint not null default 0
);

-- `vector`: the middle of the group, 16-bit floats, little-endian. `decided_units`: how large it was when dismissed.
-- `found_at`, `seen_at`: the stream's present of the first and the last run that saw it.
create table suggestions (
  suggestion_id bigint generated always as identity primary key,
  codebook      text not null,
  state         text not null check (state in ('open', 'dismissed', 'adopted', 'faded', 'merged')),
  model_id      smallint not null references models,
  vector        bytea not null,
  first_seen    timestamptz not null,
  found_at      timestamptz not null,
  seen_at       timestamptz not null,
  posts         integer not null,
  units         integer not null,
  authors       integer not null,
  publishers    integer not null,
  langs         jsonb not null,
  days          jsonb not null,
  terms         jsonb not null,
  score         real not null,
  parts         jsonb not null,
  split_from    bigint,
  merged_into   bigint,
  decided_at    timestamptz,
  decided_by    text,
  decided_units integer,
  frame         text
);
create index suggestions_codebook on suggestions (codebook, state);

-- Units of a suggestion, and near misses just outside it, each by one post. Words are read from the posts, live.
create table suggestion_posts (
  suggestion_id bigint not null references suggestions on delete cascade,
  unit_key      bytea not null,
  post_id       bigint not null,
  inside        boolean not null,
  likeness      real not null,
  primary key (suggestion_id, unit_key)
);
create index suggestion_posts_post on suggestion_posts (post_id);
