"""Does the spec make sense? Every check of meaning, in the order a reader would make them."""

from __future__ import annotations

from collections.abc import Mapping

from tierline.config.case import Case
from tierline.config.check_access import examine_access
from tierline.config.check_alerts import examine_alerts
from tierline.config.check_budgets import examine_budgets
from tierline.config.check_courses import examine_courses
from tierline.config.check_experiments import examine_experiments
from tierline.config.check_governance import examine_governance
from tierline.config.check_load import examine_load
from tierline.config.check_log import examine_log
from tierline.config.check_models import examine_models
from tierline.config.check_names import examine_names
from tierline.config.check_patterns import examine_patterns
from tierline.config.check_prepare import examine_prepare
from tierline.config.check_rules import examine_rules
from tierline.config.check_scorers import examine_scorers
from tierline.config.check_shadow import examine_shadow
from tierline.config.check_shared import examine_shared
from tierline.config.check_tasks import examine_tasks
from tierline.config.check_tools import examine_tools
from tierline.config.check_tracing import examine_tracing
from tierline.config.check_validators import examine_validators
from tierline.types.catalog import Model


def examine(case: Case, models: Mapping[str, Model]) -> None:
    """Reports everything that has the right shape but no good meaning."""
    examine_names(case)
    examine_access(case)
    examine_patterns(case)
    examine_rules(case, models)
    examine_governance(case)
    examine_tasks(case, models)
    examine_tools(case)
    examine_prepare(case, models)
    examine_validators(case)
    examine_courses(case)
    examine_shadow(case, models)
    examine_models(case, models)
    examine_load(case)
    examine_budgets(case)
    examine_shared(case)
    examine_tracing(case)
    examine_scorers(case, models)
    examine_experiments(case)
    examine_log(case)
    examine_alerts(case)
