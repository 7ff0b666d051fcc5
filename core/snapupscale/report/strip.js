/* The signal strip: distance over time on a canvas, with the threshold, the cuts and the shots. */

const BAND = 20;
const AXIS = 22;
const MIN_VISIBLE = 24;

class Strip {
  /* `labelOf` gives the timecode of a frame, `go` is called with the shot that was clicked. */
  constructor(report, labelOf, go) {
    Object.assign(this, { report, labelOf, go });
    this.root = document.getElementById("strip");
    this.canvas = this.root.querySelector("canvas");
    this.tip = this.root.querySelector(".tip");
    this.context = this.canvas.getContext("2d");
    this.view = { from: 0, to: Math.max(report.frames, 1) };
    this.threshold = report.threshold;
    this.second = Math.max(1, Math.round(report.rate));
    this.at = null;
    this.grab = null;
    this.waiting = false;
    this.canvas.ariaValueMin = "0";
    this.canvas.ariaValueMax = String(report.frames - 1);
    this.listenToPointer();
    this.listenToKeys();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    this.draw();
  }

  get visible() { return this.view.to - this.view.from; }

  xOf(frame) { return ((frame - this.view.from) / this.visible) * this.width; }

  yOf(value) { return BAND + (1 - value) * (this.bottom - BAND); }

  frameAt(x) {
    const frame = Math.floor(this.view.from + (x / this.width) * this.visible);
    return Math.min(this.report.frames - 1, Math.max(0, frame));
  }

  setThreshold(value) {
    this.threshold = value;
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.waiting = false;
    const { canvas, context } = this;
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.ratio = window.devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.bottom = canvas.clientHeight - AXIS;
    canvas.width = Math.round(canvas.clientWidth * this.ratio);
    canvas.height = Math.round(canvas.clientHeight * this.ratio);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.font = `11px ${this.colour("sans")}`;
    context.textBaseline = "middle";
    this.drawShots();
    this.drawBars();
    this.drawThreshold();
    this.drawAxis();
    if (this.at === null) return;
    context.fillStyle = this.colour("ink");
    context.fillRect(Math.round(this.xOf(this.at + 0.5)) - 0.5, 0, 1, this.bottom);
  }

  drawShots() {
    const { context, view, report: { shots, cuts, transitions } } = this;
    const seen = shots.filter((shot) => shot.end > view.from && shot.start < view.to);
    // Marks closer than this are a smear that says nothing; the bars alone show where cuts are dense.
    const crowded = seen.length > this.width / 8;
    context.fillStyle = this.colour("paper");
    context.fillRect(0, 0, this.width, BAND - 4);
    context.fillStyle = this.colour("line");
    for (const [start, end] of transitions) {
      context.fillRect(this.xOf(start), BAND, Math.max(1, this.xOf(end) - this.xOf(start)), this.bottom - BAND);
    }
    if (crowded) return;
    let free = -Infinity;
    for (const shot of seen) free = this.drawShot(shot, free);
    context.fillStyle = this.colour("accent");
    context.globalAlpha = 0.35;
    for (const cut of cuts) context.fillRect(Math.round(this.xOf(cut)), BAND, 1, this.bottom - BAND);
    context.globalAlpha = 1;
  }

  /* Draw a shot in the band on top, with its number if there is room from `free` on; give where the next may start. */
  drawShot(shot, free) {
    const { context } = this;
    const [left, right] = [Math.max(0, this.xOf(shot.start)), Math.min(this.width, this.xOf(shot.end))];
    context.fillStyle = this.colour(shot.number % 2 ? "paper" : "line");
    context.fillRect(left, 0, right - left, BAND - 4);
    if (shot.picked !== null) {
      context.fillStyle = this.colour("accent");
      context.beginPath();
      context.arc(this.xOf(shot.picked + 0.5), BAND - 4, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
    const text = String(shot.number);
    const room = context.measureText(text).width + 8;
    if (right - left < room || left < free) return free;
    context.fillStyle = this.colour("soft");
    context.fillText(text, left + 4, (BAND - 4) / 2);
    return left + room;
  }

  /* One bar for each pixel column, as high as the greatest distance in it: a cut of one frame is never skipped. */
  drawBars() {
    const { context, view, report: { distance, frames } } = this;
    const columns = Math.max(1, Math.round(this.width * this.ratio));
    const perColumn = this.visible / columns;
    const paths = [new Path2D(), new Path2D()];
    const put = (x, wide, value) => {
      const top = Math.min(this.yOf(value), this.bottom - 0.5);
      paths[value > this.threshold ? 1 : 0].rect(x, top, wide, this.bottom - top);
    };
    if (perColumn >= 1) {
      for (let column = 0; column < columns; column += 1) {
        const start = Math.floor(view.from + column * perColumn);
        const end = Math.min(frames, Math.max(start + 1, Math.floor(view.from + (column + 1) * perColumn)));
        let most = 0;
        for (let frame = start; frame < end; frame += 1) if (distance[frame] > most) most = distance[frame];
        put(column / this.ratio, 1 / this.ratio, most);
      }
    } else {
      const wide = this.width / this.visible;
      const end = Math.min(frames, Math.ceil(view.to));
      for (let frame = Math.floor(view.from); frame < end; frame += 1) {
        put(this.xOf(frame), wide > 3 ? wide - 1 : wide, distance[frame]);
      }
    }
    context.fillStyle = this.colour("bar");
    context.fill(paths[0]);
    context.fillStyle = this.colour("accent");
    context.fill(paths[1]);
  }

  drawThreshold() {
    const { context, width } = this;
    const y = Math.round(this.yOf(this.threshold)) + 0.5;
    context.strokeStyle = this.colour("ink");
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
    context.setLineDash([]);
    const text = this.threshold.toFixed(2);
    const room = context.measureText(text).width + 8;
    context.fillStyle = this.colour("wash");
    context.fillRect(width - room, y - 8, room, 16);
    context.fillStyle = this.colour("ink");
    context.fillText(text, width - room + 4, y + 0.5);
  }

  drawAxis() {
    const { context, view, second, report: { frames } } = this;
    context.fillStyle = this.colour("line");
    context.fillRect(0, this.bottom, this.width, 1);
    const wide = context.measureText(this.labelOf(frames - 1)).width;
    const seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200].map((number) => number * second);
    const steps = [1, 2, 5, 10, ...seconds];
    const step = steps.find((frame) => (frame / this.visible) * this.width >= wide + 28) ?? steps.at(-1);
    context.fillStyle = this.colour("soft");
    for (let frame = Math.ceil(view.from / step) * step; frame < Math.min(view.to, frames); frame += step) {
      const x = this.xOf(frame);
      context.fillRect(Math.round(x), this.bottom, 1, 5);
      if (x + wide < this.width) context.fillText(this.labelOf(frame), x + 4, this.bottom + AXIS / 2 + 1);
    }
  }

  /* Show the frames `from` to `to`, or as near to them as there are frames. */
  look(from, to) {
    const { frames } = this.report;
    const length = Math.min(frames, Math.max(Math.min(MIN_VISIBLE, frames), to - from));
    this.view.from = Math.min(Math.max(0, from), frames - length);
    this.view.to = this.view.from + length;
    this.redraw();
  }

  zoom(factor, centre = (this.view.from + this.view.to) / 2) {
    this.look(centre - (centre - this.view.from) * factor, centre + (this.view.to - centre) * factor);
  }

  /* Put the playhead on a frame and say what is there; null takes it away. */
  point(frame) {
    this.at = frame;
    this.tip.hidden = frame === null;
    this.redraw();
    if (frame === null) return;
    const { shots, transitions, distance } = this.report;
    const shot = shotAt(shots, frame);
    const transition = transitions.find(([start, end]) => start <= frame && frame < end);
    const parts = [this.labelOf(frame), `frame ${frame}`, `distance ${distance[frame].toFixed(3)}`];
    if (shot) parts.unshift(`Shot ${shot.number}`);
    if (transition) parts.push(transition[2]);
    this.tip.textContent = parts.join("  ·  ");
    this.canvas.ariaValueNow = String(frame);
    this.canvas.ariaValueText = this.tip.textContent;
    const x = this.xOf(frame + 0.5);
    const left = x > this.width / 2 ? x - this.tip.offsetWidth - 8 : x + 8;
    this.tip.style.left = `${Math.max(0, Math.min(this.width - this.tip.offsetWidth, left))}px`;
  }

  step(frame) {
    const next = Math.min(this.report.frames - 1, Math.max(0, frame));
    if (next < this.view.from || next >= this.view.to) this.look(next - this.visible / 2, next + this.visible / 2);
    this.point(next);
  }

  listenToPointer() {
    const { canvas, root, report } = this;
    const local = (event) => event.clientX - canvas.getBoundingClientRect().left;
    const release = () => { this.grab = null; root.classList.remove("moving"); };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.grab = { x: local(event), from: this.view.from, to: this.view.to, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const { grab } = this;
      if (grab && Math.abs(local(event) - grab.x) > 4) grab.moved = true;
      root.classList.toggle("moving", Boolean(grab?.moved));
      if (grab?.moved) {
        const shift = ((grab.x - local(event)) / this.width) * (grab.to - grab.from);
        this.look(grab.from + shift, grab.to + shift);
      }
      this.point(this.frameAt(local(event)));
    });
    canvas.addEventListener("pointerup", (event) => {
      const clicked = this.grab && !this.grab.moved;
      release();
      if (clicked) this.go(shotAt(report.shots, this.frameAt(local(event))));
    });
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => { if (!this.grab) this.point(null); });
    canvas.addEventListener("wheel", (event) => this.turn(event, local(event)), { passive: false });
    document.getElementById("zoom-in").addEventListener("click", () => this.zoom(0.5));
    document.getElementById("zoom-out").addEventListener("click", () => this.zoom(2));
    document.getElementById("zoom-fit").addEventListener("click", () => this.look(0, report.frames));
  }

  turn(event, x) {
    const whole = this.visible >= this.report.frames;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      if (whole) return;
      const shift = ((event.deltaX || event.deltaY) / this.width) * this.visible;
      this.look(this.view.from + shift, this.view.to + shift);
    } else {
      // Out of the whole signal there is nothing to zoom out to: let the page scroll on.
      if (event.deltaY > 0 && whole) return;
      this.zoom(1.0015 ** event.deltaY, this.view.from + (x / this.width) * this.visible);
    }
    event.preventDefault();
    this.point(this.frameAt(x));
  }

  listenToKeys() {
    const { canvas, second, report: { cuts, shots, frames } } = this;
    canvas.addEventListener("focus", () => this.point(this.at ?? Math.round(this.view.from)));
    canvas.addEventListener("blur", () => this.point(null));
    canvas.addEventListener("keydown", (event) => {
      const now = this.at ?? Math.round(this.view.from);
      const far = event.shiftKey ? second : 1;
      const keys = {
        ArrowLeft: () => this.step(now - far),
        ArrowRight: () => this.step(now + far),
        ArrowUp: () => this.step(cuts.findLast((cut) => cut < now) ?? 0),
        ArrowDown: () => this.step(cuts.find((cut) => cut > now) ?? frames - 1),
        Home: () => this.step(0),
        End: () => this.step(frames - 1),
        Enter: () => this.go(shotAt(shots, now)),
        "+": () => this.zoom(0.5, now),
        "-": () => this.zoom(2, now),
        0: () => this.look(0, frames),
      };
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    });
  }
}

/* The shot that `frame` is in; shots are in order and do not overlap. */
function shotAt(shots, frame) {
  let [low, high] = [0, shots.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (frame < shots[middle].start) high = middle - 1;
    else if (frame >= shots[middle].end) low = middle + 1;
    else return shots[middle];
  }
  return null;
}
