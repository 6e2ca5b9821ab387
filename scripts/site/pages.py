"""Pages of executed notebooks, by nbconvert, for scripts/site/main.ts.

usage: pages.py FOLDER

Prints a JSON object: `pages`, each page's HTML by the name of its file, and the numbers of `figures` and `links`. Formulas
stay TeX, each in <span class="formula" data-place="FILE, cell N">. Ends with status 2 and a sentence on each fault where a
notebook has not run, a page would load something from elsewhere, or a link leads nowhere.
"""

import base64
import json
import mimetypes
import pathlib
import re
import sys
from html import escape
from os.path import relpath
from posixpath import dirname, join, normpath
from urllib.parse import quote, unquote

import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLOTLY = "application/vnd.plotly.v1+json"
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
# Where a dollar sign needs no partner or has one: in code, around formulas, behind a backslash.
DOLLARS = re.compile(r"```.*?```|`[^`]*`|(?<!\\)\$\$.*?(?<!\\)\$\$|(?<![$\\])\$.+?(?<![$\\])\$|\\\$", re.DOTALL)
QUESTION = re.compile(r"^\*\*The question:?\*\*:?\s+(.*?)(?=\n\s*\n|\Z)", re.DOTALL | re.MULTILINE)

faults = []


class Renderer(IPythonRenderer):
    """Markdown of one place on a page: formulas are marked, links lead to pages, pictures become part of the page."""

    def __init__(self, page, place):
        super().__init__(escape=False, exclude_anchor_links=True)
        self.page, self.place = page, place

    def inline_math(self, body, kind="formula"):
        return f'<span class="{kind}" data-place="{escape(self.place)}">{escape(body)}</span>'

    def block_math(self, body):
        return self.inline_math(body, "formula displayed")

    def found(self, url):
        """The path in the project of what the text refers to."""
        found = normpath(join(self.page["source"], unquote(url)))
        if found.startswith("..") or not (ROOT / found).exists():
            faults.append(f"{self.place} links to {url}, which the project does not have.")
        return found

    def link(self, text, url, title=None):
        target, _, anchor = url.partition("#")
        if ELSEWHERE.match(url) or target == "":
            return super().link(text, url, title)
        name = relpath(normpath(join(self.page["source"], unquote(target))), "notebooks")
        if name not in self.page["notebooks"]:
            return f'<span class="file" title="{escape(self.found(target))}">{text}</span>'
        page = quote(relpath(name.replace(".ipynb", ".html"), dirname(self.page["file"]) or "."))
        return super().link(text, page + ("#" + anchor if anchor else ""), title)

    def image(self, text, url, title=None):
        file = ROOT / ("" if ELSEWHERE.match(url) else self.found(url))
        if not file.is_file():  # the check of links judges it
            return super().image(text, url, title)
        data = base64.b64encode(file.read_bytes()).decode()
        return super().image(text, f"data:{mimetypes.guess_type(url)[0]};base64,{data}", title)


class Exporter(HTMLExporter):
    """nbconvert with the site's template."""

    figures = 0

    def __init__(self):
        config = Config()
        config.NbConvertBase.display_data_priority = [PLOTLY, "text/html", "image/png", "text/plain"]
        config.CoalesceStreamsPreprocessor.enabled = True  # what was printed line by line is one block
        config.TemplateExporter.extra_template_basedirs = [str(HERE)]
        super().__init__(config=config, template_name="template")

    @pass_context
    def markdown2html(self, context, source):
        page = context["resources"]["page"]
        place = context.get("cell", {}).get("metadata", {}).get("place", page["file"])
        alone = DOLLARS.sub(lambda found: " " * len(found[0]), source).find("$")
        if alone >= 0:
            near = source[alone : alone + 40].split("\n")[0]
            faults.append(f"{place}: the dollar sign of {near} has no partner; write \\$ for the sign.")
        return MarkdownWithMath(Renderer(page, place)).render(source)

    @pass_context
    def inline_html(self, context, source):
        return self.markdown2html(context, source).strip().removeprefix("<p>").removesuffix("</p>")

    def drawn(self, figure):
        """A figure with the lengths that Plotly takes where none are given: page.js scales them with the others."""
        self.figures += 1
        layout = {"width": 700, "height": 450, **figure["layout"]}
        layout["font"] = {"size": 12, **layout.get("font", {})}
        # No button that uploads the figure: the site has nothing to do with a network.
        config = {"displaylogo": False, **(figure.get("config") or {}), "showSendToCloud": False}
        return {**figure, "layout": layout, "config": config}

    def default_filters(self):
        yield from super().default_filters()
        yield "inline_html", self.inline_html
        yield "drawn", self.drawn


def read(file):
    """The cells of a notebook, or None; one that has not run, or is none, is a fault."""
    place = relpath(file)
    again = "execute the notebooks with npm run notebooks, then build the site again"
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        faults.append(f"{place} cannot be read as a notebook: {error}.")
        return None
    if not isinstance(content.get("cells"), list):
        faults.append(f"{place} is not a notebook: it has no list of cells.")
        return None
    cells = nbformat.v4.rwbase.rejoin_lines(nbformat.from_dict(content)).cells
    for number, cell in enumerate(cells, 1):
        cell.setdefault("id", str(number))  # older notebooks have none
        cell.metadata["place"] = f"{place}, cell {number}"
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.get("execution_count") is None:
            faults.append(f"{place} has not run: its cell {number} has no result; {again}.")
        if any(output.output_type == "error" for output in cell.outputs):
            faults.append(f"{place} has failed in its cell {number}: mend it, {again}.")
    return cells


def summary(cells, notebook):
    """What a notebook's first cell says of it, as Markdown."""
    first = cells[0].source if cells and cells[0].cell_type == "markdown" else ""
    title = re.match(r"# +(.+)", first)
    if title is None:
        faults.append(f'{notebook} does not begin with a title: let its first line be "# ...".')
    question = QUESTION.search(first)
    asked = question[1].strip() if question else ""
    return {
        "notebook": notebook,
        "file": notebook.replace(".ipynb", ".html"),
        "title": title[1].strip() if title else "",
        "question": asked[:1].upper() + asked[1:],
    }


def finished(html):
    """A page with anchors at its headings, as JupyterLab names them, and the list of its sections; as a tree."""
    page = BeautifulSoup(html, "html.parser")
    taken = set()
    items = []
    for heading in page.select("main h1, main h2, main h3, main h4"):
        base = name = re.sub(r"\s+", "-", heading.get_text().strip())
        count = 1
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name)
        heading["id"] = name
        if heading.name in ("h2", "h3"):
            link = f'<a href="#{quote(name)}">{heading.decode_contents()}</a>'
            items.append(f'<li class="level-{heading.name[1]}">{link}</li>')
    if len(items) > 1 and page.h1:
        contents = f'<nav class="contents" aria-label="Contents"><p>On this page</p><ol>{"".join(items)}</ol></nav>'
        page.h1.insert_after(BeautifulSoup(contents, "html.parser"))
    return page


def check_links(pages):
    """Notes references that lead nowhere and, for what is loaded, outside the site; returns the number of all."""
    ids = {file: {element["id"] for element in page.select("[id]")} for file, page in pages.items()}
    links = 0
    for file, page in pages.items():
        for element in page.select("[href], [src], [poster], [data]"):
            target = next(element[name] for name in ("href", "src", "poster", "data") if name in element.attrs)
            links += 1
            outside = ELSEWHERE.match(target) or target.startswith("/")
            if outside:
                if not target.startswith("data:") and (element.name != "a" or target.startswith("/")):
                    faults.append(
                        f"{file} loads {target}; the site must do without a network: put the file into it."
                    )
                continue
            path, _, anchor = unquote(target).partition("#")
            found = normpath(join(dirname(file), path)) if path else file
            if found.startswith("assets/"):  # main.ts puts them there
                continue
            if found not in pages:
                faults.append(f"{file} links to {target}, which is not in the site.")
            elif anchor and anchor not in ids[found]:
                faults.append(f"{file} links to {target}, but {found} has no heading of that name.")
    return links


def index(summaries):
    """The first page: the README up to its first section, then the notebooks, then their solutions."""
    introduction = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
    parts = [introduction]
    for heading, solutions in (("Notebooks", False), ("Solutions of the exercises", True)):
        listed = [item for item in summaries if item["file"].startswith("solutions/") == solutions]
        items = [f"- [{item['title']}](notebooks/{item['notebook']})\n\n  {item['question']}" for item in listed]
        parts += [f"## {heading}", "\n".join(items)] if listed else []
    return nbformat.v4.new_markdown_cell("\n\n".join(parts), metadata={"place": "README.md"})


def main(folder):
    def number(file):
        return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", file.name)]

    files = [*sorted(folder.glob("*.ipynb"), key=number), *sorted(folder.glob("solutions/*.ipynb"), key=number)]
    if not files:
        faults.append(f"{folder} holds no notebook; name a folder with .ipynb files.")
    found = [(cells, file.relative_to(folder).as_posix()) for file in files if (cells := read(file)) is not None]
    summaries = [summary(cells, name) for cells, name in found]
    notebooks = {item["notebook"] for item in summaries}
    first = {"file": "index.html", "source": "", "notebooks": notebooks}
    pages = [(first, [index(summaries)])]
    for item, (own, _), previous, following in zip(summaries, found, [None, *summaries], [*summaries[1:], None]):
        source = dirname(f"notebooks/{item['notebook']}")
        around = {"previous": previous, "next": following, "up": "../" * item["file"].count("/")}
        pages.append(({**item, **around, "source": source, "notebooks": notebooks}, own))
    exporter = Exporter()
    site = {}
    for page, own in pages if not faults else []:
        notebook = nbformat.v4.new_notebook(cells=own, metadata={"language_info": {"name": "typescript"}})
        site[page["file"]] = finished(exporter.from_notebook_node(notebook, {"page": page})[0])
    links = check_links(site)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 2
    html = {file: str(page) for file, page in site.items()}
    json.dump({"pages": html, "figures": exporter.figures, "links": links}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
