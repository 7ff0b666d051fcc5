/* Before and after in one frame: a divider to drag or to move by keyboard, and a look at the pixels themselves. */

class Compare {
  constructor(frame, before, after) {
    this.root = document.getElementById("compare-template").content.cloneNode(true).firstElementChild;
    this.stage = this.root.querySelector(".stage");
    this.images = [...this.root.querySelectorAll("img")];
    this.slider = this.root.querySelector("input");
    this.tags = this.root.querySelectorAll(".tag");
    this.buttons = this.root.querySelectorAll("[data-zoom]");
    this.zoom = 0;
    this.centre = [0.5, 0.5];
    this.grab = null;
    this.images[0].alt = `Frame ${frame} before upscaling`;
    this.images[1].alt = `Frame ${frame} after upscaling`;
    [this.images[0].src, this.images[1].src] = [before, after];
    this.stage.setAttribute("aria-label", `Frame ${frame}: before on the left, after on the right`);
    this.slider.setAttribute("aria-label", `Where before ends and after begins, frame ${frame}`);
    this.images[1].decode().then(() => this.fit(), () => undefined);
    this.listen();
    new ResizeObserver(() => this.place()).observe(this.stage);
    this.divide(50);
  }

  /* Give the stage the shape of the picture, and never more than a screen of height. */
  fit() {
    const shape = this.images[1].naturalWidth / this.images[1].naturalHeight;
    this.stage.style.aspectRatio = String(shape);
    this.stage.style.width = `calc(min(100%, 82vh * ${shape}))`;
    this.place();
  }

  divide(percent) {
    this.slider.value = String(percent);
    const share = Number(this.slider.value);
    this.stage.style.setProperty("--at", `${share}%`);
    this.slider.setAttribute("aria-valuetext", `${Math.round(share)} % before`);
    this.tags[0].style.opacity = share < 12 ? "0" : "1";
    this.tags[1].style.opacity = share > 88 ? "0" : "1";
  }

  /* Lay both pictures out alike and give how much they are enlarged: at zoom n a pixel of them is n of the screen. */
  place() {
    const box = this.stage.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const factor = this.zoom ? (this.images[1].naturalWidth * this.zoom) / (box.width * ratio) : 1;
    const offsets = [box.width, box.height].map((size, axis) => {
      if (factor < 1) return (size - size * factor) / 2;
      const offset = Math.min(0, Math.max(size - size * factor, size / 2 - this.centre[axis] * size * factor));
      this.centre[axis] = (size / 2 - offset) / (size * factor);
      return offset;
    });
    const [x, y] = offsets.map((offset) => Math.round(offset * ratio) / ratio);
    for (const image of this.images) {
      image.style.transform = this.zoom ? `translate(${x}px, ${y}px) scale(${factor})` : "";
    }
    this.stage.classList.toggle("zoomed", this.zoom > 0);
    this.stage.classList.toggle("pixels", this.zoom > 1);
    return factor;
  }

  setZoom(zoom, centre = this.centre) {
    this.zoom = zoom;
    this.centre = zoom ? [...centre] : [0.5, 0.5];
    this.place();
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.zoom) === zoom));
    }
  }

  /* Move the view by a share of the stage. */
  pan(byX, byY) {
    const factor = this.place();
    this.centre = [this.centre[0] + byX / factor, this.centre[1] + byY / factor];
    this.place();
  }

  listen() {
    const { stage } = this;
    const position = (event) => {
      const box = stage.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.grab = { dividing: !this.zoom || event.target.matches(".divider"), at: position(event) };
      stage.setPointerCapture(event.pointerId);
      stage.classList.add("moving");
      if (!this.zoom) this.divide(this.grab.at[0] * 100);
    });
    stage.addEventListener("pointermove", (event) => {
      if (!this.grab) return;
      const now = position(event);
      if (this.grab.dividing) this.divide(Math.min(100, Math.max(0, now[0] * 100)));
      else this.pan(this.grab.at[0] - now[0], this.grab.at[1] - now[1]);
      this.grab.at = now;
    });
    for (const name of ["pointerup", "pointercancel"]) {
      stage.addEventListener(name, () => { this.grab = null; stage.classList.remove("moving"); });
    }
    stage.addEventListener("dblclick", (event) => this.setZoom(this.zoom ? 0 : 1, position(event)));
    stage.addEventListener("keydown", (event) => this.press(event));
    this.slider.addEventListener("input", () => this.divide(this.slider.value));
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.setZoom(Number(button.dataset.zoom)));
    }
  }

  press(event) {
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (["0", "1", "2"].includes(event.key)) this.setZoom(Number(event.key));
    else if (arrow && this.zoom) this.pan(arrow[0] * 0.1, arrow[1] * 0.1);
    else if (arrow?.[0]) this.divide(Number(this.slider.value) + arrow[0] * (event.shiftKey ? 10 : 2));
    else return;
    event.preventDefault();
  }
}
