"""Kho Chung: a province's shared data warehouse and open-data publisher."""

__version__ = "0.1.0"
