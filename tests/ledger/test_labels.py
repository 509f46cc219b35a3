import pytest

from tierline.ledger.ledger import Ledger
from tierline.types.label import Label


def test_labels_that_disagree_stand_side_by_side(ledger: Ledger) -> None:
    said = [Label("r1", "mini", 1.0, "validator", 10.0, by="schema"), Label("r1", "mini", 0.0, "judge", 11.0, by="sonnet", trust=0.8)]
    ledger.labels.add(said)
    assert ledger.labels.of("r1") == said
    assert list(ledger.labels.since(11.0)) == said[1:]


def test_a_label_outside_zero_to_one_is_refused_with_all_that_came_with_it(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        ledger.labels.add([Label("r1", "mini", 1.0, "golden", 1.0), Label("r1", "mini", 1.5, "golden", 1.0)])
    assert ledger.labels.of("r1") == []
