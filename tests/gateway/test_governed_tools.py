from __future__ import annotations

import asyncio
from pathlib import Path

from tierline.config.load import load
from tierline.gateway.tools_first import ToolsFirst
from tierline.types.request import Request

SPEC = """
version: 1
providers: {fleet: {kind: scripted, residency: on_prem, script: {latency: none, models: {mini: {ability: 0.5}}}}}
models: {mini: {provider: fleet, tier: fast, price: {input: 1, output: 1}}}
tiers: [fast]
sources:
  inside: {url: "http://127.0.0.1:1/", residency: on_prem}
  outside: {url: "http://127.0.0.1:1/"}
routes:
  auto:
    owner: t
    tools_first: [{http: inside, pattern: '(?P<q>.+)'}, {http: outside, pattern: '(?P<q>.+)'}, {cache: exact}]
governance:
  rules:
    - {when: sensitivity.pii, allow: {residency: on_prem}, why: it stays in the house}
    - {when: code, allow: {models: [mini]}, why: approved}
"""


def test_while_a_rule_says_where_data_may_be_services_elsewhere_are_not_asked(tmp_path: Path) -> None:
    path = tmp_path / "tierline.yaml"
    path.write_text(SPEC)
    tools = ToolsFirst(load(path))
    asked = tools.of(Request("", "openai_chat", "auto"))
    assert tools.governed
    assert [one.tool.name for one in tools.allowed(asked, {0, 1})] == ["http:inside", "cache:exact"]
    assert [one.tool.name for one in tools.allowed(asked, {1})] == ["http:inside", "http:outside", "cache:exact"]
    asyncio.run(tools.close())
