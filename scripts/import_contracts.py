"""Two contract types for import-linter: who may import a library directly, and no circles between siblings.

The built-in types stop with an error while a room that they name holds no module; these take such a room as one that
imports nothing, so the contracts in pyproject.toml stand from the first day. Of libraries only direct imports count:
the composition root may lead to Qt through a view without loading Qt itself.
"""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.domain.imports import ModuleExpression


def _inside(module: str, rooms: list[str]) -> bool:
    """Whether the module is one of the rooms or stands in one."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


class DirectImports(Contract):
    """`imported` may be imported only inside `allowed`, and never inside `denied`."""

    type_name = "direct"

    imported = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())
    denied = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find every direct import from outside the allowed rooms; blocking, milliseconds."""
        allowed: list[str] = self.allowed  # type: ignore[assignment]
        denied: list[str] | None = self.denied  # type: ignore[assignment]
        libraries: list[str] = self.imported  # type: ignore[assignment]
        wrong = [
            detail
            for library in libraries
            if library in graph.modules
            for importer in sorted(graph.find_modules_that_directly_import(library))
            if not _inside(importer, allowed) or _inside(importer, denied or [])
            for detail in graph.get_import_details(importer=importer, imported=library)
        ]
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print one line for each wrong import."""
        wrong: list[dict[str, Any]] = check.metadata["wrong"]
        for detail in wrong:
            output.print_error(f"{detail['importer']} imports {detail['imported']} (line {detail['line_number']})")
        output.new_line()


class NoCircles(AcyclicSiblingsContract):
    """No circle of imports between the children of one package, in those `ancestors` that hold a module."""

    type_name = "circles"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at each package below the ancestors; blocking, milliseconds."""
        named: set[ModuleExpression] = self.ancestors  # type: ignore[assignment]
        self.ancestors = {package for package in named if package.expression in graph.modules}  # type: ignore[assignment]
        return super().check(graph, verbose)
