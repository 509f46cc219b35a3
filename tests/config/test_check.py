"""Every kind of problem is found alone, on its line, at its path, with words that help."""

from __future__ import annotations

from pathlib import Path

import pytest
from spec_text import FLEET, marked_line, problems

ERRORS = {
    # the shape of the file
    "a misspelt section": ("taks: {}  # HERE", "taks", "unknown key 'taks'", "tasks"),
    "a misspelt key": ("tasks:\n  t: {why: x, quality_bra: 0.9}  # HERE", "tasks.t.quality_bra", "unknown key", "quality_bar"),
    "a missing key": ("tasks:\n  t: {owner: me}  # HERE", "tasks.t", "'why' is missing", "add why: text"),
    "text for a number": ("tasks:\n  t: {why: x, quality_bar: high}  # HERE", "tasks.t.quality_bar", "a number from 0 to 1, got 'high'", ""),
    "a number out of range": ("tasks:\n  t: {why: x, quality_bar: 97}  # HERE", "tasks.t.quality_bar", "from 0 to 1, got the number 97", ""),
    "a boolean for a number": ("tasks:\n  t: {why: x, failure_cost: yes}  # HERE", "tasks.t.failure_cost", "a number, at least 0", ""),
    "a number for text": ("tasks:\n  t: {why: 4.1}  # HERE", "tasks.t.why", "expected text, got the number 4.1", "quotes"),
    "the Norwegian region": ("governance: {rules: [{when: code, why: x, allow: {region: no}}]}  # HERE", "governance.rules[0].allow.region", "got no", "quotes"),
    "a bad duration": ("tasks:\n  t: {why: x, latency_budget: 2 sec}  # HERE", "tasks.t.latency_budget", "'2 sec' is no duration", "1500ms"),
    "a bad size": ("server: {max_body: 10 MiB}  # HERE", "server.max_body", "'10 MiB' is no size", "10MB"),
    "a negative duration": ("routes:\n  auto: {deadline: -3}  # HERE", "routes.auto.deadline", "is no duration", ""),
    "a bad date": ("tasks:\n  t: {why: x, reviewed: last week}  # HERE", "tasks.t.reviewed", "a date such as", ""),
    "a word that is no choice": ("routes:\n  auto: {select: cheapest}  # HERE", "routes.auto.select", "expected one of", "cheapest_above_bar"),
    "text for a list": ("keys:\n  k: {secret: '${K}', routes: auto}  # HERE", "keys.k.routes", "expected a list of texts", "[auto]"),
    "a list for a section": ("tasks: [a]  # HERE", "tasks", "expected a mapping", ""),
    "nothing for a section": ("server:  # HERE", "server", "got nothing", "fill it in"),
    "too many attempts": ("routes:\n  auto: {cascade: {max_attempts: 99}}  # HERE", "routes.auto.cascade.max_attempts", "from 1 to 32", ""),
    # names
    "a name that cannot travel": ("tasks:\n  'my task': {why: x}  # HERE", "tasks.my task", "cannot be a name", "letters"),
    "a task's unknown model": ("tasks:\n  t: {why: x, models: [minni]}  # HERE", "tasks.t.models[0]", "no model 'minni'", "'mini'"),
    "an unknown fallback": ("tasks:\n  t: {why: x, fallback: [ful]}  # HERE", "tasks.t.fallback[0]", "no model 'ful'", "'full'"),
    "a model twice": ("tasks:\n  t: {why: x, models: [mini, mini]}  # HERE", "tasks.t.models[1]", "stands twice", ""),
    "quality of an unknown model": ("tasks:\n  t: {why: x, quality: {mnii: 0.9}}  # HERE", "tasks.t.quality.mnii", "no model 'mnii'", "'mini'"),
    "an unknown risk": ("tasks:\n  t: {why: x, risk: hihg}  # HERE", "tasks.t.risk", "no risk 'hihg'", "'high'"),
    "an unknown operation": ("tasks:\n  t: {why: x, match: {operation: extract}}  # HERE", "tasks.t.match.operation", "no operation", "'extraction'"),
    "a route's unknown task": ("routes:\n  r: {task: t}  # HERE", "routes.r.task", "no task 't'", ""),
    "an unknown tier of difficulty": ("routes:\n  auto: {difficulty: {fsat: 0.3}}  # HERE", "routes.auto.difficulty.fsat", "no tier", "'fast'"),
    "an unknown scorer": ("routes:\n  auto: {scorer: {kind: hint}}  # HERE", "routes.auto.scorer.kind", "no scorer 'hint'", "'hints'"),
    "an unknown use": ("routes:\n  auto: {rules: [{when: code, use: bst, why: x}]}  # HERE", "routes.auto.rules[0].use", "no tier or model", "'best'"),
    "a rule's unknown task": ("routes:\n  auto: {rules: [{when: code, task: t, why: x}]}  # HERE", "routes.auto.rules[0].task", "no task 't'", ""),
    "a key's unknown route": ("keys:\n  k: {secret: '${K}', routes: [atuo]}  # HERE", "keys.k.routes[0]", "no route", "'auto'"),
    "a key's unknown model": ("keys:\n  k: {secret: '${K}', models: [mini, full, own, x]}  # HERE", "keys.k.models[3]", "no model 'x'", "known: full, mini, own"),
    "a key's unknown task": ("keys:\n  k: {secret: '${K}', task: t}  # HERE", "keys.k.task", "no task 't'", ""),
    "an allowed model that is none": ("governance: {rules: [{when: code, why: x, allow: {models: [mini, oops]}}]}  # HERE", "governance.rules[0].allow.models[1]", "no model 'oops'", ""),
    "a log_text that is none": ("routes:\n  auto: {log_text: some}  # HERE", "routes.auto.log_text", "none of the choices", "sample 0.01"),
    # conditions
    "a condition that does not parse": ("routes:\n  auto: {rules: [{when: 'code &&', use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "not CEL", "code &&▸"),
    "an unknown name": ("routes:\n  auto: {rules: [{when: inptu_tokens > 5, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "unknown name inptu_tokens", "'input_tokens'"),
    "an unknown signal": ("signals:\n  anger: {keywords: [angry]}\nroutes:\n  auto: {rules: [{when: signals.anger > 1 || signals.angre > 0, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no signal 'angre'", "'anger'"),
    "an unknown capability": ("routes:\n  auto: {rules: [{when: needs.tool, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no capability 'tool'", "'tools'"),
    "an unknown sensitivity": ("governance: {rules: [{when: sensitivity.pi, why: x, allow: {models: [own]}}]}  # HERE", "governance.rules[0].when", "no kind of sensitive data 'pi'", "'pii'"),
    "a member of a text": ("routes:\n  auto: {rules: [{when: task.name == 'x', use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "has no member 'name'", ""),
    "an unknown function": ("routes:\n  auto: {rules: [{when: language.startWith('d'), use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no function", "'startsWith'"),
    "a bad regular expression": ("routes:\n  auto: {rules: [{when: \"language.matches('(')\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no regular expression", ""),
    "a count as condition": ("routes:\n  auto: {rules: [{when: turns, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "neither true nor false", "turns > 0"),
    "a number compared with text": ("routes:\n  auto: {rules: [{when: \"turns == 'two'\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "compared with text", "a number"),
    "a task nobody declared": ("routes:\n  auto: {rules: [{when: \"task == 't'\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no task 't'", ""),
    "an operation that is none": ("routes:\n  auto: {rules: [{when: \"operation in ['extract']\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no operation 'extract'", "'extraction'"),
    "a key nobody has": ("routes:\n  auto: {rules: [{when: \"key == 'team'\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no key 'team'", ""),
    "another route's name": ("routes:\n  r: {}\n  auto: {rules: [{when: \"route == 'r'\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "on route 'auto' only", "routes.r.rules"),
    "an impossible number": ("routes:\n  auto: {rules: [{when: complexity > 1, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "complexity is from 0 to 1", ""),
    "a negative count": ("routes:\n  auto: {rules: [{when: input_tokens < 0, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "at least 0", ""),
    "a condition that is always false": ("routes:\n  auto: {rules: [{when: 1 == 2, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no request can ever", ""),
    "a condition that contradicts itself": ("routes:\n  auto: {rules: [{when: turns > 5 && turns < 3, use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "no request can ever", ""),
    "the same condition twice": ("routes:\n  auto:\n    rules:\n      - {when: code, use: best, why: x}\n      - {when: (code), use: fast, why: x}  # HERE", "routes.auto.rules[1].when", "same condition as rule 0", ""),
    "a rule after one that always holds": ("routes:\n  auto:\n    rules:\n      - {when: 'true', use: best, why: x}\n      - {when: code, use: fast, why: x}  # HERE", "routes.auto.rules[1].when", "rule 0 above always holds", ""),
    "a rule that a wider one takes": ("routes:\n  auto:\n    rules:\n      - {when: turns > 2, use: best, why: x}\n      - {when: turns > 9 && code, use: fast, why: x}  # HERE", "routes.auto.rules[1].when", "rule 0 above takes every", "narrower"),
    "a rule that two others take": ("routes:\n  auto:\n    rules:\n      - {when: code, use: best, why: x}\n      - {when: '!code', use: fast, why: x}\n      - {when: turns > 9, use: fast, why: x}  # HERE", "routes.auto.rules[2].when", "together take every", ""),
    "a task rule that reads the task": ("tasks:\n  t: {why: x}\nroutes:\n  auto: {rules: [{when: \"task == 't'\", task: t, why: x}]}  # HERE", "routes.auto.rules[0].when", "still open", "use:"),
    "a rule that does nothing": ("routes:\n  auto:\n    rules:\n      - {when: code, why: x}  # HERE", "routes.auto.rules[0]", "neither uses nor settles", "add use:"),
    "a rule that uses nobody": ("routes:\n  auto: {rules: [{when: code, use: [], why: x}]}  # HERE", "routes.auto.rules[0].use", "list is empty", ""),
    "a rule that contradicts its task": ("tasks:\n  t: {why: x, models: [mini]}\nroutes:\n  auto:\n    rules:\n      - {when: code, task: t, use: best, why: x}  # HERE", "routes.auto.rules[0]", "takes none of them", ""),
    "a task rule on a settled route": ("tasks:\n  t: {why: x}\nroutes:\n  r: {task: t, rules: [{when: code, task: t, why: x}]}  # HERE", "routes.r.rules[0].task", "before any rule is asked", ""),
    # governance
    "governance that leaves nothing": ("governance: {rules: [{when: code, why: x, allow: {residency: moon}}]}  # HERE", "governance.rules[0].allow.residency", "no model has the residency moon", "cloud, on_prem"),
    "governance without any model": ("governance: {rules: [{when: code, why: x, allow: {residency: on_prem, tiers: [best]}}]}  # HERE", "governance.rules[0].allow", "no model meets all", ""),
    "governance that allows everything": ("governance: {rules: [{when: code, why: x, allow: {}}]}  # HERE", "governance.rules[0].allow", "allows everything", ""),
    # tasks and routes
    "a model that stands in for itself": ("tasks:\n  t: {why: x, models: [mini], fallback: [mini]}  # HERE", "tasks.t.fallback[0]", "stand in for itself", ""),
    "shares above the whole": ("tasks:\n  s: {why: x, traffic_share: 0.7}\n  t: {why: x, traffic_share: 0.6}  # HERE", "tasks.t.traffic_share", "add up to 1.3", ""),
    "weights of zero": ("tasks:\n  t: {why: x, weights: {mini: 0}}  # HERE", "tasks.t.weights", "every weight is zero", ""),
    "a weight for an outsider": ("tasks:\n  t: {why: x, models: [full], weights: {full: 1, mini: 1}}  # HERE", "tasks.t.weights.mini", "does not take 'mini'", ""),
    "weighted without weights": ("routes:\n  auto: {select: weighted}  # HERE", "routes.auto.select", "no weights are given", "weights:"),
    "a last tier with a limit": ("routes:\n  auto: {difficulty: {fast: 0.5, best: 0.9}}  # HERE", "routes.auto.difficulty.best", "the last tier", ""),
    "a cap below the cheapest call": ("tasks:\n  t: {why: x, models: [full], tokens: {input: 1000, output: 1000}}\nroutes:\n  auto: {cascade: {max_cost: 0.001}}  # HERE", "routes.auto.cascade.max_cost", "cheapest call of 't' costs (0.01125 with full)", "raise it"),
    "no time at all": ("routes:\n  auto: {deadline: 0}  # HERE", "routes.auto.deadline", "in no time", ""),
    # patterns
    "a pattern that RE2 does not take": ("tasks:\n  t: {why: x, match: {patterns: ['(?=a)']}}  # HERE", "tasks.t.match.patterns[0]", "RE2 does not take", "look-around"),
    "a broken pattern": ("tasks:\n  t: {why: x, match: {patterns: ['a(']}}  # HERE", "tasks.t.match.patterns[0]", "missing )", ""),
    "a pattern that matches everything": ("tasks:\n  t: {why: x, match: {patterns: ['a*']}}  # HERE", "tasks.t.match.patterns[0]", "the empty text", ""),
    "an empty keyword": ("tasks:\n  t: {why: x, match: {keywords: ['']}}  # HERE", "tasks.t.match.keywords[0]", "empty", ""),
    "hints that say nothing": ("tasks:\n  t: {why: x, match: {}}  # HERE", "tasks.t.match", "matches nothing", ""),
    "a glob for everything": ("tasks:\n  t: {why: x, match: {system_prompt: '*'}}  # HERE", "tasks.t.match.system_prompt", "every system prompt", ""),
    # keys
    "a key without scopes": ("keys:\n  k: {secret: '${K}', scopes: []}  # HERE", "keys.k.scopes", "may do nothing", ""),
    "an unknown scope": ("keys:\n  k: {secret: '${K}', scopes: [calls]}  # HERE", "keys.k.scopes[0]", "expected one of", "'call'"),
    "a broken variable": ("decision_log: {path: '${MY PATH}'}  # HERE", "decision_log.path", "opens no variable", "${NAME}"),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_found_alone_with_its_line_path_reason_and_suggestion(case: str, tmp_path: Path) -> None:
    snippet, path, reason, suggestion = ERRORS[case]
    text = FLEET + snippet
    found = [problem for problem in problems(tmp_path, text) if problem.severity == "error"]
    assert [(p.path, p.line) for p in found] == [(path, marked_line(text))]
    assert reason in found[0].reason
    assert suggestion in found[0].suggestion


WHOLE = {
    "no version": ("models: {}  # HERE", "", "'version' is missing"),
    "another version": ("version: 2  # HERE\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}\nproviders: {openai: {}}", "version", "expected 1, got the number 2"),
    "no models": ("version: 1  # HERE", "models", "no model to route to"),
    "an unknown provider": ("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: opnai, tier: fast}, n: {provider: openai, model: gpt-5, tier: fast}}  # HERE", "models.m.provider", "no provider 'opnai'"),
    "an unknown tier": ("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-5, tier: fats}}  # HERE", "models.m.tier", "no tier 'fats'"),
    "an unknown word for a capability": ("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-5, tier: fast, capabilities: [json]}}  # HERE", "models.m.capabilities[0]", "no capability 'json'"),
    "an unknown preset": ("version: 1\nproviders: {a: {preset: opena}}  # HERE\nmodels: {m: {provider: a, model: gpt-5, tier: fast}}", "providers.a.preset", "no preset 'opena'"),
    "a provider nobody can find": ("version: 1\nproviders: {opena: {}}  # HERE\nmodels: {m: {provider: opena, model: gpt-5, tier: fast}}", "providers.opena", "no base_url"),
    "an address that is none": ("version: 1\nproviders: {a: {base_url: house:80}}  # HERE\nmodels: {m: {provider: a, model: gpt-5, tier: fast}}", "providers.a.base_url", "no http address"),
    "an unknown dialect": ("version: 1\nproviders: {openai: {dialect: openai_chta}}  # HERE\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}", "providers.openai.dialect", "no dialect 'openai_chta'"),
    "a dialect to come": ("version: 1\nproviders: {gemini: {}}  # HERE\nmodels: {m: {provider: gemini, model: gemini-2.5-pro, tier: fast}}", "providers.gemini", "not available yet"),
    "a table for a server": ("version: 1\nproviders: {openai: {table: t.csv}}  # HERE\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}", "providers.openai.table", "kind http has no table"),
    "a recording without a table": ("version: 1\nproviders: {r: {kind: recorded}}  # HERE\nmodels: {m: {provider: r, tier: fast}}", "providers.r", "needs a table"),
    "a header that is none": ("version: 1\nproviders: {openai: {headers: {'a b': c}}}  # HERE\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}", "providers.openai.headers.a b", "a header's name"),
    "no time to connect": ("version: 1\nproviders: {openai: {connect_timeout: 0s}}  # HERE\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}", "providers.openai.connect_timeout", "in no time"),
    "a model called auto": ("version: 1\nproviders: {openai: {}}\nmodels: {auto: {provider: openai, model: gpt-5, tier: fast}}  # HERE", "models.auto", "reach routes and tiers"),
    "a model called like a tier": ("version: 1\nproviders: {openai: {}}\nmodels: {best: {provider: openai, model: gpt-5, tier: best}}  # HERE", "models.best", "is a tier too"),
    "no tier": ("version: 1\ntiers: []  # HERE\nproviders: {openai: {}}\nmodels: {}", "tiers", "there is no tier"),
    "a tier twice": ("version: 1\ntiers: [fast, fast]  # HERE\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}", "tiers[1]", "stands twice"),
    "thresholds that fall": ("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}\nroutes: {auto: {difficulty: {fast: 0.7, balanced: 0.4}}}  # HERE", "routes.auto.difficulty.balanced", "takes nothing"),
    "a rule for an empty tier": ("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}\nroutes: {auto: {rules: [{when: code, use: best, why: x}]}}  # HERE", "routes.auto.rules[0].use", "no model is in the tier 'best'"),
    "a signal that counts nothing": ("version: 1\nproviders: {openai: {}}\nmodels: {m: {provider: openai, model: gpt-5, tier: fast}}\nsignals: {s: {}}  # HERE", "signals.s", "counts nothing"),
    "a model that nothing takes": ("version: 1\nproviders: {openai: {}}\nmodels:\n  m: {provider: openai, model: gpt-5, tier: fast}\n  n: {provider: openai, model: gpt-5, tier: best}  # HERE\ntasks: {t: {why: x, models: [m]}}\nroutes: {auto: {task: t}}", "models.n", "ever takes this model"),
    "a model that governance never allows": ("version: 1\nproviders: {openai: {}}\nmodels:\n  m: {provider: openai, model: gpt-5, tier: fast}\n  n: {provider: openai, model: gpt-5, tier: best}  # HERE\ngovernance: {rules: [{when: 'true', why: x, allow: {models: [m]}}]}", "models.n", "never allows this model"),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_spec_with_one_error_reports_that_error(case: str, tmp_path: Path) -> None:
    text, path, reason = WHOLE[case]
    found = [problem for problem in problems(tmp_path, text) if problem.severity == "error"]
    mine = [problem for problem in found if problem.path == path]
    assert [problem.line for problem in mine] == [marked_line(text)]
    assert reason in mine[0].reason
    assert len(found) == 1 or case in ("no version", "no tier")


WARNINGS = {
    "a bar above every model": ("tasks:\n  t: {why: x, models: [mini], quality: {mini: 0.8}, quality_bar: 0.9}  # HERE", "tasks.t.quality_bar", "no model clears the bar"),
    "a ladder that climbs down": ("tasks:\n  t: {why: x, models: [full, mini]}  # HERE", "tasks.t.models", "climbs down"),
    "patience longer than the route's": ("tasks:\n  t: {why: x, latency_budget: 5m}  # HERE", "tasks.t.latency_budget", "gives up after 60 s"),
    "a signal that nobody reads": ("signals:\n  s: {keywords: [a]}  # HERE", "signals.s", "no rule reads"),
    "a word that is no risk": ("routes:\n  auto: {rules: [{when: \"risk == 'hihg'\", use: best, why: x}]}  # HERE", "routes.auto.rules[0].when", "not one of the words"),
    "governance that cannot be met together": ("governance:\n  rules:\n    - {when: code, why: x, allow: {models: [mini]}}\n    - {when: turns > 3, why: x, allow: {models: [full]}}  # HERE", "governance.rules[1]", "no model is allowed by both"),
    "a pasted secret": ("keys:\n  k: {secret: correct-horse-battery-staple}  # HERE", "keys.k.secret", "a secret stands in the file"),
}  # fmt: skip


@pytest.mark.parametrize("case", WARNINGS)
def test_what_will_surprise_is_warned_of_and_does_not_refuse_the_spec(case: str, tmp_path: Path) -> None:
    snippet, path, reason = WARNINGS[case]
    text = FLEET + snippet
    found = problems(tmp_path, text)
    assert [(p.severity, p.path, p.line) for p in found] == [("warning", path, marked_line(text))]
    assert reason in found[0].reason


HARMLESS = {
    "rules that overlap in part": "routes:\n  auto:\n    rules:\n      - {when: turns > 9, use: best, why: x}\n      - {when: turns > 2, use: fast, why: x}",
    "a variable of a macro's own": "routes:\n  auto: {rules: [{when: \"tags.exists(t, t == 'x')\", use: best, why: x}]}",
    "the whole map of signals": "signals:\n  s: {keywords: [a]}\nroutes:\n  auto: {rules: [{when: size(signals) > 3, use: best, why: x}]}",
    "a member by index": "signals:\n  very-angry: {keywords: [a]}\nroutes:\n  auto: {rules: [{when: \"signals['very-angry'] > 1\", use: best, why: x}]}",
    "a choice": "routes:\n  auto: {rules: [{when: 'code ? turns > 3 : questions > 1', use: best, why: x}]}",
    "a fallback further up": "tasks:\n  t: {why: x, models: [mini], fallback: [full]}",
    "governance for exclusive cases": "governance:\n  rules:\n    - {when: code, why: x, allow: {models: [mini]}}\n    - {when: '!code', why: x, allow: {models: [full]}}",
    "a task and models from one of its own": "tasks:\n  t: {why: x, models: [mini, full]}\nroutes:\n  auto: {rules: [{when: code, task: t, use: [full], why: x}]}",
    "a plain dollar": "tasks:\n  t: {why: 'costs $5 or $${x}'}",
    "a task that a rule may settle or read": "tasks:\n  t: {why: x}\nroutes:\n  auto: {rules: [{when: \"task == 't' || language == 'de'\", use: best, why: x}]}",
}  # fmt: skip


@pytest.mark.parametrize("case", HARMLESS)
def test_what_works_is_left_alone(case: str, tmp_path: Path) -> None:
    assert list(problems(tmp_path, FLEET + HARMLESS[case])) == []


def test_every_problem_of_a_file_is_reported_at_once_in_the_order_of_its_lines(tmp_path: Path) -> None:
    text = (
        FLEET
        + "taks: {}\ntasks:\n  t: {why: x, models: [nobody], quality_bar: 3}\nroutes:\n  auto: {rules: [{when: cod, use: best, why: x}]}\nbudgets: {}\n"
    )
    found = problems(tmp_path, text)
    assert [p.path for p in found] == ["taks", "tasks.t.models[0]", "tasks.t.quality_bar", "routes.auto.rules[0].when", "budgets"]


def test_a_model_that_does_not_fit_is_not_reported_as_missing_wherever_it_is_named(tmp_path: Path) -> None:
    text = FLEET.replace("tier: best}", "teir: best}") + "tasks:\n  t: {why: x, models: [full]}\n"
    assert {p.path for p in problems(tmp_path, text)} == {"models.full", "models.full.teir"}


def test_key_secrets_must_be_long_and_differ(tmp_path: Path) -> None:
    text = FLEET + "keys:\n  a: {secret: '${A}'}\n  b: {secret: '${B}'}\n  c: {secret: '${C}'}\n"
    found = problems(tmp_path, text, {"A": "x" * 24, "B": "x" * 24, "C": "short"})
    assert [(p.path, p.severity) for p in found] == [("keys.b.secret", "error"), ("keys.c.secret", "error")]
    assert all("xxx" not in str(p) and "short" not in str(p) for p in found)


def test_a_providers_key_in_the_file_is_warned_of_without_repeating_it(tmp_path: Path) -> None:
    text = FLEET.replace("openai: {}", "openai: {api_key: sk-proj-abcdefghijkl, headers: {x-token: hf_abcdefghijklmnop}}")
    found = problems(tmp_path, text)
    assert [p.path for p in found] == ["providers.openai.api_key", "providers.openai.headers.x-token"]
    assert all(p.severity == "warning" and "abcdef" not in str(p) for p in found)
