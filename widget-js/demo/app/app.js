// A small single-page app: three views, one document.

const views = {
  "/demo/app/": {
    title: "Open orders",
    rows: [["No. 2207", "Smoky black, 200 g", "packed"], ["No. 2211", "White peony, 50 g", "Friday"]],
  },
  "/demo/app/past": {
    title: "Past orders",
    rows: [["No. 2109", "Mountain oolong, 100 g", "in March"], ["No. 2044", "Evening mint, 300 g", "in January"]],
  },
  "/demo/app/address": {
    title: "Address",
    rows: [["Name", "Ana Kovač", ""], ["Street", "Harbour Lane 4", ""], ["Town", "1000 Rivermouth", ""]],
  },
};

function show() {
  const view = views[location.pathname] ?? views["/demo/app/"];
  document.title = `${view.title} · Kettle & Leaf`;
  const heading = document.createElement("h2");
  heading.textContent = view.title;
  const table = document.createElement("table");
  for (const row of view.rows) {
    const line = table.insertRow();
    for (const text of row) line.insertCell().textContent = text;
  }
  document.getElementById("view").replaceChildren(heading, table);
  for (const link of document.querySelectorAll("#tabs a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document.getElementById("tabs").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link === null) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  show();
});
addEventListener("popstate", show);
show();
