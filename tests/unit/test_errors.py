import re

import tripod
from tripod import errors


def test_the_tree_at_the_top_of_the_module_is_true() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    drawn = re.findall(r"^([│├└─ ]*)([A-Z]\w+)", (errors.__doc__ or "").split("\n\n")[1], re.M)
    parents: list[tuple[int, str]] = []
    true = {}
    for indent, name in drawn:
        while parents and parents[-1][0] >= len(indent):
            parents.pop()
        true[name] = parents[-1][1] if parents else None
        parents.append((len(indent), name))
    assert {kind.__name__: kind.__bases__[0].__name__ for kind in kinds} == true | {"TripodError": "Exception"}


def test_every_error_is_public() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert kinds <= set(tripod.__all__)


def test_what_is_exported_is_there() -> None:
    assert [name for name in tripod.__all__ if not hasattr(tripod, name)] == []
    assert sorted(tripod.__all__) == tripod.__all__
