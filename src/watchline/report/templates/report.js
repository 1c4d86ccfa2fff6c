"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const map = document.getElementById("map-picture");
  const strip = document.getElementById("strip-picture");
  const readout = document.getElementById("readout");
  const here = document.getElementById("map-here");
  const cursor = document.getElementById("strip-here");
  const windowMark = document.getElementById("strip-window");
  const scaleBar = document.querySelector(".bar");
  const fields = map.querySelector(".fields");
  const picked = document.getElementById("picked");
  const narrow = "\u202f";
  const metres = (v) => Math.round(v).toString().replace("-", "\u2212").replace(/\B(?=(\d{3})+$)/g, narrow) + "\u00a0m";
  const tools = document.querySelector(".tools");
  for (const one of [tools, readout, scaleBar, ...document.querySelectorAll(".show")]) one.hidden = false;

  // ---- the view: centre in picture metres, and metres per screen pixel
  const view = { x: data.width / 2, y: data.height / 2, u: 1, fitted: true };
  const finest = 0.05;
  const size = () => { const box = map.getBoundingClientRect(); return { w: Math.max(box.width, 1), h: Math.max(box.height, 1) }; };
  const coarsest = () => { const { w, h } = size(); return Math.max(data.extent.w / w, data.extent.h / h) * 1.02; };

  function draw() {
    const { w, h } = size();
    view.u = Math.min(Math.max(view.u, finest), coarsest());
    const slackX = Math.max(0, data.width / 2 - view.u * w * 0.15), slackY = Math.max(0, data.height / 2 - view.u * h * 0.15);
    view.x = Math.min(Math.max(view.x, data.width / 2 - slackX), data.width / 2 + slackX);
    view.y = Math.min(Math.max(view.y, data.height / 2 - slackY), data.height / 2 + slackY);
    const left = view.x - view.u * w / 2, top = view.y - view.u * h / 2;
    map.setAttribute("viewBox", `${left} ${top} ${view.u * w} ${view.u * h}`);
    map.style.setProperty("--u", view.u);
    map.classList.toggle("near", view.u < data.nearMetresPerPixel);
    map.classList.toggle("tight", view.u > data.labelMetres / 46);
    map.classList.toggle("fine-ticks", view.u < data.labelMetres / 10 / 46);
    for (const hatch of map.querySelectorAll(".hatch")) hatch.setAttribute("patternTransform", `scale(${view.u})`);
    drawScale(w);
    drawWindow(left, left + view.u * w, top, top + view.u * h);
  }

  function drawScale(w) {
    const longest = Math.min(160, w / 3) * view.u;
    const power = 10 ** Math.floor(Math.log10(longest));
    const length = [5, 2, 1].map((k) => k * power).find((v) => v <= longest);
    scaleBar.style.width = `${length / view.u}px`;
    scaleBar.firstElementChild.textContent = length >= 1000 ? `${length / 1000}\u00a0km` : `${length}\u00a0m`;
  }

  function drawWindow(left, right, top, bottom) {
    let first = Infinity, last = -Infinity;
    const line = data.line;
    for (let i = 0; i < line.s.length - 1; i++) {
      const steps = Math.max(1, Math.ceil((line.s[i + 1] - line.s[i]) / 20));
      for (let k = 0; k <= steps; k++) {
        const f = k / steps, x = line.x[i] + f * (line.x[i + 1] - line.x[i]), y = line.y[i] + f * (line.y[i + 1] - line.y[i]);
        if (x >= left && x <= right && y >= top && y <= bottom) {
          const s = line.s[i] + f * (line.s[i + 1] - line.s[i]);
          first = Math.min(first, s); last = Math.max(last, s);
        }
      }
    }
    const whole = first <= data.strip.start + 1 && last >= data.strip.end - 1;
    windowMark.toggleAttribute("hidden", whole || last < first);
    if (last >= first) {
      const a = stripX(Math.max(first, data.strip.start)), b = stripX(Math.min(last, data.strip.end));
      windowMark.setAttribute("x", a); windowMark.setAttribute("width", Math.max(b - a, 1));
    }
  }

  // ---- places along the line
  const stripX = (s) => data.strip.left + (s - data.strip.start) / (data.strip.end - data.strip.start) * (data.strip.right - data.strip.left);
  function at(s) {
    const line = data.line;
    if (!line.s.length) return null;
    let i = line.s.findIndex((v) => v > s) - 1;
    if (i < 0) i = s <= line.s[0] ? 0 : line.s.length - 2;
    const f = (s - line.s[i]) / (line.s[i + 1] - line.s[i]);
    return { x: line.x[i] + f * (line.x[i + 1] - line.x[i]), y: line.y[i] + f * (line.y[i + 1] - line.y[i]) };
  }
  function nearest(x, y) {
    const line = data.line;
    let best = null;
    for (let i = 0; i < line.s.length - 1; i++) {
      const dx = line.x[i + 1] - line.x[i], dy = line.y[i + 1] - line.y[i];
      const f = Math.min(1, Math.max(0, ((x - line.x[i]) * dx + (y - line.y[i]) * dy) / (dx * dx + dy * dy)));
      const ex = x - line.x[i] - f * dx, ey = y - line.y[i] - f * dy, d = Math.hypot(ex, ey);
      // In the picture y runs down, so a place left of the line's direction has a negative cross product.
      if (!best || d < best.d) best = { d, s: line.s[i] + f * (line.s[i + 1] - line.s[i]), t: dx * ey - dy * ex < 0 ? d : -d };
    }
    return best;
  }
  function told(s) {
    const bins = data.bins, k = Math.floor((s - bins.start) / bins.step);
    const parts = [];
    bins.heights.forEach((height, j) => {
      const views = bins.views[j][k], px = bins.px[j][k];
      if (views !== null && views !== undefined) parts.push(`target ${height}\u00a0m: least views ${views}, least best density ${px}\u00a0px/m`);
    });
    const ground = bins.ground[k];
    if (ground !== null && ground !== undefined) parts.push(`lowest ground ${ground}\u00a0m`);
    return parts.length ? `within ${bins.step}\u00a0m: ${parts.join("; ")}` : "no cell here";
  }
  function mark(s, offset) {
    const off = !Number.isFinite(s) || s < data.strip.start - 1 || s > data.strip.end + 1;
    cursor.toggleAttribute("hidden", off);
    if (!off) cursor.setAttribute("transform", `translate(${stripX(s)} 0)`);
    const place = at(s);
    here.toggleAttribute("hidden", !place);
    if (place) here.setAttribute("transform", `translate(${place.x} ${place.y})`);
    const where = offset === undefined ? `s\u00a0=\u00a0${metres(s)}` : `s\u00a0=\u00a0${metres(s)}, t\u00a0=\u00a0${metres(offset)}`;
    readout.textContent = off ? where : `${where} – ${told(s)}`;
  }
  function show(start, end) {
    const a = at(start), b = at(end);
    if (!a || !b) return;
    view.fitted = false;
    const { w, h } = size(), room = data.room;
    view.x = (a.x + b.x) / 2; view.y = (a.y + b.y) / 2;
    view.u = Math.max((Math.abs(a.x - b.x) + room) / w, (Math.abs(a.y - b.y) + room) / h);
    draw();
  }
  function whole() { view.x = data.extent.x; view.y = data.extent.y; view.u = Infinity; view.fitted = true; draw(); }
  function zoom(factor, x = view.x, y = view.y) {
    const before = view.u;
    view.fitted = false;
    view.u = Math.min(Math.max(view.u * factor, finest), coarsest());
    view.x = x + (view.x - x) * view.u / before; view.y = y + (view.y - y) * view.u / before;
    draw();
  }
  function move(dx, dy) { const { w, h } = size(); view.x += dx * view.u * w; view.y += dy * view.u * h; view.fitted = false; draw(); }
  const acts = {
    in: () => zoom(0.6), out: () => zoom(1 / 0.6), fit: whole,
    left: () => move(-0.3, 0), right: () => move(0.3, 0), up: () => move(0, -0.3), down: () => move(0, 0.3),
  };
  for (const button of document.querySelectorAll("[data-act]")) button.addEventListener("click", () => acts[button.dataset.act]());
  const keys = { "+": "in", "=": "in", "-": "out", "0": "fit", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };
  map.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { acts[act](); event.preventDefault(); }
  });

  // ---- pointer: drag, pinch, wheel, hover
  const toPicture = (event) => {
    const box = map.getBoundingClientRect();
    return { x: view.x + (event.clientX - box.left - box.width / 2) * view.u, y: view.y + (event.clientY - box.top - box.height / 2) * view.u };
  };
  const held = new Map();
  let dragged = 0;
  map.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = 0;
  });
  map.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (before) {
      const step = { x: event.clientX - before.x, y: event.clientY - before.y };
      dragged += Math.abs(step.x) + Math.abs(step.y);
      if (dragged > 4 && !map.hasPointerCapture(event.pointerId)) map.setPointerCapture(event.pointerId);
      if (held.size === 2) {
        const other = [...held].find(([id]) => id !== event.pointerId)[1];
        const was = Math.hypot(before.x - other.x, before.y - other.y), now = Math.hypot(event.clientX - other.x, event.clientY - other.y);
        const middle = toPicture({ clientX: (event.clientX + other.x) / 2, clientY: (event.clientY + other.y) / 2 });
        if (now > 0) zoom(was / now, middle.x, middle.y);
      } else if (dragged > 4) {
        map.classList.add("dragging");
        view.fitted = false;
        view.x -= step.x * view.u; view.y -= step.y * view.u;
        draw();
      }
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    } else {
      const place = toPicture(event), found = nearest(place.x, place.y);
      if (found) mark(found.s, found.t);
    }
  });
  const release = (event) => { held.delete(event.pointerId); map.classList.remove("dragging"); };
  map.addEventListener("pointerup", release);
  map.addEventListener("pointercancel", release);
  map.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== map) return;
    event.preventDefault();
    const place = toPicture(event);
    zoom(Math.exp(Math.sign(event.deltaY) * 0.22), place.x, place.y);
  }, { passive: false });
  map.addEventListener("click", (event) => {
    if (dragged > 4) return;
    const mount = event.target.closest("[data-mount]:not(.field)");
    pick(mount ? mount.dataset.mount : null);
    if (mount) readout.textContent = mount.querySelector("title").textContent;
  });
  function pick(id) {
    if (!fields) return;
    // The fields lie under the coloured cells; those of the picked mount are shown above them.
    picked.replaceChildren();
    for (const field of fields.children) if (field.dataset.mount === id) picked.append(field.cloneNode(true));
  }

  // ---- strip chart
  const stripS = (event) => {
    const box = strip.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * strip.viewBox.baseVal.width;
    return data.strip.start + (x - data.strip.left) / (data.strip.right - data.strip.left) * (data.strip.end - data.strip.start);
  };
  strip.addEventListener("pointermove", (event) => {
    const s = stripS(event);
    if (s >= data.strip.start && s <= data.strip.end) mark(s);
  });
  strip.addEventListener("click", (event) => {
    const s = stripS(event);
    if (s >= data.strip.start && s <= data.strip.end) { show(s - 150, s + 150); mark(s); }
  });

  // ---- layers, stretches, links from the tables
  const heat = document.getElementById("heat");
  function drawHeat() {
    for (const layer of map.querySelectorAll("[data-heat]")) layer.style.display = layer.dataset.heat === heat.value ? "" : "none";
    for (const legend of document.querySelectorAll(".heat-legend")) legend.hidden = legend.dataset.heat !== heat.value;
  }
  heat.addEventListener("change", drawHeat);
  for (const box of document.querySelectorAll("[data-toggle]")) {
    box.addEventListener("change", () => {
      for (const layer of map.querySelectorAll(`[data-layer="${box.dataset.toggle}"]`)) layer.style.display = box.checked ? "" : "none";
    });
  }
  const stretch = document.getElementById("goto-sheet");
  if (stretch) stretch.addEventListener("change", () => {
    if (stretch.value) show(...stretch.value.split(",").map(Number)); else whole();
  });
  for (const button of document.querySelectorAll("[data-show]")) {
    button.addEventListener("click", () => {
      const [start, end] = button.dataset.show.split(",").map(Number);
      const room = Math.max(0, 240 - (end - start)) / 2;
      show(start - room, end + room);
      mark((start + end) / 2);
      pick(button.dataset.mount || null);
      document.getElementById("map").scrollIntoView();
      map.focus({ preventScroll: true });
    });
  }
  // A test or a link may ask for a stretch: #s=1200-1500.
  const asked = /^#s=(\d+)-(\d+)$/.exec(location.hash);
  new ResizeObserver(() => (view.fitted ? whole() : draw())).observe(map);
  drawHeat();
  whole();
  if (asked) show(Number(asked[1]), Number(asked[2]));
})();
