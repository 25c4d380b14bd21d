"""A program that makes some calls and prints what it gets.

python -m tests.flow.plain_app CALLS
"""

import sys

import httpx2
from openai import OpenAI

import monitor
from tests.flow.pretend import pretended_api

if __name__ == "__main__":
    api = httpx2.Client(transport=pretended_api(lambda name: None))
    client = monitor.wrap(OpenAI(api_key="sk-none", max_retries=0, http_client=api))
    for _ in range(int(sys.argv[1])):
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Is it?"}])
        sys.stdout.write(f"{answer.choices[0].message.content}\n")
