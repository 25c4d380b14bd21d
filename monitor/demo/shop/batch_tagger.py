"""Tags the products of the day, at night and at half the price."""

from openai import OpenAI

from monitor.demo.prompts import Prompt


def tag_product(client: OpenAI, prompt: Prompt) -> str | None:
    """Choose the tags of one product."""
    completion = client.chat.completions.create(
        model=prompt.model,
        messages=[{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.text}],
        max_completion_tokens=prompt.output_limit,
        service_tier="flex",
    )
    return completion.choices[0].message.content


def embed_products(client: OpenAI, prompt: Prompt) -> int:
    """Turn the texts of some products into vectors, one a paragraph."""
    size = max(1, len(prompt.text) // 16)
    paragraphs = [prompt.text[start : start + size] for start in range(0, len(prompt.text), size)]
    answer = client.embeddings.create(model=prompt.model, input=paragraphs)
    return len(answer.data)
