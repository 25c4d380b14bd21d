"""How a new ledger lays down what it stores."""

from monitor.ledger.intake import LOAD_RECORDS
from tests.world import World


def test_a_full_load_is_a_whole_row_group(world: World) -> None:
    """Of DuckDB: what is written in whole ones is compressed once, and no checkpoint writes it again."""
    rows = f"select 1 as n from range({LOAD_RECORDS + 1})"
    with world.ledger.writing() as cursor:
        cursor.execute(f"create table sample as {rows}")
    world.ledger.checkpoint()

    assert world.rows("select distinct count from pragma_storage_info('sample') order by all") == [
        (1,),
        (LOAD_RECORDS,),
    ]


def test_texts_of_a_new_ledger_are_compressed_the_quick_way(world: World) -> None:
    """Files that the first versions of DuckDB can read take longer."""
    with world.ledger.writing() as cursor:
        cursor.execute("create table sample as select 'text ' || range % 100 as text from range(5000)")
    world.ledger.checkpoint()

    kinds = world.rows("select distinct compression from pragma_storage_info('sample') where segment_type = 'VARCHAR'")

    assert kinds == [("DICT_FSST",)]
