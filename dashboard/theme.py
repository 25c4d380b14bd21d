"""Colours that hold on light and on dark ground, and the style of what Streamlit has no element for."""

from collections.abc import Mapping, MutableMapping, Sequence
from types import MappingProxyType
from typing import Final

PALETTE: Final = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#8C6BB1",
    "#A6A03A",
)
"""After Okabe and Ito: told apart with any kind of colour vision; its black and its yellow hold on one ground only."""

REST: Final = "#8A8F98"
GOOD: Final = "#009E73"
NEAR: Final = "#E69F00"
BAD: Final = "#D55E00"
MAIN: Final = PALETTE[0]

OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"theme.light.primaryColor": MAIN, "theme.dark.primaryColor": PALETTE[4]}
)
"""Streamlit's options for the theme; Streamlit's own red would look like an alarm.

They stand under `light` and `dark`: an option of `theme` itself would fix the light theme for everybody.
"""

STYLE: Final = f"""
<style>
.stMainBlockContainer {{ padding-top: 4.5rem; padding-bottom: 3rem; max-width: 1500px; }}
.stMainBlockContainer h3 {{ font-size: 1.25rem; padding: 0.5rem 0 0.25rem; }}
[class*="st-key-metrics_"] {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); }}
[class*="st-key-heading_"] {{ min-height: 2.75rem; }}
[class*="st-key-steady_"] {{ display: grid; grid-template-columns: minmax(0, 1fr); }}
[class*="st-key-steady_"] > * {{ grid-area: 1 / 1; width: 100%; min-width: 0; }}
@keyframes om-comes {{ from {{ visibility: hidden; }} to {{ visibility: visible; }} }}
@keyframes om-goes {{ from {{ visibility: visible; }} to {{ visibility: hidden; }} }}
[data-stale="true"] {{ opacity: 1 !important; transition: none !important; }}
.om-legend {{ display: flex; flex-wrap: wrap; gap: 0.15rem 1.1rem; font-size: 0.8rem; }}
.om-legend span::before {{
    content: ""; display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 0.15rem; margin-right: 0.4rem;
    background: var(--colour);
}}
.stHtml:has(table.om) {{
    container-type: inline-size; overflow-x: auto; animation: om-more linear both;
    animation-timeline: scroll(self inline);
}}
@keyframes om-more {{
    from, 99% {{ mask-image: linear-gradient(to left, transparent, black 3rem); }}
    to {{ mask-image: none; }}
}}
table.om {{ width: 100%; border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }}
table.om th {{
    text-align: left; font-weight: 500; opacity: 0.65; padding: 0.35rem 0.75rem 0.35rem 0; white-space: nowrap;
    border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent);
}}
table.om td {{
    padding: 0.35rem 0.75rem 0.35rem 0; white-space: nowrap; vertical-align: top;
    border-bottom: 1px solid color-mix(in srgb, currentColor 10%, transparent);
}}
table.om .om-code {{ font-family: "Source Code Pro", monospace; font-size: 0.8rem; }}
table.om .om-word {{ display: inline-block; max-width: 100%; }}
table.om a {{ color: inherit; text-decoration-color: {MAIN}; text-underline-offset: 0.2em; }}
table.om .right {{ text-align: right; padding-right: 1.5rem; }}
table.om .share {{ display: flex; align-items: center; gap: 0.6rem; }}
table.om .share .om-bar {{ flex: 1; min-width: 2rem; }}
table.om .share b {{ font-weight: 400; min-width: 2.6rem; text-align: right; }}
table.om td.wrap {{ white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }}
table.om td.cut {{ max-width: min(18rem, 32cqi); overflow: hidden; text-overflow: ellipsis; }}
table.om td.front {{ direction: rtl; text-align: left; }}
.om-bad {{ color: color-mix(in srgb, {BAD} 80%, currentColor); }}
.om-good {{ color: color-mix(in srgb, {GOOD} 80%, currentColor); }}
.om-near {{ color: color-mix(in srgb, {NEAR} 65%, currentColor); }}
.om-muted {{ opacity: 0.6; }}
.om-bar {{
    position: relative; height: 0.5rem; border-radius: 0.25rem; min-width: 5rem;
    background: color-mix(in srgb, currentColor 12%, transparent);
}}
.om-bar > span {{ position: absolute; left: 0; top: 0; bottom: 0; border-radius: 0.25rem; }}
.om-bar > i {{
    position: absolute; top: -0.2rem; bottom: -0.2rem; width: 2px;
    background: color-mix(in srgb, currentColor 55%, transparent);
}}
.om-cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }}
.om-card {{
    border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 0.5rem; padding: 1rem;
    overflow-wrap: anywhere;
}}
.om-card h4 {{ margin: 0; padding: 0; font-size: 1rem; font-weight: 600; }}
.om-card p {{ margin: 0.15rem 0; font-size: 0.875rem; }}
.om-card .om-figures {{ display: flex; justify-content: space-between; align-items: baseline; margin-top: 0.75rem; }}
.om-card .om-figures b {{ font-size: 1.5rem; font-weight: 600; }}
.om-card .om-marks {{ position: relative; height: 1.1rem; font-size: 0.75rem; margin-bottom: 0.4rem; }}
.om-card .om-marks span {{
    position: absolute; top: 0.15rem; transform: translateX(-50%); white-space: nowrap; opacity: 0.6;
}}
.om-card .om-marks span.om-last {{ left: auto; right: 0; transform: none; }}
.om-card .om-bar {{ margin-top: 0.75rem; }}
</style>
"""


def colours(values: Sequence[str | None], known: MutableMapping[str | None, str]) -> dict[str | None, str]:
    """A colour for each value; one that is in `known` keeps it, so that nothing changes colour while one looks on.

    Args:
        values: at most as many as `PALETTE` has colours.
        known: what was given before; it is brought up to date.
    """
    for value in [value for value in known if value not in values]:
        del known[value]
    free = [colour for colour in PALETTE if colour not in known.values()]
    for value in values:
        if value not in known:
            known[value] = free.pop(0)
    return {value: known[value] for value in values}
