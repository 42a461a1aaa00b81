-- What people judge, and what they are asked to judge. Labels and samples belong to a frame of a codebook, not to a
-- version of it: a post's frame is the same question whatever the model says.

-- One drawing a frame and week (named by its Monday): which period it stands for, how many units each stratum had.
create table draws (
  codebook text not null,
  frame    text not null,
  week     date not null,
  version  integer not null,
  since    timestamptz not null,
  until    timestamptz not null,
  seed     bigint not null,
  near     integer not null,
  carried  integer not null,
  rest     integer not null,
  drawn_at timestamptz not null,
  primary key (codebook, frame, week)
);

-- The units that were drawn, each by one post of it. `inclusion`: how likely each of its stratum was to be drawn.
create table samples (
  codebook  text not null,
  frame     text not null,
  week      date not null,
  post_id   bigint not null,
  unit_key  bytea not null,
  stratum   text not null check (stratum in ('near', 'carried', 'rest')),
  inclusion double precision not null check (inclusion > 0 and inclusion <= 1),
  place     integer not null,
  primary key (codebook, frame, week, post_id),
  unique (codebook, frame, week, unit_key),
  foreign key (codebook, frame, week) references draws on delete cascade
);
create index samples_post on samples (post_id);

-- `origin`: whether the post was judged as a sample, or picked by hand (which says nothing of how good a frame is).
create table labels (
  codebook  text not null,
  frame     text not null,
  post_id   bigint not null,
  judge     text not null,
  answer    text not null check (answer in ('yes', 'no', 'unsure')),
  unit_key  bytea not null,
  origin    text not null check (origin in ('sample', 'free')),
  judged_at timestamptz not null,
  primary key (codebook, frame, post_id, judge)
);
create index labels_post on labels (post_id);
create index labels_unit on labels (codebook, frame, unit_key);

-- The units whose labels chose a threshold: they cannot say how good a version with that threshold is.
create table threshold_units (
  codebook  text not null,
  frame     text not null,
  threshold double precision not null,
  unit_key  bytea not null,
  chosen_at timestamptz not null,
  primary key (codebook, frame, threshold, unit_key)
);
