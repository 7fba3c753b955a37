// The panel's side of the frame: it believes only its own parent, from the origin that the loader
// named, and answers only there. Which pages may frame us at all is the server's `frame-ancestors`.

import { open, type Envelope, type ToLoader, type ToPanel } from "../messages.ts";

export interface Bridge {
  post(message: ToLoader): void;
}

export function connectBridge(search: string, onMessage: (message: ToPanel) => void): Bridge | null {
  const parameters = new URLSearchParams(search);
  const origin = parameters.get("origin");
  const instance = parameters.get("instance");
  if (origin === null || instance === null || window.parent === window) return null;
  addEventListener("message", (event: MessageEvent<unknown>) => {
    const message = open<ToPanel>(event, window.parent, origin, instance);
    if (message !== null) onMessage(message);
  });
  return {
    post(message) {
      const envelope: Envelope<ToLoader> = { switchboard: instance, message };
      window.parent.postMessage(envelope, origin);
    },
  };
}
