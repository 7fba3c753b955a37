/** What calls me back to the console: kept in this browser, for each has its own. */
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";

import type { Whose } from "../live/notice.ts";
import { Button, Field, Switch } from "../part/control.tsx";
import { useStore } from "../part/store.ts";
import { toastError } from "../part/toast.tsx";
import { askForDesktop, chime, desktop_fails, desktopState, notice_choice, show, type DesktopState } from "../shell/notice.ts";
import { PageHead, Section } from "./page.tsx";

const WHOSE: readonly [Whose, string][] = [
  ["mine", "conversations assigned to me"],
  ["open", "mine, and those nobody has taken"],
  ["all", "all conversations"],
];

const DESKTOP_HINT: Record<DesktopState, string> = {
  insecure: "Browsers show them over HTTPS alone, and this page came without.",
  install: "An iPhone or iPad shows them only for a console that was added to the home screen and is opened from there.",
  unable: "This browser cannot show notices of the desktop.",
  ask: "The browser asks once whether it may.",
  granted: "With the name and the words, while this page is open and not looked at. A telephone soon lets a page sleep that is put away; then nothing is shown.",
  denied: "This browser was told not to show them. Allow notices for this page in the browser’s settings, then come back.",
};

const FAILS = "This browser could not show the last one.";

/** The page. */
export function NoticesPage() {
  const choice = useStore(notice_choice);
  const [state, setState] = useState(desktopState);
  const fails = useStore(desktop_fails);
  const { history } = useRouter();
  const change = (next: Partial<typeof choice>) => notice_choice.set({ ...choice, ...next });
  async function setDesktop(desktop: boolean) {
    const allowed = !desktop || state === "granted" || (await askForDesktop());
    setState(desktopState());
    change({ desktop: desktop && allowed });
  }
  const shows = choice.desktop && state === "granted";
  async function tryIt() {
    if (choice.sound) chime();
    const notice = { conversation_id: "try", name: "Ana Kovač", text: "Is there a yearly plan?", path: "/console/inbox/all" };
    if (shows && !(await show(notice, (path) => history.push(path)))) toastError(FAILS);
  }
  return (
    <div className="page">
      <PageHead title="Notifications">What calls you back while you look elsewhere. Chosen for this browser alone.</PageHead>
      <Section title="How">
        <Switch label="Notices of the desktop" hint={shows && fails ? FAILS : DESKTOP_HINT[state]} checked={shows} disabled={state !== "ask" && state !== "granted"} onChange={(desktop) => void setDesktop(desktop)} />
        <Switch label="A sound" hint="Two soft tones." checked={choice.sound} onChange={(sound) => change({ sound })} />
        <Switch label="A count in the tab’s title" hint="How many customers wait for an answer." checked={choice.title !== false} onChange={(title) => change({ title })} />
        <div>
          <Button disabled={!choice.sound && !shows} onClick={() => void tryIt()}>
            Try it
          </Button>
        </div>
      </Section>
      <Section title="Tell me of">
        <Field label="What customers write in" hint="Whichever list is open in the inbox, and wherever you are in the console.">
          {(props) => (
            <select {...props} className="input" value={choice.whose} onChange={(event) => change({ whose: event.target.value as Whose })}>
              {WHOSE.map(([whose, name]) => (
                <option key={whose} value={whose}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Switch label="Notes that name me" hint="Whoever has the conversation. A line in the console says so, too; To do lists them either way." checked={choice.mention !== false} onChange={(mention) => change({ mention })} />
        <Switch label="Conversations given to me" hint="By somebody of the team or by a program; told in the same way." checked={choice.assignment !== false} onChange={(assignment) => change({ assignment })} />
      </Section>
    </div>
  );
}
