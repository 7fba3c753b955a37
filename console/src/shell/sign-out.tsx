/** Signing out: at once, unless something would be lost by it. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { call, errorText } from "../api/http.ts";
import { queries } from "../api/query.ts";
import { endSession } from "../live/session.ts";
import { Button } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { toastError } from "../part/toast.tsx";
import { losses, sendUnsaved } from "../part/unsaved.ts";
import { useActions } from "./action.ts";

/** The way out, and the question that may stand before it. */
export function useSignOut() {
  const navigate = useNavigate();
  const [lost, setLost] = useState<readonly string[]>([]);
  async function signOut() {
    setLost([]);
    try {
      await call("logout", { method: "POST" });
      await navigate({ to: "/sign-in" });
      endSession();
      queries.clear();
    } catch (error) {
      toastError(errorText(error));
    }
  }
  async function want() {
    await sendUnsaved();
    const would_go = losses();
    if (would_go.length === 0) await signOut();
    else setLost(would_go);
  }
  useActions([{ id: "sign out", name: "Sign out", group: "General", icon: "join", run: () => void want() }]);
  const question = (
    <Dialog title="Sign out now?" open={lost.length > 0} onClose={() => setLost([])}>
      <p>This would be lost:</p>
      <ul className="losses">
        {lost.map((each) => (
          <li key={each}>
            <bdi>{each}</bdi>
          </li>
        ))}
      </ul>
      <div className="dialog-foot">
        <Button onClick={() => setLost([])}>Stay</Button>
        <Button tone="risk" onClick={() => void signOut()}>
          Sign out all the same
        </Button>
      </div>
    </Dialog>
  );
  return { want: () => void want(), question };
}
