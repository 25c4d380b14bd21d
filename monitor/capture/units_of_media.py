"""Units of pictures, sound and video: what was asked for, and what came."""

import re
from typing import Any, Final

import msgspec

from monitor.capture.bodies import NO_JSON, MediaRequest, read_as, text_of
from monitor.capture.unit_readers import Answer, Fields, has_usage, is_event, known
from monitor.capture.usages import amount_of, usage_fields

_OLD_MODEL: Final = "dall-e-2"
_OLD_SIZE: Final = "1024x1024"
_OLD_QUALITY: Final = "standard"
"""What an image request that leaves them open gets from the models without tokens, as the API documents it."""

_LAST_TIME: Final = re.compile(rb"-->\s*(?:(\d{1,4}):)?(\d\d):(\d\d)[,.](\d{3})")
_UNITS_OF_TIME: Final = (3600, 60, 1, 0.001)


class _Media(msgspec.Struct, gc=False):
    """What is looked at of a picture, a sound or a video beside the fields of every answer."""

    data: msgspec.Raw = NO_JSON
    size: Any = None
    quality: Any = None
    svg_usage: Any = None
    duration: Any = None
    seconds: Any = None


_decode: Final = msgspec.json.Decoder(_Media).decode
_decode_list: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def asked_speech(asked: MediaRequest) -> Fields:
    """The characters to be spoken: by them the older models are charged."""
    return known(input_characters=len(asked.input) if isinstance(asked.input, str) else None)


def asked_image(asked: MediaRequest) -> Fields:
    """Size and quality that were asked for."""
    return known(media_size=text_of(asked.size), media_quality=text_of(asked.quality))


def asked_video(asked: MediaRequest) -> Fields:
    """Length and size that were asked for."""
    return known(video_seconds=amount_of(asked.seconds), media_size=text_of(asked.size))


def speech(answer: Answer) -> Fields:
    """A sound states nothing: then the characters are what counts."""
    is_counted = answer.body is None and "input_characters" in answer.facts
    return {"usage_source": answer.source} if is_counted else {}


def image(answer: Answer) -> Fields:
    """How many pictures came, of which size and quality, and what writing a vector picture took."""
    if answer.body is None or (is_event(answer.body) and not str(answer.body.type).endswith(".completed")):
        return {}
    images = _read(answer)
    count = 1 if is_event(answer.body) else _length(images.data)
    units = known(image_count=count, media_size=text_of(images.size), media_quality=text_of(images.quality))
    if has_usage(answer.facts):
        return {**units, **_image_tokens(answer.facts), **_svg_usage(images.svg_usage)}
    return {**units, **_old_defaults(units, answer)} if count else units


def transcription(answer: Answer) -> Fields:
    """The length of the sound where no usage is stated: as the answer has it, else up to its last subtitle."""
    if has_usage(answer.facts):
        return {}
    if answer.body is None:
        seconds, source = _last_time(bytes(answer.content)), "estimated"
    else:
        seconds, source = amount_of(_read(answer).duration), answer.source
    return {} if seconds is None else {"audio_seconds": seconds, "usage_source": source}


def video(answer: Answer) -> Fields:
    """Length and size; they count when the video is made. What was asked for stays: an extension states the whole."""
    if answer.body is None:
        return {}
    status = text_of(answer.body.status)
    found = _read(answer)
    units = known(answer_status=status, media_size=text_of(found.size))
    seconds = amount_of(found.seconds)
    if "video_seconds" not in answer.facts and seconds is not None and status != "failed":
        units["video_seconds"] = seconds
    if status == "completed" and (seconds is not None or "video_seconds" in answer.facts):
        units["usage_source"] = answer.source
    return units


def _read(answer: Answer) -> _Media:
    return read_as(_decode, answer.content) or _Media()


def _length(data: msgspec.Raw) -> int | None:
    try:
        return len(_decode_list(data)) or None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _image_tokens(facts: Any) -> Fields:
    """A stream does not split its output: a picture is all there is."""
    return {} if "output_image_tokens" in facts else known(output_image_tokens=facts.get("output_tokens"))


def _svg_usage(usage: Any) -> Fields:
    tokens = usage_fields(usage)
    return known(tool_model=text_of(usage.get("model")), tool_usage=tokens) if tokens else {}


def _old_defaults(units: Fields, answer: Answer) -> Fields:
    stated = {**answer.facts, **units}
    fields: Fields = {"usage_source": answer.source}
    for name, default in (("media_size", _OLD_SIZE), ("media_quality", _OLD_QUALITY)):
        if stated.get(name) in (None, "auto"):
            fields[name] = default
    if answer.request_model is None:
        fields["request_model"] = _OLD_MODEL
    return fields


def _last_time(subtitles: bytes) -> float | None:
    times = _LAST_TIME.findall(subtitles)
    if not times:
        return None
    return round(sum(int(part or 0) * unit for part, unit in zip(times[-1], _UNITS_OF_TIME, strict=True)), 3)
