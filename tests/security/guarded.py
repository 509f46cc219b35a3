"""The gateway that the security tests speak to: scripted models, a key of every scope, small limits."""

from __future__ import annotations

import socket
from typing import Any, NamedTuple

from server.harness import HOST, Running, Said

SPEC = """
version: 1
providers:
  fleet:
    kind: scripted
    script: {seed: 7, latency: none, models: {mini: {ability: 0.5}, big: {ability: 0.99}, vectors: {}}}
  far: {dialect: openai_chat, base_url: "http://127.0.0.1:1/v1", api_key: "${UPSTREAM}"}
models:
  mini: {provider: fleet, tier: fast, price: {input: 0.1, output: 0.4}, context: 100000, capabilities: [tools, json_object, vision]}
  big: {provider: fleet, tier: best, price: {input: 5, output: 20}, context: 100000, capabilities: [tools, json_object, vision]}
  vectors: {provider: fleet, tier: fast, price: {input: 0.01, output: 0}, context: 8000, capabilities: [embeddings]}
tiers: [fast, best]
tasks:
  greeting: {why: Chatter., models: [mini]}
routes:
  auto: {}
keys:
  caller: {secret: "${CALLER}", scopes: [call]}
  reader: {secret: "${READER}", scopes: [read]}
  boss: {secret: "${BOSS}", scopes: [call, read, admin]}
server: {max_body: 256KB, max_messages: 50, drain: 5s}
"""
SECRETS = {
    "CALLER": "s-caller-7c1f0a5be2-0f1e2d",
    "READER": "s-reader-93d2c6f81a-0f1e2d",
    "BOSS": "s-boss-5a90e7d4c3b1-0f1e2d",
    "UPSTREAM": "sk-upstream-e1f2a3b4c5d6-0f1e2d",
}


class Guarded(NamedTuple):
    running: Running

    def ask(self, method: str, path: str, body: Any = None, key: str = "BOSS", **headers: str) -> Said:
        return self.running.ask(method, path, body, {"authorization": f"Bearer {SECRETS[key]}", **headers})

    def chat(self, words: str = "Hello", **more: Any) -> Said:
        return self.ask("POST", "/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": words}], **more})

    def raw(self, sent: bytes, within: float = 5.0) -> bytes:
        """What comes back for these bytes on a connection of their own, until the other end closes or says nothing for a while."""
        with socket.create_connection((HOST, self.running.port), within) as open_:
            open_.sendall(sent)
            return read(open_)

    def lives(self) -> bool:
        return self.chat().status == 200

    def everything(self) -> bytes:
        """All that it has written and all that it shows to those who may look."""
        shown = [
            self.ask("GET", path).body for path in ("/metrics", "/admin/spec", "/admin/world", "/admin/keys", "/admin/audit", "/v1/models")
        ]
        log = self.running.spec.parent / "tierline.db"
        kept = [path.read_bytes() for path in (log, log.with_name(log.name + "-wal")) if path.exists()]
        return b"\n".join([self.running.output.encode(), *shown, *kept])


def read(open_: socket.socket) -> bytes:
    """All that comes until the other end closes, or says nothing for the socket's time-out."""
    come = bytearray()
    try:
        while piece := open_.recv(65536):
            come += piece
    except (TimeoutError, ConnectionResetError):
        pass
    return bytes(come)
