/** The connection's state, said quietly: nothing while it is up, one line while it is not. */
import { useEffect, useState, useSyncExternalStore } from "react";

import { refusalText } from "../api/word.ts";
import { client, status } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { now, useTimeText } from "../part/clock.ts";
import { Lamp } from "../part/lamp.tsx";
import { useStore } from "../part/store.ts";
import { Clock } from "../part/time.tsx";

/** A hiccup shorter than this is nobody's business. */
const QUIET_MS = 1_500;

/** Whether what is shown of others is of now. A hiccup is not told here either. */
export function useConnected(): boolean {
  const offline = useOffline();
  const down = useStore(status, (state) => state.name !== "live") || offline;
  return !useLate(down);
}

function useOffline(): boolean {
  return useSyncExternalStore(followOnline, () => !navigator.onLine);
}

/** Whether something has been so for longer than a hiccup. */
function useLate(down: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!down) {
      setLate(false);
      return;
    }
    const timer = setTimeout(() => setLate(true), QUIET_MS);
    return () => clearTimeout(timer);
  }, [down]);
  return down && late;
}

/** Since when something has been so; nothing while it is not. */
function useSince(down: boolean): number | null {
  const [since_ms, setSince] = useState<number | null>(null);
  useEffect(() => setSince(down ? now() : null), [down]);
  return since_ms;
}

/** One line over the place, when there is something to say: since when, what happens now, what is safe. */
export function ConnectionLine() {
  const state = useStore(status);
  const offline = useOffline();
  const down = (state.name !== "live" && state.name !== "off") || offline;
  const late = useLate(down);
  const since_ms = useSince(down);
  const left = useTimeText(() => (state.name === "waiting" ? String(Math.max(0, Math.ceil((state.until_ms - Date.now()) / 1_000))) : ""));
  return (
    <div role="status" aria-live="polite">
      {down && (late || state.name === "stopped") && (
        <div className="connection">
          <Lamp state={state.name === "stopped" ? "risk" : "quiet"} />
          <span className="grow">
            {state.name !== "stopped" && since_ms !== null && (
              <>
                Not connected since <Clock at_ms={since_ms} />.{" "}
              </>
            )}
            {offline && state.name !== "stopped" ? OFFLINE : wordsOf(state, left)}
          </span>
          {state.name === "stopped" ? (
            <Button size="small" onClick={() => client().start()}>
              Connect again
            </Button>
          ) : (
            !offline && (
              <Button size="small" tone="plain" onClick={() => client().wake()}>
                Try now
              </Button>
            )
          )}
        </div>
      )}
    </div>
  );
}

/** A socket may outlive the network for a while; the browser knows sooner. */
const OFFLINE = "This browser is offline; it tries again as soon as there is a network. What you write is kept and goes out once.";

function followOnline(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}

function wordsOf(state: ReturnType<typeof status.get>, left: string): string {
  switch (state.name) {
    case "connecting":
      return "Trying again now. What you write is kept and goes out once.";
    case "waiting":
      if (state.reason === "offline") return OFFLINE;
      if (state.reason === "going_away") return `The server restarts; trying again in ${left} s. What you write is kept and goes out once.`;
      return `Trying again in ${left} s. What you write is kept and goes out once.`;
    case "stopped":
      return state.problem ? refusalText(state.problem) : "The server ended this connection. What you write is kept; connect again, or sign in anew.";
    case "live":
    case "off":
      return "";
  }
}
