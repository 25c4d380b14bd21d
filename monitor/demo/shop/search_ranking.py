"""Finds products by meaning and puts the best ones first."""

from openai import OpenAI

from monitor.demo.prompts import Prompt


def embed_query(client: OpenAI, prompt: Prompt) -> list[float]:
    """Turn what was typed into a vector."""
    answer = client.embeddings.create(model=prompt.model, input=prompt.text)
    return answer.data[0].embedding


def rerank(client: OpenAI, prompt: Prompt) -> str:
    """Put the candidates in order."""
    response = client.responses.create(
        model=prompt.model,
        instructions=prompt.system,
        input=prompt.text,
        max_output_tokens=prompt.output_limit,
    )
    return response.output_text
