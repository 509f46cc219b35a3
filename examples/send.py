"""Sends a worked example's workload through a running gateway and says what came of it: python send.py WORKLOAD [URL]"""

import http.client
import json
import sys
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LOCAL = ("id", "at", "kind")
"""What a line of the workload says beside the body of a request."""


def send(url: str, line: str) -> tuple[str, str, str, float]:
    """One request; its kind, the model that answered, the HTTP status, and USD."""
    said = json.loads(line)
    body = {key: value for key, value in said.items() if key not in LOCAL}
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    try:
        headers = {"content-type": "application/json", "x-request-id": said["id"]}
        connection.request("POST", "/v1/chat/completions", json.dumps(body).encode(), headers)
        response = connection.getresponse()
        response.read()
        model, cost = response.getheader("x-tierline-model", "nobody"), response.getheader("x-tierline-cost", "0")
        return said["kind"], model, str(response.status), float(cost)
    finally:
        connection.close()


def main(workload: str, url: str = "http://127.0.0.1:4100") -> None:
    """Eight at a time, in the workload's order; it exits 1 where any request was not answered."""
    lines = Path(workload).read_text(encoding="utf-8").splitlines()
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda line: send(url, line), lines))
    counts = Counter((kind, model) for kind, model, _, _ in sent)
    for (kind, model), count in sorted(counts.items()):
        cost = sum(usd for its, answered, _, usd in sent if (its, answered) == (kind, model))
        print(f"{kind:16} {model:8} {count:4} requests  ${cost:.5f}")
    refused = [status for _, _, status, _ in sent if status != "200"]
    print(f"{len(sent)} sent, {len(refused)} not answered, ${sum(usd for *_, usd in sent):.5f}")
    sys.exit(1 if refused else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
