// The curtain between before and after: a slider, and a line on the pictures that is drawn with the mouse.

export class Curtain {
  /** `moved` is called with the share of the width, 0 to 1, that lies left of it. */
  constructor(stage, line, slider, moved) {
    Object.assign(this, { line, slider, share: 0.5, moved });
    slider.value = 500;
    slider.oninput = () => this.draw(slider.value / 1000);
    line.onpointerdown = (event) => line.setPointerCapture(event.pointerId);
    line.onpointermove = (event) => {
      if (!line.hasPointerCapture(event.pointerId)) return;
      const box = stage.getBoundingClientRect();
      this.draw(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    };
  }

  show(isShown) {
    this.slider.hidden = this.line.hidden = !isShown;
  }

  draw(share = this.share) {
    this.share = share;
    const value = String(Math.round(1000 * share));
    if (this.slider.value !== value) this.slider.value = value;
    this.line.style.left = `${100 * share}%`;
    this.moved(share);
  }
}
