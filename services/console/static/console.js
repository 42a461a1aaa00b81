// Keyboard, the first page kept fresh, and forms not sent twice. Nothing depends on it.
"use strict";
const EVERY = 30000;
const typing = (at) => at?.closest?.("input, textarea, select, [contenteditable]");

// In a house of many frames: those whose title has all the words that were typed.
function sift() {
  const field = document.querySelector("main [data-sift]");
  if (!field) return;
  const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean), all = [...document.querySelectorAll("main [data-frame]")];
  for (const item of all) {
    const title = item.querySelector(".open").textContent.toLowerCase();
    item.hidden = !wanted.every((word) => title.includes(word));
  }
  const found = all.filter((item) => !item.hidden).length;
  field.closest(".sift").hidden = false;
  field.closest(".sift").querySelector("[role=status]").textContent = wanted.length ? `${found} of ${all.length} frames` : "";
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-sift]")) sift(); });
sift();

async function refresh() {
  const reading = document.querySelector("main details[open], dialog[open]") || String(document.getSelection());
  const at = document.activeElement;
  if (document.hidden || reading || (at && at.id !== "main" && at.closest("main"))) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const typed = document.querySelector("[data-sift]")?.value;
  for (const part of ["main", ".context"]) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part)?.replaceWith(fresh);
  }
  document.title = page.title;
  if (typed && document.querySelector("[data-sift]")) document.querySelector("[data-sift]").value = typed;
  sift();
  clocks();
}

function step(by) {
  const among = document.querySelector("main [data-sift]")?.value.trim() ? "data-frame" : "data-item";
  const items = [...document.querySelectorAll(`main [${among}]:not([hidden])`)];
  if (!items.length) return;
  const now = items.findIndex((item) => item.classList.contains("at"));
  const next = items[Math.max(0, Math.min(items.length - 1, now < 0 ? (by > 0 ? 0 : items.length - 1) : now + by))];
  items[now]?.classList.remove("at");
  next.classList.add("at");
  const link = next.querySelector(".open, a, button");
  link?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

let going = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
  const dialog = document.getElementById("keys");
  if (event.key === "?") {
    event.preventDefault();
    if (dialog.open) dialog.close(); else dialog.showModal();
    return;
  }
  if (dialog?.open) return;
  if (going) {
    going = false;
    const to = [...document.querySelectorAll("[data-go]")].find((a) => a.dataset.go === event.key);
    if (to) { event.preventDefault(); location.href = to.href; }
    return;
  }
  if (event.key === "g") { going = true; setTimeout(() => { going = false; }, 1500); return; }
  if (event.key === "j" || event.key === "k") { event.preventDefault(); step(event.key === "j" ? 1 : -1); return; }
  if (event.key === "/") {
    const field = document.querySelector("main [data-find], main input[type=search], main textarea");
    if (field) { event.preventDefault(); field.focus(); }
    return;
  }
  const pressed = [...document.querySelectorAll("main [data-key]")].find((at) => at.dataset.key === event.key);
  if (pressed) { event.preventDefault(); pressed.click(); }
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form.stack");
  if (form && event.target.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
});

// Pages say UTC, which is what teams in several countries share; the reader's own clock is a look away.
const zone = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const place = zone.resolvedOptions().timeZone;
function clocks() {
  if (/^(UTC|Etc\/(UTC|GMT))$/.test(place)) return;
  document.querySelectorAll("time[datetime]:not([title])").forEach((at) => { at.title = `${zone.format(new Date(at.dateTime))}, ${place}`; });
}
clocks();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  form.querySelectorAll("[data-busy]").forEach((at) => { at.textContent = at.dataset.busy; });
  setTimeout(() => { delete form.dataset.sent; }, 30000);
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));

// What takes the model a moment comes after the page.
async function later() {
  const at = document.querySelector("[data-later]");
  if (!at) return;
  const answer = await fetch(at.dataset.later);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("main");
  if (!answer.ok || !fresh) return;
  const open = document.activeElement?.id;
  document.querySelector("main").replaceWith(fresh);
  clocks();
  if (open) document.getElementById(open)?.focus({ preventScroll: true });
}
later().catch(() => {});

document.querySelectorAll("[data-print]").forEach((at) => { at.hidden = false; at.addEventListener("click", () => print()); });
document.querySelector(".keys-hint")?.removeAttribute("hidden");
if (location.pathname === "/") setInterval(() => refresh().catch(() => {}), EVERY);
