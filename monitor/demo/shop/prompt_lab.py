"""Tries new prompts of the support bot before customers see them."""

from openai import OpenAI

from monitor.demo.prompts import Prompt


def try_prompt(client: OpenAI, prompt: Prompt) -> str:
    """Run one variant, ahead of all others in the queue."""
    stream = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
        service_tier="priority",
        stream=True,
        stream_options={"include_usage": True},
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
