"""The pretended company as data: its services, what they ask of which model, how much and when."""

from random import Random
from typing import Any, Final

from openai import AsyncOpenAI, OpenAI

from monitor.demo.company import CHAT, EMBEDDINGS, RESPONSES, Feature, Service
from monitor.demo.rhythms import MIDNIGHT, NIGHT, OFFICE, SHOP, STEADY
from monitor.demo.shop import (
    batch_tagger,
    checkout_assistant,
    code_review,
    doc_summarizer,
    prompt_lab,
    search_ranking,
    support_bot,
)

CUSTOMERS: Final = tuple(f"u_{Random(f'customer {number}').getrandbits(40):010x}" for number in range(36))  # noqa: S311
"""Opaque ids of the shop's customers, the most active ones first."""

EMPLOYEES: Final = tuple(f"e_{Random(f'employee {number}').getrandbits(40):010x}" for number in range(14))  # noqa: S311
"""Opaque ids of the people who work there."""


_CHECKOUT: Final[Service[OpenAI]] = Service(
    name="checkout-assistant",
    team="checkout",
    environment="production",
    key="sk-demo-checkout-4f1a9c27d3b84e60-Xq7T",
    host="web-1",
    release="2026.46.2",
    features=(
        Feature(
            name="product-advice",
            call=checkout_assistant.advise,
            endpoint=RESPONSES,
            models={"gpt-6.1-sol": 0.7, "gpt-5.4-mini": 0.3},
            input_tokens=600,
            system_tokens=1_536,
            output_limit=800,
            calls_per_day=330,
            live_per_minute=9,
            rhythm=SHOP,
            cache_hit_share=0.93,
            is_streaming=True,
            has_sessions=True,
            users=CUSTOMERS,
        ),
        Feature(
            name="basket-addons",
            call=checkout_assistant.offer_addons,
            endpoint=CHAT,
            models={"gpt-5.4-mini": 1.0},
            input_tokens=350,
            system_tokens=600,
            output_limit=250,
            calls_per_day=300,
            live_per_minute=10,
            rhythm=SHOP,
            users=CUSTOMERS,
        ),
        Feature(
            name="catalog-enrichment",
            call=checkout_assistant.enrich_catalog,
            endpoint=CHAT,
            models={"gpt-5.4-mini": 1.0},
            input_tokens=3_500,
            system_tokens=900,
            output_limit=1_000,
            calls_per_day=130,
            live_per_minute=2,
            rhythm=MIDNIGHT,
            service_tier="flex",
        ),
    ),
)

_SUPPORT: Final[Service[OpenAI]] = Service(
    name="support-bot",
    team="support",
    environment="production",
    key="sk-demo-support-9be07d5512fc4a3e-m2Lc",
    host="web-2",
    release="2026.47.0",
    features=(
        Feature(
            name="ticket-reply",
            call=support_bot.reply,
            endpoint=CHAT,
            models={"gpt-6.1-sol": 0.4, "gpt-5.4-mini": 0.6},
            input_tokens=1_400,
            input_spread=0.6,
            system_tokens=2_048,
            output_limit=700,
            calls_per_day=380,
            live_per_minute=34,
            rhythm=SHOP,
            cache_hit_share=0.96,
            is_streaming=True,
            has_sessions=True,
            users=CUSTOMERS,
        ),
        Feature(
            name="intent",
            call=support_bot.classify,
            endpoint=CHAT,
            models={"acme-intent-v3": 1.0},
            input_tokens=320,
            input_spread=1.0,
            system_tokens=420,
            output_limit=24,
            calls_per_day=330,
            live_per_minute=40,
            rhythm=SHOP,
            users=CUSTOMERS,
        ),
    ),
)

_SEARCH: Final[Service[OpenAI]] = Service(
    name="search-ranking",
    team="search",
    environment="production",
    key="sk-demo-search-2a6c8840be914d7f-T0vw",
    host="search-1",
    release="2026.44.1",
    features=(
        Feature(
            name="query-embedding",
            call=search_ranking.embed_query,
            endpoint=EMBEDDINGS,
            models={"text-embedding-3-small": 1.0},
            input_tokens=14,
            calls_per_day=390,
            live_per_minute=60,
            rhythm=SHOP,
        ),
        Feature(
            name="rerank",
            call=search_ranking.rerank,
            endpoint=RESPONSES,
            models={"gpt-5.4-nano": 1.0},
            input_tokens=2_200,
            input_spread=0.3,
            system_tokens=1_152,
            output_limit=200,
            calls_per_day=210,
            live_per_minute=30,
            rhythm=SHOP,
            cache_hit_share=0.9,
        ),
    ),
)

_SUMMARIZER: Final[Service[AsyncOpenAI]] = Service(
    name="doc-summarizer",
    team="knowledge",
    environment="production",
    key="sk-demo-docs-71d3f0a95c2e4b86-Zr4k",
    host="worker-1",
    release="2026.45.0",
    features=(
        Feature(
            name="summary",
            call=doc_summarizer.summarize,
            endpoint=RESPONSES,
            models={"gpt-6-luna": 0.75, "gpt-5.6-terra": 0.25},
            input_tokens=5_500,
            input_spread=0.7,
            system_tokens=512,
            output_limit=900,
            calls_per_day=135,
            live_per_minute=14,
            rhythm=OFFICE,
            users=EMPLOYEES,
        ),
        Feature(
            name="contract-review",
            call=doc_summarizer.review_contract,
            endpoint=RESPONSES,
            models={"gpt-5.6-terra": 1.0},
            input_tokens=13_000,
            input_spread=0.5,
            system_tokens=1_280,
            output_limit=1_200,
            calls_per_day=45,
            live_per_minute=4,
            rhythm=OFFICE,
            cache_hit_share=0.7,
            is_streaming=True,
            users=EMPLOYEES,
        ),
    ),
)

_REVIEW: Final[Service[OpenAI]] = Service(
    name="code-review",
    team="platform",
    environment="ci",
    key="sk-demo-review-c05e1bb7a8d24936-H9sd",
    host="ci-runner-3",
    release="2026.47.1",
    features=(
        Feature(
            name="review",
            call=code_review.review_diff,
            endpoint=RESPONSES,
            models={"gpt-5.6-terra": 1.0},
            input_tokens=7_500,
            input_spread=0.8,
            system_tokens=1_024,
            output_limit=1_600,
            calls_per_day=85,
            live_per_minute=6,
            rhythm=OFFICE,
            cache_hit_share=0.75,
            is_streaming=True,
            effort="high",
            users=EMPLOYEES,
        ),
        Feature(
            name="commit-message",
            call=code_review.write_commit_message,
            endpoint=CHAT,
            # One developer still asks for a model that was switched off.
            models={"gpt-5.4-nano": 0.97, "gpt-4.1-nano": 0.03},
            input_tokens=1_200,
            input_spread=0.8,
            system_tokens=250,
            output_limit=180,
            calls_per_day=95,
            live_per_minute=12,
            rhythm=OFFICE,
            is_streaming=True,
            users=EMPLOYEES,
        ),
    ),
)

_TAGGER: Final[Service[OpenAI]] = Service(
    name="nightly-batch-tagger",
    team="catalog",
    environment="production",
    key="sk-demo-tagger-e8429fd06b1c47a5-b3Nf",
    host="batch-1",
    release="2026.40.0",
    features=(
        Feature(
            name="product-tags",
            call=batch_tagger.tag_product,
            endpoint=CHAT,
            models={"gpt-6-luna": 0.8, "gpt-5.4-nano": 0.2},
            input_tokens=900,
            system_tokens=1_100,
            output_limit=160,
            calls_per_day=330,
            live_per_minute=20,
            rhythm=NIGHT,
            cache_hit_share=0.98,
            service_tier="flex",
        ),
        Feature(
            name="product-vectors",
            call=batch_tagger.embed_products,
            endpoint=EMBEDDINGS,
            models={"text-embedding-3-small": 1.0},
            input_tokens=2_600,
            input_spread=0.3,
            calls_per_day=60,
            live_per_minute=4,
            rhythm=NIGHT,
        ),
    ),
)

_LAB: Final[Service[OpenAI]] = Service(
    name="prompt-lab",
    team="support",
    environment="staging",
    key="sk-demo-lab-53b7ce1290fa4d08-Pw6e",
    host="staging-1",
    release="2026.48.0-rc1",
    features=(
        Feature(
            name="prompt-trial",
            call=prompt_lab.try_prompt,
            endpoint=CHAT,
            models={"gpt-6.1-sol": 1.0},
            input_tokens=1_400,
            system_tokens=2_304,
            output_limit=700,
            calls_per_day=40,
            live_per_minute=4,
            rhythm=STEADY,
            cache_hit_share=0.6,
            is_streaming=True,
            service_tier="priority",
            users=EMPLOYEES,
        ),
    ),
)

SYNC_SERVICES: Final = (_CHECKOUT, _SUPPORT, _SEARCH, _REVIEW, _TAGGER, _LAB)
ASYNC_SERVICES: Final = (_SUMMARIZER,)
SERVICES: Final[tuple[Service[Any], ...]] = (*SYNC_SERVICES, *ASYNC_SERVICES)
"""The whole company."""

SPIKE_FEATURE: Final = "contract-review"
"""What costs many times more than usual on one past day: someone reviewed an archive of whole contracts."""

BURST_SERVICE: Final = "support-bot"
"""Whose requests were refused for some hours of one past day."""
