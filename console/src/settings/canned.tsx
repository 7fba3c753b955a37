/** Canned responses: the team's, and those that only I have. */
import { useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { limit, type CannedResponse, type CannedResponseChange, type NewCannedResponse, type Whose } from "@switchboard/protocol";

import { call, errorText, fieldError, formError, problemIn, takeAway } from "../api/http.ts";
import { cannedQuery } from "../api/query.ts";
import { fill, folded, labelOf, unknownIn, VARIABLES, type Facts as Known } from "../canned/word.ts";
import { useMay } from "../live/right.ts";
import { membership } from "../live/session.ts";
import { Button, Field, FormError, IconButton, TextField } from "../part/control.tsx";
import { Dialog } from "../part/dialog.tsx";
import { useHere } from "../part/here.ts";
import { Icon } from "../part/icon.tsx";
import type { Facts } from "../part/edit.ts";
import { putOnTop, useEdited } from "../part/edited.ts";
import { insertText } from "../part/insert.ts";
import { useLacks, type Lacks } from "../part/lack.ts";
import { useStore } from "../part/store.ts";
import { Theirs } from "../part/theirs.tsx";
import { toast, toastError } from "../part/toast.tsx";
import { useUnsaved } from "../part/unsaved.ts";
import { LastChange } from "./changed.tsx";
import { PageHead, Section } from "./page.tsx";
import { NotLoaded } from "./state.tsx";

/** The page of canned responses. */
export function CannedPage() {
  const found = useQuery(cannedQuery);
  const may = useMay();
  const [query, setQuery] = useState("");
  const [editing, setEditing] = useState<CannedResponse | "new" | null>(null);
  if (!found.data) return <NotLoaded query={found} whole />;
  const wanted = folded(query.trim());
  const fitting = found.data.filter((each) => folded(`\\${each.nickname} ${each.body}`).includes(wanted));
  const team = fitting.filter((each) => each.agent_id == null);
  const own = fitting.filter((each) => each.agent_id != null);
  return (
    <div className="page">
      <PageHead title="Canned responses">
        What is written often, written once. While you write, <kbd>\</kbd> and a nickname put one in, or <kbd>\</kbd>
        <kbd>\</kbd> and how the text begins.
      </PageHead>
      <div className="line canned-bar">
        <label className="canned-search">
          <Icon name="search" />
          <input className="input" type="search" aria-label="Search canned responses" placeholder="Search nicknames and texts" value={query} onChange={(event) => setQuery(event.target.value)} />
        </label>
        <Button icon="plus" tone="accent" onClick={() => setEditing("new")}>
          Write one
        </Button>
      </div>
      <Group title="The team’s" items={team} query={query} changeable={may("canned.write")} onEdit={setEditing}>
        {may("canned.write") ? "The team has none yet. Everybody who answers can use what stands here." : "The team has none yet. An admin can write some."}
      </Group>
      <Group title="Only yours" items={own} query={query} changeable onEdit={setEditing}>
        You have none of your own. Nobody else sees what stands here.
      </Group>
      {editing && <Edit key={editing === "new" ? "new" : editing.id} opened={editing === "new" ? null : editing} all={found.data} onClose={() => setEditing(null)} />}
    </div>
  );
}

function Group({
  title,
  items,
  query,
  changeable,
  onEdit,
  children,
}: {
  title: string;
  items: readonly CannedResponse[];
  query: string;
  changeable: boolean;
  onEdit: (response: CannedResponse) => void;
  children: string;
}) {
  const remove = useRemove();
  return (
    <Section title={title}>
      <ul className="rows canned-rows">
        {items.map((each) => (
          <li key={each.id}>
            <span className="grow">
              <b className="cut">{each.nickname ? <code>\{each.nickname}</code> : <span className="faint">No nickname</span>}</b>
              <bdi className="canned-text">{each.body}</bdi>
            </span>
            {changeable && (
              <span className="line">
                <IconButton icon="edit" name={`Change ${labelOf(each)}`} onClick={() => onEdit(each)} />
                <IconButton icon="trash" name={`Take away ${labelOf(each)}`} onClick={() => void remove(each)} />
              </span>
            )}
          </li>
        ))}
        {items.length === 0 && <li className="faint">{query.trim() ? `Nothing here fits “${query.trim()}”.` : children}</li>}
      </ul>
    </Section>
  );
}

/** Takes one away, and offers to write it again. */
function useRemove(): (response: CannedResponse) => Promise<void> {
  const cache = useQueryClient();
  const again = () => cache.invalidateQueries({ queryKey: ["canned_responses"] });
  return async (response) => {
    try {
      const was_there = await takeAway(`canned-responses/${response.id}`);
      if (was_there) toast(`${labelOf(response)} was taken away`, () => {
        const body: NewCannedResponse = { whose: whoseIs(response), nickname: response.nickname, body: response.body };
        void call("canned-responses", { method: "POST", body }).then(again, (error: unknown) => toastError(errorText(error)));
      });
    } catch (error) {
      toastError(errorText(error));
    }
    await again();
  };
}

const whoseIs = (response: CannedResponse): Whose => (response.agent_id == null ? "team" : "own");

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

/** What of one is written in the form. */
const factsOf = ({ nickname, body }: Pick<CannedResponse, "nickname" | "body">): Facts => ({ nickname, body });

const NOTHING = { nickname: "", body: "" };

/** One who types the stroke means the same. */
const nicknameOf = (text: string) => text.trim().replace(/^\\+/, "");

const changeOf = (facts: Facts | null): CannedResponseChange | null =>
  facts && { nickname: nicknameOf(facts["nickname"] ?? ""), body: facts["body"] ?? "" };

/** It as it stands by now. */
async function newestOf(cache: QueryClient, id: string): Promise<CannedResponse | undefined> {
  const all = await cache.fetchQuery({ ...cannedQuery, staleTime: 0 });
  return all.find((each) => each.id === id);
}

/** A new one, or one as it stood when it was `opened`: others may change it meanwhile, or take it away. */
function Edit({ opened, all, onClose }: { opened: CannedResponse | null; all: readonly CannedResponse[]; onClose: () => void }) {
  const may = useMay();
  const cache = useQueryClient();
  const field = useRef<HTMLTextAreaElement>(null);
  // One that was added is changed from then on.
  const [before, setBefore] = useState(opened);
  const stands = before ? all.find(({ id }) => id === before.id) : undefined;
  const [whose, setWhose] = useState<Whose>(before ? whoseIs(before) : may("canned.write") ? "team" : "own");
  const facts = factsOf(stands ?? before ?? NOTHING);
  const edited = useEdited(factsOf(opened ?? NOTHING), facts);
  // How often something was written here: what others wrote comes into the form, too.
  const written_count = useRef(0);
  const write = (key: keyof typeof NOTHING, value: string) => {
    written_count.current += 1;
    edited.set(key, value);
  };
  const { nickname = "", body = "" } = edited.form;
  const theirs = (key: keyof typeof NOTHING) => {
    const told = edited.told[key];
    return told !== undefined && <Theirs {...(whose === "own" ? { who: "You" } : {})} value={told} onTake={() => edited.take(key, told)} />;
  };
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const isHere = useHere();
  const is_touched = nickname !== facts["nickname"] || body !== facts["body"];
  useUnsaved("The canned response that you write", () => is_touched && "lost");
  const unknown = unknownIn(body);
  const too_long = bytesOf(body.trim()) > limit.canned_body_bytes_max;
  async function store(): Promise<CannedResponse | null> {
    if (!stands) return call<CannedResponse>("canned-responses", { method: "POST", body: { whose, nickname: nicknameOf(nickname), body } satisfies NewCannedResponse });
    await putOnTop("canned-responses", stands, changeOf(edited.form), () => newestOf(cache, stands.id), (newest) => changeOf(edited.onTop(factsOf(newest))));
    return null;
  }
  async function save() {
    setBusy(true);
    setError(null);
    const sent_count = written_count.current;
    try {
      const added = await store();
      await cache.invalidateQueries({ queryKey: ["canned_responses"] });
      if (!isHere()) return;
      if (written_count.current === sent_count) return onClose();
      edited.stored({ nickname: nicknameOf(nickname), body });
      if (added) setBefore(added);
      toast("It is stored but for what you wrote since");
    } catch (reason) {
      if (!isHere()) toastError(errorText(reason));
      setError(reason);
    }
    setBusy(false);
  }
  const missing: Lacks<"body"> = too_long ? { body: "" } : body.trim() === "" ? { body: "Write what is to be said." } : {};
  const lacks = useLacks(missing, error, save);
  return (
    <Dialog title={before ? "Change a canned response" : "Write a canned response"} open wide keeps={is_touched} onClose={onClose}>
      <form {...lacks.form} className="stack canned-form">
        {!before && may("canned.write") && (
          <fieldset className="checks">
            <legend>Who uses it</legend>
            {([["team", "The whole team"], ["own", "Only you"]] as const).map(([each, words]) => (
              <label key={each}>
                <input type="radio" name="whose" checked={whose === each} onChange={() => setWhose(each)} /> {words}
              </label>
            ))}
          </fieldset>
        )}
        <TextField
          label="Nickname"
          hint={theirs("nickname") || "One word, typed after the stroke. Without one it is found by how it begins."}
          value={nickname}
          onValue={(value) => write("nickname", value)}
          error={fieldError(error, "nickname")}
          autoComplete="off"
          autoFocus
        />
        <Field label="Text" hint={theirs("body")} error={too_long ? "This is too long for a canned response: 4,096 bytes at most." : (lacks.said("body") ?? fieldError(error, "body"))}>
          {(props) => <textarea {...props} ref={field} className="input canned-field" dir="auto" rows={6} required value={body} onChange={(event) => write("body", event.target.value)} />}
        </Field>
        <div className="line canned-variables" role="group" aria-label="Put in">
          {Object.entries(VARIABLES).map(([name, words]) => (
            <Button key={name} size="small" title={`{{${name}}}`} onClick={() => field.current && insertText(field.current, `{{${name}}}`)}>
              {words}
            </Button>
          ))}
        </div>
        {unknown.length > 0 && (
          <p className="field-hint" role="status">
            {unknown.join(", ")} {unknown.length === 1 ? "is no variable: it is" : "are no variables: they are"} sent as written.
          </p>
        )}
        <Preview body={body} />
        {before && <LastChange of={before.id} />}
        {before && !stands && (
          <p className="field-hint" role="status">
            {whose === "own" ? "You" : "A colleague"} took this one away meanwhile. Saving writes it anew.
          </p>
        )}
        <FormError text={problemIn(error)?.code === "not_found" ? null : formError(error, ["nickname", "body"])} />
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="accent" disabled={busy}>
            {before ? "Save" : "Add it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** How it would read, to somebody. */
function Preview({ body }: { body: string }) {
  const me = useStore(membership);
  const facts: Known = { customer_name: "Ana Kovač", agent_name: me?.name ?? "", ticket_id: "128", department_signature: me?.workspace_name ?? "" };
  const { text, from } = fill(body, facts);
  const goes_on = /\{\{\s*response_details\s*\}\}/.test(body);
  const cut = goes_on ? from : text.length;
  return (
    <div className="canned-preview">
      <div className="field-hint">How it reads</div>
      <bdi className="canned-preview-text" aria-live="off">
        {text || goes_on ? (
          <>
            {text.slice(0, cut)}
            {goes_on && <span className="canned-caret" aria-hidden="true" />}
            {text.slice(cut)}
          </>
        ) : (
          <span className="faint">Nothing yet.</span>
        )}
      </bdi>
    </div>
  );
}
