/** The connection's state, said quietly: nothing while it is up, one slip while it is not. */
import { useEffect, useState, useSyncExternalStore } from "react";

import { refusalText } from "../api/word.ts";
import { client, status } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { now, useTimeText } from "../part/clock.ts";
import { useStore } from "../part/store.ts";
import { Clock } from "../part/time.tsx";
import { Slip } from "./slip.tsx";

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

/** A slip when there is something to say: since when, what happens now, what is safe. Who puts it away has the rail's word for it. */
export function ConnectionSlip() {
  const state = useStore(status);
  const offline = useOffline();
  const down = (state.name !== "live" && state.name !== "off") || offline;
  const is_stopped = state.name === "stopped";
  const late = useLate(down);
  const since_ms = useSince(down);
  const [put_away_ms, setPutAway] = useState<number | null>(null);
  const is_put_away = since_ms !== null && since_ms === put_away_ms && !is_stopped;
  return (
    <div role="status" aria-live="polite">
      {down && (late || is_stopped) && !is_put_away && (
        <Slip lamp={is_stopped ? "risk" : "quiet"} action={<Way state={state.name} offline={offline} />} onPutAway={is_stopped ? null : () => setPutAway(since_ms)}>
          {!is_stopped && since_ms !== null && (
            <>
              Not connected since <Clock at_ms={since_ms} />.{" "}
            </>
          )}
          <Words offline={offline} />
        </Slip>
      )}
    </div>
  );
}

function Way({ state, offline }: { state: ReturnType<typeof status.get>["name"]; offline: boolean }) {
  if (state === "stopped") {
    return (
      <Button size="small" onClick={() => client().start()}>
        Connect again
      </Button>
    );
  }
  if (offline) return null;
  return (
    <Button size="small" onClick={() => client().wake()}>
      Try now
    </Button>
  );
}

/** What happens now. Each try and each second is seen, and read aloud only once. */
function Words({ offline }: { offline: boolean }) {
  const state = useStore(status);
  const left = useTimeText(() => (state.name === "waiting" ? String(Math.max(0, Math.ceil((state.until_ms - Date.now()) / 1_000))) : ""));
  if (state.name === "stopped") return state.problem ? refusalText(state.problem) : "The server ended this connection. What you write is kept; connect again, or sign in anew.";
  if (offline || (state.name === "waiting" && state.reason === "offline")) return OFFLINE;
  return (
    <>
      <span aria-hidden="true">{tryText(state, left)}</span>
      <span className="heard-only">It tries again by itself.</span> What you write is kept and goes out once.
    </>
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

function tryText(state: ReturnType<typeof status.get>, left: string): string {
  if (state.name !== "waiting") return "Trying again now.";
  return state.reason === "going_away" ? `The server restarts; trying again in ${left} s.` : `Trying again in ${left} s.`;
}
