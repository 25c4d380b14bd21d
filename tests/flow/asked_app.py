"""A program that makes a call for each line on its standard input, and prints which call has returned."""

import sys

import httpx2
from openai import OpenAI

import monitor
from tests.flow.pretend import pretended_api

if __name__ == "__main__":
    api = httpx2.Client(transport=pretended_api(lambda name: None))
    client = monitor.wrap(OpenAI(api_key="sk-none", max_retries=0, http_client=api))
    for number, _ in enumerate(sys.stdin, start=1):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Is it?"}])
        sys.stdout.write(f"returned {number}\n")
        sys.stdout.flush()
