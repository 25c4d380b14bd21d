"""Reads long documents for the people in the office; an asynchronous program."""

from openai import AsyncOpenAI

from monitor.demo.prompts import Prompt


async def summarize(client: AsyncOpenAI, prompt: Prompt) -> str:
    """Sum up a document in half a page."""
    response = await client.responses.create(
        model=prompt.model,
        instructions=prompt.system,
        input=prompt.text,
        max_output_tokens=prompt.output_limit,
    )
    return response.output_text


async def review_contract(client: AsyncOpenAI, prompt: Prompt) -> str:
    """Point out the unusual clauses of a contract."""
    stream = await client.responses.create(
        model=prompt.model,
        instructions=prompt.system,
        input=prompt.text,
        max_output_tokens=prompt.output_limit,
        stream=True,
    )
    return "".join([event.delta async for event in stream if event.type == "response.output_text.delta"])
