"""Builds the dashboards from the lists below: python deploy/grafana/build.py [FOLDER]. A test holds the files to it.

A panel is a line here, so that every one has a unit, a description and a place, and no two differ by accident. Imports
nothing of framewatch: tests/deploy hold the metrics' names to the exporter's and run every expression.
"""

import json
import sys
from pathlib import Path

from panels import (
    BAD,
    GOOD,
    NONE_IS_GOOD,
    PLAIN,
    TO_CONSOLE,
    TO_FRAME,
    WARN,
    WHOLE_IS_GOOD,
    F,
    S,
    bars,
    condition_of,
    dashboard,
    dashed,
    lines,
    row,
    stat,
    states,
    steps,
    table,
    variable,
)  # fmt: skip

CODEBOOK = variable("codebook", "Codebook", "label_values(framewatch_frame_burst, codebook)")
FRAMES = variable("frame", "Frame", 'label_values(framewatch_frame_burst{codebook=~"$codebook"}, frame)')
ONE_CODEBOOK = variable("codebook", "Codebook", "label_values(framewatch_frame_burst, codebook)", multi=False)
ONE_FRAME = variable(
    "frame", "Frame", 'label_values(framewatch_frame_burst{codebook=~"$codebook"}, frame)', multi=False
)
SOURCES = variable("source", "Source", "label_values(framewatch_feeds, source)")
LINKS = {"links": [TO_CONSOLE, TO_FRAME]}

NARRATIVES = dashboard(
    "framewatch-narratives", "Narratives", "Which frames move, and whether that can be trusted.", [CODEBOOK, FRAMES],
    [
        [
            (4, 4, stat("Frames on alert", "Frames of which an alert goes on, whatever their last hour was.",
                        f'sum(framewatch_frame_condition{{{F},condition="on alert"}}) or vector(0)', NONE_IS_GOOD)),
            (4, 4, stat("Alerts that go on", "Of any kind, grown ones too.",
                        'sum(framewatch_alerts{state=~"firing|escalated"}) or vector(0)', NONE_IS_GOOD)),
            (4, 4, stat("Burst alerts in a week", "Raised in the last seven days. The budget is for false ones alone.",
                        'sum(kind:framewatch_alerts_raised:increase7d{kind="burst"}) or vector(0)', decimals=0)),
            (4, 4, stat("Budget a week", "False alarms a week the team accepts, over all frames: FRAMEWATCH_BUDGET.",
                        "framewatch_detector_budget_alerts_per_week")),
            (4, 4, stat("Lowest coverage", "Of the expected feed time of the last closed hour, for the frame that hears"
                        " least. Below 1 a trend has a gap, not a zero.",
                        f"min(framewatch_frame_coverage_ratio{{{F}}})", WHOLE_IS_GOOD, unit="percentunit")),
            (4, 4, stat("Lowest precision", "Of the frames people have judged, the one that is least often right.",
                        f"min(framewatch_frame_precision_ratio{{{F}}} >= 0) or vector(NaN)",
                        steps((None, BAD), (0.7, WARN), (0.85, GOOD)), unit="percentunit")),
        ],
        [
            (24, 9, table("What moves", "Every frame as it stands: the last hour against what the past explains, and the last"
                          " day. A frame's name leads to the console.", [
                ("Voices, last hour", f"sum by (codebook, frame) (framewatch_frame_observed_units{{{F}}})", "short"),
                ("Expected", f"sum by (codebook, frame) (framewatch_frame_expected_units{{{F}}})", "short"),
                ("Usual at most", f"sum by (codebook, frame) (framewatch_frame_upper_units{{{F}}})", "short"),
                ("Burst", f"sum by (codebook, frame) (framewatch_frame_burst{{{F}}})", "bool_yes_no"),
                ("Posts, 24 h", f'sum by (codebook, frame) (framewatch_frame_posts{{{F},window="24h"}})', "short"),
                ("Voices, 24 h", f'sum by (codebook, frame) (framewatch_frame_units{{{F},window="24h"}})', "short"),
                ("Share, 24 h", f'sum by (codebook, frame) (framewatch_frame_share_ratio{{{F},window="24h"}})', "percentunit"),
                ("Precision", f"sum by (codebook, frame) (framewatch_frame_precision_ratio{{{F}}})", "percentunit"),
            ])),
        ],
        [
            (12, 9, lines("Share of posts, last day", "Posts that carry the frame, of all posts scored in the 24 hours before.",
                          (f'framewatch_frame_share_ratio{{{F},window="24h"}}', "{{frame}}"), unit="percentunit", low=0, **LINKS)),
            (12, 9, lines("Voices against what is usual", "Independent voices of the last closed hour as a part of the most that is"
                          " usual: above 1 is a burst by itself.",
                          (f"framewatch_frame_observed_units{{{F}}} / framewatch_frame_upper_units{{{F}}}", "{{frame}}"),
                          unit="percentunit", low=0, thresholds=steps((None, PLAIN), (1, BAD)), **LINKS)),
        ],
        [
            (12, 9, states("State of frames", "As people are told it: on alert while an alert goes on, else by the last closed hour.",
                           condition_of(F), "{{frame}}", **LINKS)),
            (12, 9, lines("Coverage", "Part of the expected feed time that was heard. A line that ends is unknown, not zero.",
                          (f"framewatch_frame_coverage_ratio{{{F}}}", "{{frame}}"), unit="percentunit", low=0, high=1, **LINKS)),
        ],
        [
            (8, 8, bars("Hours in a burst in a week", "Part of the last seven days' scrapes in which the frame was in burst.",
                         f"frame:framewatch_frame_burst:avg7d{{{F}}}", "{{frame}}", unit="percentunit", low=0, high=1)),
            (8, 8, lines("Frames by verdict", "What detection says of the last closed hour alone, whatever alert goes on.",
                         (f"sum by (state) (framewatch_frame_state{{{F}}})", "{{state}}"), low=0)),
            (8, 8, lines("Alerts by kind", "Those that go on, and those that are over and kept.",
                         ('sum by (kind) (framewatch_alerts{state=~"firing|escalated"})', "{{kind}}: goes on"),
                         ('sum by (kind) (framewatch_alerts{state="resolved"})', "{{kind}}: over"))),
        ],
    ],
)  # fmt: skip

FRAME = dashboard(
    "framewatch-frame", "One frame", "One frame: how many speak, whether that is more than usual, how sure we are.",
    [ONE_CODEBOOK, ONE_FRAME],
    [
        [
            (4, 4, stat("State", "As people are told it: on alert while an alert goes on, else by the last closed hour.",
                        f"framewatch_frame_condition{{{F}}} == 1", legend="{{condition}}", text="name")),
            (4, 4, stat("Share, last day", "Of all posts scored in the 24 hours before.",
                        f'framewatch_frame_share_ratio{{{F},window="24h"}}', unit="percentunit", graph="area", **LINKS)),
            (4, 4, stat("Against a day ago", "Change of that share in the last day, as a part of all posts.",
                        f'(framewatch_frame_share_ratio{{{F},window="24h"}} - framewatch_frame_share_ratio{{{F},window="24h"}}'
                        f' offset 1d) or framewatch_frame_share_ratio{{{F},window="24h"}} * 0', unit="percentunit")),
            (4, 4, stat("Voices, last day", "Independent voices: near copies and reposts count once.",
                        f'framewatch_frame_units{{{F},window="24h"}}')),
            (4, 4, stat("Coverage", "Of the expected feed time of the last closed hour.",
                        f"framewatch_frame_coverage_ratio{{{F}}}", WHOLE_IS_GOOD, unit="percentunit")),
            (4, 4, stat("Texts judged", "Texts said to carry the frame that people judged; the precision stands on them.",
                        f"framewatch_frame_judged_texts{{{F}}}", steps((None, WARN), (20, GOOD)))),
        ],
        [
            (24, 10, lines("Voices an hour", "Independent voices of the last closed hour, what the past explains, and the most that"
                           " is usual (dashed).",
                           (f"framewatch_frame_observed_units{{{F}}}", "heard"),
                           (f"framewatch_frame_expected_units{{{F}}}", "expected"),
                           (f"framewatch_frame_upper_units{{{F}}}", "usual at most"), low=0,
                           overrides=[dashed("expected"), dashed("usual at most")], **LINKS)),
        ],
        [
            (12, 8, lines("Share of posts", "Over the last hour and the last day.",
                          (f"framewatch_frame_share_ratio{{{F}}}", "{{window}}"), unit="percentunit", low=0, **LINKS)),
            (12, 8, lines("Posts and voices, last day", "Posts, and the independent voices among them.",
                          (f'framewatch_frame_posts{{{F},window="24h"}}', "posts"),
                          (f'framewatch_frame_units{{{F},window="24h"}}', "voices"), low=0, **LINKS)),
        ],
        [
            (8, 8, states("State", "On alert while an alert goes on, else by the last closed hour.", condition_of(F), "{{frame}}")),
            (8, 8, lines("Coverage", "Part of the expected feed time that was heard.",
                         (f"framewatch_frame_coverage_ratio{{{F}}}", "heard"), unit="percentunit", low=0, high=1)),
            (8, 8, lines("Texts judged", "Texts said to carry the frame that people judged.",
                         (f"framewatch_frame_judged_texts{{{F}}}", "judged"), low=0)),
        ],
        [
            (8, 8, lines("Precision", "Part of what carries the frame that people said does, with its 95% interval (dashed)."
                         " Empty until a sample is judged.",
                         (f"framewatch_frame_precision_ratio{{{F}}}", "precision"),
                         (f"framewatch_frame_precision_low_ratio{{{F}}}", "at least"),
                         (f"framewatch_frame_precision_high_ratio{{{F}}}", "at most"), unit="percentunit", low=0, high=1,
                         overrides=[dashed("at least"), dashed("at most")])),
            (8, 8, lines("Recall", "Part of what carries the frame by people's word that is found, with its 95% interval (dashed)."
                         " Empty until a sample is judged.",
                         (f"framewatch_frame_recall_ratio{{{F}}}", "recall"),
                         (f"framewatch_frame_recall_low_ratio{{{F}}}", "at least"),
                         (f"framewatch_frame_recall_high_ratio{{{F}}}", "at most"), unit="percentunit", low=0, high=1,
                         overrides=[dashed("at least"), dashed("at most")])),
            (8, 8, lines("Agreement of judges", "Krippendorff's alpha of all who judged the same texts, and Cohen's kappa of two."
                         " Empty until two people have.",
                         (f"framewatch_frame_agreement_alpha{{{F}}}", "alpha"),
                         (f"framewatch_frame_agreement_kappa{{{F}}}", "kappa"), high=1,
                         thresholds=steps((None, PLAIN), (0.67, GOOD)))),
        ],
    ],
)  # fmt: skip

PIPELINE = dashboard(
    "framewatch-pipeline", "Pipeline health", "Whether posts come in, are worked on and told of, and what holds them up.",
    [SOURCES],
    [
        [
            (4, 4, stat("Database", "Whether the exporter can read Postgres.", "framewatch_up",
                        steps((None, BAD), (1, GOOD)), mappings=[{"type": "value", "options": {
                            "0": {"text": "away", "color": "red", "index": 1}, "1": {"text": "there", "color": "green", "index": 2}}}])),
            (4, 4, stat("Furthest behind", "Age of the oldest row that waits for any stage.",
                        "max(framewatch_backlog_oldest_seconds)", steps((None, GOOD), (300, WARN), (900, BAD)), unit="s")),
            (4, 4, stat("Detection behind", "How far the frame judged least is behind the present; about an hour is as it should be.",
                        "framewatch_detector_lag_seconds", steps((None, GOOD), (10800, WARN), (21600, BAD)), unit="s")),
            (4, 4, stat("Messages set aside", "Could not be delivered; each has its reason.",
                        'framewatch_deliveries{state="parked"}', NONE_IS_GOOD)),
            (4, 4, stat("Posts set aside", "Could not be scored in several attempts; each has its reason.", "framewatch_posts_parked", NONE_IS_GOOD)),
            (4, 4, stat("Partitions ahead", "For how long from today posts have a place; upkeep keeps it up.",
                        "framewatch_partitions_ahead_seconds", steps((None, BAD), (259200, WARN), (432000, GOOD)), unit="s")),
        ],
        [(24, 1, row("What comes in"))],
        [
            (8, 8, lines("Posts by outcome", "What became of the posts fetched, a second.",
                         (f"sum by (outcome) (rate(framewatch_intake_posts_total{{{S},outcome!=\"fetched\"}}[$__rate_interval]))",
                          "{{outcome}}"), unit="cps", low=0, stacked=True)),
            (8, 8, lines("New posts by source", "New posts a second.",
                         (f'source:framewatch_intake_posts:rate5m{{{S},outcome="new"}}', "{{source}}"), unit="cps", low=0)),
            (8, 8, lines("Dropped and cleaned, by reason", "Items that could not become posts, and texts that had to be changed, in an hour.",
                         ("sum by (reason) (increase(framewatch_dropped_posts_total[1h])) > 0 or sum(increase(framewatch_dropped_posts_total[1h]))",
                          "dropped: {{reason}}"),
                         ("sum by (reason) (increase(framewatch_cleaned_posts_total[1h])) > 0 or sum(increase(framewatch_cleaned_posts_total[1h]))",
                          "cleaned: {{reason}}"), low=0)),
        ],
        [
            (8, 8, lines("Feed lag", "Longest time an enabled live feed has not been heard, by source; none of a replay.",
                         (f"max by (source) (framewatch_feed_lag_seconds{{{S}}}) or 0 * max by (source) (framewatch_feeds{{{S}}})", "{{source}}"),
                         unit="s", low=0, thresholds=steps((None, PLAIN), (21600, BAD)))),
            (8, 8, lines("Feeds failing", "Enabled feeds whose last fetch failed.",
                         (f"sum by (source) (framewatch_feeds_failing{{{S}}})", "{{source}}"), low=0)),
            (8, 8, lines("Feeds", "How many do how, in the words of the console.",
                         (f"sum by (source, health) (framewatch_feeds_by_health{{{S}}}) > 0", "{{source}} {{health}}"), low=0)),
        ],
        [(24, 1, row("What is done with it"))],
        [
            (8, 8, lines("Age of the oldest row waiting", "How far behind each stage is.",
                         ("max by (stage) (framewatch_backlog_oldest_seconds)", "{{stage}}"), unit="s", low=0,
                         thresholds=steps((None, PLAIN), (900, BAD)))),
            (8, 8, lines("Rows waiting", "Backlog before each stage.", ("sum by (stage) (framewatch_backlog_rows)", "{{stage}}"), low=0)),
            (8, 8, lines("Rows done", "A second, by stage.", ("stage:framewatch_stage_rows:rate5m", "{{stage}}"), unit="cps", low=0)),
        ],
        [
            (8, 8, lines("Throughput of the model", "Posts the classifier settles in a second of its own work: with the share of"
                         " time it works, how much is left.",
                         ('stage:framewatch_stage_rows_per_busy_second:rate5m{stage="classify"}'
                          ' or 0 * stage:framewatch_stage_busy:rate5m{stage="classify"}', "posts a second of work"), low=0)),
            (8, 8, lines("Workers busy", "Seconds of work a second: a queue whose sum nears its workers' number needs more.",
                         ("stage:framewatch_stage_busy:rate5m", "{{stage}}"), low=0)),
            (8, 8, lines("Runs", "A second; a stage without work writes down a run every few seconds.",
                         ("stage:framewatch_stage_runs:rate5m", "{{stage}}"), unit="cps", low=0)),
        ],
        [
            (8, 8, lines("Failures and lost leases", "Failures by stage, and rows whose lease had gone to another worker when they"
                         " were to be settled.",
                         ("stage:framewatch_stage_failures:rate5m", "{{stage}} failed"),
                         ("sum by (stage) (rate(framewatch_stage_fenced_off_total[5m]))", "{{stage}} fenced off"), unit="cps", low=0)),
            (8, 8, lines("Deliveries", "The outbox, by state.", ("sum by (state) (framewatch_deliveries)", "{{state}}"), low=0)),
            (8, 8, lines("Stored", "Posts, and distinct texts run through the transformer; estimated once there are many.",
                         ("framewatch_posts_stored", "posts"), ("framewatch_embeddings_stored", "distinct texts"), low=0)),
        ],
        [(24, 1, row("How it judges"))],
        [
            (6, 7, lines("Threshold of detection", "Chance below which an hour of one frame is a burst: in force, and as theory has it (dashed).",
                         ("framewatch_detector_threshold_probability", "in force"),
                         ("framewatch_detector_threshold_theory_probability", "theory"), unit="sci", low=0,
                         overrides=[dashed("theory")])),
            (6, 7, lines("Alarms a week, replayed", "What detection tells of the past weeks, false and true: as it is now, by theory alone,"
                         " and the false ones that the budget accepts (dashed).",
                         ("framewatch_detector_replayed_alerts_per_week", "as it is"),
                         ("framewatch_detector_replayed_theory_alerts_per_week", "theory"),
                         ("framewatch_detector_budget_alerts_per_week", "budget"), low=0, overrides=[dashed("budget")])),
            (6, 7, lines("Burst alerts in a week", "Raised in seven days, and the false ones that the budget accepts (dashed).",
                         ('sum(kind:framewatch_alerts_raised:increase7d{kind="burst"}) or vector(0)', "raised"),
                         ("framewatch_detector_budget_alerts_per_week", "budget"), low=0, overrides=[dashed("budget")])),
            (6, 7, lines("Since the last replay", "How long ago the threshold was last held against the past: once a day of the stream.",
                         ("time() - framewatch_detector_calibrated_timestamp_seconds", "ago"), unit="s", low=0)),
        ],
    ],
)  # fmt: skip

BUILT = {"narratives.json": NARRATIVES, "frame.json": FRAME, "pipeline.json": PIPELINE}

if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dashboards"
    for name, built in BUILT.items():
        (out / name).write_text(json.dumps(built, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
