// Browsers let a page ask for notifications only when somebody has pressed a button of it.

const SAID = {
  granted: "This browser may show notifications.",
  denied: "This browser blocks notifications of this page. Allow them in its settings for this site, then reload.",
  default: "This browser has yet to be asked.",
  none: "This browser has no notifications, or only for pages behind HTTPS.",
};

export default function ({ parentElement, setStateValue }) {
  const button = parentElement.querySelector("button");
  const said = parentElement.querySelector(".said");

  function draw() {
    const state = "Notification" in window && window.isSecureContext ? Notification.permission : "none";
    button.hidden = state !== "default";
    said.textContent = SAID[state];
    return state;
  }

  button.onclick = async () => {
    await Notification.requestPermission();
    setStateValue("permission", draw());
  };
  draw();
}
