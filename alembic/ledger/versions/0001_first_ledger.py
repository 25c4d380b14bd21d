"""The first ledger: requests, their rollup, positions on the spool, quarantine and prices."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    create table requests (
        record_id uuid not null,
        call_id uuid not null,
        attempt smallint not null,
        request_id varchar,
        response_id varchar,
        started_at timestamp not null,
        duration double,
        time_to_first_chunk double,
        server_duration double,
        provider_name varchar not null,
        operation_name varchar not null,
        endpoint varchar not null,
        method varchar not null,
        request_model varchar,
        response_model varchar,
        model varchar,
        request_service_tier varchar,
        service_tier varchar,
        is_streaming boolean not null,
        is_batch boolean not null,
        is_billable boolean not null,
        outcome varchar not null,
        status smallint,
        error_class varchar,
        error_type varchar,
        error_code varchar,
        finish_reasons varchar[],
        usage_source varchar not null,
        input_tokens bigint,
        output_tokens bigint,
        cache_read_input_tokens bigint,
        cache_creation_input_tokens bigint,
        reasoning_output_tokens bigint,
        input_audio_tokens bigint,
        output_audio_tokens bigint,
        input_image_tokens bigint,
        output_image_tokens bigint,
        audio_seconds double,
        pricing_state varchar not null,
        list_cost decimal(38, 18),
        list_input_cost decimal(38, 18),
        list_cache_read_cost decimal(38, 18),
        list_cache_creation_cost decimal(38, 18),
        list_output_cost decimal(38, 18),
        list_audio_cost decimal(38, 18),
        list_image_cost decimal(38, 18),
        sku_price_id varchar,
        service varchar,
        environment varchar,
        host varchar,
        process_id integer,
        billing_account_id varchar,
        sub_account_id varchar,
        key_fingerprint varchar,
        key_hint varchar,
        team varchar,
        feature varchar,
        "user" varchar,
        session varchar,
        call_site varchar,
        call_function varchar,
        tags map(varchar, varchar),
        sdk_version varchar,
        requests_limit bigint,
        requests_remaining bigint,
        requests_reset double,
        tokens_limit bigint,
        tokens_remaining bigint,
        tokens_reset double,
        retry_after double,
        other_limits map(varchar, double)
    )
    """,
    """
    create table begins (
        record_id uuid not null,
        call_id uuid not null,
        attempt smallint not null,
        started_at timestamp not null,
        provider_name varchar not null,
        operation_name varchar not null,
        endpoint varchar not null,
        request_model varchar,
        is_billable boolean not null,
        service varchar,
        environment varchar,
        team varchar,
        feature varchar,
        "user" varchar,
        call_site varchar,
        segment varchar not null
    )
    """,
    """
    create table usage_hourly (
        hour timestamp not null,
        model varchar,
        provider_name varchar,
        operation_name varchar,
        service_tier varchar,
        service varchar,
        environment varchar,
        team varchar,
        feature varchar,
        "user" varchar,
        call_site varchar,
        billing_account_id varchar,
        sub_account_id varchar,
        key_fingerprint varchar,
        error_class varchar,
        requests bigint not null,
        calls bigint not null,
        errors bigint not null,
        interrupted_requests bigint not null,
        unknown_requests bigint not null,
        unpriced_requests bigint not null,
        estimated_requests bigint not null,
        input_tokens bigint,
        output_tokens bigint,
        cache_read_input_tokens bigint,
        cache_creation_input_tokens bigint,
        reasoning_output_tokens bigint,
        list_cost decimal(38, 18),
        duration_buckets map(smallint, bigint),
        first_chunk_buckets map(smallint, bigint)
    )
    """,
    """
    create table checkpoints (
        segment varchar not null,
        file varchar not null,
        writer varchar not null,
        from_offset bigint not null,
        to_offset bigint not null,
        lines bigint not null,
        records bigint not null,
        quarantined bigint not null,
        last_seq bigint,
        is_last boolean not null,
        drained_at timestamp not null
    )
    """,
    """
    create table quarantine (
        segment varchar not null,
        file varchar not null,
        byte_offset bigint,
        reason varchar not null,
        line varchar not null,
        seen_at timestamp not null
    )
    """,
    """
    create table dropped (
        segment varchar not null,
        reason varchar not null,
        records bigint not null,
        seen_at timestamp not null
    )
    """,
    """
    create table price_matches (
        provider_name varchar not null,
        model varchar not null,
        price_key varchar,
        why varchar not null,
        price_list varchar not null,
        matched_at timestamp not null
    )
    """,
    """
    create table prices (
        sku_price_id varchar not null,
        price_key varchar not null,
        service_tier varchar not null,
        is_batch boolean not null,
        above_input_tokens bigint not null,
        upto_input_tokens bigint,
        valid_from timestamp not null,
        valid_to timestamp,
        input decimal(24, 18),
        cache_read decimal(24, 18),
        cache_creation decimal(24, 18),
        output decimal(24, 18),
        reasoning decimal(24, 18),
        input_audio decimal(24, 18),
        output_audio decimal(24, 18),
        input_image decimal(24, 18),
        output_image decimal(24, 18),
        audio_second decimal(24, 18),
        request decimal(24, 18),
        price_list varchar not null,
        added_at timestamp not null,
        is_current boolean not null
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
