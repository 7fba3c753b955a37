/** What a new workspace still needs, for those who may give it: SET-05. Gone once done, or put away. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Workspace, WorkspaceChange } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { agentsQuery, invitationsQuery, sitesQuery, workspaceQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { Button } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { toast } from "../part/toast.tsx";
import { useSaving } from "../settings/save.ts";
import { useAnySeen } from "../settings/seen.tsx";
import { Snippet } from "../settings/snippet.tsx";
import { stepsOf, type StepName } from "./step.ts";
import { useWasWritten } from "./written.ts";

/** The list; nothing for those who may change nothing, and nothing once all is done or the team has put it away. */
export function Checklist() {
  const may = useMay();
  const asks = may("sites.write") && may("team.write");
  const workspace = useQuery({ ...workspaceQuery, enabled: asks }).data;
  const isWanted = asks && workspace !== undefined && !workspace.settings.setup_put_away;
  return isWanted ? <OpenSteps workspace={workspace} asks={asks} /> : null;
}

function OpenSteps({ workspace, asks }: { workspace: Workspace; asks: boolean }) {
  const sites = useQuery({ ...sitesQuery, enabled: asks });
  const agents = useQuery({ ...agentsQuery, enabled: asks });
  const invitations = useQuery({ ...invitationsQuery, enabled: asks });
  const was_seen = useAnySeen(sites.data ?? [], asks && sites.data !== undefined);
  const was_written = useWasWritten(asks);
  if (!sites.data || !agents.data || !invitations.data || was_written === undefined || was_seen === undefined) return null;
  const steps = stepsOf({
    sites: sites.data,
    member_count: agents.data.filter((agent) => !agent.deactivated).length + invitations.data.length,
    was_seen,
    was_written,
    language: workspace.settings.language,
  });
  const open = steps.filter((step) => !step.done);
  if (open.length === 0) return null;
  const site = sites.data.find((each) => !each.archived);
  return (
    <section className="checklist" aria-label="Set-up">
      <header>
        <h2>Set up</h2>
        <span className="faint small">
          {steps.length - open.length} of {steps.length} done
        </span>
        <PutAway workspace={workspace} />
      </header>
      <ol>
        {steps.map(({ name, done }) => (
          <li key={name} data-done={done || undefined}>
            <span className="steps-mark" aria-hidden="true">
              {done && <Icon name="check" size={12} />}
            </span>
            <div className="grow">
              <b>{WORDS[name].title}</b>
              <span className="heard-only">{done ? ", done" : ", to do"}</span>
              {!done && <p className="faint small">{WORDS[name].text}</p>}
              {!done && name === "widget" && name === open[0]?.name && site && <Snippet site_id={site.id} />}
            </div>
            {!done && WORDS[name].way(site?.id)}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Puts it away for everybody; who pressed it by mistake takes it back. */
function PutAway({ workspace }: { workspace: Workspace }) {
  const may = useMay();
  const { record, saving, store } = useSaving<Workspace, WorkspaceChange>("workspace", workspaceQuery.queryKey, workspace);
  if (!may("settings.write")) return null;
  const set = (setup_put_away: boolean) => store({ settings: { ...record.settings, setup_put_away } });
  async function putAway() {
    if (await set(true)) toast("The set-up list was put away for the team", () => void set(false));
  }
  return (
    <>
      {[...saving.refused.values()].map(({ error }) => (
        <span key={errorText(error)} className="field-error small" role="alert">
          {errorText(error)}
        </span>
      ))}
      <Button size="small" tone="plain" onClick={() => void putAway()}>
        Put away
      </Button>
    </>
  );
}

const toSite = (name: string) => (site_id: string | undefined) => (
  <Link className="button" to="/settings/$page" params={{ page: "sites" }} search={{ site: site_id }}>
    {name}
  </Link>
);

const WORDS: Record<StepName, { title: string; text: string; way: (site_id: string | undefined) => ReactNode }> = {
  origins: { title: "Name your website", text: "So far the widget loads on this machine alone. Add the address of your pages.", way: toSite("Add it") },
  widget: {
    title: "Put the widget on a page",
    text: "One tag, anywhere in the page. Done once it is seen on a page of yours; the test page does not count.",
    way: () => (
      <a className="button" href="/demo/" target="_blank" rel="noopener">
        Test page
      </a>
    ),
  },
  look: { title: "Make it look like yours", text: "Color, title and first words of the chat.", way: toSite("Change it") },
  language: {
    title: "Choose your main language",
    text: "The chat speaks ten languages and follows the page. Visitors with another one read English until you choose.",
    way: () => (
      <Link className="button" to="/settings/$page" params={{ page: "workspace" }}>
        Choose
      </Link>
    ),
  },
  team: {
    title: "Invite your team",
    text: "Whoever joins answers from the same inbox.",
    way: () => (
      <Link className="button" to="/settings/$page" params={{ page: "team" }}>
        Invite
      </Link>
    ),
  },
  conversation: { title: "Answer the first visitor", text: "Write to yourself from the test page, or wait for somebody.", way: () => null },
};
