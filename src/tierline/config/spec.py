"""The whole of `tierline.yaml`, one struct a section, exactly as a person writes it.

The docstring of each struct and the comment-free annotation of each field are the source of the generated reference and of the
JSON Schema for editors; a field's meaning stands in its `Meta(description=...)`. Nothing is resolved here: prices, windows,
presets and secrets are filled in by `config/load` into the ground types the router works on.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from tierline.config.units import Duration, Size


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every section: unknown keys are errors, values never change after load."""


def _span(seconds: float) -> Duration:
    """A default of so many seconds. It is made anew each time, because the JSON Schema cannot show a default of our own type."""
    made: Duration = msgspec.field(default_factory=lambda: Duration(seconds))
    return made


Rate = Annotated[float, Meta(ge=0.0, le=1.0)]
Money = Annotated[float, Meta(ge=0.0)]
Count = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]


class ProviderSpec(Section, frozen=True, kw_only=True):
    """Where models are reached. Naming a preset (`openai`, `anthropic`, `ollama`, …) is enough; every field overrides it.

    Two kinds need no network: `scripted` (a fleet with declared ability, for tests and the demo) and `recorded` (answers
    from a table of query × model)."""

    preset: Annotated[str, Meta(description="the preset to start from; by default the one named like the provider")] = ""
    kind: Annotated[Literal["http", "scripted", "recorded"], Meta(description="how it is reached")] = "http"
    dialect: Annotated[str, Meta(description="the wire format it speaks, e.g. openai_chat")] = ""
    base_url: Annotated[str, Meta(description="the address up to and with its version, e.g. https://api.openai.com/v1")] = ""
    api_key: Annotated[str, Meta(description="the secret; write ${ENV_NAME}, never the secret itself")] = ""
    auth: Annotated[
        str,
        Meta(
            description="how a call signs in: bearer, none, the name of the header that holds api_key, or the credentials of a cloud: "
            "google, azure, aws; as its preset if left out"
        ),
    ] = ""
    credentials: Annotated[
        str, Meta(description="auth: google only: a service-account file, relative to the spec; the machine's own credentials if left out")
    ] = ""
    api_keys: Annotated[list[str], Meta(description="several secrets to share the calls, each ${ENV_NAME}; instead of api_key")] = []
    base_urls: Annotated[list[str], Meta(description="several addresses that serve the same models; instead of base_url")] = []
    headers: Annotated[dict[str, str], Meta(description="further headers to send with every call")] = {}
    residency: Annotated[str, Meta(description="who holds the data, e.g. on_prem or cloud; governance rules read it")] = ""
    region: Annotated[str, Meta(description="where the data is held, e.g. eu; governance rules read it")] = ""
    connect_timeout: Annotated[Duration, Meta(description="longest wait for a connection")] = _span(5)
    timeout: Annotated[Duration, Meta(description="longest wait for the first byte of an answer")] = _span(60)
    idle_timeout: Annotated[Duration, Meta(description="longest silence within an answer")] = _span(60)
    table: Annotated[
        str, Meta(description="recorded only: a Parquet, CSV or JSONL file of query × model → response, relative to the spec")
    ] = ""
    script: Annotated[dict[str, Any], Meta(description="scripted only: seed, and the fleet's behaviour by model")] = {}


class PriceSpec(Section, frozen=True, kw_only=True):
    """USD per million tokens."""

    input: Annotated[Money, Meta(description="a million tokens of the request")]
    output: Annotated[Money, Meta(description="a million tokens of the answer")]
    cache_read: Annotated[Money | None, Meta(description="a million tokens read from a prompt cache; as input if left out")] = None
    cache_write: Annotated[Money | None, Meta(description="a million tokens written to a prompt cache; as input if left out")] = None


class RateSpec(Section, frozen=True, kw_only=True):
    """The most requests and tokens in a time, counted in a window that slides over two of them."""

    requests: Annotated[AtLeastOne | None, Meta(description="most requests; for a model, most calls")] = None
    tokens: Annotated[AtLeastOne | None, Meta(description="most tokens, in and out; estimated before, corrected by what was used")] = None
    per: Annotated[Literal["second", "minute", "hour", "day"], Meta(description="the time")] = "minute"


class ModelSpec(Section, frozen=True, kw_only=True):
    """One upstream model. Prices, window and capabilities come from the catalogue unless given here."""

    provider: Annotated[str, Meta(description="a key of `providers`")]
    model: Annotated[str, Meta(description="the name the upstream knows it by; the key itself if left out")] = ""
    tier: Annotated[str, Meta(description="one of `tiers`")]
    price: Annotated[PriceSpec | None, Meta(description="USD per million tokens, overriding the catalogue")] = None
    context: Annotated[Count | None, Meta(description="the window in tokens, overriding the catalogue")] = None
    max_output: Annotated[Count | None, Meta(description="most tokens of one answer, overriding the catalogue")] = None
    capabilities: Annotated[list[str] | None, Meta(description="what it can do beyond chat, overriding the catalogue")] = None
    residency: Annotated[str, Meta(description="overrides the provider's")] = ""
    region: Annotated[str, Meta(description="overrides the provider's")] = ""
    max_concurrency: Annotated[AtLeastOne | None, Meta(description="most calls at one time")] = None
    max_queue: Annotated[Count, Meta(description="most calls that wait for a place; further ones go to another model")] = 100
    rate: Annotated[RateSpec | None, Meta(description="most calls and tokens in a time; past it other models are preferred")] = None


class SignalSpec(Section, frozen=True, kw_only=True):
    """A named count of keyword and pattern hits in the user's words; rules read it as `signals.<name>`."""

    keywords: Annotated[list[str], Meta(description="whole words or phrases, case ignored")] = []
    patterns: Annotated[list[str], Meta(description="RE2 regular expressions (linear time)")] = []


class MatchSpec(Section, frozen=True, kw_only=True):
    """Hints by which the built-in classifier knows a task."""

    keywords: Annotated[list[str], Meta(description="whole words or phrases, case ignored")] = []
    patterns: Annotated[list[str], Meta(description="RE2 regular expressions")] = []
    system_prompt: Annotated[str, Meta(description="a glob that the system prompt must match, e.g. Extract the order*")] = ""
    operation: Annotated[str, Meta(description="the kind of work, e.g. classification")] = ""


class TokensSpec(Section, frozen=True, kw_only=True):
    """Average tokens of one request."""

    input: Annotated[Count, Meta(description="tokens of the request")] = 0
    output: Annotated[Count, Meta(description="tokens of the answer")] = 0


class TaskSpec(Section, frozen=True, kw_only=True):
    """A family of requests with one quality bar: the columns of the worksheet."""

    why: Annotated[str, Meta(description="why these models, in a sentence")]
    owner: Annotated[str, Meta(description="who answers for it")] = ""
    match: Annotated[MatchSpec | None, Meta(description="hints for the built-in classifier")] = None
    traffic_share: Annotated[Rate | None, Meta(description="share of all requests; assumed until measured")] = None
    quality_bar: Annotated[Rate | None, Meta(description="least acceptable pass rate")] = None
    failure_cost: Annotated[Money, Meta(description="USD that a wrong answer costs the business")] = 0.0
    latency_budget: Annotated[Duration | None, Meta(description="what its callers wait for")] = None
    risk: Annotated[str, Meta(description="low, medium or high; governance rules read it")] = ""
    prefer: Annotated[Literal["cost", "quality", "latency"], Meta(description="what to prefer among those above the bar")] = "cost"
    models: Annotated[list[str], Meta(description="primary first, then where to climb; every model if left out")] = []
    fallback: Annotated[list[str], Meta(description="who answers when a provider fails")] = []
    weights: Annotated[dict[str, Money], Meta(description="shares for `select: weighted`")] = {}
    tokens: Annotated[TokensSpec, Meta(description="average tokens; assumed until measured")] = msgspec.field(default_factory=TokensSpec)
    quality: Annotated[dict[str, Rate], Meta(description="pass rate by model; assumed until measured")] = {}
    validate: Annotated[list[dict[str, Any]], Meta(description="checks that an answer must pass")] = []
    stream: Annotated[Literal["buffered", "optimistic"] | None, Meta(description="what a validated stream does")] = None
    tolerance: Annotated[Rate | None, Meta(description="how far load may lower the bar; as the route's if left out")] = None
    reviewed: Annotated[datetime.date | None, Meta(description="when a person last looked at this row")] = None


class RuleSpec(Section, frozen=True, kw_only=True):
    """A condition in CEL and what follows from it: `task` settles the task before scoring, `use` the models after it."""

    when: Annotated[str, Meta(description="a CEL expression over features, signals and hints")]
    why: Annotated[str, Meta(description="the reason that a decision will show")]
    use: Annotated[str | list[str] | None, Meta(description="a tier, a model or a list of models")] = None
    task: Annotated[str | None, Meta(description="the task such a request belongs to")] = None


class AskSpec(Section, frozen=True, kw_only=True):
    """A small model that names the task where the scorer abstains. Charged to the request, inside its deadline."""

    model: Annotated[str, Meta(description="the model to ask: a small one that answers fast")]
    timeout: Annotated[Duration, Meta(description="longest wait for it; then the request goes up")] = _span(0.05)
    max_cost: Annotated[Money, Meta(description="most USD of one question; a long request is shown cut, so that it fits")] = 0.0002
    remember: Annotated[
        Count, Meta(description="how many answers are kept in memory, by a digest of what was shown; the same words cost nothing then")
    ] = 4096


class ScorerSpec(Section, frozen=True, kw_only=True):
    """Who names task and difficulty where nothing has settled them."""

    kind: Annotated[
        str,
        Meta(
            description="`hints` needs no training, `linear` is trained (`tierline train`), `llm` leaves all to the model of `ask`; "
            "others come as plug-ins"
        ),
    ] = "hints"
    artifact: Annotated[str, Meta(description="the trained scorer's file, relative to the spec")] = ""
    abstain_below: Annotated[Rate, Meta(description="below this probability the task is left open and the request goes up")] = 0.6
    ask: Annotated[AskSpec | None, Meta(description="a small model to ask when unsure")] = None
    options: Annotated[dict[str, Any], Meta(description="plug-ins only: settings of their own")] = {}


class CascadeSpec(Section, frozen=True, kw_only=True):
    """How far one request may go."""

    max_attempts: Annotated[int, Meta(ge=1, le=32, description="most calls for one request")] = 4
    max_cost: Annotated[Money | None, Meta(description="most USD for one request")] = None
    on_low_confidence: Annotated[Literal["climb", "flag"], Meta(description="what an unsure answer does: escalate, or go out flagged")] = (
        "climb"
    )
    retries: Annotated[
        int, Meta(ge=0, le=8, description="how often those who failed for a passing reason are asked again when nobody else is left")
    ] = 1
    backoff: Annotated[Duration, Meta(description="wait before the first of them; it doubles, with jitter")] = _span(0.25)
    on_refusal: Annotated[str, Meta(description="the model that answers what another refused by its provider's content policy")] = ""


class CombineSpec(Section, frozen=True, kw_only=True):
    """Several models answer, and their answers become one."""

    models: Annotated[list[str], Meta(min_length=2, description="who answers, side by side")]
    by: Annotated[
        Literal["agreement", "majority", "judge", "first_valid"],
        Meta(description="all agree, most agree, a model judges, or the first that passes its checks"),
    ]
    else_: Annotated[str, Meta(description="the model that answers where they do not agree; the ladder if left out")] = msgspec.field(
        default="", name="else"
    )
    normalise: Annotated[
        Literal["auto", "number", "choice", "label", "json", "text"], Meta(description="what has to be the same for answers to agree")
    ] = "auto"
    judge: Annotated[str, Meta(description="by: judge only: the model that judges")] = ""
    max_cost: Annotated[Money | None, Meta(description="most USD for all branches; where they would cost more, one model answers")] = None


class HedgeSpec(Section, frozen=True, kw_only=True):
    """A second attempt races a slow first; the loser is cancelled and paid for."""

    after: Annotated[str, Meta(description="how slow: `p95`, the model's own, or a time such as 800ms")]


class PrepareSpec(Section, frozen=True, kw_only=True):
    """One step on a small model before the request is answered: exactly one of the first three is given."""

    rewrite_query: Annotated[str, Meta(description="the model that rewrites the last question so that it stands alone")] = ""
    summarise_history: Annotated[str, Meta(description="the model that sums up the earlier turns")] = ""
    moderate: Annotated[str, Meta(description="the model that says whether the request may be answered at all")] = ""
    above: Annotated[Count, Meta(description="only for requests of more tokens than this")] = 0
    keep: Annotated[AtLeastOne, Meta(description="summarise_history: how many of the last turns stay as they are, at least")] = 4
    timeout: Annotated[Duration, Meta(description="longest wait for the model")] = _span(5)
    on_failure: Annotated[
        Literal["go_on", "block"], Meta(description="moderate: what becomes of a request that could not be moderated")
    ] = "go_on"


class SessionSpec(Section, frozen=True, kw_only=True):
    """How a session keeps its model, and with it its provider's prompt cache."""

    sticky: Annotated[bool, Meta(description="stay with the session's model")] = False
    max_switch_premium: Annotated[Money, Meta(description="how much dearer, as a share, staying may be than the best other model")] = 0.1
    ttl: Annotated[Duration, Meta(description="a session that was silent for so long is forgotten")] = _span(3600)


class SourceSpec(Section, frozen=True, kw_only=True):
    """A database or a service that tools first ask. Nothing is ever written to it."""

    url: Annotated[
        str,
        Meta(
            description="sqlite:///FILE (relative to the spec), postgresql://… or http(s)://…; write ${ENV_NAME} where it holds a password"
        ),
    ]
    query: Annotated[str, Meta(description="databases: one query that reads; `:name` is the pattern's group of that name")] = ""
    method: Annotated[Literal["GET", "POST"], Meta(description="services: GET sends the groups as a query, POST as a JSON object")] = "GET"
    headers: Annotated[dict[str, str], Meta(description="services: headers of every call; write ${ENV_NAME} for a secret")] = {}
    residency: Annotated[
        str, Meta(description="services: who holds the data; while a governance rule asks for one, others are not asked")
    ] = ""
    region: Annotated[str, Meta(description="services: where the data is held; governance rules read it")] = ""


class ShadowSpec(Section, frozen=True, kw_only=True):
    """Models that answer beside, unseen, after the answer is out. What their answers are worth is kept as labels; clients neither wait nor
    pay for them."""

    models: Annotated[list[str], Meta(description="who answers beside; each of them gets the requests that are drawn")] = []
    share: Annotated[Rate, Meta(description="share of requests that are drawn")] = 0.05
    tasks: Annotated[list[str], Meta(description="only requests of these tasks; all if left out")] = []
    max_cost_per_day: Annotated[Money, Meta(description="most USD of all shadows of this route in a day (UTC), judging included")] = 1.0
    judge: Annotated[
        str, Meta(description="the model that compares each answer with the client's, blind and in both orders; nobody if left out")
    ] = ""
    validate: Annotated[bool, Meta(description="run the task's validators on the answers")] = True
    sensitive: Annotated[bool, Meta(description="draw requests with sensitive content too, as far as governance allows")] = False
    timeout: Annotated[Duration, Meta(description="longest wait for an answer")] = _span(60)


class RouteSpec(Section, frozen=True, kw_only=True):
    """A named policy that clients address as `auto/<route>`; `auto` is the default route."""

    owner: Annotated[str, Meta(description="who answers for it")] = ""
    why: Annotated[str, Meta(description="what it is for")] = ""
    task: Annotated[str, Meta(description="the task of everything on this route; left open if not given")] = ""
    tools_first: Annotated[
        list[dict[str, Any]], Meta(description="tools to ask in turn before any model: cache, lookup, sql, http, or a plug-in's kind")
    ] = []
    difficulty: Annotated[dict[str, Rate], Meta(description="the highest difficulty each tier takes; the last tier takes all")] = {}
    rules: Annotated[list[RuleSpec], Meta(description="the first that matches wins")] = []
    scorer: Annotated[ScorerSpec, Meta(description="who names task and difficulty")] = msgspec.field(default_factory=ScorerSpec)
    select: Annotated[
        Literal["cheapest_above_bar", "static", "by_difficulty", "fastest", "best_within_budget", "weighted"],
        Meta(description="how to choose among the eligible"),
    ] = "cheapest_above_bar"
    quality_bar: Annotated[Rate, Meta(description="the bar where no task, or a task without one, is known")] = 0.9
    weights: Annotated[dict[str, Money], Meta(description="shares for `select: weighted`")] = {}
    explore: Annotated[Rate, Meta(description="share of requests sent one tier up at random, so that replay has evidence")] = 0.0
    cascade: Annotated[CascadeSpec, Meta(description="how far one request may go")] = msgspec.field(default_factory=CascadeSpec)
    validate: Annotated[list[dict[str, Any]], Meta(description="checks for requests whose task has none of its own")] = []
    combine: Annotated[CombineSpec | None, Meta(description="how several answers become one")] = None
    hedge: Annotated[HedgeSpec | None, Meta(description="when a second attempt races the first")] = None
    prepare: Annotated[list[PrepareSpec], Meta(description="what is done to a request first")] = []
    stream: Annotated[Literal["buffered", "optimistic"], Meta(description="what a validated stream does")] = "buffered"
    strict: Annotated[bool, Meta(description="refuse what a translation cannot carry")] = False
    log_text: Annotated[str, Meta(description="none, all, `sample 0.01` or flagged: whose prompts and answers are kept")] = "none"
    deadline: Annotated[Duration, Meta(description="longest wait of a caller, over every attempt")] = _span(60)
    tolerance: Annotated[Rate, Meta(description="how far load may lower the bar where no task says so")] = 0.05
    session: Annotated[SessionSpec, Meta(description="how a session keeps its model")] = msgspec.field(default_factory=SessionSpec)
    shadow: Annotated[ShadowSpec | None, Meta(description="models that answer beside, unseen, so that there is evidence of them")] = None


class AllowSpec(Section, frozen=True, kw_only=True):
    """Who may serve while a governance rule holds: every given field must hold."""

    residency: Annotated[str | list[str], Meta(description="allowed residencies")] = []
    region: Annotated[str | list[str], Meta(description="allowed regions")] = []
    models: Annotated[list[str], Meta(description="allowed models")] = []
    tiers: Annotated[list[str], Meta(description="allowed tiers")] = []
    providers: Annotated[list[str], Meta(description="allowed providers")] = []


class GovernanceRuleSpec(Section, frozen=True, kw_only=True):
    """While `when` holds: only what `allow` names may serve, what `redact` names is replaced by placeholders before anything leaves, or the
    request is refused. Every rule that holds applies; an error in one counts as holding. Models are chosen by what is left in the text:
    a rule whose `when` asks for what has been replaced holds no more; only `refuse` is judged by
    what came."""

    when: Annotated[str, Meta(description="a CEL expression over features, signals and hints")]
    allow: Annotated[AllowSpec, Meta(description="what may still serve")] = msgspec.field(default_factory=AllowSpec)
    why: Annotated[str, Meta(description="the reason that a decision will show")]
    redact: Annotated[
        list[str], Meta(description="kinds to replace by placeholders, and to put back in the answer; pii for every personal one")
    ] = []
    refuse: Annotated[bool, Meta(description="nobody may answer; the client is told why")] = False


class GovernanceSpec(Section, frozen=True, kw_only=True):
    """What may never happen, whatever it costs."""

    detect: Annotated[
        list[str],
        Meta(description="kinds to find: email, phone, credit_card, iban, national_id, secret, a name of `patterns`, or a plug-in's kind"),
    ] = []
    rules: Annotated[list[GovernanceRuleSpec], Meta(description="every rule that holds applies")] = []
    patterns: Annotated[
        dict[str, list[str]], Meta(description="kinds of your own: RE2 patterns by name; rules read them as `sensitivity.<name>`")
    ] = {}
    detectors: Annotated[tuple[str, ...], Meta(description="who looks, by plug-in name")] = ("patterns",)
    regions: Annotated[
        tuple[str, ...], Meta(description="countries whose national telephone numbers are known, e.g. DE; international ones always are")
    ] = ("US",)
    media: Annotated[
        Literal["sensitive", "ignore"],
        Meta(description="images, sounds and documents cannot be read: they count as holding everything, or are passed over"),
    ] = "sensitive"
    safety_model: Annotated[
        str, Meta(description="the model that answers what others refuse by their content policy, where a route names none")
    ] = ""
    require_owners: Annotated[bool, Meta(description="a task or route without an owner is an error, not a warning")] = False


class KeySpec(Section, frozen=True, kw_only=True):
    """An API key. The secret is hashed at load and never kept."""

    secret: Annotated[str, Meta(description="write ${ENV_NAME}, never the secret itself")]
    scopes: Annotated[tuple[Literal["call", "read", "admin"], ...], Meta(description="what it may do")] = ("call",)
    routes: Annotated[list[str], Meta(description="routes it may use; every one if left out")] = []
    models: Annotated[list[str], Meta(description="models it may reach; every one if left out")] = []
    task: Annotated[str, Meta(description="the task of all its requests")] = ""
    team: Annotated[str, Meta(description="the team it belongs to")] = ""
    rate: Annotated[RateSpec | None, Meta(description="most requests and tokens in a time; past it 429 with retry-after")] = None
    owner: Annotated[str, Meta(description="who answers for it")] = ""
    max_concurrency: Annotated[AtLeastOne | None, Meta(description="most of its requests at one time; past it 429")] = None
    expires: Annotated[datetime.date | None, Meta(description="the last day, in UTC, on which it opens")] = None


class BudgetSpec(Section, frozen=True, kw_only=True):
    """A limit in USD, or in tokens, over a period: of all traffic, or of what the other fields narrow it to."""

    limit: Annotated[Money | None, Meta(description="USD; or give tokens")] = None
    per: Annotated[Literal["request", "hour", "day", "week", "month"], Meta(description="the period; weeks begin on Monday")]
    key: Annotated[str, Meta(description="the key it is for")] = ""
    team: Annotated[str, Meta(description="the team it is for")] = ""
    task: Annotated[str, Meta(description="the task it is for")] = ""
    route: Annotated[str, Meta(description="the route it is for")] = ""
    model: Annotated[str, Meta(description="the model it is for; where it is spent, other models answer")] = ""
    provider: Annotated[str, Meta(description="the provider it is for; where it is spent, other models answer")] = ""
    tag: Annotated[str, Meta(description="the client's tag it is for")] = ""
    pace: Annotated[Literal["none", "spread"], Meta(description="whether spending is spread over the period")] = "none"
    soft: Annotated[Rate, Meta(description="share of the limit at which warnings begin")] = 1.0
    at_limit: Annotated[Literal["cheapest", "reject", "queue"], Meta(description="what happens at the limit")] = "reject"
    time_zone: Annotated[str, Meta(description="whose midnight begins a day, e.g. Europe/Berlin")] = "UTC"
    tokens: Annotated[AtLeastOne | None, Meta(description="tokens in and out, in place of USD")] = None
    each: Annotated[
        Literal["", "key", "team", "session", "tag"], Meta(description="one such budget for each key, team, session or tag")
    ] = ""


class TargetSpec(Section, frozen=True, kw_only=True):
    """What the fleet is to keep to under load."""

    p95: Annotated[Duration | None, Meta(description="time to a whole answer that 19 of 20 requests keep to")] = None
    queue: Annotated[Count | None, Meta(description="calls that may wait for a place at one model")] = None
    clear: Annotated[Rate, Meta(description="share of the target below which traffic returns")] = 0.8
    hold: Annotated[Duration, Meta(description="how long it must stay clear before each step back")] = _span(5)


class BreakerSpec(Section, frozen=True, kw_only=True):
    """When a failing model rests, and for how long."""

    failures: Annotated[Rate, Meta(description="share of failed calls that opens it")] = 0.5
    window: Annotated[Duration, Meta(description="over how long it is counted")] = _span(30)
    min_requests: Annotated[AtLeastOne, Meta(description="calls in the window before it may open")] = 10
    rest: Annotated[Duration, Meta(description="first rest; it doubles while probes fail, up to twenty times this")] = _span(15)
    probes: Annotated[AtLeastOne, Meta(description="good calls in a row that close it again")] = 2
    slow: Annotated[Duration | None, Meta(description="an answer that takes longer counts as failed")] = None


class LoadSpec(Section, frozen=True, kw_only=True):
    """How load and failing providers move traffic."""

    target: Annotated[TargetSpec, Meta(description="past it, traffic moves down the ladder")] = msgspec.field(default_factory=TargetSpec)
    breaker: Annotated[BreakerSpec, Meta(description="when a failing model rests")] = msgspec.field(default_factory=BreakerSpec)


class TaskSettings(Section, frozen=True, kw_only=True):
    """What an arm changes of a task; what is left out stays as the task says. Risk is not among it: governance reads it."""

    quality_bar: Annotated[Rate | None, Meta(description="least acceptable pass rate")] = None
    failure_cost: Annotated[Money | None, Meta(description="USD that a wrong answer costs the business")] = None
    latency_budget: Annotated[Duration | None, Meta(description="what its callers wait for")] = None
    prefer: Annotated[Literal["cost", "quality", "latency"] | None, Meta(description="what to prefer among those above the bar")] = None
    models: Annotated[list[str] | None, Meta(description="primary first, then where to climb")] = None
    fallback: Annotated[list[str] | None, Meta(description="who answers when a provider fails")] = None
    weights: Annotated[dict[str, Money] | None, Meta(description="shares for `select: weighted`")] = None
    quality: Annotated[dict[str, Rate] | None, Meta(description="pass rate by model")] = None
    validate: Annotated[list[dict[str, Any]] | None, Meta(description="checks that an answer must pass")] = None
    stream: Annotated[Literal["buffered", "optimistic"] | None, Meta(description="what a validated stream does")] = None
    tolerance: Annotated[Rate | None, Meta(description="how far load may lower the bar")] = None


class ArmSpec(Section, frozen=True, kw_only=True):
    """One arm: its share, and at most one thing that it does. With none, an arm that bears a model's name is that model, and any other
    is what the spec does anyway."""

    share: Annotated[Rate, Meta(description="its share of the requests that take part")]
    model: Annotated[str, Meta(description="the model that answers")] = ""
    use: Annotated[list[str], Meta(description="the models that answer, in their order")] = []
    task: Annotated[TaskSettings | None, Meta(description="what it changes of the tasks")] = None
    spec: Annotated[str, Meta(description="another spec, relative to this one, that answers")] = ""


class GuardSpec(Section, frozen=True, kw_only=True):
    """What an arm must not do: the first arm that is shown to be worse than the baseline is stopped at once."""

    metric: Annotated[
        Literal["pass_rate", "score", "error_rate", "cost", "latency", "latency_p95"], Meta(description="what is watched, for each arm")
    ]
    worse_by: Annotated[
        Money,
        Meta(description="how much worse it may be: points of a rate (0.02); of cost and latency a share of the baseline's (0.2)"),
    ] = 0.0


class AdaptiveSpec(Section, frozen=True, kw_only=True):
    """Shares that follow the evidence."""

    kind: Annotated[Literal["thompson"], Meta(description="each arm gets the probability with which it is the best")] = "thompson"
    floor: Annotated[float, Meta(gt=0.0, le=0.5, description="the least share of an arm that runs")] = 0.1
    every: Annotated[Duration, Meta(description="how often the shares are worked out")] = _span(60)


class ExperimentSpec(Section, frozen=True, kw_only=True):
    """A controlled comparison between models, a task's settings or whole specs. A session keeps its arm."""

    tasks: Annotated[list[str], Meta(description="tasks that take part; every one if left out")] = []
    routes: Annotated[list[str], Meta(description="routes that take part; every one if left out")] = []
    arms: Annotated[
        dict[str, Rate | ArmSpec], Meta(description="share of each arm, or more of it; what they leave of 1 takes no part")
    ] = {}
    shadow: Annotated[list[str], Meta(description="models that answer beside, unseen")] = []
    metric: Annotated[Literal["pass_rate", "score", "cost", "latency"], Meta(description="what decides")] = "pass_rate"
    stop: Annotated[Literal["", "sequential"], Meta(description="sequential: it ends when an always-valid test has decided")] = ""
    why: Annotated[str, Meta(description="the question it is to answer")] = ""
    baseline: Annotated[str, Meta(description="the arm that guards compare with; the one with the largest share if left out")] = ""
    guards: Annotated[list[GuardSpec], Meta(description="what stops an arm")] = []
    adaptive: Annotated[AdaptiveSpec | None, Meta(description="shares that follow the evidence; they stay as written if left out")] = None
    alpha: Annotated[
        float, Meta(gt=0.0, lt=0.5, description="the chance of a false verdict that is accepted, over every look at every pair of arms")
    ] = 0.05
    margin: Annotated[Money, Meta(description="a difference that does not matter: where it can be no larger, the arms count as equal")] = (
        0.0
    )


class ReleaseSpec(Section, frozen=True, kw_only=True):
    """How a change of the routing comes to work, and what takes it back."""

    require_certificate: Annotated[
        bool, Meta(description="a changed spec that did not come through `tierline release` is refused, and the old one stays at work")
    ] = False
    guards: Annotated[list[GuardSpec], Meta(description="what stops a canary, and takes back what was published")] = msgspec.field(
        default_factory=lambda: [
            GuardSpec(metric="pass_rate", worse_by=0.02),
            GuardSpec(metric="error_rate", worse_by=0.02),
            GuardSpec(metric="cost", worse_by=1.0),
            GuardSpec(metric="latency_p95", worse_by=1.0),
        ]
    )
    alpha: Annotated[
        float,
        Meta(gt=0.0, lt=0.5, description="the chance that a spec that is no worse than allowed is stopped or taken back, over all looks"),
    ] = 0.05
    watch: Annotated[Duration, Meta(description="how long a published spec is compared with the one before; 0s: not at all")] = _span(86400)
    compare: Annotated[Duration, Meta(description="how far back the rows of the one before go that it is compared with")] = _span(7 * 86400)


WatchName = Literal[
    "tier_share_shift",
    "input_mix",
    "score_distribution",
    "quality_drop",
    "fallback_rate",
    "escalation_rate",
    "cost_per_request",
    "budget_pace",
    "latency_slo",
    "price_change",
    "prompt_change",
    "served_model",
]
"""Everything that can be watched."""

_ONE_WATCH = Meta(
    description="a watch with settings of its own",
    extra_json_schema={"propertyNames": {"enum": list(get_args(WatchName))}, "minProperties": 1, "maxProperties": 1},
)


class WatchSpec(Section, frozen=True, kw_only=True):
    """Settings of one watch; what is left out is as the watch has it by default."""

    threshold: Annotated[
        Money | None,
        Meta(
            description="the least move worth telling: points of a rate (0.02); a share of cost or price (0.1); the PSI of a mix (0.1); "
            "by how much a budget may be overrun (0.05)"
        ),
    ] = None
    target: Annotated[
        Money | None,
        Meta(
            description="what it is held against instead of its own past: cost_per_request USD; quality_drop the least pass rate; "
            "fallback_rate and escalation_rate the highest rate; latency_slo the share of requests within their budget (0.95)"
        ),
    ] = None
    window: Annotated[Duration | None, Meta(description="the longest stretch that is looked at at once, 1h to 14d")] = None
    budget: Annotated[Duration | None, Meta(description="latency_slo only: the latency budget of tasks that have none")] = None
    tasks: Annotated[list[str], Meta(description="tasks that are watched; every one if left out")] = []
    routes: Annotated[list[str], Meta(description="routes that are watched; every one if left out")] = []


class WebhookSpec(Section, frozen=True, kw_only=True):
    """Whom to tell, by a POST. Redirects are not followed."""

    url: Annotated[str, Meta(description="the address; write ${ENV_NAME} where it holds a secret")]
    shape: Annotated[Literal["json", "slack"], Meta(description="json: the alert as it is; slack: a text that Slack shows")] = "json"
    secret: Annotated[
        str, Meta(description="signs each body: x-tierline-signature is sha256= and its HMAC-SHA256 in hexadecimal; write ${ENV_NAME}")
    ] = ""


class AlertsSpec(Section, frozen=True, kw_only=True):
    """What to watch and whom to tell. Nothing is watched unless it stands in `watch`."""

    webhook: Annotated[str | WebhookSpec, Meta(description="where alerts are sent: an address, which gets plain JSON, or more of it")] = ""
    webhooks: Annotated[list[WebhookSpec], Meta(description="further ones")] = []
    watch: Annotated[
        list[WatchName | Annotated[dict[str, WatchSpec], _ONE_WATCH]],
        Meta(description="what is watched: names, or a name with its settings, e.g. quality_drop: {threshold: 0.05}"),
    ] = []
    every: Annotated[Duration, Meta(description="how often it is looked at; figures are by the hour")] = _span(3600)
    false_alarms: Annotated[
        float, Meta(gt=0.0, le=10.0, description="false alarms of one watch in a quarter that are accepted, over all it looks at")
    ] = 0.5


class DecisionLogSpec(Section, frozen=True, kw_only=True):
    """Where every decision is kept: in a local file, and, where `url` is given, from there in a PostgreSQL database that replicas share."""

    path: Annotated[str, Meta(description="the SQLite file, relative to the spec")] = "tierline.db"
    retention: Annotated[Duration | None, Meta(description="rows older than this are deleted; kept for ever if left out")] = None
    text_retention: Annotated[Duration, Meta(description="stored prompts and answers older than this are deleted")] = _span(7 * 86400)
    evidence_retention: Annotated[
        Duration | None,
        Meta(description="shadows and labels older than this go, golden and reviewed ones never; a day at least; `retention` if left out"),
    ] = None
    max_queue: Annotated[int, Meta(ge=100, description="rows that may wait for the disk; past it requests are refused, none is lost")] = (
        100_000
    )
    url: Annotated[str, Meta(description="postgresql://… that rows go on to; write ${ENV_NAME}")] = ""
    read_url: Annotated[str, Meta(description="a replica of that database, for whoever reads")] = ""
    keep_local: Annotated[Duration, Meta(description="how long a row that reached PostgreSQL stays in the file too")] = _span(3600)
    max_backlog: Annotated[
        int, Meta(ge=1000, description="rows that may wait in the file for PostgreSQL; past it requests are refused, none is lost")
    ] = 5_000_000


class ServerSpec(Section, frozen=True, kw_only=True):
    """Limits of the HTTP face."""

    max_body: Annotated[Size, Meta(description="largest request body")] = msgspec.field(default_factory=lambda: Size(10 * 1024**2))
    max_messages: Annotated[int, Meta(ge=1, description="most messages of one request")] = 2000
    max_in_flight: Annotated[int, Meta(ge=1, description="most requests at one time; past it 503 with retry-after")] = 10_000
    drain: Annotated[Duration, Meta(description="how long a stopping server waits for requests in flight")] = _span(30)
    notice: Annotated[
        Duration, Meta(description="how long a stopping server says that it is not ready and still answers, before it closes its port")
    ] = _span(0)
    body_timeout: Annotated[Duration, Meta(description="how long a client may take to send a body; past it 408")] = _span(60)
    idle_timeout: Annotated[
        Duration, Meta(description="how long a connection may lie idle or take to send its headers (read at the start)")
    ] = _span(75)
    max_connections: Annotated[
        int, Meta(ge=1, description="most connections that a worker holds; more wait until one ends (read at the start)")
    ] = 20_000
    access_log: Annotated[bool, Meta(description="whether each request is told in a line of JSON on standard output")] = False
    log_format: Annotated[
        Literal["text", "json"], Meta(description="how the server's own messages are written on standard error (read at the start)")
    ] = "text"


class SharedSpec(Section, frozen=True, kw_only=True):
    """A Redis or Valkey by which replicas share budgets, rates, breakers, load and sessions. Workers of one machine need none."""

    url: Annotated[
        str,
        Meta(description="redis://…, rediss://… (TLS) or redis+cluster://…; write ${ENV_NAME}; empty: none"),
    ] = ""
    prefix: Annotated[
        str, Meta(pattern="^[A-Za-z0-9._-]{1,60}$", description="begins every key there; replicas of one prefix count together")
    ] = "tierline"
    cluster: Annotated[bool, Meta(description="whether the address is a cluster's")] = False
    timeout: Annotated[Duration, Meta(description="how long an answer may take before the engine counts as away")] = _span(0.25)
    lease: Annotated[Duration, Meta(description="how long what a process holds of a limit stays held after it was killed")] = _span(10)
    ca: Annotated[str, Meta(description="rediss only: file of the certificate authority, relative to the spec")] = ""


class TracingSpec(Section, frozen=True, kw_only=True):
    """OpenTelemetry traces of requests, sent to a collector by OTLP over HTTP. They need `pip install 'tierline[otel]'`."""

    endpoint: Annotated[
        str, Meta(description="a collector's address, e.g. http://collector:4318 (`/v1/traces` is added); empty: no traces")
    ] = ""
    headers: Annotated[dict[str, str], Meta(description="sent with every export; write secrets as ${ENV_NAME}")] = {}
    sample: Annotated[
        float, Meta(ge=0, le=1, description="share of the requests that are traced; one that comes with a trace follows its caller")
    ] = 0.1
    service: Annotated[str, Meta(min_length=1, max_length=255, description="the service's name in traces")] = "tierline"
    propagate: Annotated[bool, Meta(description="whether upstreams are told of the trace (`traceparent`)")] = True
    max_queue: Annotated[
        int, Meta(ge=1, le=100_000, description="most requests that wait to be exported; past it their traces are dropped")
    ] = 2048


class Spec(Section, frozen=True, kw_only=True):
    """The whole file."""

    version: Annotated[Literal[1], Meta(description="always 1")]
    providers: Annotated[dict[str, ProviderSpec], Meta(description="where models are reached, by name")] = {}
    models: Annotated[dict[str, ModelSpec], Meta(description="the fleet, by the name that the rest of the spec uses")] = {}
    tiers: Annotated[tuple[str, ...], Meta(description="the ladder, cheapest first")] = ("fast", "balanced", "best")
    signals: Annotated[dict[str, SignalSpec], Meta(description="user-defined counts that rules read")] = {}
    tasks: Annotated[dict[str, TaskSpec], Meta(description="families of requests with one quality bar")] = {}
    sources: Annotated[dict[str, SourceSpec], Meta(description="databases and services for tools first")] = {}
    routes: Annotated[dict[str, RouteSpec], Meta(description="named policies; `auto` is there even if not written")] = {}
    governance: Annotated[GovernanceSpec, Meta(description="what may never happen")] = msgspec.field(default_factory=GovernanceSpec)
    keys: Annotated[dict[str, KeySpec], Meta(description="who may call")] = {}
    budgets: Annotated[dict[str, BudgetSpec], Meta(description="limits in USD")] = {}
    load: Annotated[LoadSpec, Meta(description="how load and failures move traffic")] = msgspec.field(default_factory=LoadSpec)
    experiments: Annotated[dict[str, ExperimentSpec], Meta(description="controlled comparisons")] = {}
    release: Annotated[ReleaseSpec, Meta(description="how changes come to work")] = msgspec.field(default_factory=ReleaseSpec)
    alerts: Annotated[AlertsSpec, Meta(description="what to watch")] = msgspec.field(default_factory=AlertsSpec)
    decision_log: Annotated[DecisionLogSpec, Meta(description="where decisions are kept")] = msgspec.field(default_factory=DecisionLogSpec)
    server: Annotated[ServerSpec, Meta(description="limits of the HTTP face")] = msgspec.field(default_factory=ServerSpec)
    shared: Annotated[SharedSpec, Meta(description="what replicas share, and where")] = msgspec.field(default_factory=SharedSpec)
    tracing: Annotated[TracingSpec, Meta(description="traces of requests, and where they go")] = msgspec.field(default_factory=TracingSpec)
