// What pages do beyond HTML, without which everything still works: load the islands, copy, times in the reader's zone,
// prefetch, one submit per form, Ctrl-K, arrow keys and dragging in the matrix, the confirm-by-typing button.
const self = document.querySelector("script[data-client]");
const lang = document.documentElement.lang;
const all = (selector, root = document) => root.querySelectorAll(selector);

// Islands: one module, then each island by its own entry.
async function hydrate() {
  const mod = await import(self.dataset.client);
  await mod.default({ module_or_path: self.dataset.wasm });
  mod.hydrate();
  for (const el of all("leptos-island")) mod[el.dataset.component]?.(el);
  document.documentElement.dataset.ready = "";
}
let hydrating;
const ready = () => (hydrating ??= hydrate());
if (self.dataset.load === "now") ready();
else if (document.querySelector("leptos-island")) (window.requestIdleCallback ?? setTimeout)(ready, { timeout: 1500 });

// Times: the tooltip in the reader's own zone, named.
const zone = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" });
const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time[datetime]");
  if (!time || time.dataset.zoned) return;
  time.dataset.zoned = "1";
  time.title = `${time.dateTime}\n${zone.format(new Date(time.dateTime))} ${zoneName}`;
});

// Fetch a page as soon as the button goes down; not on hover, for a page read minutes ago would not be the truth.
document.addEventListener("pointerdown", (event) => {
  const a = event.target.closest?.("a[href^='/']");
  if (!a || event.button !== 0 || a.hasAttribute("download") || /export|^\/auth\//.test(a.pathname)) return;
  const link = document.createElement("link");
  Object.assign(link, { rel: "prefetch", href: a.href });
  document.head.append(link);
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest?.("[data-copy]");
  if (copy) {
    await navigator.clipboard?.writeText(copy.dataset.copy);
    const label = copy.querySelector("span"), was = label.textContent;
    label.textContent = copy.dataset.done;
    setTimeout(() => (label.textContent = was), 1200);
  }
  // Menus close when one clicks elsewhere; the palette when one clicks beside it.
  for (const open of all("details.drop[open]")) if (!open.contains(event.target)) open.open = false;
  if (event.target.id === "palette") event.target.close();
});

// A double click is one act.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 8000);
});
window.addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) delete form.dataset.sent; });

// Selects of filter forms act at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-auto] select, form[data-auto] input[type=radio]")) event.target.form.requestSubmit();
});

// Confirm by typing: the button waits for the name. The server checks it again.
function confirms(root) {
  for (const input of all("input[data-confirm]", root)) {
    const button = input.form.querySelector("button[type=submit]:not([name])");
    const check = () => (button.disabled = input.value.trim() !== input.dataset.confirm);
    input.addEventListener("input", check);
    check();
  }
}
confirms(document);

// A choice shows what it means beside it: the parts of the same name come from the answer to the form, the focus stays.
let asked = 0;
document.addEventListener("change", async (event) => {
  const form = event.target.form;
  if (!form?.matches("form[data-preview]") || !["radio", "select-one"].includes(event.target.type)) return;
  if (event.target.name === "version" && event.target.value) form.elements.image.value = "";
  const turn = ++asked, url = new URL(form.action);
  for (const [name, value] of new FormData(form)) if (value) url.searchParams.set(name, value);
  try {
    const answer = await fetch(url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (turn !== asked) return;
    for (const part of all("[data-part]")) {
      const kept = part.querySelector("[name=reason]")?.value;
      part.replaceChildren(...page.querySelector(`[data-part=${part.dataset.part}]`).childNodes);
      const reason = part.querySelector("[name=reason]");
      if (kept && reason) reason.value = kept;
      confirms(part);
    }
    history.replaceState(null, "", url);
  } catch {
    form.requestSubmit();
  }
});

// Who names another image has chosen it; who chooses a release has emptied that field.
document.addEventListener("input", (event) => {
  const other = event.target.form?.querySelector(`[data-other="${event.target.name}"]`);
  if (other && event.target.value) other.checked = true;
});

async function palette() {
  const dialog = document.getElementById("palette");
  if (!dialog) return document.querySelector(".search input")?.focus();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("input").focus();
  await ready();
}
document.querySelector(".search kbd")?.addEventListener("click", palette);

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return palette();
  }
  if (event.key === "Escape") for (const open of all("details.drop[open]")) {
    open.open = false;
    open.querySelector("summary").focus();
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !event.target.matches("input, textarea, select")) {
    event.preventDefault();
    return document.querySelector(".search input")?.focus();
  }
  matrixKey(event);
});

// The matrix: arrows go from cell to cell, D deploys, R rolls back, Enter follows the cell's own link.
function matrixKey(event) {
  const cell = event.target.closest?.("[data-cell]");
  if (!cell || event.target !== cell) return;
  const row = cell.closest("tr"), index = [...row.children].indexOf(cell);
  const beside = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const along = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
  const key = event.key.toLowerCase();
  let to;
  if (beside) to = row.children[index + beside];
  else if (along) { let next = row[along]; while (next && next.children.length < 2) next = next[along]; to = next?.children[index]; }
  else if (event.key === "Enter") return cell.querySelector("a")?.click();
  else if ("dpr".includes(key)) return cell.querySelector(`[data-act=${key}]`)?.click();
  else return;
  event.preventDefault();
  to?.matches("[data-cell]") && focusCell(to);
}
// A version dragged from its cell to one that it may be promoted to: the same page as by P.
let wells = [];
function carry(found) {
  for (const well of wells) well.classList.remove("well");
  wells = found;
  for (const well of wells) well.classList.add("well");
}
document.addEventListener("dragstart", (event) => {
  const link = event.target.closest?.("[data-cell] .v a");
  if (!link) return;
  const version = link.textContent.trim();
  const takes = (act) => new URL(act.href).searchParams.get("version") === version;
  carry([...all("[data-act=p]", link.closest("tr"))].filter(takes).map((act) => act.closest("[data-cell]")));
});
document.addEventListener("dragend", () => carry([]));
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => {
  const well = wells.find((well) => well.contains(event.target));
  if (!well) return;
  event.preventDefault();
  if (kind === "drop") well.querySelector("[data-act=p]").click();
});
function focusCell(cell) {
  for (const other of all("[data-cell][tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

// A form is on its way: its answer is the next page, and nothing here may go elsewhere before.
let leaving = false;
addEventListener("submit", (event) => { leaving = !event.defaultPrevented; });
addEventListener("pageshow", () => { leaving = false; });

// A live part: at each event the server's newest rendering takes its place; where there are no events, every moment. When the stream breaks
// it says since when.
for (const part of all("[data-live]")) {
  let source, waiting, broken;
  const refresh = async () => {
    waiting = undefined;
    const answer = await fetch(part.dataset.live, { headers: { accept: "text/html" } }).catch(() => undefined);
    if (!answer?.ok) return;
    part.innerHTML = await answer.text();
    // Beside a deployment that waits stands the form to decide about it; afterwards there is nothing to decide.
    if (document.querySelector("[data-while-waiting]") && !part.querySelector("[data-waits]")) return leaving || location.reload();
    if (!part.querySelector("[data-live-mark]")) source?.close();
  };
  const soon = () => (waiting ??= setTimeout(refresh, 120));
  const open = () => {
    source = new EventSource(part.dataset.events);
    for (const kind of ["state", "step", "instances", "log"]) source.addEventListener(kind, soon);
    source.onopen = () => { broken = undefined; soon(); };
    source.onerror = () => {
      broken ??= new Date();
      const mark = part.querySelector("[data-live-mark]");
      if (mark && Date.now() - broken > 2000) mark.textContent = part.dataset.stale.replace("{}", broken.toLocaleTimeString(lang));
    };
  };
  if (part.dataset.events) open();
  // Elapsed times move on without events.
  const clock = setInterval(() => (part.querySelector("[data-live-mark]") ? soon() : clearInterval(clock)), part.dataset.events ? 5000 : 1500);
}
