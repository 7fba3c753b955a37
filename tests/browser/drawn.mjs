// What the believable workspace shows: faces of the team, a photograph of a tin and an order, drawn by the browser.

const face = (ground, skin, hair, coat, cut) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128" width="128" height="128">
  <rect width="128" height="128" fill="${ground}"/>
  <path d="M14 128c4-30 22-40 50-40s46 10 50 40z" fill="${coat}"/>
  <path d="M52 78h24v18c0 8-24 8-24 0z" fill="${skin}"/>
  ${cut === "long" ? `<path d="M34 96c-8-50 2-72 30-72s38 22 30 72z" fill="${hair}"/>` : ""}
  <ellipse cx="64" cy="60" rx="23" ry="27" fill="${skin}"/>
  <path d="${cut === "long" ? "M40 58c2-18 14-24 28-22 10 2 18 8 20 22 4-26-6-36-24-36s-28 12-24 36z" : "M40 56c0-10 6-14 14-16 10-2 22 0 32-4 2 6 3 12 2 20 6-24-4-36-24-36S34 34 40 56z"}" fill="${hair}"/>
</svg>`;

const tin = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 440" width="640" height="440">
  <rect width="640" height="440" fill="#d9cdb4"/><rect y="300" width="640" height="140" fill="#a8734d"/>
  <ellipse cx="322" cy="376" rx="150" ry="16" fill="#7d5236"/>
  <rect x="212" y="150" width="220" height="220" rx="8" fill="#5a3a31"/><rect x="212" y="150" width="60" height="220" fill="#68463b"/>
  <rect x="250" y="206" width="144" height="108" rx="4" fill="#fbf6e9"/>
  <path d="M322 222c30 20 34 50 0 76-34-26-30-56 0-76zm0 10v58" fill="none" stroke="#2f5d43" stroke-width="5"/>
  <path d="M204 112l150-4 22 16 64-22v40l-62 20-26-14-148 4z" fill="#3c2620"/><path d="M352 108l24 56" stroke="#8a6a5c" stroke-width="4"/>
</svg>`;

const order = `<style>body{font:15px/1.6 sans-serif;margin:60px}td,th{padding:6px 24px 6px 0;text-align:start}</style>
  <h1>Kettle &amp; Leaf</h1><p>Order 2214, in place of the tin from order 2198</p>
  <table><tr><th>Tea</th><th>Tins</th><th>Price</th></tr><tr><td>Smoky black, 100 g</td><td>1</td><td>0.00 €</td></tr></table>
  <p>Leaves on Tuesday, with you on Thursday.</p>`;

/** All of it, as files; faces as addresses of their own bytes. */
export async function draw(stack) {
  const page = await stack.person({ viewport: { width: 640, height: 440 } });
  const taken = async (svg, width, height) => {
    await page.setViewportSize({ width, height });
    await page.setContent(`<style>body{margin:0}svg{display:block}</style>${svg}`);
    return page.screenshot({ type: "png" });
  };
  const portrait = async (...looks) => `data:image/png;base64,${(await taken(face(...looks), 128, 128)).toString("base64")}`;
  const drawn = {
    tin: { name: "bent-lid.png", type: "image/png", bytes: await taken(tin, 640, 440) },
    Mira: await portrait("#d8c7dd", "#e9bd9c", "#4a2f27", "#2f5d43", "long"),
    Jon: await portrait("#c4d6de", "#c98f69", "#2a2220", "#8a4b32", "short"),
  };
  await page.setContent(order);
  drawn.order = { name: "order-2214.pdf", type: "application/pdf", bytes: await page.pdf({ format: "A5" }) };
  await page.context().close();
  return drawn;
}
