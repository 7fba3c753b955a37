/** The side panel: who this is, what they look at, what was before. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useState, type ReactNode } from "react";
import type { Contact, Conversation, Identity } from "@switchboard/protocol";

import { call, errorText } from "../api/http.ts";
import { contactConversationsQuery, contactQuery, sitesQuery, visitorQuery } from "../api/query.ts";
import { lampOf } from "../inbox/word.ts";
import { previewText } from "../inbox/row.tsx";
import { useLiveVisitor } from "../live/beside.ts";
import { records } from "../live/record.ts";
import { useMay } from "../live/right.ts";
import { membership } from "../live/session.ts";
import { useForm } from "../part/begun.ts";
import { now } from "../part/clock.ts";
import { Button, IconButton } from "../part/control.tsx";
import { ConfirmByTyping } from "../part/dialog.tsx";
import { Icon } from "../part/icon.tsx";
import { Face, Lamp } from "../part/lamp.tsx";
import { languageName } from "../part/language.ts";
import { usePhone } from "../part/screen.ts";
import { useStore } from "../part/store.ts";
import { Ago, exactText } from "../part/time.tsx";
import { toast } from "../part/toast.tsx";
import { zoneCity, zoneToday } from "../part/zone.ts";
import { useConnected } from "../shell/connection.tsx";
import { attributeName, attributeText } from "../settings/question.ts";
import { block } from "../thread/act.ts";
import { ContactChanges } from "./changes.tsx";
import { ContactForm, isContactEdit } from "./contact-form.tsx";
import { othersOf } from "./others.ts";
import { earlierVisits } from "./trail.ts";
import { EarlierVisits, VisitFacts, VisitTrail } from "./visit.tsx";

/** The panel beside a conversation. */
export function SidePanel({ row, onClose }: { row: Conversation; onClose: () => void }) {
  return (
    <div className="side-inner">
      <ContactSection row={row} onClose={onClose} />
      {row.visitor_id && !row.contact_erased && <VisitSection visitor_id={row.visitor_id} row={row} />}
      <OtherConversations contact_id={row.contact_id} visitor_id={row.visitor_id} id={row.id} />
    </div>
  );
}

/** What the lamp beside a name says. */
const HERE_NAMES = { active: "On the site now", idle: "On the site, page not in sight", left: "Not on the site", unknown: "Not known" };

function ContactSection({ row, onClose }: { row: Conversation; onClose: () => void }) {
  const contact = useQuery(contactQuery(row.contact_id));
  const connected = useConnected();
  const may = useMay();
  const { state } = useLiveVisitor(row.visitor_id);
  const here = connected ? (row.visitor_id ? state : "left") : undefined;
  const me = useStore(membership, (member) => member?.agent_id ?? "");
  const form = useForm(`${me} contact ${row.contact_id}`, isContactEdit);
  const editing = form.opened !== null;
  const [erasing, setErasing] = useState(false);
  const cache = useQueryClient();
  const name = row.contact_name;
  return (
    <section className="side-section">
      <div className="side-head">
        <Face name={name} seed={row.contact_id} size="large" lamp={here === "active" ? "live" : here === "idle" ? "away" : "quiet"} lampName={HERE_NAMES[here ?? "unknown"]} />
        <div className="grow">
          <Heading className="cut">
            <bdi>{name}</bdi>
          </Heading>
          <div className="faint small cut">{row.contact_erased ? <ErasedAt contact={contact.data} /> : !connected ? "Nobody knows who is there" : here === "active" ? "On the site now" : here === "idle" ? "On the site, idle" : contact.data ? <>Last seen <Ago at_ms={contact.data.seen_at_ms} words="ago" /></> : ""}</div>
        </div>
        {contact.data && may("contacts.write") && !row.contact_erased && !editing && <IconButton icon="edit" name="Edit the contact" onClick={form.open} />}
        <IconButton icon="close" name="Close the side panel" className="phone-only" onClick={onClose} />
      </div>
      {contact.isError && <p className="faint small">{errorText(contact.error)}</p>}
      {contact.data && !row.contact_erased && (editing ? <ContactForm contact={contact.data} form={form} /> : <ContactFacts contact={contact.data} />)}
      {contact.data && may("audit.read") && !row.contact_erased && !editing && <ContactChanges contact_id={row.contact_id} />}
      {contact.data && may("contacts.erase") && !row.contact_erased && !editing && (
        <button type="button" className="text-button" onClick={() => setErasing(true)}>
          Erase this contact
        </button>
      )}
      <ConfirmByTyping
        title={`Erase ${name}?`}
        word="erase"
        action="Erase for good"
        open={erasing}
        onClose={() => setErasing(false)}
        onConfirm={async () => {
          await call(`contacts/${row.contact_id}`, { method: "DELETE" });
          toast("The contact was erased");
          await cache.invalidateQueries({ queryKey: ["contact", row.contact_id] });
        }}
      >
        <p>
          Everything <bdi>{name}</bdi> ever wrote, every file, every page seen and every address is removed from the store for good. The
          conversations stay as empty shells, so that numbers keep their meaning. This cannot be undone.
        </p>
      </ConfirmByTyping>
    </section>
  );
}

/** On a phone the panel is a screen of its own, below the conversation's title. */
function Heading({ className, children }: { className: string; children: ReactNode }) {
  const Level = usePhone() ? "h2" : "h3";
  return <Level className={className}>{children}</Level>;
}

function ErasedAt({ contact }: { contact: Contact | undefined }) {
  if (contact?.erased_at_ms == null) return <>Erased</>;
  return (
    <>
      Erased <Ago at_ms={contact.erased_at_ms} words="ago" />
    </>
  );
}

/** What is known of somebody. */
export function ContactFacts({ contact }: { contact: Contact }) {
  const facts: [string, React.ReactNode][] = [];
  if (contact.email) facts.push(["E-mail", <Proved key="e" kind="email" value={contact.email} identities={contact.identities} />]);
  if (contact.phone) facts.push(["Phone", <Proved key="p" kind="phone" value={contact.phone} identities={contact.identities} />]);
  for (const identity of contact.identities.filter((each) => each.kind === "external_id")) {
    facts.push(["Customer id", <Proved key={identity.value} kind="external_id" value={identity.value} identities={contact.identities} />]);
  }
  if (contact.company) facts.push(["Company", <bdi key="c">{contact.company}</bdi>]);
  if (contact.language) facts.push(["Language", languageName(contact.language)]);
  if (contact.time_zone) facts.push(["Local time", localTime(contact.time_zone)]);
  facts.push(["First seen", <span key="f" title={exactText(contact.created_at_ms)}><Ago at_ms={contact.created_at_ms} words="ago" /></span>]);
  for (const [key, value] of Object.entries(contact.attributes)) facts.push([attributeName(key), <bdi key={key}>{attributeText(key, value)}</bdi>]);
  return (
    <dl className="facts">
      {facts.map(([name, value], index) => (
        <div key={`${name} ${index}`}>
          <dt className="cut">{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A value with its proof: verified, or a claim that anybody could have made. */
function Proved({ kind, value, identities }: { kind: Identity["kind"]; value: string; identities: readonly Identity[] }) {
  const fitting = identities.filter((each) => each.kind === kind && each.value.toLowerCase() === value.toLowerCase());
  const verified = fitting.find((each) => each.verified_at_ms != null)?.verified_at_ms ?? null;
  return (
    <span className="proved">
      <bdi className="proved-value">{value}</bdi>
      {verified !== null ? (
        <span className="tag" data-tone="live" title={`Proved ${exactText(verified)}`}>
          <Icon name="shield" size={12} /> verified
        </span>
      ) : (
        <span className="tag" title="Nobody proved this. It links nothing to earlier conversations.">
          claimed
        </span>
      )}
    </span>
  );
}

function localTime(zone: string): string {
  try {
    const time = new Intl.DateTimeFormat("en-US", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(now());
    return `${time} · ${zoneCity(zone) || zoneToday(zone)}`;
  } catch {
    return zoneToday(zone);
  }
}

function VisitSection({ visitor_id, row }: { visitor_id: string; row: Conversation }) {
  const connected = useConnected();
  const { live: known } = useLiveVisitor(visitor_id);
  const live = connected ? known : undefined;
  // The store is asked again when the page in sight changes, and now and then while nobody is live.
  const stored = useQuery({ ...visitorQuery(visitor_id), refetchInterval: live ? false : 20_000 });
  const sites = useQuery(sitesQuery);
  const site = sites.data?.find((each) => each.id === row.site_id);
  const earlier = earlierVisits(live, stored.data);
  return (
    <section className="side-section">
      <Heading className="side-title">
        {live ? "This visit" : "Last visit"} {live && <Lamp state={live.state === "active" ? "live" : "away"} size="small" name={live.state === "active" ? "Here now" : "Idle"} />}
      </Heading>
      <VisitTrail visitor_id={visitor_id} live={live} stored={stored.data} />
      <VisitFacts browser={live?.browser ?? stored.data?.browser} source={live?.source ?? stored.data?.visits[0]?.source} site={site?.name} />
      {stored.data?.blocked && (
        <div className="notice" data-tone="risk">
          <Icon name="block" />
          <span className="grow">This visitor is blocked and cannot write.</span>
          <Button size="small" onClick={() => block(row, false)}>
            Unblock
          </Button>
        </div>
      )}
      <EarlierVisits visits={earlier} />
    </section>
  );
}

/** The conversations of a person but this one, each a way there. */
export function OtherConversations({ contact_id, visitor_id, id }: Pick<Conversation, "contact_id" | "visitor_id"> & { id: Conversation["id"] | null }) {
  const found = useInfiniteQuery(contactConversationsQuery(contact_id));
  const read = useMemo(() => found.data?.pages.flatMap((page) => page.items), [found.data]);
  const known = useStore(records);
  const cache = useQueryClient();
  // A conversation of this person that the list does not hold: it is read again.
  const begun = useLiveVisitor(visitor_id).live?.conversation_id;
  const missing = begun != null && begun !== id && read?.every((each) => each.id !== begun) === true;
  useEffect(() => {
    if (missing) void cache.invalidateQueries({ queryKey: contactConversationsQuery(contact_id).queryKey });
  }, [cache, contact_id, begun, missing]);
  const others = useMemo(() => othersOf({ contact_id, id }, read ?? [], known), [contact_id, id, read, known]);
  if (others.length === 0) return null;
  return (
    <section className="side-section">
      <Heading className="side-title">{id === null ? "Conversations" : "Other conversations"}</Heading>
      <ul className="earlier">
        {others.map((each) => (
          <li key={each.id}>
            <Link to="/inbox/$list/$conversationId" params={{ list: "all", conversationId: each.id }} className="earlier-link">
              <Lamp state={lampOf(each, false).state} name={lampOf(each, false).name} size="small" />
              <span className="cut grow">
                <bdi>{previewText(each)}</bdi>
              </span>
              <span className="faint small">
                <Ago at_ms={each.active_at_ms} />
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {found.isFetchNextPageError && (
        <p className="field-error small" role="alert">
          {errorText(found.error)}
        </p>
      )}
      {found.hasNextPage && (
        <div>
          <Button size="small" disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}
