// What is said of files: sizes, times, how far one is, how far all are.

export function sizeText(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let amount = bytes;
  let unit = 0;
  for (; amount >= 1000 && unit < units.length - 1; unit += 1) amount /= 1000;
  return unit ? `${amount.toFixed(1)} ${units[unit]}` : `${amount} B`;
}

export function timeText(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s left`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s left`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min left`;
}

export function noteOf(item) {
  if (item.state === "waiting") return "Waits for its turn";
  if (item.state === "checking") return "Comparing with what is there already";
  if (item.state === "ending") return "Comparing checksums";
  if (item.state === "lost") return `${item.problem} Trying again by itself, from ${sizeText(item.sent)} on.`;
  if (item.state === "failed") return item.problem;
  const rate = item.rate.bytes_per_s;
  const parts = [`${Math.floor((100 * item.sent) / item.size)} %`];
  if (rate > 0) parts.push(`${sizeText(rate)}/s`, timeText((item.size - item.sent) / rate));
  return parts.join(" · ");
}

export function summaryOf(items) {
  const moving = items.filter((item) => item.isMoving());
  if (!items.length) return "";
  const arrived = items.filter((item) => item.state === "done").length;
  const failed = items.filter((item) => item.state === "failed").length;
  const refused = failed ? [`${failed} ${failed === 1 ? "file" : "files"} cannot be used, see below`] : [];
  if (!moving.length) {
    const ready = arrived ? [`${arrived} ${arrived === 1 ? "image is" : "images are"} ready`] : [];
    return [...ready, ...refused].join(" · ");
  }
  const rate = moving.reduce((sum, item) => sum + item.rate.bytes_per_s, 0);
  const left = moving.reduce((sum, item) => sum + item.size - item.sent, 0);
  const parts = [`${arrived} of ${items.length} images are there`, `${sizeText(left)} to go`];
  if (rate > 0) parts.push(`${sizeText(rate)}/s`, timeText(left / rate));
  return [...parts, ...refused].join(" · ");
}
