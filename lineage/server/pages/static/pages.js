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
for (const part of location.protocol === "file:" ? [] : document.querySelectorAll("[data-load]")) {
  fetch(part.dataset.load, { credentials: "same-origin" })
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer)))
    .then((html) => {
      const parsed = new DOMParser().parseFromString(html, "text/html");
      part.replaceChildren(...parsed.body.childNodes);
    })
    .catch(() => {});
}

// drawings of neighbours: zoom, drag, and arrow keys from box to box
for (const figure of document.querySelectorAll("figure.graph")) {
  const [frame, svg] = [figure.querySelector(".scroll"), figure.querySelector("svg")];
  const boxes = [...svg.querySelectorAll("a[data-id]")];
  const arrows = [...svg.querySelectorAll("path[data-from]")];
  const { width, height } = svg.viewBox.baseVal;
  let scale = 1;

  const zoom = (wanted) => {
    const middle = (frame.scrollLeft + frame.clientWidth / 2) / scale;
    scale = Math.min(3, Math.max(0.25, wanted));
    svg.style.width = `${width * scale}px`;
    svg.style.height = `${height * scale}px`;
    frame.scrollLeft = middle * scale - frame.clientWidth / 2;
  };
  const fit = () => zoom(Math.min(1, frame.clientWidth / width));
  const center = () => {
    const box = svg.querySelector("[aria-current]").getBBox();
    frame.scrollLeft = (box.x + box.width / 2) * scale - frame.clientWidth / 2;
  };
  const actions = { "+": () => zoom(scale * 1.25), "-": () => zoom(scale / 1.25), 0: () => { zoom(1); center(); }, f: fit };
  const names = { "+": "Zoom in", "-": "Zoom out", 0: "As large as at first", f: "All of it" };
  const bar = document.createElement("span");
  bar.className = "zoom";
  for (const [key, text] of [["-", "\u2212"], ["+", "+"], ["0", "1:1"], ["f", "all"]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.title = `${names[key]} (${key})`;
    button.setAttribute("aria-label", names[key]);
    button.addEventListener("click", actions[key]);
    bar.append(button);
  }
  figure.querySelector("figcaption").append(bar);

  // what is next to a box: along arrows left and right, within its column up and down
  const at = (box) => box.querySelector("rect").getBBox();
  const beside = (box, key) => {
    const [id, here] = [box.dataset.id, at(box)];
    const ids = arrows.filter((a) => (key === "ArrowRight" ? a.dataset.from : a.dataset.to) === id)
      .map((a) => (key === "ArrowRight" ? a.dataset.to : a.dataset.from));
    const sideways = key === "ArrowLeft" || key === "ArrowRight";
    const down = key === "ArrowDown" ? 1 : -1;
    return boxes
      .filter((other) => other !== box && (sideways
        ? ids.includes(other.dataset.id)
        : at(other).x === here.x && (at(other).y - here.y) * down > 0))
      .sort((a, b) => Math.abs(at(a).y - here.y) - Math.abs(at(b).y - here.y))[0];
  };
  const light = (id) => {
    for (const arrow of arrows) arrow.classList.toggle("near", [arrow.dataset.from, arrow.dataset.to].includes(id));
  };
  for (const box of boxes) {
    for (const type of ["focus", "mouseenter"]) box.addEventListener(type, () => light(box.dataset.id));
    for (const type of ["blur", "mouseleave"]) box.addEventListener(type, () => light(""));
  }
  figure.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const box = event.target.closest("a[data-id]");
    const next = box && event.key.startsWith("Arrow") && beside(box, event.key);
    if (!next && !(event.key in actions)) return;
    event.preventDefault();
    if (next) next.focus();
    else actions[event.key]();
  });
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
  }, { passive: false });
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0 || event.target.closest("a")) return;
    const start = [event.clientX + frame.scrollLeft, event.clientY + frame.scrollTop];
    frame.setPointerCapture(event.pointerId);
    frame.onpointermove = (moved) => frame.scrollTo(start[0] - moved.clientX, start[1] - moved.clientY);
    frame.onpointerup = () => { frame.onpointermove = null; };
  });
  center();
}
