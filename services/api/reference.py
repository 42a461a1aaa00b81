"""The API's documentation as one page to read: made from the OpenAPI document, without a script or an outside address.

It tells nothing that the document does not, so it is open to whoever can reach the house.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

PATH = "/api/v1/docs"
reference = APIRouter(include_in_schema=False)
Doc = Mapping[str, Any]
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>framewatch API</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
)
_TRY = 'curl -H "Authorization: Bearer $TOKEN" "$HOUSE/api/v1/trends?frame=staged-theatrics&amp;step=1d"'
_STYLE = """
:root { color-scheme: light dark; --soft: #5d6168; --line: #e0ddd7; --link: #1f4e79; }
@media (prefers-color-scheme: dark) { :root { --soft: #a0a5ad; --line: #33373d; --link: #8fbbe6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; }
h1, h2 { font-family: ui-serif, Georgia, serif; line-height: 1.2; }
h2 { margin: 2.5rem 0 0.6rem; text-transform: capitalize; }
h3, dt, code { font: 0.85rem ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
h3 { font-size: 0.95rem; font-weight: 600; margin: 0; }
a, summary { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: 0.3rem 1rem; }
p { margin: 0.35rem 0; max-width: 75ch; }
article { border-top: 1px solid var(--line); padding: 1rem 0; }
.soft, dt span { color: var(--soft); }
dl { display: grid; grid-template-columns: minmax(9rem, 17rem) minmax(0, 1fr); gap: 0.25rem 1.2rem; margin: 0.5rem 0; }
dl { font-size: 0.9rem; } dt span { display: block; font-size: 0.75rem; } dd { margin: 0; }
pre { overflow: auto; max-height: 24rem; padding: 0.6rem; border: 1px solid var(--line); font-size: 0.8rem; }
summary { cursor: pointer; width: max-content; } details { margin: 0.35rem 0; }
@media (max-width: 600px) { dl { grid-template-columns: minmax(0, 1fr); } dd { margin-bottom: 0.4rem; } }
"""


@reference.get(PATH)
def read(request: Request) -> HTMLResponse:
    """The page; made once a process."""
    state = request.app.state
    if not hasattr(state, "reference"):
        state.reference = page(request.app.openapi())
    return HTMLResponse(state.reference, headers=HEADERS)


def page(document: Doc) -> str:
    """The documentation of an OpenAPI document, as HTML."""
    about_tags = {tag["name"]: tag["description"] for tag in document.get("tags", ())}
    tags: dict[str, list[str]] = {name: [] for name in about_tags}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tags.setdefault((operation.get("tags") or ["other"])[0], []).append(
                _operation(document, method.upper(), path, operation)
            )
    links = " ".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in tags)
    told = "".join(
        f'<section><h2 id="{escape(t)}">{escape(t)}</h2><p>{escape(about_tags.get(t, ""))}</p>{"".join(o)}</section>'
        for t, o in tags.items()
    )
    about = "".join(f"<p>{_words(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    token = _words(document["components"]["securitySchemes"]["token"]["description"])
    return (
        f"{_HEAD}<style>{_STYLE}</style></head><body><main><h1>framewatch API</h1>{about}<p>{token}.</p>"
        f"<p><code>{_TRY}</code></p>"
        f'<p>For programs: <a href="openapi.json">openapi.json</a>, OpenAPI {escape(document["openapi"])}.</p>'
        f'<nav aria-label="Topics">{links}</nav>{told}</main></body></html>'
    )


def _operation(document: Doc, method: str, path: str, operation: Doc) -> str:
    scope = " ".join(s for need in operation.get("security", []) for s in need.get("token", [])) or "none"
    told = [f'<article id="{escape(operation["operationId"])}"><h3>{method} {escape(path)}</h3>']
    told.append(
        f"<p><strong>{escape(operation.get('summary', ''))}.</strong> <span class=soft>Scope: {scope}.</span></p>"
    )
    told += [f"<p>{_words(part)}</p>" for part in operation.get("description", "").split("\n\n") if part]
    if asked := "".join(_parameter(p) for p in operation.get("parameters", [])):
        told.append(f"<details><summary>Parameters</summary><dl>{asked}</dl></details>")
    for media, sent in operation.get("requestBody", {}).get("content", {}).items():
        told.append(_shape(document, f"Body: {media}", sent))
    for status, answer in operation["responses"].items():
        if int(status) < 400:
            for media, sent in answer.get("content", {}).items():
                told.append(_shape(document, f"Answer {status}: {media}", sent, answer.get("description", "")))
    wrong = "".join(
        f"<dt>{status}</dt><dd>{escape(answer['description'])}</dd>"
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    )
    told.append(f"<details><summary>Problems</summary><dl>{wrong}</dl></details></article>" if wrong else "</article>")
    return "".join(told)


def _parameter(parameter: Doc) -> str:
    schema, where = parameter["schema"], parameter["in"]
    known = [_kind(schema), "required" if parameter.get("required") else "", "" if where == "query" else where]
    usual = f" Default: {schema['default']}." if schema.get("default") not in (None, []) else ""
    told = _words((parameter.get("description") or schema.get("description") or "") + usual + _example(schema))
    return f"<dt>{escape(parameter['name'])}<span>{escape(', '.join(filter(None, known)))}</span></dt><dd>{told}</dd>"


def _shape(document: Doc, title: str, sent: Doc, about: str = "") -> str:
    rows = "".join(
        f"<dt>{escape(name)}<span>{escape(kind)}</span></dt><dd>{_words(told)}</dd>"
        for name, kind, told in _fields(document, sent.get("schema", {}))
    )
    note = f"<p class=soft>{escape(about)}</p>" if about and about != "Successful Response" else ""
    return f"<details><summary>{escape(title)}</summary>{note}<dl>{rows}</dl>{_shown(sent.get('example'))}</details>"


def _shown(example: Any) -> str:
    """An example as it is sent; text is shown in its own direction, line by line."""
    if example is None:
        return ""
    told = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)
    return f'<p class=soft>Example</p><pre tabindex="0" dir="ltr">{escape(told)}</pre>'


def _fields(document: Doc, schema: Doc, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Fields of a shape, those of its parts as `part.field`; parts of parts of parts are left to the document."""
    schema = _found(document, schema)
    for name, field in schema.get("properties", {}).items():
        part = next((s for s in (field, *field.get("anyOf", ()), field.get("items") or {}) if "$ref" in s), None)
        many = "items" in field
        yield f"{prefix}{name}{'[]' if many else ''}", _kind(field), field.get("description", "") + _example(field)
        if part is not None and depth < 2:
            yield from _fields(document, part, f"{prefix}{name}{'[]' if many else ''}.", depth + 1)


def _words(text: str) -> str:
    """Prose of the document as HTML: what it quotes as code is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _found(document: Doc, schema: Doc) -> Doc:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Doc = document["components"]["schemas"][name] if name else schema
    return found


def _example(schema: Doc) -> str:
    given = (schema.get("examples") or [None])[0]
    return "" if given is None else f" Example: {given}"


def _kind(schema: Doc) -> str:
    """What a value is, in a word or two."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(s) for s in schema["anyOf"]))
    if "$ref" in schema:
        return "object"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    form = {"date-time": "time", "uuid": "id"}.get(schema.get("format", ""), "")
    return form or str(schema.get("const") or schema.get("type", "anything"))
