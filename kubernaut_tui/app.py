"""The Textual application: keys and replies go into `reduce`, lines come out of `present`. It decides nothing itself."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events as textual_events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType

from kubernaut.domain.errors import KubernautError, Unknown

from . import events
from .client import Client
from .clipboard import offer
from .effects import Copy, Effect, Load, Press, Quit, Repaint, Send
from .keys import KEYS
from .link import Link, unreadable
from .prompts import swallows
from .reduce import reduce
from .screens.frame import present
from .state import State
from .widgets.canvas import Canvas

PULSE_S = 1.0
"""Changes from outside are shown so often; a key is answered at once."""


class Console(App[None], inherit_bindings=False):
    """The console. Keys are those of the key table only: the library's own would let ctrl+q quit.

    Args:
        client: the daemon.
        state: what it begins with.
        pulse_s: how often changes from outside are shown, in seconds.
    """

    CSS_PATH = Path(__file__).with_name("kubernaut.tcss")
    TITLE = "kubernaut"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            key.keys, f"press('{key.id}')", key.label, id=key.id, tooltip=key.tooltip, show=False, priority=True
        )
        for key in KEYS
    ]  # fmt: skip

    def __init__(self, client: Client, *, state: State | None = None, pulse_s: float = PULSE_S) -> None:
        super().__init__(ansi_color=True)
        self.state = state or State(wall=time.time(), at=time.monotonic())
        self._client = client
        self._pulse_s = pulse_s
        self._link = Link(client, self.feed)
        self._canvas = Canvas(self._write, colours=not self.no_color)
        self._tasks: set[asyncio.Task[None]] = set()

    def compose(self) -> ComposeResult:
        """One canvas."""
        yield self._canvas

    def on_mount(self) -> None:
        """Paint first, then connect."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self.exit)
        self._bear(events.Resized(self.size.width, self.size.height))
        self.set_interval(self._pulse_s, self._pulse)
        self.call_after_refresh(self._connect)

    def _connect(self) -> None:
        self._spawn(self._link.run())

    async def on_unmount(self) -> None:
        """End what is in flight and the connections."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    def on_resize(self, event: textual_events.Resize) -> None:
        """The terminal has another size."""
        self._bear(events.Resized(event.size.width, event.size.height))

    async def on_event(self, event: textual_events.Event) -> None:
        """Keys go through the torn-sequence guard and open questions before any binding sees them."""
        if isinstance(event, textual_events.Key) and not event.is_forwarded:
            pressed = events.Pressed(event.key, event.character or "", event.time)
            taken = swallows(self.state, pressed)
            self._bear(pressed, paint=taken)
            if taken:
                return
            self._pressed_at = event.time
        elif isinstance(event, textual_events.Paste) and not event.is_forwarded:
            self._bear(events.Pasted(event.text))
            return
        await super().on_event(event)

    def action_press(self, command: str) -> None:
        """A binding of the key table."""
        self._bear(events.Commanded(command, self._pressed_at))

    _pressed_at = 0.0

    def feed(self, event: events.Event, *, paint: bool = True) -> None:
        """The next state, its picture, its effects; without the picture where a command follows at once.

        An event that can't be shown changes nothing: kept, it would fail again at the next pulse.

        Raises:
            Exception: of whatever kind an odd document provokes.
        """
        before = self.state
        try:
            self.state, effects = reduce(before, event)
            lines = present(self.state) if paint and self._canvas.is_mounted else None
        except Exception:
            self.state = before
            raise
        if lines is not None:
            self._canvas.show(lines)
        self._carry_out(effects)
        if self.state.prompt is not None and self.state.prompt.painted_at is None:
            self.call_after_refresh(self._painted)

    def _bear(self, event: events.Event, *, paint: bool = True) -> None:
        """Feed what comes from the terminal or the clock, which can't be refused: the console outlives its own mistakes."""
        try:
            self.feed(event, paint=paint)
        except Exception as error:
            stumbled = events.Stumbled(type(error).__name__, time.monotonic(), time.time())
            try:
                self.feed(stumbled)
            except Exception:
                self.feed(replace(stumbled, again=True))

    def _painted(self) -> None:
        self.state, _ = reduce(self.state, events.Painted(time.monotonic()))

    def _pulse(self) -> None:
        self._bear(self._link.pulse())

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Load():
                    self._spawn(self._load(effect))
                case Send():
                    self._spawn(self._send(effect))
                case Copy():
                    self._write(offer(effect.text))
                    self._bear(events.Copied(effect.text))
                case Repaint():
                    self._canvas.repaint()
                case Press():
                    self._bear(events.Commanded(effect.command, time.monotonic()))
                case Quit():
                    self.exit()

    def _write(self, sequence: str) -> None:
        """To the terminal, in order with what is painted."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def _spawn(self, work: Coroutine[object, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _load(self, load: Load) -> None:
        try:
            self.feed(events.Loaded(load, await self._client.get(load.path, dict(load.params))))
        except KubernautError as error:
            self._bear(events.LoadFailed(load, str(error)))
        except Exception as error:
            self._bear(events.LoadFailed(load, unreadable(error)))

    async def _send(self, send: Send) -> None:
        try:
            self.feed(events.Done(send, await self._client.send(send.method, send.path, send.body)))
        except KubernautError as error:
            self._bear(events.NotDone(send, str(error), unknown=isinstance(error, Unknown)))
        except Exception as error:  # it was sent, so it may have happened
            self._bear(events.NotDone(send, unreadable(error), unknown=True))
