import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

import { Switchboard } from "./switchboard.jsx";

const { server, site } = Object.fromEntries(new URLSearchParams(location.search));
const customer = { name: "Ana, with React" };

function App() {
  const [isThere, setThere] = useState(true);
  return (
    <main>
      <h1>Tea, with React</h1>
      <button onClick={() => history.pushState(null, "", "/react/orders")}>Orders</button>
      <button onClick={() => window.Switchboard.open()}>Ask us</button>
      <button onClick={() => setThere(!isThere)}>{isThere ? "Without the chat" : "With the chat"}</button>
      {isThere && <Switchboard server={server} site={site} customer={customer} />}
    </main>
  );
}

createRoot(document.getElementById("app")).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
