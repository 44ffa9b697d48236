"""Places at a directory: how many jobs may be on their way to it at once."""

from threading import Lock, Semaphore


class Slot:
    """A place at the directory, given back once. slots: what it takes a place of."""

    def __init__(self, *slots: Semaphore) -> None:
        self._slots = slots
        self._lock = Lock()
        self._is_held = True

    def joined(self, slots: Semaphore) -> "Slot":
        """The same place, with one of these that was taken too; used in this one's stead."""
        return Slot(*self._slots, slots)

    @property
    def is_held(self) -> bool:
        return self._is_held

    def free(self) -> None:
        with self._lock:
            if self._is_held:
                self._is_held = False
                for slots in self._slots:
                    slots.release()
