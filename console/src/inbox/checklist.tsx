/** What a new workspace still needs, for those who may give it: SET-05. Gone once done, or put away. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { agentsQuery, invitationsQuery, sitesQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { Button } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { createKeptStore, useStore } from "../part/store.ts";
import { useAnySeen } from "../settings/seen.tsx";
import { Snippet } from "../settings/snippet.tsx";
import { stepsOf, type StepName } from "./step.ts";
import { useWasWritten } from "./written.ts";

const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const put_away = createKeptStore<boolean>("switchboard.checklist", false, isFlag);

/** The list; nothing for those who may change nothing, and nothing once all is done. */
export function Checklist() {
  const away = useStore(put_away);
  const may = useMay();
  const asks = may("sites.write") && may("team.write") && !away;
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
        <Button size="small" tone="plain" onClick={() => put_away.set(true)}>
          Put away
        </Button>
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
