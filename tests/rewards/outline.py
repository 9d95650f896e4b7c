"""What a page is made of, and the rules that an accessible one keeps."""

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

VOID = {"meta", "link", "img", "input", "br"}


class Outline(HTMLParser):
    """Tags with their attributes, in order; complains about tags that do not close."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, Any]]:
        return [attributes for name, attributes in self.tags if name == tag]


def sound(text: str) -> Outline:
    """The outline of a page that names what it holds, for whoever cannot see it."""
    page = Outline(text)
    assert page.open == []
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert all(image.get("alt") for image in page.all("img"))
    assert all(cell.get("scope") for cell in page.all("th"))
    labelled = {label["for"] for label in page.all("label")}
    shown = [field for field in page.all("input") if field.get("type") != "hidden"]
    assert all(field["id"] in labelled for field in shown)
    assert len(page.all("caption")) == len(page.all("table"))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    told = {name for field in shown for name in field.get("aria-describedby", "").split()}
    assert told <= set(ids)
    assert "#main" in [link.get("href") for link in page.all("a")], "keyboards skip the menu"
    return page
