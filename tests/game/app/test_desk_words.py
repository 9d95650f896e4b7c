"""What the log says of a screen is what a script needs to find its way."""

from game.play.app.desk import described
from game.view.screen.model import Button, Note, Screen


def test_a_screen_is_said_with_its_rows_and_its_focus() -> None:
    rows = (Note("read this"), Button("go", "Go"), Button("no", "No", enabled=False),
            Button("end", "End"))  # fmt: skip
    shown = Screen("A title: paused", rows).at("end")
    assert described(shown) == "focus=end rows=go|end title=A title: paused"
