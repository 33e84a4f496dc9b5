"""What one file may cost."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one child: bytes of address space, CPU seconds, bytes of a file that it writes, open files, wall clock."""

    memory_bytes: int = 3 * 1024**3
    cpu_s: int = 60
    file_bytes: int = 96 * 1024**2
    open_files: int = 64
    wall_s: float = 150.0

    def as_json(self) -> dict[str, float]:
        """For the wire."""
        return asdict(self)
