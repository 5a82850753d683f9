"""What a handler may return or raise beside JSON and plain exceptions."""


class Ref:
    """Returned by a handler: where the output is kept, as `output_ref`."""

    __slots__ = ("ref",)

    def __init__(self, ref: str) -> None:
        self.ref = ref

    def __repr__(self) -> str:
        return f"Ref({self.ref!r})"

    def __eq__(self, other: object) -> bool:
        return self.ref == other.ref if isinstance(other, Ref) else NotImplemented

    def __hash__(self) -> int:
        return hash(("sprongus.Ref", self.ref))


class Fatal(Exception):  # noqa: N818
    """Raised by a handler: fail without a retry."""
