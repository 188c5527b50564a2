"""SIGINT and SIGTERM: the run ends at once, and what it holds is cleared away."""

import os
import signal
import threading
from types import FrameType
from typing import Never

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NUDGE = signal.SIGURG
_PATIENCE = 0.1

_noticed = threading.Event()


class Stopped(BaseException):
    """A signal asks the run to end. No `Exception`, so that nothing takes it for a failure."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        self.word = "interrupted" if number == signal.SIGINT else "terminated"


def stop_on_signals() -> None:
    """From now on the signals raise Stopped in the main thread, whatever it waits for.

    Python runs a handler between two instructions. A signal that comes just before a blocking
    call does not interrupt it, and would wait for the call to end: for the next row of a pipe,
    for ever. So a thread sees each signal arrive, and interrupts the call until it is noticed.
    """
    for number in _SIGNALS:
        # a shell lets its background jobs ignore SIGINT, and they are to go on doing so
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)
    signal.signal(_NUDGE, lambda *_: None)
    arrivals, arrival = os.pipe()
    os.set_blocking(arrival, False)
    signal.set_wakeup_fd(arrival, warn_on_full_buffer=False)
    threading.Thread(target=_nudge, args=(arrivals,), daemon=True).start()


def _stop(number: int, _frame: FrameType | None) -> Never:
    _noticed.set()
    # a second signal ends the process at once, should the first be too polite
    signal.signal(number, signal.SIG_DFL)
    raise Stopped(number)


def _nudge(arrivals: int) -> None:
    main = threading.main_thread().ident
    while os.read(arrivals, 1)[0] not in _SIGNALS:
        pass
    while main is not None and not _noticed.wait(_PATIENCE):
        signal.pthread_kill(main, _NUDGE)
