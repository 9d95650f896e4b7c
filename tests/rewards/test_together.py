"""Writes that share a commit: on the disk before their caller goes on, or not there at all."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from rewards.inbox import Inbox
from rewards.quota import Quota, Rate
from rewards.refusal import TicketRefused
from rewards.schema import open_engine
from rewards.together import Deed, Together

things = sa.Table("thing", sa.MetaData(), sa.Column("name", sa.String, primary_key=True))


class Book:
    """A table, what writes to it, and how often it was committed."""

    def __init__(self, path: Path) -> None:
        self.engine = open_engine(f"sqlite:///{path}/book.sqlite")
        things.metadata.create_all(self.engine)
        self.together, self.commits = Together(self.engine), 0
        sa.event.listen(self.engine, "commit", self._count)

    def _count(self, _db: object) -> None:
        self.commits += 1

    def names(self) -> set[str]:
        with self.engine.connect() as db:
            return set(db.scalars(sa.select(things.c.name)))

    def deed(self, name: str) -> Deed:
        def put(db: sa.Connection) -> None:
            db.execute(things.insert(), {"name": name})

        return put


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def held(book: Book, deeds: list[Deed]) -> list[BaseException | None]:
    """What each got to hear where all of them waited for one that was slow."""
    inside, go = threading.Event(), threading.Event()

    def slow(db: sa.Connection) -> None:
        book.deed("slow")(db)
        inside.set()
        assert go.wait(120)

    def ask(deed: Deed) -> BaseException | None:
        try:
            book.together.write(deed)
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(len(deeds) + 1) as pool:
        first = pool.submit(ask, slow)
        assert inside.wait(120)
        rest = [pool.submit(ask, deed) for deed in deeds]
        while len(book.together._waiting) < len(deeds):
            assert not any(each.done() for each in rest)
        go.set()
        assert first.result(120) is None
        return [each.result(120) for each in rest]


def test_those_who_wait_share_one_commit(book: Book) -> None:
    before = book.commits
    names = [f"n{number}" for number in range(20)]
    assert held(book, [book.deed(name) for name in names]) == [None] * 20
    assert book.names() == {"slow", *names}
    assert book.commits - before == 2


def test_a_refusal_undoes_itself_alone(book: Book) -> None:
    def refuse(db: sa.Connection) -> None:
        book.deed("half done")(db)
        raise TicketRefused("quota.payee", "enough", 429)

    told = held(book, [book.deed("a"), refuse, book.deed("slow"), book.deed("b")])
    assert [type(error).__name__ for error in told] == [
        "NoneType", "TicketRefused", "IntegrityError", "NoneType",
    ]  # fmt: skip
    assert book.names() == {"slow", "a", "b"}


def test_nobody_hears_of_success_when_the_commit_fails(book: Book) -> None:
    def fail(_db: object) -> None:
        raise OSError("disk full")

    sa.event.listen(book.engine, "commit", fail)
    with pytest.raises(OSError, match="disk full"):
        book.together.write(book.deed("a"))
    sa.event.remove(book.engine, "commit", fail)
    assert book.names() == set()
    book.together.write(book.deed("b"))
    assert book.names() == {"b"}


def test_a_ticket_that_is_refused_costs_nobody_anything(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/book.sqlite")
    quota, inbox = Quota(engine), Inbox(engine)
    asked = {"payee": ("somebody", Rate(1, 1))}
    ticket = {"session": "S" * 26, "payee": "somebody", "claim": "", "issued_s": 9}

    def pay(db: sa.Connection) -> None:
        quota.take_in(db, asked, 9.0)

    with pytest.raises(TicketRefused, match=r"ticket.quota"):
        inbox.open_run(ticket, 0, pay)
    inbox.open_run(ticket, 1, pay)
    assert inbox.ticket("S" * 26) == ticket
    with pytest.raises(TicketRefused, match=r"quota.payee"):
        inbox.open_run(ticket | {"session": "T" * 26}, 9, pay)
    assert inbox.ticket("T" * 26) is None
