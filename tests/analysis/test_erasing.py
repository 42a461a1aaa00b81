"""Erased posts leave what was told, and nothing else does."""

from services.analysis.erasing import without_posts

BUNDLE = {
    "counts": {"posts": 9},
    "typical": [
        {"post_id": 1, "text": "gone", "url": "https://e.org/1", "author": "a", "score": 0.9},
        {"post_id": 2, "text": "stays", "url": "https://e.org/2", "author": "b"},
    ],
    "nested": {"first_carriers": [{"post_id": 1, "text": "gone", "published_at": "2016-12-11"}]},
}


def test_the_words_go_and_the_figures_stay() -> None:
    left = without_posts(BUNDLE, {1})
    assert left["typical"][0] == {"post_id": 1, "text": "", "url": "", "author": "", "score": 0.9, "erased": True}
    assert left["typical"][1] == BUNDLE["typical"][1]
    assert left["nested"]["first_carriers"][0]["text"] == ""
    assert left["counts"] == {"posts": 9}
    assert "gone" not in str(left)


def test_what_names_no_erased_post_is_as_it_was() -> None:
    assert without_posts(BUNDLE, {3}) == BUNDLE
