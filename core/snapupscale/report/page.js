/* The page: everything is built from the JSON beside it, and every name goes in as text. */

function readReport() {
  const report = JSON.parse(document.getElementById("data").textContent);
  const bytes = Uint8Array.from(atob(report.distance), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  report.distance = Float32Array.from({ length: bytes.length / 2 }, (_, n) => view.getUint16(2 * n, true) / 65535);
  const [over, under = 1] = report.rateText.split("/").map(Number);
  report.rate = over / under;
  return report;
}

/* SMPTE ST 12-1 labels. They count on from the start of each shot, whose label is given. */
function makeLabels(report) {
  const base = Math.max(1, Math.round(report.rate));
  const first = report.shots.length ? report.shots[0].startTimecode : "00:00:00:00";
  const drop = /[;.,]\d+$/.test(first);
  const skipped = drop ? Math.floor(base / 15) : 0;
  const minute = base * 60 - skipped;

  function count(label) {
    const [hours, minutes, seconds, rest] = label.split(/[:;.,]/).map(Number);
    const total = hours * 60 + minutes;
    return (total * 60 + seconds) * base + rest - skipped * (total - Math.floor(total / 10));
  }
  function label(frame) {
    const tens = Math.floor(frame / (minute * 10 + skipped));
    const rest = frame % (minute * 10 + skipped);
    const number = (frame + skipped * (tens * 9 + Math.floor(Math.max(0, rest - skipped) / minute))) % (86400 * base);
    const pad = (value, width = 2) => String(value).padStart(width, "0");
    const seconds = Math.floor(number / base);
    return [pad(Math.floor(seconds / 3600)), pad(Math.floor(seconds / 60) % 60), pad(seconds % 60)].join(":")
      + (drop ? ";" : ":") + pad(number % base, base > 100 ? 3 : 2);
  }
  // Where frames last unequally long, the labels between the given ones are not known exactly.
  const even = report.shots.every((shot) => {
    const frames = count(shot.endTimecode) - count(shot.startTimecode);
    return frames === shot.end - shot.start || frames < 0;
  });
  return (frame) => {
    const shot = shotAt(report.shots, frame);
    const known = shot ?? report.shots[0] ?? { start: 0, startTimecode: first };
    return (even ? "" : "≈ ") + label(count(known.startTimecode) + frame - known.start);
  };
}

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fillList(list, rows) {
  for (const [label, value] of rows) {
    const row = document.createElement("div");
    row.append(element("dt", label), element("dd", value));
    list.append(row);
  }
}

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const picture = (data) => (data ? `data:image/jpeg;base64,${data}` : null);

function lengthText(seconds) {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, index) => (index ? String(part).padStart(2, "0") : String(part))).join(":");
}

function fillHead(report) {
  document.querySelector("[data-text=title]").textContent = report.title;
  const source = document.querySelector("[data-text=source]");
  source.textContent = report.source;
  source.hidden = report.source === report.title;
  const rate = Number(report.rate.toFixed(3)).toString();
  fillList(document.getElementById("figures"), [
    ["Shots", report.shots.length.toLocaleString("en")],
    ["Cuts", report.cuts.length.toLocaleString("en")],
    ...(report.transitions.length ? [["Transitions", report.transitions.length.toLocaleString("en")]] : []),
    ["Stills", report.shots.filter((shot) => shot.still).length.toLocaleString("en")],
    ["Length", lengthText(report.duration)],
    ["Frames per second", rate],
  ]);
  const warnings = document.getElementById("warnings");
  warnings.hidden = !report.warnings.length;
  warnings.querySelector("ul").append(...report.warnings.map((warning) => element("li", warning)));
  fillList(document.getElementById("settings"), report.settings);
}

function fillSignal(report, labelOf, go) {
  const marks = ["each bar is what the method compares with the threshold: 0 surely no cut, 1 surely one"];
  if (report.transitions.length) marks.push("shaded: transitions");
  if (report.shots.some((shot) => shot.picked !== null)) marks.push("dots: picked frames");
  document.getElementById("legend").textContent = `Method ${report.method}; ${marks.join("; ")}`;
  const strip = new Strip(report, labelOf, go);
  const { distance } = report;
  const rises = (value, n) => value > 0 && value >= (distance[n - 1] ?? 0);
  const peaks = distance.filter((value, n) => rises(value, n) && value > (distance[n + 1] ?? 0));
  peaks.sort();
  const slider = document.getElementById("threshold");
  const count = document.getElementById("count");
  const show = () => {
    const value = Number(slider.value);
    let [low, high] = [0, peaks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (peaks[middle] > value) high = middle;
      else low = middle + 1;
    }
    document.getElementById("threshold-value").textContent = value.toFixed(2);
    const same = Math.abs(value - report.threshold) < 0.005;
    count.textContent = `${plural(peaks.length - low, "peak")} above the line. `
      + (same ? `This report has ${plural(report.cuts.length, "cut")}.`
        : `This report was made at ${report.threshold.toFixed(2)}, with ${plural(report.cuts.length, "cut")}.`);
    strip.setThreshold(same ? report.threshold : value);
  };
  slider.value = String(report.threshold);
  slider.addEventListener("input", show);
  show();
}

function makeCandidate(candidate, chosen) {
  const item = document.getElementById("candidate-template").content.cloneNode(true).firstElementChild;
  const image = item.querySelector("img");
  item.classList.toggle("chosen", chosen);
  item.querySelector(".picked").hidden = !chosen;
  image.alt = `Frame ${candidate.frame}`;
  image.src = picture(candidate.thumbnail);
  setTimecode(item.querySelector(".timecode"), candidate.timecode);
  const list = item.querySelector("dl");
  for (const [label, value] of candidate.marks) {
    const row = document.createElement("div");
    const mark = document.createElement("dd");
    const bar = document.createElement("i");
    bar.style.setProperty("--share", `${Math.round(100 * Math.min(1, Math.max(0, value)))}%`);
    mark.append(bar, element("span", value.toFixed(2)));
    row.append(element("dt", label), mark);
    list.append(row);
  }
  return item;
}

function makeShot(shot, rate) {
  const item = document.getElementById("shot-template").content.cloneNode(true).firstElementChild;
  const part = (name) => item.querySelector(name);
  item.id = `shot-${shot.number}`;
  part(".number").textContent = String(shot.number);
  setTimecode(part(".start"), shot.startTimecode);
  setTimecode(part(".end"), shot.endTimecode);
  const length = shot.end - shot.start;
  part(".frames").textContent = `${plural(length, "frame")}, ${(length / rate).toFixed(1)} s`;
  part(".still").hidden = !shot.still;
  // A name may wrap after its underscores.
  for (const piece of (shot.still ?? "").split(/(?<=_)/)) part(".name").append(piece, document.createElement("wbr"));
  part(".note").hidden = !shot.note;
  part(".note").textContent = shot.note;
  const pictures = part(".pictures");
  if (shot.before && shot.after) {
    pictures.append(new Compare(shot.picked, picture(shot.before), picture(shot.after)).root);
  }
  if (shot.candidates.length) {
    const list = element("ol", "", "candidates");
    list.append(...shot.candidates.map((candidate) => makeCandidate(candidate, candidate.frame === shot.picked)));
    pictures.append(list);
  }
  return item;
}

function setTimecode(button, timecode) {
  button.textContent = timecode;
  button.title = "Copy";
  button.setAttribute("aria-label", `Copy ${timecode}`);
}

async function copy(button) {
  const text = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Some browsers give a page from disk no clipboard: select the text and copy that.
    const field = document.body.appendChild(document.createElement("textarea"));
    field.value = text;
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.classList.add("copied");
  document.getElementById("said").textContent = `Copied ${text}`;
  setTimeout(() => button.classList.remove("copied"), 1200);
}

function go(shot) {
  const target = shot && document.getElementById(`shot-${shot.number}`);
  if (!target) return;
  document.querySelector(".shot.here")?.classList.remove("here");
  target.classList.add("here");
  target.scrollIntoView();
  target.querySelector("h3").focus({ preventScroll: true });
}

const report = readReport();
fillHead(report);
document.getElementById("shot-list").append(...report.shots.map((shot) => makeShot(shot, report.rate)));
fillSignal(report, makeLabels(report), go);
document.addEventListener("click", (event) => {
  const button = event.target.closest(".timecode");
  if (button) copy(button);
});
document.documentElement.dataset.ready = "1";
