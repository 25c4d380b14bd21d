"""Answers customers before a person has to."""

from openai import OpenAI

from monitor.demo.prompts import Prompt


def reply(client: OpenAI, prompt: Prompt) -> str:
    """Answer the last message of a conversation."""
    stream = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
        safety_identifier=prompt.user,
        stream=True,
        stream_options={"include_usage": True},
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def classify(client: OpenAI, prompt: Prompt) -> str | None:
    """Name what a message is about; the model is the company's own."""
    completion = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
    )
    return completion.choices[0].message.content
