"""The page of a replay."""

from __future__ import annotations

import msgspec

from evaluation.report.test_report import HOSTILE, Reader
from tierline.evaluation.counterfactual import Value, Weights
from tierline.evaluation.interval import Figure
from tierline.evaluation.replay.changes import Change, Example
from tierline.evaluation.replay.document import Evidence, Needed, NoEvidence, Reckoned, Replay, Rows
from tierline.evaluation.report.page import replay_report


def found() -> Replay:
    figure = Figure(0.9, 0.85, 0.95, 300)
    quality = Value(figure, figure, figure, figure, Figure(-0.02, -0.05, 0.01, 300), Weights(300, 212.5, 3.0, 1.0, 0.05, 0))
    example = Example("5f2c9a41", "opus (cheapest above the bar)", "mini (a rule)", ("It was taken for chat.", "mini clears the bar."))
    return Replay(
        source="tierline.db",
        spec="new.yaml",
        fingerprint="0123456789ab",
        rows=Rows(
            read=410,
            decided=400,
            same=320,
            plan_changed=12,
            changed=68,
            refused=0,
            tools=0,
            screened=0,
            own=10,
            unfaithful=(),
            policies={"abc": 400},
        ),
        models={"mini": (0.4, 0.57), "opus": (0.6, 0.43)},
        tiers={"fast": (0.4, 0.57), "best": (0.6, 0.43)},
        reckoned=Reckoned(0.002, 0.0015, -0.0005, -0.25),
        latency=None,
        evidence=Evidence(
            coverage=0.83,
            changed_coverage=0.1,
            supported=332,
            exact=True,
            labelled={"feedback": 300},
            quality=quality,
            cost=None,
            latency=None,
            quality_bounds=(-0.1, 0.08),
            none=(NoEvidence("no chance", 68, ("a1",)),),
            needed=(Needed(0.02, 0.05, 900, None),),
        ),
        changes=(Change("choice", "a cheaper one clears the bar", "chat", "opus", "mini", 68, -0.034, 7, (example,)),),
        caveats=("Prompts were not kept.",),
    )


def test_changed_decisions_are_grouped_and_explained() -> None:
    reader = Reader(replay_report(found()))
    assert (reader.open, reader.crossed) == ([], [])
    assert "68 decisions of 400 would change." in reader.text
    assert "opus → mini : 68 of the task chat; a cheaper one clears the bar." in reader.text
    assert "5f2c9a41" in reader.text and "mini clears the bar." in reader.text
    assert "quality changes by −2.0 points (95 % interval −5.0 to +1.0)" in reader.text


def test_what_has_no_evidence_stands_beside_every_estimate() -> None:
    text = Reader(replay_report(found())).text
    assert "on 83.0 % of the decisions, and on 10.0 % of the changed ones" in text
    assert "212 of 300" in text or "213 of 300" in text
    assert "no chance" in text and "changes by −10.0 to +8.0 points" in text


def test_a_replay_that_changes_nothing_and_proves_nothing_says_so() -> None:
    rows = msgspec.structs.replace(found().rows, same=400, changed=0)
    text = Reader(replay_report(msgspec.structs.replace(found(), rows=rows, changes=(), evidence=None))).text
    assert "all 400 decisions come out with the same model first" in text
    assert "What that does to quality cannot be said" in text


def test_hostile_names_in_a_replay_are_words() -> None:
    change = msgspec.structs.replace(found().changes[0], before=HOSTILE, why=HOSTILE, task=HOSTILE)
    reader = Reader(replay_report(msgspec.structs.replace(found(), changes=(change,), source=HOSTILE, caveats=(HOSTILE,))))
    assert not [tag for tag, _ in reader.tags if tag in ("script", "img")]
    assert (reader.open, reader.crossed) == ([], [])
