// What does not fit a window: asked of a page or of a frame that stands still.

/** Runs in the page. What is drawn on purpose beyond the window, as what only screen readers hear, has no size of its own. */
function beyond({ width, rolls }) {
  const found = [];
  const tell = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 160)}`);
  const page = document.documentElement.scrollWidth;
  if (page > width) found.push(`the page is ${page} px wide`);
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.getClientRects().length === 0) continue;
    const { overflowX } = getComputedStyle(element);
    if ((overflowX === "auto" || overflowX === "scroll") && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1 && !element.matches(rolls)) tell("moves sideways", element);
    if (!element.matches("button, a[href], input, select, textarea, summary, [role=switch], h1, h2")) continue;
    const own = element.getBoundingClientRect();
    if (own.width <= 1 || own.height <= 1) continue;
    let [left, right] = [0, width];
    for (let around = element.parentElement; around !== null; around = around.parentElement) {
      if (around.matches(rolls)) {
        [left, right] = [-Infinity, Infinity];
        break;
      }
      if (getComputedStyle(around).overflowX === "visible") continue;
      const box = around.getBoundingClientRect();
      if (box.width > 1) [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
    }
    if (own.left < left - 1 || own.right > right + 1) tell(`is cut (${Math.round(own.left)} to ${Math.round(own.right)} of ${Math.round(left)} to ${Math.round(right)})`, element);
  }
  return found;
}

/** What is meant to be pushed along: code, what is written into one line, and lines of choices on a telephone. */
const rolls = "pre, textarea, input, .saved-views, .visitors-choices";

/** What of a window that is so wide is wider than it, moves sideways or is cut at its side. */
export const misfits = (frame, width) => frame.evaluate(beyond, { width, rolls });
