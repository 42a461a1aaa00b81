-- Changing a codebook: who asked for it and what it moved, and which stored posts a version is still to score.

-- The bins of a text's letter runs (16-bit, little-endian, ascending), so that heads need the text no more; null: not
-- worked out yet. Of a text of a few hundred letters it is smaller than the vector beside it.
alter table embeddings add column wording bytea;
alter table embeddings alter column wording set storage external;

-- Heads of before read other runs of letters; they are learned again, from the codebook as it was applied.
delete from heads;

-- What a frame says of itself beyond title and description: languages, colour, rule, disarm, owner, note.
alter table frames add column details jsonb not null default '{}';

-- When readers first saw it; null: never yet.
alter table codebooks add column current_at timestamptz;
update codebooks set current_at = applied_at where state = 'current';

-- One row each time somebody applied a codebook or rolled one back. `posts` were stored then; `moved` of them gained
-- or lost a frame.
create table codebook_changes (
  change_id    bigint generated always as identity primary key,
  codebook     text not null,
  kind         text not null check (kind in ('apply', 'rollback')),
  from_version integer,
  to_version   integer not null,
  version_id   integer not null references codebooks on delete cascade,
  asked_by     text not null,
  asked_at     timestamptz not null,
  state        text not null check (state in ('building', 'done', 'overtaken')),
  ended_at     timestamptz,
  posts        bigint not null,
  moved        bigint,
  gained       bigint,
  lost         bigint
);
create unique index codebook_changes_building on codebook_changes (version_id) where state = 'building';
insert into codebook_changes (codebook, kind, to_version, version_id, asked_by, asked_at, state, posts)
select codebook, 'apply', version, version_id, '', applied_at, 'building', (select count(*) from posts)
from codebooks where state = 'building';

-- Stored posts that a version is to score, some thousand at a time. A range is done once, whoever does it.
create table rescoring (
  version_id   integer not null references codebooks on delete cascade,
  received_day date not null,
  first_id     bigint not null,
  last_id      bigint not null,
  posts        integer not null,
  state        text not null check (state in ('waiting', 'done')),
  attempts     integer not null default 0,
  lease_until  timestamptz,
  fence        bigint not null default 0,
  primary key (version_id, received_day, first_id)
);
create index rescoring_waiting on rescoring (version_id) where state = 'waiting';

-- Scores of versions out of service whose post says something else by now; a rollback scores those again.
create table stale_scores (
  version_id integer not null references codebooks on delete cascade,
  post_id    bigint not null,
  primary key (version_id, post_id)
);
