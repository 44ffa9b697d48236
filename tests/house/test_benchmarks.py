"""The figures in docs/performance.md come from results, and the way they are made is right."""

import pytest

from benchmarks.goals import GOALS
from benchmarks.harness.counts import Counts, kind_of
from benchmarks.harness.stats import is_noisy, percentile, ratios, separation
from benchmarks.report import DOCUMENT, RESULTS, read_results, rendered


def test_the_document_says_what_the_results_say() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")

    assert rendered(document, read_results(RESULTS)) == document
    assert rendered(document.replace("| P1 |", "| P0 |"), read_results(RESULTS)) == document


def test_samples_that_are_alike_can_not_be_told_apart_and_others_can() -> None:
    times = [float(number) for number in range(500)]

    alike = separation(times, list(reversed(times)))
    apart = separation([time + 1000 for time in times], times)

    assert (alike.auc, alike.ks) == (0.5, 0.0)
    assert alike.error == pytest.approx(0.0183, abs=0.0002)
    assert (apart.auc, apart.ks, apart.error) == (1.0, 1.0, 0.0)
    assert separation([1.0, 2.0], [1.0, 2.0, 3.0]).auc == pytest.approx(2 / 6)


def test_ratios_are_taken_round_by_round() -> None:
    slow_spell = ratios([2.0, 20.0, 4.0], [1.0, 10.0, 2.0])

    assert slow_spell == (2.0, 2.0, 2.0)
    assert is_noisy([1.0, 10.0, 2.0])
    assert not is_noisy([1.0, 1.25])
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95.0


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("BEGIN", "begin"),
        ("COMMIT", "commit"),
        ("SELECT $1", "alive"),
        ("SELECT set_config($1, $2, $3)", "tenant"),
        (
            'SELECT $1 FROM ONLY "public"."tenants_tenant" x WHERE "id" = $2 FOR KEY SHARE',
            "reference",
        ),
        ('SELECT "a"."id" FROM "a"', "statement"),
        ("SAVEPOINT s1", "statement"),
    ],
)
def test_what_counts_as_a_statement(query: str, kind: str) -> None:
    found = Counts({query: 3})

    assert kind_of(query) == kind
    assert found.statements == (3 if kind in {"statement", "tenant", "alive"} else 0)
    assert found.commits == (3 if kind == "commit" else 0)


def test_a_goal_is_met_missed_or_better_than_asked() -> None:
    [cpu] = [goal for goal in GOALS if goal.key == "P1"]
    [resets] = [goal for goal in GOALS if goal.key == "P6"]

    assert [cpu.verdict(value) for value in (1.2, 1.6, 1.7)] == ["aim met", "met", "missed"]
    assert [resets.verdict(value) for value in (1.0, 0.8, 0.7)] == ["aim met", "met", "missed"]
