// What a page does better with a script; all of it works without.
"use strict";

// moments as people say them, with the exact one behind
const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
for (const time of document.querySelectorAll("time[datetime]")) {
  const passed = (Date.now() - Date.parse(time.dateTime)) / 1000;
  if (!(passed >= 0 && passed < 14 * 86400)) continue;
  const unit = units.find(([, seconds]) => passed >= seconds);
  time.title = time.textContent;
  time.textContent = unit ? relative.format(-Math.floor(passed / unit[1]), unit[0]) : "just now";
}

// "/" goes to the search, as elsewhere
const search = document.getElementById("q");
document.addEventListener("keydown", (event) => {
  const busy = event.ctrlKey || event.metaKey || event.altKey
    || event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || busy || !search) return;
  event.preventDefault();
  search.select();
});

// a button beside what people copy
for (const code of navigator.clipboard ? document.querySelectorAll("code[data-copy]") : []) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "copy";
  button.setAttribute("aria-label", `Copy ${code.dataset.copy}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  });
  code.after(button);
}

// parts that take long come after the page; without a script they are a link
for (const part of document.querySelectorAll("[data-load]")) {
  fetch(part.dataset.load, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer)))
    .then((html) => {
      const parsed = new DOMParser().parseFromString(html, "text/html");
      part.replaceChildren(...parsed.body.childNodes);
    })
    .catch(() => {});
}
