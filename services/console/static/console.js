// Keeps the first page fresh while somebody looks at it. Nothing depends on it.
"use strict";
const EVERY = 30000;

async function refresh() {
  const reading = document.querySelector("details[open]") || String(document.getSelection());
  if (document.hidden || reading) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["main", ".context"]) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part)?.replaceWith(fresh);
  }
  document.title = page.title;
}

if (location.pathname === "/") setInterval(() => refresh().catch(() => {}), EVERY);
