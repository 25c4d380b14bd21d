"""Helps people in the checkout to find what goes with their basket."""

from openai import OpenAI

from monitor.demo.prompts import Prompt


def advise(client: OpenAI, prompt: Prompt) -> str:
    """Answer a question about the products in the basket, as it is written."""
    stream = client.responses.create(
        model=prompt.model,
        instructions=prompt.system,
        input=prompt.text,
        max_output_tokens=prompt.output_limit,
        safety_identifier=prompt.user,
        stream=True,
    )
    return "".join(event.delta for event in stream if event.type == "response.output_text.delta")


def offer_addons(client: OpenAI, prompt: Prompt) -> str | None:
    """Choose three small things to offer beside the basket."""
    completion = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
        safety_identifier=prompt.user,
    )
    return completion.choices[0].message.content


def enrich_catalog(client: OpenAI, prompt: Prompt) -> str | None:
    """Rewrite a product page for the assistant; runs once a day, at half the price."""
    completion = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
        service_tier="flex",
    )
    return completion.choices[0].message.content
