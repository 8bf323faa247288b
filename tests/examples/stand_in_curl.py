"""What the tour uses of curl, for machines without it."""

import argparse
import sys
from pathlib import Path

import httpx


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-sS", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", "--data-binary")
    parser.add_argument("url")
    options = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in options.H)
    body = options.data_binary
    content = Path(body[1:]).read_bytes() if body and body.startswith("@") else (body or "").encode()
    method = "GET" if body is None else "POST"
    sys.stdout.write(httpx.request(method, options.url, headers=headers, content=content, timeout=30).text)


main()
