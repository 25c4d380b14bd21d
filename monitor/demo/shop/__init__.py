"""The programs of a pretended shop: ordinary code around an ordinary client, which knows of no monitor."""
