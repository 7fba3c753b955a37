/** One visitor in full, and the way to begin a chat. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";
import type { LiveVisitor } from "@switchboard/protocol";

import { errorText } from "../api/http.ts";
import { contactQuery, sitesQuery, visitorQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { command, membership } from "../live/session.ts";
import { isText, useForm } from "../part/begun.ts";
import { Button, Field, IconButton } from "../part/control.tsx";
import { Icon } from "../part/icon.tsx";
import { Face } from "../part/lamp.tsx";
import { useLacks } from "../part/lack.ts";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { Since } from "../part/time.tsx";
import { toastError, toastWay } from "../part/toast.tsx";
import { ContactFacts, OtherConversations } from "../side/panel.tsx";
import { earlierVisits } from "../side/trail.ts";
import { EarlierVisits, VisitTrail, VisitFacts } from "../side/visit.tsx";

/** The detail beside the list; a screen of its own on phones. */
export function VisitorDetail({ id, live, onClose }: { id: string; live: LiveVisitor | undefined; onClose: () => void }) {
  const stored = useQuery(visitorQuery(id));
  const sites = useQuery(sitesQuery);
  const navigate = useNavigate();
  const may = useMay();
  const site = sites.data?.find((each) => each.id === (live?.site_id ?? stored.data?.site_id));
  const contact_id = live?.contact_id ?? stored.data?.contact_id ?? null;
  const contact = useQuery({ ...contactQuery(contact_id ?? ""), enabled: contact_id !== null });
  const name = live?.name ?? stored.data?.name ?? "";
  const conversation_id = live?.conversation_id;
  const place = useRef<HTMLElement>(null);
  // On a phone it is the title of the screen.
  const [Heading, Title] = usePhone() ? (["h1", "h2"] as const) : (["h2", "h3"] as const);
  return (
    <aside ref={place} className="visitor-detail" aria-label={`Visitor ${name}`}>
      <div className="side-section">
        <div className="side-head">
          <Face name={name} seed={contact_id ?? id} size="large" lamp={live?.state === "active" ? "live" : live ? "away" : "quiet"} lampName={live?.state ?? "left"} />
          <div className="grow">
            <Heading className="cut">
              <bdi>{name}</bdi>
            </Heading>
            <div className="faint small">
              {live ? (
                <>
                  {live.state === "active" ? "Active" : "Idle"}, here for <Since at_ms={live.entered_at_ms} />
                </>
              ) : (
                stored.data?.erased ? "Was erased" : "Has left the site"
              )}
            </div>
          </div>
          <IconButton icon="close" name="Close" onClick={onClose} />
        </div>
        {contact.data && !stored.data?.erased && <ContactFacts contact={contact.data} />}
        {stored.data?.blocked && (
          <div className="notice" data-tone="risk">
            <Icon name="block" />
            <span>This visitor is blocked and cannot write.</span>
          </div>
        )}
        {conversation_id ? (
          <Button tone="accent" icon="chat" onClick={() => void navigate({ to: "/inbox/$list/$conversationId", params: { list: "all", conversationId: conversation_id } })}>
            Open the conversation
          </Button>
        ) : (
          live && may("conversations.write") && <StartChat visitor={live} isHere={() => place.current !== null} />
        )}
      </div>
      {!stored.data?.erased && <section className="side-section">
        <Title className="side-title">{live ? "This visit" : "Last visit"}</Title>
        <VisitTrail visitor_id={id} live={live} stored={stored.data} />
        <VisitFacts browser={live?.browser ?? stored.data?.browser} source={live?.source ?? stored.data?.visits[0]?.source} site={site?.name} />
        <EarlierVisits visits={earlierVisits(live, stored.data)} />
        {stored.isError && <p className="faint small">{errorText(stored.error)}</p>}
      </section>}
      {contact_id !== null && !stored.data?.erased && <OtherConversations contact_id={contact_id} visitor_id={id} id={conversation_id ?? null} />}
    </aside>
  );
}

function StartChat({ visitor, isHere }: { visitor: LiveVisitor; isHere: () => boolean }) {
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const form = useForm(`${me} chat ${visitor.id}`, isText);
  const text = form.value ?? "";
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const navigate = useNavigate();
  const lacks = useLacks(text.trim() ? {} : { text: "Write the first words." }, error, start);
  async function start() {
    setBusy(true);
    setError(null);
    try {
      const ack = await command({ do: "start_conversation", visitor_id: visitor.id, body: text.trim(), format: "markdown" });
      form.saved(form.value);
      const { conversation_id } = ack;
      if (!conversation_id) return;
      // On a slow line one goes on meanwhile, and may be writing to somebody else by then.
      if (isHere()) await navigate({ to: "/inbox/$list/$conversationId", params: { list: "all", conversationId: conversation_id } });
      else toastWay(`The chat with ${visitor.name} has begun`, { name: "Open", conversation_id });
    } catch (reason) {
      if (isHere()) setError(reason);
      else toastError(errorText(reason));
    } finally {
      setBusy(false);
    }
  }
  return (
    <form className="stack" {...lacks.form}>
      <Field label="Start a chat" hint="The first words open the conversation on the visitor's page." error={lacks.said("text") ?? (error === null ? null : errorText(error))}>
        {(props) => (
          <textarea
            {...props}
            className="input"
            dir="auto"
            placeholder="Hello, can I help with what you are looking at?"
            value={text}
            onChange={({ target }) => form.change(target.value === "" ? undefined : target.value)}
          />
        )}
      </Field>
      <Button type="submit" tone="accent" icon="send" disabled={busy}>
        {busy ? "Starting" : "Start chat"}
      </Button>
    </form>
  );
}
