"""`monitor price`: what models cost, who says so, and what people say of it themselves."""

import typer

from monitor.cli import price_diff, price_export, price_import, price_say, price_tell, reprice

app = typer.Typer(
    no_args_is_help=True,
    help="What models cost, who says so, and your own prices, names and discounts. "
    "A change holds for requests from now on; stored ones keep their cost until they are priced again.",
)
app.command("list")(price_tell.list_prices)
app.command("show")(price_tell.show)
app.command("why")(price_tell.why)
app.command("set")(price_say.set_price)
app.command("discount")(price_say.discount)
app.command("remove")(price_say.remove)
app.command("reprice")(reprice.reprice)
app.command("export")(price_export.export)
app.command("import")(price_import.import_prices)
app.command("diff")(price_diff.diff)
