// The page's own part: it speaks to the widget through its one global, as any site may.

window.Switchboard = window.Switchboard || [];

const done = document.getElementById("done");

function say(text) {
  if (done !== null) done.textContent = text;
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (button === null) return;
  const { track, tea } = button.dataset;
  if ("chat" in button.dataset) window.Switchboard.push(["open"]);
  if (track !== undefined) {
    window.Switchboard.push(["track", track, { tea }]);
    say(`${tea} is in the basket.`);
  }
  if ("identify" in button.dataset) {
    window.Switchboard.push(["identify", { name: "Ana Kovač", email: "ana@example.com", customer_id: "1042" }]);
    say("The shop now knows you as Ana.");
  }
  if ("logout" in button.dataset) {
    window.Switchboard.push(["logout"]);
    say("Nobody in particular sits here now.");
  }
});

// Which site is tried out stays the same from page to page.
const tried = new URLSearchParams(location.search).get("site");
if (tried) {
  for (const link of document.querySelectorAll('a[href^="/demo/"]')) link.search = `?${new URLSearchParams({ site: tried })}`;
}

// Before set-up there is no site, and so no key.
const key = document.querySelector("script[data-site-key]")?.getAttribute("data-site-key");
if (!key) {
  const note = document.createElement("p");
  note.className = "note wrap";
  note.textContent = "The chat appears here once Switchboard is set up: open /console/ first.";
  document.querySelector("main")?.prepend(note);
}
