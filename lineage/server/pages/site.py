"""How pages look and link to each other: what all of them have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from lineage.audit import text
from lineage.audit.look import safe_environment
from lineage.audit.words import amount, judged, name, value
from lineage.server.pages import assets, words
from lineage.wording import between, change, plural, size, spaced

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


@dataclass(frozen=True)
class Site:
    """The pages of one registry: its `name`, what is before every address, who looks.

    `live` pages come from a server: they can search, and people can act on them. Who
    has a `session` signed in with a browser.
    """

    name: str
    root: str = ""
    who: str = ""
    live: bool = True
    session: bool = False

    def href(self, *parts: str, **asked: object) -> str:
        """The address of a page: ``href("commits", id)``; of the first without parts.

        A part may be a name with slashes; `asked` is the query, without what is empty.
        """
        path = "/".join(quote(part, safe="/@:") for part in parts)
        given = {key: said for key, said in asked.items() if said not in (None, "")}
        query = f"?{urlencode(given)}" if given else ""
        return f"{self.root}/{path}{query}"

    def asset(self, file: str) -> str:
        """The address of a file that pages need."""
        return self.href("static", file, v=assets.version(file))

    def render(self, template: str, **context: Any) -> str:
        """A whole page."""
        page = environment().get_template(f"{template}.html.j2")
        return page.render(site=self, href=self.href, **context)


@cache
def environment() -> "Environment":
    """What the templates of pages know."""
    made = safe_environment("lineage.server.pages")
    made.filters |= {
        "amount": amount,
        "day": lambda time: time[:10],
        "name": name,
        "number": lambda found: text.number(found, 4),
        "percent": text.percent,
        "plural": plural,
        "short": lambda id_: id_[: words.SHORT],
        "size": size,
        "stamp": stamp,
        "value": value,
        "words": spaced,
        "stated": words.stated,
    }
    made.globals |= {"between": between, "change_of": change, "judged": judged}
    return made


def stamp(time: str) -> "Markup":
    """A moment in UTC, which the script turns into "8 hours ago"."""
    from markupsafe import Markup

    shown = text.moment(time)
    brief = f"{shown[:16]} UTC" if shown.endswith(" UTC") else shown
    return Markup('<time datetime="{}">{}</time>').format(time, text.visible(brief))


def fields(found: Mapping[str, Any] | None, telling: str = "") -> list[tuple[str, str]]:
    """What a commit says in a field of its own, the telling part first."""
    pairs = sorted((found or {}).items(), key=lambda pair: pair[0] != telling)
    return [(key, value(said)) for key, said in pairs]
