"""Trained networks in, bundles out: export, recipes, parity, acceptance."""
