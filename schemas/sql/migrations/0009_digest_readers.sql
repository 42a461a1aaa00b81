-- Each reader of a digest gets a mail of their own, can leave with one click, and is then left alone.
create table digest_readers (
  reader_id       bigint generated always as identity primary key,
  digest          text not null references digests on delete cascade,
  address         text not null,
  unsubscribed_at timestamptz,
  unique (digest, address)
);

-- `channels`: the names of those it goes to, null for every one.
alter table digests
  add column silent_when_empty boolean not null default false,
  add column channels text[];

-- The one of a channel's readers that a message is for, null for all of them.
alter table deliveries add column reader text;
