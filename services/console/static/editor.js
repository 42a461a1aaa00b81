// The codebook's text: to the line of a mistake, which line one is in, Tab as two blanks, and no text lost by leaving.
"use strict";
{
const text = document.getElementById("c-text"), where = document.getElementById("c-where"), form = document.getElementById("editor");
let changed = false;

function tell() {
  const line = text.value.slice(0, text.selectionStart).split("\n").length;
  where.textContent = `line ${line}`;
}

function to(line) {
  const lines = text.value.split("\n"), start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  text.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(text).lineHeight));
  text.scrollIntoView({ block: "center" });
  tell();
}

document.querySelectorAll("[data-line]").forEach((at) => at.addEventListener("click", () => to(+at.dataset.line)));
text.addEventListener("input", () => { changed = true; });
for (const name of ["keyup", "click", "input"]) text.addEventListener(name, tell);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  // Tab writes blanks only while Shift is not held, and Escape lets go of it: nobody is trapped in the text.
  if (event.key === "Escape") text.dataset.free = "1";
  if (event.key === "Tab" && !event.shiftKey && !text.dataset.free) { event.preventDefault(); document.execCommand("insertText", false, "  "); }
});
text.addEventListener("blur", () => { delete text.dataset.free; });
form.addEventListener("submit", () => { changed = false; });
addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });

if (document.querySelector("[data-progress]") && !text.value.localeCompare(text.defaultValue)) {
  setTimeout(() => { if (!changed && document.activeElement !== text) location.reload(); }, 4000);
}
}
