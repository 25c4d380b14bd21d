"""Own prices, names and discounts as a TOML file that people read and write. Pure."""

import json
import tomllib
from collections.abc import Hashable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, Final

import msgspec

from monitor.errors import PricingError
from monitor.pricing.figures import exact
from monitor.pricing.own import Discount, OwnName, OwnPrice, OwnPrices, require_discount, require_name, require_price
from monitor.pricing.steps import ALWAYS, PER, unit_price
from monitor.pricing.units import is_per_million

_LARGEST: Final = Decimal(10) ** 11
_HEAD: Final = """\
# What is said of prices here: prices, names of models, and discounts. Of two rows about the same the later one holds.
# Prices are USD: per_million for 1,000,000 of the unit, each for one.
# Times are UTC; valid_to is the first moment after.
# Take it in with: monitor price import FILE
"""
_KINDS: Final[Mapping[str, type[OwnPrice] | type[OwnName] | type[Discount]]] = {
    "prices": OwnPrice,
    "names": OwnName,
    "discounts": Discount,
}
_NOT_CONTENTS: Final = ("id", "created_at")
Row = OwnPrice | OwnName | Discount


def contents_of(row: Row) -> Hashable:
    """What a row says, whoever said it when: of two that say the same it is equal."""
    facts = msgspec.structs.asdict(row)
    told = ((name, facts[name]) for name in facts if name not in _NOT_CONTENTS)
    return type(row), *((name, frozenset(value.items()) if isinstance(value, dict) else value) for name, value in told)


def rows_of(own: OwnPrices) -> tuple[Row, ...]:
    """All rows, in the order in which they were said."""
    rows: tuple[Row, ...] = (*own.prices, *own.names, *own.discounts)
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.id)))


def write_own(own: OwnPrices) -> str:
    """The file that says the same; `read_own` reads it."""
    parts = [_HEAD]
    tables = {kind: table for table, kind in _KINDS.items()}
    parts += [_written(tables[type(row)], row) for row in sorted(rows_of(own), key=_kind_number)]
    return "\n".join(parts)


def _kind_number(row: Row) -> int:
    return list(_KINDS.values()).index(type(row))


def read_own(text: str, *, now: datetime) -> OwnPrices:
    """What such a file says, as if it were said now, in the order of the file; ids are those of the file, or empty.

    Raises:
        PricingError: something in it cannot be; the text tells all faults, each with its place.
    """
    try:
        found = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PricingError(f"The file is no TOML: {error}.") from error
    faults = [f"{name!r} is no table of it; there are: {', '.join(_KINDS)}." for name in found if name not in _KINDS]
    rows: dict[str, list[Row]] = {name: [] for name in _KINDS}
    moments = (now + number * datetime.resolution for number in count(1))
    for table, kind in _KINDS.items():
        for number, given in enumerate(_list_of(found, table, faults), start=1):
            try:
                rows[table].append(_row(kind, given, next(moments)))
            except (PricingError, msgspec.ValidationError) as error:
                faults.append(f"{table}, row {number}{_named(given)}: {str(error).rstrip('.')}.")
    if faults:
        raise PricingError("Nothing was taken in, for the file has faults:\n" + "\n".join(faults))
    return msgspec.convert({name: tuple(rows[name]) for name in _KINDS}, OwnPrices)


def _list_of(found: Mapping[str, Any], table: str, faults: list[str]) -> list[Any]:
    given = found.get(table, [])
    if isinstance(given, list):
        return given
    faults.append(f"{table} must be a list of tables: begin each row with [[{table}]].")
    return []


def _named(given: Any) -> str:
    names = [given.get(key) for key in ("id", "model", "name")] if isinstance(given, dict) else []
    return next((f" ({name})" for name in names if isinstance(name, str)), "")


def _row(kind: type[OwnPrice] | type[OwnName] | type[Discount], given: Any, moment: datetime) -> Row:
    if not isinstance(given, dict):
        raise PricingError("it is no table")
    facts = dict(given)
    facts["id"] = facts.get("id", "")
    facts["created_at"] = moment
    for key in ("valid_from", "valid_to"):
        if key in facts:
            facts[key] = _moment(key, facts[key])
    if kind is OwnPrice:
        facts["prices"] = dict(_prices(facts))
        _lower(facts, "model")
    if kind is OwnName:
        _lower(facts, "name")
    if kind is Discount:
        facts["factors"] = {name: _decimal(name, value) for name, value in _table(facts, "factors").items()}
        _lower(facts, "model")
    unknown = sorted(facts.keys() - {field.name for field in msgspec.structs.fields(kind)})
    if unknown:
        raise PricingError(f"{', '.join(map(repr, unknown))} cannot stand in it")
    row = msgspec.convert(facts, kind)
    return _required(row)


def _required(row: Row) -> Row:
    if isinstance(row, OwnPrice):
        return require_price(row)
    return require_discount(row) if isinstance(row, Discount) else require_name(row)


def _prices(facts: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    for name, per in PER.items():
        for unit, value in _table(facts, name).items():
            yield unit, unit_price(_decimal(unit, value), per)
        facts.pop(name, None)


def _table(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = facts.get(name, {})
    if not isinstance(found, dict):
        raise PricingError(f"{name} must be a table, such as {name} = {{ input = 2.50 }}")
    return found


def _decimal(name: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PricingError(f"{name} is {value!r}, but must be a number, without quotes")
    number = Decimal(value)
    if not number.is_finite() or abs(number) > _LARGEST:
        raise PricingError(f"{name} is {value}, which cannot be a price in USD")
    return number


def _moment(key: str, value: Any) -> datetime:
    """A time of the file, which is UTC where it names no other zone."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise PricingError(f"{key} is {value!r}, but must be a day such as 2026-11-01, without quotes")


def _lower(facts: dict[str, Any], key: str) -> None:
    if isinstance(facts.get(key), str):
        facts[key] = facts[key].lower()


def _written(table: str, row: Row) -> str:
    lines = [f"[[{table}]]"]
    facts = msgspec.structs.asdict(row)
    maps: dict[str, Any] = {name: facts.pop(name) for name in ("prices", "factors") if name in facts}
    del facts["created_at"]
    if facts.get("above_input_tokens") == ALWAYS:
        del facts["above_input_tokens"]
    lines += [f"{key} = {_value(value)}" for key, value in facts.items() if value is not None]
    for per, numbers in _numbers(maps).items():
        pairs = ", ".join(f"{_key(name)} = {number}" for name, number in numbers.items())
        lines.append(f"{per} = {{ {pairs} }}")
    return "\n".join(lines) + "\n"


def _numbers(maps: Mapping[str, Mapping[str, Decimal]]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for unit, price in maps.get("prices", {}).items():
        name = "per_million" if is_per_million(unit) else "each"
        found.setdefault(name, {})[unit] = exact(price * PER[name])
    for name, factor in maps.get("factors", {}).items():
        found.setdefault("factors", {})[name] = exact(factor)
    return found


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else _quoted(name)


def _value(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return f"[{', '.join(map(_quoted, value))}]"
    return _quoted(value) if isinstance(value, str) else str(value)


def _quoted(text: str) -> str:
    # A JSON text is a TOML text, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
