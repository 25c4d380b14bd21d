"""Reads changes before a person does."""

from openai import OpenAI

from monitor.demo.prompts import Prompt


def review_diff(client: OpenAI, prompt: Prompt) -> str:
    """Comment on a change."""
    stream = client.responses.create(
        model=prompt.model,
        instructions=prompt.system,
        input=prompt.text,
        max_output_tokens=prompt.output_limit,
        reasoning={"effort": "high"},
        stream=True,
    )
    return "".join(event.delta for event in stream if event.type == "response.output_text.delta")


def write_commit_message(client: OpenAI, prompt: Prompt) -> str:
    """Describe a change in a few lines; does not ask for the usage."""
    stream = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
        stream=True,
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
