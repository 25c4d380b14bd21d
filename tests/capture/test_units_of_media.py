"""What speech, pictures, sounds and videos are counted by."""

import pytest

from tests.capture.told_units import Facts, told_by


def test_speech_counts_its_characters() -> None:
    """A sound states no usage: then the characters count, and only once a good answer has come."""
    facts = {"input_characters": 7}

    assert told_by("POST /audio/speech", b"", facts) == {"usage_source": "response"}
    assert told_by("POST /audio/speech", b"ID3\x00", facts) == {"usage_source": "response"}
    assert told_by("POST /audio/speech", b"", {**facts, "status": 429}) == {}
    assert told_by("POST /audio/speech", {"type": "speech.audio.delta"}, facts) == {}
    assert told_by("POST /audio/speech", b"") == {}


_PICTURES = {"created": 1, "data": [{"b64_json": "iVBO"}, {"url": "https://example.com/1.png"}]}


@pytest.mark.parametrize(
    ("content", "facts", "model", "units"),
    [
        (
            _PICTURES,
            {},
            None,
            {
                "request_model": "dall-e-2",
                "image_count": 2,
                "media_size": "1024x1024",
                "media_quality": "standard",
                "usage_source": "response",
            },
        ),
        (
            _PICTURES,
            {"media_size": "1792x1024", "media_quality": "auto"},
            "dall-e-3",
            {"image_count": 2, "media_quality": "standard", "usage_source": "response"},
        ),
        (
            {**_PICTURES, "size": "1536x1024", "quality": "low"},
            {"input_tokens": 5, "output_tokens": 7, "media_size": "auto"},
            None,
            {"image_count": 2, "media_size": "1536x1024", "media_quality": "low", "output_image_tokens": 7},
        ),
        (_PICTURES, {"input_tokens": 5, "output_tokens": 7, "output_image_tokens": 6}, "m", {"image_count": 2}),
        (
            {
                **_PICTURES,
                "svg_usage": {"model": "gpt-6", "input_tokens": 3, "output_tokens": 9, "reasoning_tokens": 2},
            },
            {"input_tokens": 5},
            "m",
            {
                "image_count": 2,
                "tool_model": "gpt-6",
                "tool_usage": {"input_tokens": 3, "output_tokens": 9, "reasoning_output_tokens": 2},
            },
        ),
        ({"data": []}, {}, None, {}),
        ({"data": "none"}, {}, None, {}),
        ({"data": [], "usage": "x"}, {}, None, {}),
        ({"type": "image_generation.partial_image", "b64_json": "iVBO", "size": "1x1"}, {}, "m", {}),
        (
            {"type": "image_generation.completed", "b64_json": "iVBO", "size": "1024x1024", "quality": "high"},
            {"input_tokens": 50, "output_tokens": 7124},
            "m",
            {"image_count": 1, "media_size": "1024x1024", "media_quality": "high", "output_image_tokens": 7124},
        ),
        (b"<html>", {}, None, {}),
        (_PICTURES, {"status": 400}, None, {}),
    ],
)
def test_pictures_are_counted(content: object, facts: Facts, model: str | None, units: Facts) -> None:
    """Pictures count by number where no tokens are stated; then what the request left open is what the API says."""
    assert told_by("POST /images/generations", content, facts, model) == units


_SRT = b"1\n00:00:00,000 --> 00:00:08,470\nHello.\n\n2\n01:00:08,470 --> 01:02:03,004\nBye.\n"
_VTT = b"WEBVTT\n\n00:00.000 --> 00:08.470\nHello.\n\n00:08.470 --> 01:02.500 align:start\nBye.\n"


@pytest.mark.parametrize(
    ("content", "facts", "units"),
    [
        ({"text": "Hello.", "duration": 8.47}, {}, {"audio_seconds": 8.47, "usage_source": "response"}),
        ({"text": "Hello.", "duration": "8.47"}, {}, {"audio_seconds": 8.47, "usage_source": "response"}),
        ({"text": "Hello.", "duration": "long"}, {}, {}),
        ({"text": "Hello."}, {}, {}),
        ({"text": "Hello.", "duration": 8.47}, {"audio_seconds": 9.0}, {}),
        ({"text": "Hello.", "duration": 8.47}, {"input_tokens": 9}, {}),
        (_SRT, {}, {"audio_seconds": 3723.004, "usage_source": "estimated"}),
        (_VTT, {}, {"audio_seconds": 62.5, "usage_source": "estimated"}),
        (b"Hello.\n", {}, {}),
        (b"", {}, {}),
        (_SRT, {"status": 500}, {}),
    ],
)
def test_the_length_of_a_sound_is_found(content: object, facts: Facts, units: Facts) -> None:
    """Stated usage wins, then the stated length; the end of the last subtitle is an estimate."""
    assert told_by("POST /audio/transcriptions", content, facts) == units


_VIDEO = {"id": "video_1", "seconds": "8", "size": "720x1280"}


@pytest.mark.parametrize(
    ("place", "status", "facts", "units"),
    [
        ("POST /videos", "queued", {}, {"video_seconds": 8.0}),
        ("POST /videos", "completed", {}, {"video_seconds": 8.0, "usage_source": "response"}),
        ("POST /videos/extensions", "queued", {"video_seconds": 4.0}, {}),
        ("GET /videos/v", "in_progress", {}, {"video_seconds": 8.0}),
        ("GET /videos/v", "completed", {}, {"video_seconds": 8.0, "usage_source": "late"}),
        ("GET /videos/v", "failed", {}, {}),
    ],
)
def test_a_video_counts_when_it_is_made(place: str, status: str, facts: Facts, units: Facts) -> None:
    """A video that is waited for has a length, and no usage yet; one that failed never has."""
    told = told_by(place, {**_VIDEO, "status": status}, facts)

    assert told == {"answer_status": status, "media_size": "720x1280", **units}
