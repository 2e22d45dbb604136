"""What the later sources deliver: one module each, with its LAYOUTS and, by table, the DEFECTS that are injected."""

from types import ModuleType

from simulator import layouts
from simulator.layouts import Layout
from simulator.wire import civil, digital, documents, finance, hotline, identity, insurance, payments

SUBJECTS: tuple[ModuleType, ...] = (civil, digital, finance, insurance, hotline, documents, identity, payments)

ALL: tuple[Layout, ...] = (
    *(value for value in vars(layouts).values() if isinstance(value, Layout)),
    *(layout for subject in SUBJECTS for layout in subject.LAYOUTS),
)
HTTP_LAYOUTS = tuple(layout for layout in ALL if "/" in layout.path)
