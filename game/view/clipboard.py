"""Reads the clipboard's text: X11 through libX11, macOS through pbpaste, Windows through user32.

'' where there is none, where it is no text, or where its owner does not answer. Writes nothing.
"""

import ctypes
import ctypes.util
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

LONGEST = 4096
"""More than so many letters are not taken."""
_WAIT_S = 0.6
_SELECTION_NOTIFY = 31  # <X11/X.h>


def read() -> str:
    """The text on the clipboard, '' for none. Never raises for want of a clipboard."""
    reader = {"win32": _windows, "darwin": _mac}.get(sys.platform, _x11)
    try:
        return reader()[:LONGEST]
    except (OSError, AttributeError, ValueError, subprocess.SubprocessError):
        return ""


def _mac() -> str:
    done = subprocess.run(["pbpaste"], capture_output=True, timeout=2.0, check=True)
    return done.stdout.decode("utf-8", "replace")


def _windows() -> str:
    user, kernel = getattr(ctypes, "windll").user32, getattr(ctypes, "windll").kernel32  # noqa: B009
    user.GetClipboardData.restype = kernel.GlobalLock.restype = ctypes.c_void_p
    kernel.GlobalLock.argtypes = kernel.GlobalUnlock.argtypes = [ctypes.c_void_p]
    if not user.OpenClipboard(None):
        return ""
    try:
        handle = user.GetClipboardData(13)  # CF_UNICODETEXT
        place = kernel.GlobalLock(handle) if handle else None
        if not place:
            return ""
        text = ctypes.wstring_at(place)
        kernel.GlobalUnlock(handle)
        return text
    finally:
        user.CloseClipboard()


def _x11(now: Callable[[], float] = time.monotonic) -> str:
    """Ask the owner of CLIPBOARD for UTF-8 (ICCCM, section 2) on a connection of our own."""
    x = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    display = x.XOpenDisplay(None)
    if not display:
        return ""
    shown = ctypes.c_void_p(display)
    try:
        x.XInternAtom.restype = x.XDefaultRootWindow.restype = ctypes.c_ulong
        x.XCreateSimpleWindow.restype = x.XGetSelectionOwner.restype = ctypes.c_ulong
        clipboard, utf8, ours = (
            x.XInternAtom(shown, name, 0) for name in (b"CLIPBOARD", b"UTF8_STRING", b"SD_PASTE")
        )
        if not x.XGetSelectionOwner(shown, ctypes.c_ulong(clipboard)):
            return ""
        root = ctypes.c_ulong(x.XDefaultRootWindow(shown))
        window = ctypes.c_ulong(x.XCreateSimpleWindow(shown, root, 0, 0, 1, 1, 0, 0, 0))
        x.XConvertSelection(
            shown, ctypes.c_ulong(clipboard), ctypes.c_ulong(utf8), ctypes.c_ulong(ours), window,
            ctypes.c_ulong(0),
        )  # fmt: skip
        x.XFlush(shown)
        event = ctypes.create_string_buffer(192)  # sizeof(XEvent)
        until = now() + _WAIT_S
        while now() < until:
            if x.XCheckTypedWindowEvent(shown, window, _SELECTION_NOTIFY, event):
                return _property(x, shown, window, ours)
            time.sleep(0.01)
        return ""
    finally:
        x.XCloseDisplay(shown)


def _property(x: Any, shown: Any, window: Any, name: int) -> str:
    """What the owner wrote to our window."""
    kind, count, rest = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_ulong()
    form, data = ctypes.c_int(), ctypes.c_void_p()
    x.XGetWindowProperty(
        shown, window, ctypes.c_ulong(name), ctypes.c_long(0), ctypes.c_long(LONGEST), 1,
        ctypes.c_ulong(0), ctypes.byref(kind), ctypes.byref(form), ctypes.byref(count),
        ctypes.byref(rest), ctypes.byref(data),
    )  # fmt: skip
    if not data.value:
        return ""
    try:
        if form.value != 8:
            return ""
        return ctypes.string_at(data.value, count.value).decode("utf-8", "replace")
    finally:
        x.XFree(data)
