"""The views of the page. A module here with a `VIEW` is one; nothing else lists them.

A view is built once for each browser, inside the frame (`labpage.frame`), with NiceGUI's elements. It asks
`visit.services.prometheus`, which all browsers share, and takes its words from `visit.text`.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from labpage.view import View


@cache
def all_views() -> tuple[View, ...]:
    """In the order of the navigation.

    :raises AttributeError: a module here has no VIEW
    """
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(sorted((module.VIEW for module in modules), key=lambda view: view.order))
