"""Planted bugs: each is a small change that breaks an invariant, and a test that must die of it.

python -m tests.mutants [word]    runs them on a copy of the tree; exit status 1 when one survives.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """In `file`, `good` becomes `bad`; `tests` must notice. `invariant` is its number in docs/invariants.md."""

    invariant: int
    file: str
    good: str
    bad: str
    tests: str


SQL = "schemas/sql/queries"
CLASSIFY, COLLECT, DETECT = (f"tests/stages/test_{name}.py" for name in ("classify", "collect", "detect"))

MUTANTS = [
    Mutant(2, f"{SQL}/queue.sql", "and q.fence = t.fence and q.lease_until is not null", "", f"{CLASSIFY} -k fence"),
    Mutant(2, f"{SQL}/feeds.sql", "and fence = %(fence)s and lease_until is not null", "", f"{COLLECT} -k lease"),
    Mutant(
        2,
        f"{SQL}/queue.sql",
        "order by post_id limit %(limit)s for update skip locked",
        "order by post_id limit %(limit)s",
        f"{CLASSIFY} -k claims",
    ),
    Mutant(2, "workers/stages/classify.py", "ATTEMPTS = 5", "ATTEMPTS = 500", f"{CLASSIFY} -k poison"),
    Mutant(
        3,
        "workers/hearing.py",
        "        if not feeds.settle_feed(tx, feed, **settled):\n            return Settled(ours=False)\n",
        "        feeds.settle_feed(tx, feed, **settled)\n",
        f"{COLLECT} -k lease",
    ),
    Mutant(3, "workers/hearing.py", '"cursor": feed.cursor', '"cursor": {}', f"{COLLECT} -k failed_fetch"),
    Mutant(
        4, "services/store/taking_in.py", '"duplicate": known + twice', '"duplicate": known', f"{COLLECT} -k duplicate"
    ),
    Mutant(
        4,
        "workers/stages/classify.py",
        "            scores.unscore_version(tx, version_id, sorted(mine))\n",
        "",
        f"{CLASSIFY} -k edit",
    ),
    Mutant(
        4,
        f"{SQL}/posts.sql",
        "select version_id, '*', bucket, source, lang, -count(*) from unscored",
        "select version_id, '*', bucket, source, lang, 0 from unscored",
        f"{CLASSIFY} -k delete",
    ),
    Mutant(
        4,
        f"{SQL}/trends.sql",
        "update trend_points p set units = n.units, authors = n.authors",
        "update trend_points p set units = p.posts, authors = n.authors",
        f"{CLASSIFY} -k version_and_trends",
    ),
    Mutant(5, f"{SQL}/posts.sql", "and k.content_hash <> i.content_hash", "and false", f"{COLLECT} -k midnight"),
    Mutant(
        6,
        "services/analysis/coverage.py",
        'intersect(kinds["expected"], kinds["heard"])',
        'kinds["expected"]',
        "tests/analysis/test_coverage.py",
    ),
    Mutant(
        6,
        "services/analysis/bursts.py",
        'np.where(learned < self.asked.learning_s, "learning", state)',
        "state",
        f"{DETECT} tests/analysis/test_bursts.py -k learning",
    ),
    Mutant(
        6, "services/analysis/bursts.py", 'np.where(heard, state, "insufficient coverage")', "state", f"{DETECT} -k gap"
    ),
    Mutant(
        6,
        "workers/stages/detect.py",
        "_floor(min(present, heard) if heard else present, step)",
        "_floor(present, step)",
        f"{DETECT} -k appointments",
    ),
    Mutant(
        6,
        "workers/stages/detect.py",
        "*(_floor(w, step) for w in waiting if w is not None)",
        "*()",
        f"{DETECT} -k scored",
    ),
    Mutant(
        7,
        "workers/stages/classify.py",
        "for p in claimed if p.text_hash not in known}",
        "for p in claimed}",
        f"{CLASSIFY} -k embedded_once",
    ),
    Mutant(
        8,
        "workers/stages/classify.py",
        "[version_id for version_id, _, _ in said]",
        "[v['version_id'] for v in codebooks.codebooks_in_service(tx)]",
        f"{CLASSIFY} -k at_work",
    ),
    Mutant(
        9,
        "workers/stages/detect.py",
        "episode.onset.isoformat())",
        "episode.last.isoformat())",
        f"{DETECT} -k 'again or all_at_once'",
    ),
    Mutant(
        9,
        f"{SQL}/deliveries.sql",
        "left join channels c on c.state = 'enabled'",
        "join channels c on c.state = 'enabled'",
        f"{DETECT} -k outage",
    ),
    Mutant(
        9,
        f"{SQL}/deliveries.sql",
        "on conflict do nothing returning slot;",
        "on conflict (digest, slot) do update set body = excluded.body returning slot;",
        f"{DETECT} -k slot",
    ),
    Mutant(9, "workers/stages/deliver.py", '"pending" if due else "parked"', '"sent"', f"{DETECT} -k cannot_be_sent"),
    Mutant(10, f"{SQL}/posts.sql", "'', 0, %(now)s\n", "'', 0, null\n", f"{COLLECT} -k come_back"),
    Mutant(
        11,
        "services/analysis/intake.py",
        "author=self.author(source, post.author)",
        "author=post.author",
        f"{COLLECT} -k pseudonyms",
    ),
    Mutant(
        13,
        "services/analysis/bursts.py",
        "expected = past.expect(starts, np.nan_to_num(coverage, nan=1.0))",
        "expected = np.full(n, seen.mean())",
        "tests/analysis/test_bursts.py -k future",
    ),
    Mutant(
        13,
        "services/analysis/onsets.py",
        "rows = zip(starts.tolist(), seen.tolist()",
        "rows = zip(starts.tolist(), (seen - seen.mean()).tolist()",
        "tests/analysis/test_detector.py -k 'later or portions'",
    ),
]


def survives(mutant: Mutant, tree: Path) -> bool:
    """Plant the bug, run its tests, take it out again; whether they passed all the same."""
    path = tree / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.good) < 1:
        raise SystemExit(f"{mutant.file} no longer holds: {mutant.good}")
    path.write_text(text.replace(mutant.good, mutant.bad, 1), encoding="utf-8")
    try:
        command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider {mutant.tests}"
        done = subprocess.run(command, shell=True, cwd=tree, capture_output=True, text=True)
    finally:
        path.write_text(text, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise SystemExit(f"{mutant.tests}: {done.stdout}{done.stderr}")
    return done.returncode == 0


def main() -> None:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    chosen = [m for m in MUTANTS if word in m.file or word in m.tests]
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(".", tree, ignore=shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache"))
        for mutant in chosen:
            lives = survives(mutant, tree)
            survivors += lives
            print(
                f"{'SURVIVES' if lives else 'killed  '}  {mutant.invariant:2}  {mutant.file}: {mutant.good.strip()[:70]!r}"
            )
    print(f"{len(chosen) - survivors} of {len(chosen)} planted bugs were killed")
    sys.exit(bool(survivors))


if __name__ == "__main__":
    main()
